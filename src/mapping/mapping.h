#ifndef MAPPING_H
#define MAPPING_H

#include "base/fail.h"
#include "config/diag.h"
#include "config/yaml_node.h"
#include "mapping/mapping_resource.h"

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The mapping of one resource (personas, communities), compiled once from its YAML
 * section and applied as pure functions: no I/O, no clock, no state. One
 * declaration gives both directions.
 *
 * A field may be nested on both sides (`profile.tone: traits.tone`). Wherever a
 * local field is named (kept, absent, given, mapping_local_name()), the name is
 * its path as the file has it. Trees that come out share values with those that
 * went in: use and release both on one thread.
 */
struct mapping; /* immutable; may be used from any thread */

/* `section` is the resource's section ("mapping.persona") or NULL. Its parts
 * (fields, constants, kept_here) each replace the built-in one; a part that is
 * left out keeps its default. NULL when there was any error; all are in the
 * list, warnings too, unsorted. Needs nothing of the section afterwards; the
 * resource must outlive the mapping. */
struct mapping *mapping_compile(const struct mapping_resource *, const struct yaml_node *section,
    struct diag_list *);
void mapping_free(struct mapping *);

/* The same with what differs for one project (NULL: nothing): entries of its
 * `fields`, `constants` and `templates` take the place of those with their key, a
 * null takes one away; its `kept_here` replaces the list. */
struct mapping *mapping_compile_over(const struct mapping_resource *,
    const struct yaml_node *section, const struct yaml_node *over, struct diag_list *);

/* ---- what is declared, for those who show it ---- */

enum mapping_origin {
	MAPPING_MAPPED, /* lives in Bluejay */
	MAPPING_KEPT,   /* the gateway keeps it */
	MAPPING_MADE    /* the gateway makes it */
};

/* One member of the local form. Strings belong to the mapping. */
struct mapping_declared {
	const char *local;    /* its path, as everywhere here */
	const struct mapping_path *path; /* the same, taken apart; NULL: MADE, a single key */
	const char *upstream; /* MAPPED: the path in Bluejay; else NULL */
	enum mapping_origin origin;
	const char *type;     /* of the local value, as `as` names it: "string", "timestamp", … */
	bool read_only;       /* callers do not choose it */
	bool not_on_create;   /* given at create it counts as absent */
	int line, column;     /* of the user's file; 0: built in */
};

/* The i-th member in the order in which an answer has them; false beyond the last. */
bool mapping_declared(const struct mapping *, size_t i, struct mapping_declared *out);

/* The member's value in a local form; NULL when it is absent. Belongs to the tree. */
struct json_object *mapping_declared_value(const struct mapping_declared *,
    struct json_object *local);

/* ---- what is applied ---- */

enum mapping_operation { MAPPING_CREATE, MAPPING_UPDATE };

/* What `${project.…}` stands for. */
struct mapping_project {
	const char *id;
	bool has_agent;
	int64_t agent_id;
};

/* What a local request body becomes. Trees belong to the struct. */
struct mapping_request {
	struct json_object *upstream; /* object: the body for Bluejay; no members: nothing to send */
	struct json_object *kept;     /* object: what the gateway keeps of the body, by local path:
	                                 kept_here fields that were given (not null), what omit_when
	                                 left out, empty objects that fields lie in */
	struct json_object *absent;   /* create: object: local field -> filler sent in its place */
	struct json_object *given;    /* object: local field -> true, mapped fields that were given */
};

/* 0, or -1 with a sentence in the caller's words ("systemPrompt must be a
 * string"), nothing to free. `local` must be a JSON object. Null members count
 * as absent; unknown, read-only and built-in ones are ignored. A missing or
 * empty field that is always given (mapping_known.h: a persona's `name`, a
 * community's `title`) is the caller's business; a `name` with U+0000 is
 * refused. imageUrl is ignored on create. */
int mapping_request_make(const struct mapping *, enum mapping_operation,
    struct json_object *local, const struct mapping_project *, struct mapping_request *out,
    struct fail *);
void mapping_request_clear(struct mapping_request *);

/* Puts "…" in the place of what constants took from the environment, for those
 * who show an upstream object, sent or answered: it may be a secret. */
void mapping_hide(const struct mapping *, struct json_object *upstream);

/*
 * What an upstream object becomes. `absent` and `kept` are as recorded (NULL:
 * none). A field named in `absent` is left out while the upstream value equals
 * its filler. Adds `id` first and, when the resource has it, `updatedAt` last.
 * Members: id, mapped fields in their declared order, kept fields, read-only
 * fields, updatedAt. Null
 * upstream values are left out. -1 when the answer does not have the declared
 * shape (not an object, wrong type): the sentence is for the log and names the
 * path. The caller puts *out.
 */
int mapping_answer_make(const struct mapping *, struct json_object *upstream,
    const char *local_id, struct json_object *absent, struct json_object *kept,
    int64_t updated_ms, struct json_object **out, struct fail *);

/* The part of `absent` that still holds: members whose upstream value still
 * equals the filler, or cannot be seen (not answered, no longer mapped). A new
 * object, or NULL when none is left; *changed says whether any member went. */
struct json_object *mapping_absent_left(const struct mapping *, struct json_object *upstream,
    struct json_object *absent, bool *changed);

/* Whether the upstream object holds, in every member that `sent` (the recorded
 * body of a create or update) has, the value sent; numbers by what they are
 * worth, times by the instant. Constants do not count (the upstream never
 * answers agent_id); a member to which no field goes today counts only when it
 * is answered. */
bool mapping_sent_matches(const struct mapping *, struct json_object *sent,
    struct json_object *upstream);

/* The local field whose value goes to this upstream member ("goal" gives
 * "systemPrompt"), or around it, or the only one that goes inside it; keys are
 * joined by dots. NULL when there is none. Belongs to the mapping. */
const char *mapping_local_name(const struct mapping *, const char *upstream_member);

/* The value of an upstream persona's local field `name` as a string; NULL when
 * it has none, or one with U+0000, or when the resource has no name. Belongs to
 * the tree. */
const char *mapping_persona_name(const struct mapping *, struct json_object *upstream);

/* The same for a local field, which need not be the name. */
const char *mapping_local_text(const struct mapping *, const char *local,
    struct json_object *upstream);

#endif
