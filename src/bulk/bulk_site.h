#ifndef BULK_SITE_H
#define BULK_SITE_H

#include "base/fail.h"
#include "base/loop.h"
#include "upstream/upstream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The personas of one project at a server that speaks the local Personas API: a gateway, or
 * the local tool itself.
 */
struct bulk_site;

struct bulk_site_config {
	const char *url;     /* http(s)://host[:port][/base][/api/projects/ID[/personas]] */
	const char *project; /* when the URL does not say it; NULL: it must */
	const char *token;   /* NULL: none is sent */
	const char *ca_file; /* NULL: the system's authorities */
	unsigned jobs;       /* calls at a time, at most */
	int64_t patience_ms; /* how long a server that is busy or away is asked again */
};

/* NULL with a sentence. Strings are copied. The program must ignore SIGPIPE. */
struct bulk_site *bulk_site_new(struct loop *, const struct bulk_site_config *, struct fail *);
void bulk_site_free(struct bulk_site *); /* cancels what runs */

/* Whether a word on the command line names a server, and not a file. */
bool bulk_site_is_url(const char *);

/* Whether a word is a URL that does not say its project. */
bool bulk_site_wants_project(const char *);

/* Where it is, for people and for journals: the URL up to /personas. */
const char *bulk_site_name(const struct bulk_site *);
int64_t bulk_site_patience(const struct bulk_site *);

/* Starts one call on the collection, or on the persona `id`; see upstream_start(). It is
 * made once: who calls decides about another try. `key` is the Idempotency-Key or NULL. */
struct upstream_call *bulk_site_ask(struct bulk_site *, const char *method, const char *id,
    const char *body, size_t len, const char *key, upstream_done_fn, void *arg);

#endif
