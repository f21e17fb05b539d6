#ifndef API_CLIENT_PASS_H
#define API_CLIENT_PASS_H

#include "api/pass_target.h"
#include "config/config_values.h"

#define CLIENT_PASS_PROJECT_SIZE 256

/*
 * What a client may of that which is passed on, and so goes around the fence.
 *
 * Bluejay: only with the client's `passthrough`, since every persona of the account can
 * be reached there. The local tool: a client of every project may all of it; one that is
 * limited to projects only what lies below /api/projects/ITS-PROJECT, in a path that
 * nobody can read in two ways.
 */
enum client_pass {
	CLIENT_PASS_MAY,
	CLIENT_PASS_OWN,       /* not passed on: the gateway itself has an answer for this client */
	CLIENT_PASS_NO_BLUEJAY,
	CLIENT_PASS_NO_PROJECT, /* below a project that is not the client's */
	CLIENT_PASS_OUTSIDE     /* not below a project, or not plainly */
};

/* `owner` is PASS_BLUEJAY or PASS_OTHER, `path` still percent-encoded; a NULL client is
 * anyone, where nobody needs a token. */
enum client_pass client_pass(const struct config_client *, enum pass_owner, const char *path);

/* The project below which a path plainly lies; false when it does not. */
bool client_pass_project(const char *path, char project[CLIENT_PASS_PROJECT_SIZE]);

#endif
