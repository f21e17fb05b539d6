#ifndef SANDBOX_API_H
#define SANDBOX_API_H

#include "base/buf.h"
#include "http/http_route.h"
#include "sandbox/sandbox_check.h"
#include "sandbox/sandbox_state.h"

/*
 * The endpoints of the simulated service: from a request to an answer, without
 * sockets and without faults.
 */
struct sandbox_request {
	const char *key;          /* X-API-Key; NULL when missing */
	const char *authorization; /* NULL when missing */
	const char *content_type; /* NULL when missing */
	const char *query;        /* after '?', or NULL */
	const char *body;
	size_t len;
	int64_t lag_ms; /* how long listings do not show what this request changes */
};

struct sandbox_answer {
	int status;
	const char *type; /* of the body; static text */
	char allow[64];   /* of a 405, else empty */
	struct buf body;
};

void sandbox_answer_init(struct sandbox_answer *);
void sandbox_answer_free(struct sandbox_answer *);

/* Makes it {"detail":"<sentence>"}; the sentence is plain ASCII. */
void sandbox_answer_detail(struct sandbox_answer *, int status, const char *sentence);

/* Makes it the 422 with the mistakes. */
void sandbox_answer_mistakes(struct sandbox_answer *, const struct sandbox_check *);

#define SANDBOX_API_ROUTES 14

/* Looks a request up. Returns its route, an index for sandbox_api_route();
 * -1 when there is none (the answer is then made: 404 or 405). */
int sandbox_api_find(const char *method, const char *path, struct http_match *,
    struct sandbox_answer *);

/* The n-th route, NULL beyond the last. */
const struct http_route *sandbox_api_route(int n);

/* The same for any table of routes; match->id is what is returned. */
int sandbox_answer_find(const struct http_route *table, size_t count, const char *method,
    const char *path, struct http_match *, struct sandbox_answer *);

/* Notes a missing key as a mistake; false when it is there and wrong (the
 * answer is then made: 401). */
bool sandbox_api_admit(const char *api_key, const char *given, struct sandbox_check *,
    struct sandbox_answer *);

/* Answers a request whose route was found. */
void sandbox_api_answer(struct sandbox_state *, const char *api_key, const struct http_match *,
    const struct sandbox_request *, struct sandbox_answer *);

#endif
