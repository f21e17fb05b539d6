#ifndef UPSTREAM_URL_H
#define UPSTREAM_URL_H

#include "base/fail.h"

#include <stddef.h>

/* Where an upstream is. */

/* Checks scheme://host[:port][/base]: http or https, no user, query or fragment.
 * -1 with a sentence. */
int url_check(const char *url, struct fail *);

/* Checks a proxy and a file of certificates; each may be NULL. -1 with a sentence. */
int url_check_way(const char *proxy, const char *ca_file, struct fail *);

/* The bytes of a checked URL before its base: scheme://host[:port]. */
size_t url_origin(const char *url);

#endif
