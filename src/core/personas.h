#ifndef CORE_PERSONAS_H
#define CORE_PERSONAS_H

#include "core/gateway.h"

#include <json-c/json_object.h>

/*
 * The operations on personas. Each starts something and gives its result later
 * (gateway.h says how); the project is copied.
 */

/* Answers from memory when the persona was read or written within the cache
 * time: true, and *out belongs to the caller. */
bool persona_get_now(struct gateway *, const struct project *, const char *id, struct result *out);

/* `no_cache`: ask the upstream, and do not fall back on an old copy. */
struct work *persona_get(struct gateway *, const struct project *, const char *id, bool no_cache,
    work_done_fn, void *arg);

struct work *persona_list(struct gateway *, const struct project *, bool no_cache, work_done_fn,
    void *arg);

/* A create request as it came. `body` must be an object; a reference is taken. */
struct persona_create {
	struct json_object *body;
	const char *raw; /* the bytes of the body: their hash goes with an idempotency key */
	size_t raw_len;
	const char *idempotency_key; /* NULL: none; visible ASCII, 1 to 255 bytes */
};
struct work *persona_create(struct gateway *, const struct project *, const struct persona_create *,
    work_done_fn, void *arg);

/* `body` must be an object; a reference is taken. */
struct work *persona_update(struct gateway *, const struct project *, const char *id,
    struct json_object *body, work_done_fn, void *arg);

struct work *persona_delete(struct gateway *, const struct project *, const char *id, work_done_fn,
    void *arg);

/* generate-image: the local API's checks in its order, then a portrait is drawn,
 * stored, and made the persona's imageUrl. Equal requests share one portrait; once
 * it was asked for it is stored, whoever leaves. */
struct work *persona_portrait(struct gateway *, const struct project *, const char *id,
    work_done_fn, void *arg);

#endif
