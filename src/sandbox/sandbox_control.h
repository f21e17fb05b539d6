#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include "sandbox/sandbox_api.h"
#include "sandbox/sandbox_fault.h"

#define SANDBOX_CONTROL_PREFIX "/__sandbox/"

/* What has happened since the start or the last reset. */
struct sandbox_tally {
	uint64_t received[SANDBOX_API_ROUTES];
	uint64_t processed[SANDBOX_API_ROUTES];
	uint64_t unknown; /* requests without a route */
	uint64_t faults[SANDBOX_FAULTS];
};

/* The control paths for tests; docs/sandbox.md describes them. */
int sandbox_control_find(const char *method, const char *path, struct http_match *,
    struct sandbox_answer *);
void sandbox_control_answer(struct sandbox_state *, struct sandbox_faults *, struct sandbox_tally *,
    const char *api_key, const struct http_match *, const struct sandbox_request *,
    struct sandbox_answer *);

#endif
