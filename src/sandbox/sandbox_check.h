#ifndef SANDBOX_CHECK_H
#define SANDBOX_CHECK_H

#include "base/buf.h"
#include "base/uuid.h"
#include "sandbox/sandbox_state.h"

#include <json-c/json_object.h>

/*
 * Validation as FastAPI with pydantic 2 does it: every mistake of a request is
 * noted, and all are answered at once with 422. Numbers are read leniently
 * (integral floats, digits in a string, booleans), strings are not.
 */
struct sandbox_check {
	struct buf detail; /* the mistakes, between commas */
	unsigned count;
};

/* Where a mistake is: "body"/"path"/"query"/"header", a member, an index. */
struct sandbox_place {
	const char *part;
	const char *member; /* NULL: the part itself */
	int64_t index;      /* -1: none */
};

void sandbox_check_init(struct sandbox_check *);
void sandbox_check_free(struct sandbox_check *);

/* Notes a mistake. `input` is the value that was met (NULL: null); `why` goes
 * into ctx.error and may be NULL. The texts are the program's own. */
void sandbox_check_add(struct sandbox_check *, const char *type, struct sandbox_place,
    const char *msg, struct json_object *input, const char *why);
/* The same for an input that is plain text; bytes that are not UTF-8 are replaced. */
void sandbox_check_add_text(struct sandbox_check *, const char *type, struct sandbox_place,
    const char *msg, const char *input, size_t len, const char *why);

/* Appends the whole answer, {"detail":[…]}. */
void sandbox_check_answer(const struct sandbox_check *, struct buf *);

/* Reads a body as JSON by its content type (NULL: none was sent). False: it is
 * broken JSON, the one mistake noted. *value is the tree, the caller's; when
 * the type is not JSON it is NULL and *raw true. */
bool sandbox_check_parse(struct sandbox_check *, const char *content_type, const char *body,
    size_t len, struct json_object **value, bool *raw);

/* Notes a mistake when the body is not an object; false then. */
bool sandbox_check_object(struct sandbox_check *, struct json_object *value, bool raw,
    const char *body, size_t len);

/* Members of a body. What is absent, or null where that is allowed, gives NULL
 * text, false, or NULL ids. The text belongs to the tree, the ids to the caller. */
void sandbox_check_text(struct sandbox_check *, struct json_object *body, const char *member,
    bool required, struct sandbox_text *);
bool sandbox_check_integer(struct sandbox_check *, struct json_object *body, const char *member,
    int64_t *);
int64_t *sandbox_check_integers(struct sandbox_check *, struct json_object *body,
    const char *member, bool required, size_t *count);

/* A UUID in the path in any form that pydantic takes; *id becomes its plain form. */
void sandbox_check_uuid(struct sandbox_check *, const char *member, const char *text,
    char id[UUID_SIZE]);
/* An integer in the path or the query. */
void sandbox_check_number(struct sandbox_check *, struct sandbox_place, const char *text,
    size_t len, int64_t *);

#endif
