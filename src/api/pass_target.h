#ifndef API_PASS_TARGET_H
#define API_PASS_TARGET_H

#include "http/http_message.h"

#include <stdbool.h>

/*
 * Whose a path is: the gateway's own (everything at or below the collections of a project,
 * such as its personas), Bluejay's (below /v1/), or anyone's. Who gets a path that
 * is passed on as it is may decode it in another way than the router here, so what is
 * not written like one of ours but could be read as one is nobody's.
 */
enum pass_owner {
	PASS_OWN,
	PASS_BLUEJAY,
	PASS_OTHER,
	PASS_UNCLEAR /* 400 */
};

/* What belongs to others than the local tool. */
struct pass_claims {
	const char *const *own; /* collections of projects: "personas", …; NULL ends them */
	bool v1;                /* /v1/ is Bluejay's */
};

/* `path` is still percent-encoded. */
enum pass_owner pass_target_owner(const char *path, const struct pass_claims *);

/* The target of a request as an origin gets it: without scheme and authority, which
 * only the absolute form has, and else byte for byte (RFC 9112, 3.2). The caller frees. */
char *pass_target_origin(const struct http_request *);

#endif
