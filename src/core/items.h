#ifndef CORE_ITEMS_H
#define CORE_ITEMS_H

#include "core/gateway.h"

#include <json-c/json_object.h>

/*
 * The operations on the items of a project, which are of the kind that the project
 * is asked for (project.resource). Each starts something and gives its result later
 * (gateway.h says how); the project is copied.
 */

/* Answers from memory when the item was read or written within the cache time:
 * true, and *out belongs to the caller. */
bool item_get_now(struct gateway *, const struct project *, const char *id, struct result *out);

/* `no_cache`: ask the upstream, and do not fall back on an old copy. */
struct work *item_get(struct gateway *, const struct project *, const char *id, bool no_cache,
    work_done_fn, void *arg);

struct work *item_list(struct gateway *, const struct project *, bool no_cache, work_done_fn,
    void *arg);

/* A create request as it came. `body` must be an object; a reference is taken. */
struct item_create {
	struct json_object *body;
	const char *raw; /* the bytes of the body: their hash goes with an idempotency key */
	size_t raw_len;
	const char *idempotency_key; /* NULL: none; visible ASCII, 1 to 255 bytes */
};
struct work *item_create(struct gateway *, const struct project *, const struct item_create *,
    work_done_fn, void *arg);

/* `body` must be an object; a reference is taken. */
struct work *item_update(struct gateway *, const struct project *, const char *id,
    struct json_object *body, work_done_fn, void *arg);

/* Adds to the numbers that an item holds (resource.add): those in the body, a list under
 * the local field. `body` as for updates. */
struct work *item_add(struct gateway *, const struct project *, const char *id,
    struct json_object *body, work_done_fn, void *arg);

struct work *item_delete(struct gateway *, const struct project *, const char *id, work_done_fn,
    void *arg);

#endif
