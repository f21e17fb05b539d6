#ifndef CLI_EXPLAIN_PRINT_H
#define CLI_EXPLAIN_PRINT_H

#include "config/config_values.h"
#include "mapping/mapping_explain.h"

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdio.h>

/* One member's way, as text. */
struct explain_row {
	char *local, *upstream, *place, *why;
	enum mapping_explain_what what;
};

/* What `explain` prints, as text or as one JSON object. */
struct explain_print {
	const struct config *config; /* of what is sent; NULL: nothing is, it was before */
	const char *file; /* NULL: none */
	FILE *out;
	bool json, colour;
	struct json_object *root;   /* with json */
	struct json_object *fields; /* with json: a list in root */
	struct explain_row *rows;   /* without */
	size_t row_count;
};

void explain_print_init(struct explain_print *, const struct config *, const char *file, FILE *,
    bool json, bool colour);

/* The request to Bluejay, or that there is none; and what is kept here. */
void explain_print_request(struct explain_print *, const char *method, const char *path,
    const char *api_key, const struct mapping_request *);

/* The answer to the caller of the local API. */
void explain_print_answer(struct explain_print *, struct json_object *local);

/* The body of a caller is refused; an answer of Bluejay does not fit. */
void explain_print_refusal(struct explain_print *, const char *sentence);
void explain_print_misfit(struct explain_print *, const char *sentence);

/* What happened to one member. */
void explain_print_member(struct explain_print *, const struct mapping_explained *);

/* As text: a call that was made; a body below its title, which is one line without its
 * end; and in columns the members that were noted since the last time. */
void explain_print_call(struct explain_print *, const char *method, const char *url,
    struct json_object *headers, struct json_object *body);
void explain_print_titled(struct explain_print *, const char *title, struct json_object *body);
void explain_print_rows(struct explain_print *);

/* Prints what is left; false when it could not be written. */
bool explain_print_end(struct explain_print *);

/* Prints a path, whose control characters, which a terminal would obey, become '?'.
 * Gives its width; with out NULL it only measures. */
size_t explain_print_path(FILE *out, const char *path);

#endif
