#ifndef CORE_RESOURCE_H
#define CORE_RESOURCE_H

#include "base/fail.h"

#include <json-c/json_object.h>
#include <stdbool.h>

/*
 * A kind of thing that projects have and that Bluejay keeps: what differs between
 * the kinds stands here, and the rest of this room asks. Local and upstream ids,
 * the fence, intents, settling, keys and copies work alike for all of them.
 */
struct resource {
	const char *noun;   /* in a sentence: "persona" */
	const char *title;  /* at its beginning: "Persona" */
	const char *plural; /* "personas" */

	/* The scopes of its records begin with it, so that a record says what it is. */
	const char *prefix;

	/* Bluejay's paths; one thing's id follows after a slash. */
	const char *create; /* POST */
	const char *item;   /* GET and DELETE */
	const char *update; /* PUT */
	const char *list;   /* GET */

	bool by_agent; /* the listing is one agent's, whose number follows after a slash: its things
	                  belong to the agent's projects, and a project without one has no listing */

	const char *headers;  /* the local field with headers of a thing's own, which calls about it
	                         may carry; NULL: none */
	const char *name;     /* the local field that names a thing, a string that is never empty */
	const char *nameless; /* the sentence when there is none */
	bool portraits;       /* images are made for its things */
	bool twins;           /* its things can have twins in the local tool */
};

extern const struct resource resource_persona;

/* Whether a body names the thing properly; -1 with a sentence when not. Where a name
 * is not required none, or null, will do. */
int resource_check_name(const struct resource *, struct json_object *body, bool required,
    struct fail *);

/* The resource that a record's scope belongs to. */
const struct resource *resource_of_scope(const char *scope);

#endif
