#ifndef UPSTREAM_SITE_H
#define UPSTREAM_SITE_H

#include <stdbool.h>

/*
 * Where an upstream is, shared by the calls and connections that go there: two of one
 * URL are one and the same as long as its settings stay. It belongs to one thread.
 */
struct site {
	unsigned refs;
	char *origin; /* scheme://host[:port] */
	char *host;   /* the value of Host: the port only when it is not the scheme's own */
	char *base;   /* what stands before the path of every request; "" or begins with a slash */
	bool tls;
};

/* Takes a URL apart that url_check() has accepted, without a slash at its end; the caller
 * holds it. */
struct site *site_new(const char *url);
struct site *site_hold(struct site *);
void site_release(struct site *); /* NULL is fine */

#endif
