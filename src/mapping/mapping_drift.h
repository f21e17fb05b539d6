#ifndef MAPPING_DRIFT_H
#define MAPPING_DRIFT_H

#include "mapping/mapping.h"

/*
 * Compares answers of Bluejay with what they are declared to hold: the members
 * that the mapping reads, and those known from Bluejay's pages. A pure function;
 * values are looked at and never told, only paths and JSON types are.
 *
 * What lies inside a member that nobody declared is not looked into, so a walk is
 * as deep as the declarations are. Null is no difference but where Bluejay's pages,
 * or the gateway's own needs, exclude it.
 */
enum mapping_drift_kind {
	MAPPING_DRIFT_MISSING, /* declared, and not in the answer */
	MAPPING_DRIFT_NEW,     /* in the answer, and not declared */
	MAPPING_DRIFT_RETYPED, /* of another type, or in a form that the mapping cannot read */
};

/* "missing", "new", "retyped". */
const char *mapping_drift_name(enum mapping_drift_kind);

#define MAPPING_DRIFT_PATH_SIZE 128 /* longer paths are cut, and end with "…" */

/* What is declared of a value that has the right type, but a wrong form. */
#define MAPPING_DRIFT_READABLE "a value that the mapping can read"

/* One difference. Strings are valid during the call. */
struct mapping_drift {
	enum mapping_drift_kind kind;
	const char *path;     /* in one thing, as the mapping writes paths, "[]" for each element and
	                         ".*" for each member; "(item)" for the whole, "(list)" for the
	                         listing and "(list).total" for a member of it */
	const char *declared; /* "a string"; NULL when nothing is declared of the type */
	const char *seen;     /* "an integer", "null"; NULL when MISSING */
};

typedef void (*mapping_drift_fn)(void *arg, const struct mapping_drift *);

/* One thing, as Bluejay answers it. */
void mapping_drift_item(const struct mapping *, struct json_object *item, mapping_drift_fn,
    void *arg);

/* A listing with all its things. Returns the array of them, which belongs to the
 * tree; NULL when there is none. */
struct json_object *mapping_drift_list(const struct mapping *, struct json_object *listing,
    mapping_drift_fn, void *arg);

#endif
