#ifndef MAPPING_TEMPLATE_H
#define MAPPING_TEMPLATE_H

#include "mapping/mapping_plan.h"

/*
 * A text of Bluejay's that is put together from local fields, all strings:
 * "{systemPrompt}\n\nSpeak {language}.". Fields that have no other place are
 * read back out of the text; then a request whose values could not be told
 * apart again is refused.
 */
struct mapping_piece {
	char *text;                 /* what stands before the field; at the end, after the last */
	size_t len;
	struct mapping_path local;  /* text NULL: the end */
	struct json_object *filler; /* a string that stands in for an absent field; or NULL */
	bool only_here;             /* the field has no other place */
	bool always_given;
};

struct mapping_template {
	struct mapping_path upstream;
	struct mapping_piece *pieces; /* the last has no field */
	size_t count;
	bool reads; /* fields that have no other place come back */
	struct mapping_place place;
};

void mapping_template_free(struct mapping_template *);

/* Puts the text into the upstream body, if a request gives any of its fields. */
int mapping_template_send(const struct mapping_template *, enum mapping_operation,
    struct json_object *local, struct mapping_request *out, struct fail *);

/* Puts the fields into the local form. `absent` as recorded, or NULL. */
int mapping_template_receive(const struct mapping_template *, struct json_object *upstream,
    struct json_object *absent, struct json_object *out, struct fail *);

/* Whether a piece's field still has its filler upstream, or cannot be seen. */
bool mapping_template_is_filled(const struct mapping_template *, const struct mapping_piece *,
    struct json_object *upstream, struct json_object *filler);

#endif
