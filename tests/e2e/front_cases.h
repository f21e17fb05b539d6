#ifndef FRONT_CASES_H
#define FRONT_CASES_H

#include "front_h2.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes that two programs could understand differently, each followed on its connection by
 * a request for FRONT_MARKER, which must get its own answer or none. */
#define FRONT_MARKER "GET /marker HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

struct front_case {
	const char *name;
	const char *bytes;
	size_t len;
	const char *direct; /* the statuses that the gateway itself gives, the marker's included */
};

extern const struct front_case front_cases[];
extern const size_t front_case_count;

/* Requests in HTTP/2, which a proxy writes anew in HTTP/1.1. */
extern const struct front_h2 front_h2s[];
extern const size_t front_h2_count;

/* Answers of the server behind the gateway, to GET, or HEAD, of /raw. Where one holds the
 * word FRONT_FORGED, no client may ever see it. */
#define FRONT_FORGED "forged"

struct front_raw {
	const char *name;
	const char *method;
	const char *bytes;
	size_t len;
	bool ends; /* the server hangs up behind it */
	const char *direct; /* as above */
};

extern const struct front_raw front_raws[];
extern const size_t front_raw_count;

#endif
