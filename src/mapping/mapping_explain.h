#ifndef MAPPING_EXPLAIN_H
#define MAPPING_EXPLAIN_H

#include "mapping/mapping.h"

/*
 * Says what happens to each member of a body, for people: pure functions beside
 * those that do it. Only names are told, never values.
 */
enum mapping_explain_what {
	MAPPING_EXPLAIN_COPIED,    /* the same value under the same path */
	MAPPING_EXPLAIN_RENAMED,   /* the same value under another path */
	MAPPING_EXPLAIN_CONVERTED, /* another value */
	MAPPING_EXPLAIN_DEFAULTED, /* absent, and when_absent stands in */
	MAPPING_EXPLAIN_CONSTANT,
	MAPPING_EXPLAIN_KEPT,      /* the gateway keeps it */
	MAPPING_EXPLAIN_DROPPED,   /* given, and goes nowhere */
	MAPPING_EXPLAIN_LEFT_OUT,  /* declared, and not there this time */
};

/* "copied", …, "kept here", "dropped", "left out". */
const char *mapping_explain_name(enum mapping_explain_what);

/* What happened to one member. Strings are valid during the call. */
struct mapping_explained {
	enum mapping_explain_what what;
	const char *local, *upstream; /* paths; NULL: it has no place on that side */
	const char *why;              /* NULL: there is nothing more to say */
	bool built_in;                /* declared in what is built in */
	int line, column;             /* of the declaration in the user's file; 0: not there */
};

/* The same as a JSON object: `local`, `bluejay`, `line`, `column` (null where there is
 * none), `what`, and where it applies `built_in` and `why`. The caller puts it. */
struct json_object *mapping_explain_json(const struct mapping_explained *);

/* Reads such an object; false when it is none. Strings belong to the object. */
bool mapping_explain_from_json(struct json_object *, struct mapping_explained *);

typedef void (*mapping_explain_fn)(void *arg, const struct mapping_explained *);

/* Of a body that mapping_request_make() takes. */
void mapping_explain_request(const struct mapping *, enum mapping_operation,
    struct json_object *local, const struct mapping_project *, mapping_explain_fn, void *arg);

/* Of an answer that mapping_answer_make() takes, without what is recorded here. */
void mapping_explain_answer(const struct mapping *, struct json_object *upstream,
    mapping_explain_fn, void *arg);

#endif
