#ifndef SANDBOX_H
#define SANDBOX_H

#include "base/fail.h"
#include "base/log.h"

#include <stdint.h>

/*
 * The simulated Bluejay: a server on loopback with a thread and a loop of its
 * own. Stateful, with the real service's quirks; see docs/sandbox.md.
 */
struct sandbox;

#define SANDBOX_JOURNAL "sandbox.journal" /* in a gateway's data folder */

struct sandbox_options {
	const char *listen;  /* NULL: 127.0.0.1:0 */
	const char *api_key; /* NULL: "sandbox" */
	const char *faults;  /* profile by name; NULL: none */
	uint64_t seed;       /* of the faults */
	const char *journal; /* file that keeps the state across starts; NULL: memory only */
	struct log *log;     /* may be NULL */
};

/* Returns when it listens. NULL with a sentence on failure. */
struct sandbox *sandbox_start(const struct sandbox_options *, struct fail *);
const char *sandbox_url(const struct sandbox *); /* "http://127.0.0.1:PORT" */
void sandbox_stop(struct sandbox *);             /* ends and joins the thread, frees */

/* The names of the fault profiles, NULL-terminated, and a line about each. */
struct sandbox_profile {
	const char *name;
	const char *help;
};
const struct sandbox_profile *sandbox_profiles(void); /* ends with a NULL name */

#endif
