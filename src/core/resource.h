#ifndef CORE_RESOURCE_H
#define CORE_RESOURCE_H

#include "base/fail.h"
#include "mapping/mapping.h"

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

	const char *id_member; /* of JSON that speaks of it: "personaId" */

	/* The scopes of its records begin with it, so that a record says what it is. */
	const char *prefix;

	/* Bluejay's paths; one thing's id follows after a slash. */
	const char *create; /* POST */
	const char *item;   /* GET and DELETE */
	const char *update; /* PUT */
	const char *add;    /* PUT: adds to the numbers that a thing holds; NULL: it holds none */
	const char *list;   /* GET */

	bool by_agent; /* the listing is one agent's, whose number follows after a slash: its things
	                  belong to the agent's projects, and a project without one has no listing */
	bool shared;   /* the listing is the whole organisation's, which also has what others made */

	const char *headers;  /* the local field with headers of a thing's own, which calls about it
	                         may carry; NULL: none */
	const char *name;     /* the local field that names a thing, a string that is never empty */
	const char *nameless; /* the sentence when there is none */
	bool unique;          /* two things of a scope do not have one name */
	const char *label;    /* where names are not unique: Bluejay's member, always answered */

	const char *numbers;       /* with add: Bluejay's member, a set of integers */
	const char *numbers_local; /* the local field that usually goes there */
	const char *numbered;      /* what the numbers are, in a sentence */

	bool portraits; /* images are made for its things */
	bool twins;     /* its things can have twins in the local tool */
};

extern const struct resource resource_persona;
extern const struct resource resource_community;

/* The resource that a record's scope belongs to. */
const struct resource *resource_of_scope(const char *scope);

/* Whether a body names the thing properly; -1 with a sentence when not. Where a name
 * is not required none, or null, will do. A mapping without the name's field makes
 * the name by itself. */
int resource_check_name(const struct resource *, const struct mapping *, struct json_object *body,
    bool required, struct fail *);

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
