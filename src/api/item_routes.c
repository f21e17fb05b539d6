#include "config.h"

#include "api/item_routes.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>

#define ITEM_BASE "/api/projects/:project/"
#define ITEM_IMAGES "images" /* which images.c serves */

struct item_routes {
	unsigned refs;
	struct snapshot *snap;
	struct item_resource *resources;
	size_t count;
	const char **keys;
};

/* Adds a route; takes the pattern, with the first of those in a row that have it. */
static void
item_routes_add(struct item_resource *to, const char *method, const char *pattern, enum item_route id)
{
	to->routes[to->count++] = (struct http_route){method, pattern, (int)id};
}

/* Adds the routes of one resource, as far as it has calls for them. Without a listing the
 * project's own records are the list. */
static void
item_routes_fill(struct item_resource *to, const struct resource *r)
{
	const char *all = mem_format(ITEM_BASE "%s", r->key), *one = mem_format(ITEM_BASE "%s/:id", r->key);

	to->resource = r;
	item_routes_add(to, "GET", all, ITEM_LIST);
	if (r->create.method != NULL)
		item_routes_add(to, "POST", all, ITEM_CREATE);
	item_routes_add(to, "GET", one, ITEM_GET);
	if (r->update.method != NULL)
		item_routes_add(to, "PUT", one, ITEM_UPDATE);
	if (r->remove.method != NULL)
		item_routes_add(to, "DELETE", one, ITEM_DELETE);
	if (r->add.method != NULL)
		item_routes_add(to, "PUT", mem_format(ITEM_BASE "%s/:id/%s", r->key, r->add_path), ITEM_ADD);
	if (r->portraits)
		item_routes_add(to, "POST", mem_format(ITEM_BASE "%s/:id/generate-image", r->key),
		    ITEM_PORTRAIT);
}

/* Frees the patterns of a resource. */
static void
item_routes_clear(struct item_resource *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (i == 0 || r->routes[i].pattern != r->routes[i - 1].pattern)
			free((char *)(uintptr_t)r->routes[i].pattern);
}

/* Makes the routes. */
struct item_routes *
item_routes_new(struct snapshot *snap)
{
	struct item_routes *all = mem_zero(1, sizeof *all);

	all->refs = 1;
	all->snap = snapshot_ref(snap);
	all->count = snap->resource_count;
	all->resources = mem_zero(all->count + 1, sizeof *all->resources);
	all->keys = mem_zero(all->count + 2, sizeof *all->keys);
	for (size_t i = 0; i < all->count; i++) {
		item_routes_fill(&all->resources[i], snap->resources[i].resource);
		all->keys[i] = all->resources[i].resource->key;
	}
	all->keys[all->count] = ITEM_IMAGES;
	return all;
}

/* Takes one more reference. */
struct item_routes *
item_routes_ref(struct item_routes *all)
{
	all->refs++;
	return all;
}

/* Gives a reference back; the last one frees. */
void
item_routes_unref(struct item_routes *all)
{
	if (all == NULL || --all->refs > 0)
		return;
	for (size_t i = 0; i < all->count; i++)
		item_routes_clear(&all->resources[i]);
	free(all->resources);
	free(all->keys);
	snapshot_unref(all->snap);
	free(all);
}

/* Names the collections. */
const char *const *
item_routes_keys(const struct item_routes *all)
{
	return all->keys;
}

/* Counts through the resources. */
const struct item_resource *
item_routes_at(const struct item_routes *all, size_t i)
{
	return i < all->count ? &all->resources[i] : NULL;
}
