#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "core/snapshot.h"
#include "http/http_route.h"
#include "http/http_server.h"

#include <json-c/json_object.h>
#include <stdbool.h>

/*
 * What the gateway serves, as an OpenAPI 3.1 document: every row of the route
 * tables with what openapi.json says of it, what is passed on to Bluejay, the
 * schemas of each resource as the mapping has them, and the listeners as servers.
 */
struct openapi_route {
	const struct http_route *route;
	bool admin; /* on the admin address */
	const struct resource *resource; /* whose things it is about; NULL: others */
};

/* The i-th row of all route tables; false beyond the last. */
typedef bool (*openapi_walk_fn)(void *arg, size_t i, struct openapi_route *);

/* Servers may be NULL. A route that openapi.json does not know is told by its path
 * alone. The caller puts it. */
struct json_object *openapi_make(const struct snapshot *, openapi_walk_fn, void *arg,
    const struct http_server *local, const struct http_server *admin);

#endif
