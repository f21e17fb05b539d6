#ifndef CORE_RESOURCE_H
#define CORE_RESOURCE_H

#include "base/fail.h"
#include "mapping/mapping.h"

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A kind of thing that projects have and that Bluejay keeps, read from its
 * declaration (resource_read.h): what differs between the kinds stands here, and the
 * rest of this room asks. Local and upstream ids, the fence, intents, settling, keys
 * and copies work alike for all of them. Immutable.
 */

/* One of Bluejay's calls. */
struct resource_call {
	char *method; /* NULL: there is no such call */
	char *path;   /* "/v1/thing/{id}"; {agent_id} and {project_id} are possible, too */
	int status;   /* of the local answer when it is done; 0: the usual one */
};

/* What a caller is told when Bluejay answers with this status. */
struct resource_error {
	int upstream, local;
	char *sentence; /* NULL: the usual one */
};

/* What ids look like. */
enum resource_id_form {
	RESOURCE_ID_ANY, /* a text or a whole number */
	RESOURCE_ID_STRING,
	RESOURCE_ID_INTEGER,
	RESOURCE_ID_UUID
};

#define RESOURCE_ID_MAX 128 /* bytes */

/* How the scopes of a file's own resources begin; its key and a colon follow. */
#define RESOURCE_PREFIX "resource:"

struct resource {
	char *key;    /* in local paths and in the file: "personas" */
	char *noun;   /* in a sentence: "persona" */
	char *title;  /* at its beginning: "Persona" */
	char *plural; /* "personas" */

	char *id_member; /* of JSON that speaks of it: "personaId" */

	/* The scopes of its records begin with it, so that a record says what it is. */
	char *prefix;
	bool built_in;

	struct resource_call list, read, create, update, remove;
	struct resource_call add; /* adds to the numbers that a thing holds */
	char *add_path;           /* of `add` below a thing's local path */

	char *total;          /* the member of a listing that says how many things there are, or NULL */
	char *next;           /* the member that leads to its next part; NULL: it is whole */
	char *next_parameter; /* of the listing's query, for the value of `next`; NULL: that is a URL */

	char *id; /* Bluejay's member */
	enum resource_id_form id_form;
	char *created; /* Bluejay's member with the time of its making; NULL: it has none */

	bool by_agent; /* the listing is one agent's: its things belong to the agent's projects, and a
	                  project without one has no listing */
	bool shared;   /* the listing is the whole organisation's, which also has what others made */
	bool unfenced; /* every project has all that is in it */

	char *headers;  /* the local field with headers of a thing's own, which calls about it may
	                   carry; NULL: none */
	char *name;     /* the local field that names a thing, a string that is never empty; NULL: none */
	char *nameless; /* the sentence when there is none */
	bool unique;    /* two things of a scope do not have one name */
	char *label;    /* where names are not unique: Bluejay's member, always answered; NULL: none */

	char *numbers;       /* with add: Bluejay's member, a set of integers */
	char *numbers_local; /* the local field that usually goes there */
	char *numbered;      /* what the numbers are, in a sentence */

	bool portraits; /* images are made for its things */
	bool twins;     /* its things can have twins in the local tool */

	struct resource_error *errors;
	size_t error_count;

	int line, column; /* of the declaration in the user's file */
	const struct mapping_resource *mapped; /* what the mapping knows of it */
};

/* The path of a call: "{id}" and what else it names is put in, percent-encoded. `id`
 * may be NULL where there is none. The caller frees. */
char *resource_path(const struct resource_call *, const char *project_id, int64_t agent_id,
    const char *id);

/* A path with one more parameter in its query. The caller frees. */
char *resource_path_with(const char *path, const char *parameter, const char *value);

/* Whether a text can be the id of a thing, and what such a text is: "a UUID". */
bool resource_id_ok(const struct resource *, const char *id);
const char *resource_id_noun(const struct resource *);

/* The id of an upstream thing as text; NULL when it has no proper one. Belongs to the
 * tree. */
const char *resource_id(const struct resource *, struct json_object *upstream);

/* The account that an upstream thing says it belongs to, as personas do; NULL when it does not
 * say. Belongs to the tree. */
#define RESOURCE_ORGANISATION "org_id"
const char *resource_organisation(struct json_object *upstream);

/* When an upstream thing was made (ms since 1970); `otherwise` when it does not say. */
int64_t resource_created(const struct resource *, struct json_object *upstream,
    int64_t otherwise);

/* What is to be told for a status; NULL: nothing of its own. */
const struct resource_error *resource_error_of(const struct resource *, int status);

/* Whether a body names the thing properly; -1 with a sentence when not. Where a name
 * is not required none, or null, will do. A mapping without the name's field makes
 * the name by itself. */
int resource_check_name(const struct resource *, const struct mapping *, struct json_object *body,
    bool required, struct fail *);

/* Whether every upstream thing has something that names it. */
bool resource_is_labelled(const struct resource *);

/* What names an upstream thing; NULL when nothing does. Belongs to the tree. */
const char *resource_label(const struct resource *, const struct mapping *,
    struct json_object *upstream);

/* The same where names are unique, else NULL: what a record is called. */
const char *resource_unique_name(const struct resource *, const struct mapping *,
    struct json_object *upstream);

/* Whether an upstream thing is as a recorded create or update wants it: its numbers
 * are a set, in any order. */
bool resource_matches(const struct resource *, const struct mapping *, struct json_object *sent,
    struct json_object *upstream);

/* Whether an upstream thing holds every number that was to be added. */
bool resource_holds(const struct resource *, struct json_object *sent,
    struct json_object *upstream);

/* The local field of the numbers. Belongs to the mapping or is for ever. */
const char *resource_numbers_field(const struct resource *, const struct mapping *);

/* Says more than that a body cannot be mapped, when it is numbers that are none: adds
 * to the sentence. */
void resource_explain(const struct resource *, const struct mapping *, struct json_object *body,
    struct fail *);

#endif
