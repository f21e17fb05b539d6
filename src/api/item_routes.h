#ifndef API_ITEM_ROUTES_H
#define API_ITEM_ROUTES_H

#include "core/snapshot.h"
#include "http/http_route.h"

/*
 * The routes of the things that projects have: for each resource of the
 * configuration those that its declaration has calls for. A method that is left out
 * has no route, so that it is answered with 405.
 */
enum item_route {
	ITEM_LIST,
	ITEM_CREATE,
	ITEM_GET,
	ITEM_UPDATE,
	ITEM_DELETE,
	ITEM_ADD,
	ITEM_PORTRAIT
};

#define ITEM_ROUTES_MAX (ITEM_PORTRAIT + 1)

/* One resource. The id of a route is its enum item_route. */
struct item_resource {
	const struct resource *resource;
	struct http_route routes[ITEM_ROUTES_MAX];
	size_t count;
};

struct item_routes;

/* Counted references: requests that run keep theirs when a reload brings others. A
 * reference of the snapshot is taken. */
struct item_routes *item_routes_new(struct snapshot *);
struct item_routes *item_routes_ref(struct item_routes *);
void item_routes_unref(struct item_routes *); /* NULL is fine */

/* The collections below a project that are served here, that of images too; NULL ends
 * them. */
const char *const *item_routes_keys(const struct item_routes *);

/* The i-th resource; NULL beyond the last. */
const struct item_resource *item_routes_at(const struct item_routes *, size_t i);

#endif
