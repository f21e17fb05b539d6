#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Patterns such as "/api/projects/:project/personas/:id" against a raw path.
 * Every segment is percent-decoded once. A bad escape, an escaped NUL or a
 * segment that is "." or ".." after decoding is HTTP_ROUTE_BAD. An escaped
 * slash stays inside its parameter. A trailing slash is another path.
 */
#define HTTP_ROUTE_PARAMS 4
#define HTTP_ROUTE_PARAM_MAX 256 /* bytes of one decoded parameter; longer never matches */

struct http_route {
	const char *method;
	const char *pattern;
	int id;
};

struct http_match {
	int id;
	const char *pattern; /* of the route; NULL: none was found */
	char params[HTTP_ROUTE_PARAMS][HTTP_ROUTE_PARAM_MAX]; /* in the order of the pattern */
	size_t param_count;
	bool text;      /* all of them are UTF-8 */
	char allow[64]; /* HTTP_ROUTE_METHOD: "GET, HEAD, POST" */
};

enum http_route_result { HTTP_ROUTE_FOUND, HTTP_ROUTE_NONE, HTTP_ROUTE_METHOD, HTTP_ROUTE_BAD };

/* HEAD matches GET routes. The table is searched in order. */
enum http_route_result http_route_find(const struct http_route *table, size_t count,
    const char *method, const char *path, struct http_match *);

#endif
