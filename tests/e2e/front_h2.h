#ifndef FRONT_H2_H
#define FRONT_H2_H

#include <stddef.h>

/*
 * A client of HTTP/2 (RFC 9113) without TLS that sends what it is told, good or not: fields
 * as they are, none of them compressed (RFC 7541, 6.2.2).
 */
#define FRONT_H2_FIELDS 12

struct front_h2 {
	const char *name; /* of the case */
	const char *fields[FRONT_H2_FIELDS]; /* "name|value" */
	const char *body; /* NULL: the request ends with its fields */
};

/* Sends a request, and behind it on the same connection one for /marker; reads until both
 * are answered or refused, or the connection ends. */
void front_h2_send(int port, const struct front_h2 *);

#endif
