#ifndef CLI_ADMIN_CLIENT_H
#define CLI_ADMIN_CLIENT_H

#include <stdbool.h>

/*
 * How a command asks a running gateway: one call to its admin address, on a loop of
 * its own, so that it returns when the answer is there. What goes wrong is told on
 * standard error.
 */
#define ADMIN_CLIENT_URL "http://127.0.0.1:3001" /* unless another one is given */

/* Whom to ask. */
struct admin_client {
	const char *url;
	const char *ca_file; /* whom to trust, in place of the system's authorities; NULL: those */
	char *token;         /* NULL: none is sent */
};

/* What came back. */
struct admin_answer {
	int status; /* 0: no answer */
	char *body; /* the caller frees; NULL without an answer */
};

/* Reads the token from a file (NULL: there is none); false when it cannot be read. */
bool admin_client_read_token(struct admin_client *, const char *file);
void admin_client_clear(struct admin_client *);

/* Asks; false when there is no answer. `body` NULL: none. */
bool admin_client_ask(const struct admin_client *, const char *method, const char *path,
    const char *body, struct admin_answer *);

/* Prints the sentence of an answer that is an error. */
void admin_client_print_error(const struct admin_answer *);

#endif
