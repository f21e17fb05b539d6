#include "config.h"

#include "sandbox/sandbox_item.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Copies a text to where the item keeps it and moves that place on. */
static struct sandbox_text
sandbox_text_keep(char **at, struct sandbox_text t)
{
	struct sandbox_text kept = {NULL, 0};

	if (t.s == NULL)
		return kept;
	kept.s = *at;
	kept.len = t.len;
	if (t.len > 0)
		memcpy(*at, t.s, t.len);
	(*at)[t.len] = '\0';
	*at += t.len + 1;
	return kept;
}

/* Fills what all items have. */
static void
sandbox_item_init(struct sandbox_item *item, enum sandbox_kind kind, const char *id,
    int64_t created_us, size_t bytes)
{
	item->kind = kind;
	item->created_us = created_us;
	item->bytes = bytes;
	if (id == NULL)
		uuid_make(item->id);
	else
		memcpy(item->id, id, UUID_SIZE);
}

/* Makes a persona in one piece of memory. */
struct sandbox_persona *
sandbox_persona_new(const char *id, int64_t created_us, const int64_t *agent_id,
    struct sandbox_text name, struct sandbox_text description, struct sandbox_text goal)
{
	size_t bytes = sizeof(struct sandbox_persona) + name.len + description.len + goal.len + 3;
	struct sandbox_persona *p = mem_zero(1, bytes);
	char *at = (char *)(p + 1);

	sandbox_item_init(&p->item, SANDBOX_PERSONA, id, created_us, bytes);
	if (agent_id != NULL) {
		p->has_agent = true;
		p->agent_id = *agent_id;
	}
	p->name = sandbox_text_keep(&at, name);
	p->description = sandbox_text_keep(&at, description);
	p->goal = sandbox_text_keep(&at, goal);
	return p;
}

/* Makes a community in one piece of memory; the ids come first for their alignment. */
struct sandbox_community *
sandbox_community_new(const char *id, int64_t created_us, struct sandbox_text title,
    struct sandbox_text description, const int64_t *ids, size_t id_count)
{
	size_t bytes = sizeof(struct sandbox_community) + id_count * sizeof *ids + title.len +
	    description.len + 2;
	struct sandbox_community *c = mem_zero(1, bytes);
	char *at;

	sandbox_item_init(&c->item, SANDBOX_COMMUNITY, id, created_us, bytes);
	c->ids = (int64_t *)(c + 1);
	c->id_count = id_count;
	if (id_count > 0)
		memcpy(c->ids, ids, id_count * sizeof *ids);
	at = (char *)(c->ids + id_count);
	c->title = sandbox_text_keep(&at, title);
	c->description = sandbox_text_keep(&at, description);
	return c;
}

/* Frees an item. */
void
sandbox_item_free(struct sandbox_item *item)
{
	free(item);
}
