#ifndef TORTURE_MODEL_H
#define TORTURE_MODEL_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What one client knows of a persona from the answers it got: whether it can
 * exist, and which values each field can have. An acknowledged write leaves one
 * value, an open one adds a possible value.
 */

enum model_field { MODEL_NAME, MODEL_DESCRIPTION, MODEL_PROMPT, MODEL_HEADERS, MODEL_FIELDS };

enum model_state {
	MODEL_MAYBE,  /* a create's outcome is open */
	MODEL_LIVE,
	MODEL_DOOMED, /* a delete's outcome is open */
	MODEL_GONE    /* acknowledged as deleted, or certainly never made */
};

/* The values that a field can have; NULL is absent. */
struct model_values {
	char **v;
	size_t n;
};

struct model_persona {
	enum model_state state;
	char id[40]; /* empty: no answer has told it */
	struct model_values fields[MODEL_FIELDS];
	char *body;   /* of the create, for equal ones */
	char key[48]; /* its Idempotency-Key; empty: none */
	bool unseen;  /* an answer may have been on its way to a client that had gone */
	bool made;    /* it did exist: a 201 told so */
	bool asked;   /* its create was sent before, with an open outcome */
	bool changed; /* written to after its create */
	bool loose;   /* a write may still be on its way: nothing that follows is the last word */
	unsigned made_by, made_in; /* gateway that acknowledged it, and its generation */
	unsigned long made_after;  /* outages of the database until then */
	unsigned changed_by; /* gateway that last said something new of it, and when */
	int64_t changed_ms;
};

/* A set of fields to send: NULL is left out. */
struct model_body {
	const char *values[MODEL_FIELDS]; /* headers as JSON text */
};

/* The local body; the caller frees. */
char *model_print(const struct model_body *);

/* Makes a persona whose create was sent. */
void model_begin(struct model_persona *, const struct model_body *, const char *key);
/* Another body under the same name was sent, with an open outcome. */
void model_add(struct model_persona *, const struct model_body *);
/* The create of this body was acknowledged. */
void model_made(struct model_persona *, const struct model_body *, const char *id);
/* A write of these fields was acknowledged (or is open). */
void model_write(struct model_persona *, const struct model_body *, bool open);
void model_clear(struct model_persona *);

/* Whether the persona can, or must, hold a name. */
bool model_may_hold(const struct model_persona *, const char *name);
bool model_must_hold(const struct model_persona *, const char *name);

/* The name that a field's newest value has; a persona has always one. */
const char *model_name(const struct model_persona *);

/* Says what no request explains in a local persona, or one of Bluejay's; NULL: nothing. */
const char *model_judge_local(const struct model_persona *, struct json_object *);
const char *model_judge_upstream(const struct model_persona *, struct json_object *);

#endif
