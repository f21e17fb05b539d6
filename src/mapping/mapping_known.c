#include "config.h"

#include "mapping/mapping_known.h"

#include <string.h>

static const struct mapping_known mapping_known_locals[] = {
    {.name = "id", .type = "string", .built_in = true},
    {.name = "name", .type = "string"},
    {.name = "description", .type = "string"},
    {.name = "systemPrompt", .type = "string"},
    {.name = "imageUrl", .type = "string", .no_create = true},
    {.name = "headers", .type = "object"},
    {.name = "createdAt", .type = "timestamp", .answer_only = true},
    {.name = "updatedAt", .type = "timestamp", .built_in = true},
};

static const struct mapping_known mapping_known_upstreams[] = {
    {.name = "name", .type = "string", .usual = "name", .required = true},
    {.name = "description", .type = "string", .usual = "description", .required = true},
    {.name = "goal", .type = "string", .usual = "systemPrompt", .required = true},
    {.name = "agent_id", .type = "integer", .not_answered = true},
    {.name = "id", .type = "string", .set_there = true},
    {.name = "created_at", .type = "timestamp", .set_there = true},
    {.name = "org_id", .type = "string", .set_there = true},
};

#define MAPPING_KNOWN_COUNT(table) (sizeof(table) / sizeof *(table))

/* Looks a path's first key up. */
static const struct mapping_known *
mapping_known_find(const struct mapping_known *table, size_t count,
    const struct mapping_path *path)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].name, path->keys[0]) == 0)
			return &table[i];
	return NULL;
}

/* Looks a local path up. */
const struct mapping_known *
mapping_known_local(const struct mapping_path *path)
{
	return mapping_known_find(mapping_known_locals, MAPPING_KNOWN_COUNT(mapping_known_locals),
	    path);
}

/* Looks a Bluejay path up. */
const struct mapping_known *
mapping_known_upstream(const struct mapping_path *path)
{
	return mapping_known_find(mapping_known_upstreams,
	    MAPPING_KNOWN_COUNT(mapping_known_upstreams), path);
}

/* Counts through the local API's members. */
const struct mapping_known *
mapping_known_local_at(size_t i)
{
	if (i >= MAPPING_KNOWN_COUNT(mapping_known_locals))
		return NULL;
	return &mapping_known_locals[i];
}

/* Counts through Bluejay's members. */
const struct mapping_known *
mapping_known_upstream_at(size_t i)
{
	if (i >= MAPPING_KNOWN_COUNT(mapping_known_upstreams))
		return NULL;
	return &mapping_known_upstreams[i];
}

/* The step kind of a known member's type. */
const struct mapping_step_kind *
mapping_known_kind(const struct mapping_known *known)
{
	return mapping_step_find(known->type);
}
