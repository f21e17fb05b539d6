#ifndef MAPPING_CASE_H
#define MAPPING_CASE_H

#include "mapping_test.h"

/*
 * One body through one mapping. `fields` are lines for a persona's mapping that
 * has name, and the constants description and goal ("d" and "g", not shown), or
 * a whole section when they do not begin with a space. What every persona has
 * (name, id, updatedAt, description) is not shown.
 */

struct mapping *mapping_case_compile(const char *fields);

/* Sends a body and expects what goes to Bluejay, or the sentence that refuses
 * it. The caller clears the struct when true. */
bool mapping_case_send(const struct mapping *, enum mapping_operation, const char *body,
    const char *upstream, struct mapping_request *);

/* Expects what an answer of Bluejay becomes, or the sentence for the log. */
void mapping_case_receive(const struct mapping *, struct json_object *upstream,
    struct json_object *absent, struct json_object *kept, const char *expected);

/* Expects a create's body, and back the same text that was given. */
void mapping_case_both_ways(const char *fields, const char *local, const char *upstream);

/* Expects a create's body alone; to be refused; and what an answer becomes. */
void mapping_case_sent(const char *fields, const char *local, const char *upstream);
void mapping_case_refused(const char *fields, const char *local, const char *sentence);
void mapping_case_answered(const char *fields, const char *upstream, const char *expected);

#endif
