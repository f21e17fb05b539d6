#ifndef CLI_CMD_EXPLAIN_H
#define CLI_CMD_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

/* What to explain. */
struct explain_options {
	const char *config; /* NULL: no file */
	bool sandbox;
	const char *project;
	const char *resource;  /* its key or noun; NULL: personas */
	const char *operation; /* "create", "update" or "read" */
	const char *id;        /* the thing's, for paths; NULL: "{id}" */
	const char *request;   /* the id of a past request, instead of all of this; NULL: none */
	const char *admin, *token_file, *ca_file; /* with request: where to ask, and how; NULL: the usual way */
	bool json;
	bool colour;
};

/* `persona-gateway explain`: reads a body from standard input and prints what it
 * becomes. Exit code. */
int cmd_explain(int argc, char **argv);

/* Explains a body: 0, 1 when the file or the body is refused, 2 for wrong usage.
 * Mistakes of the file go to `err`. */
int explain(const struct explain_options *, const char *body, size_t len, FILE *out, FILE *err);

#endif
