#ifndef SANDBOX_ITEM_H
#define SANDBOX_ITEM_H

#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>

/* The personas and communities that the simulated service keeps. */
struct sandbox_group;

/* Text that may hold U+0000, followed by a NUL; s is NULL for null. */
struct sandbox_text {
	const char *s;
	size_t len;
};

enum sandbox_kind { SANDBOX_PERSONA, SANDBOX_COMMUNITY };

/* What personas and communities share. */
struct sandbox_item {
	enum sandbox_kind kind;
	char id[UUID_SIZE];
	int64_t created_us; /* microseconds since 1970; unique and increasing within a state */
	int64_t shown_at;   /* loop_now(): listings leave it out before that */
	int64_t gone_at;    /* deleted ones: listings still show it before that */
	size_t bytes;       /* memory it takes */
	struct sandbox_group *group;
	TAILQ_ENTRY(sandbox_item) all;   /* in order of creation, or among the deleted */
	TAILQ_ENTRY(sandbox_item) peers; /* of its group, in order of creation */
	UT_hash_handle hh;
};
TAILQ_HEAD(sandbox_items, sandbox_item);

struct sandbox_persona {
	struct sandbox_item item;
	bool has_agent;
	int64_t agent_id;
	struct sandbox_text name, description, goal;
};

struct sandbox_community {
	struct sandbox_item item;
	struct sandbox_text title, description;
	int64_t *ids; /* digital humans */
	size_t id_count;
};

/* The text is copied; id NULL makes a fresh one; created_us 0 is settled when put. */
struct sandbox_persona *sandbox_persona_new(const char *id, int64_t created_us,
    const int64_t *agent_id, struct sandbox_text name, struct sandbox_text description,
    struct sandbox_text goal);
struct sandbox_community *sandbox_community_new(const char *id, int64_t created_us,
    struct sandbox_text title, struct sandbox_text description, const int64_t *ids,
    size_t id_count);
void sandbox_item_free(struct sandbox_item *); /* only of items never put */

#endif
