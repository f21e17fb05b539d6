#include "config.h"

#include "mapping/mapping_resource.h"

#include <string.h>

static const struct mapping_known mapping_persona_local[] = {
    {.name = "id", .type = "string", .built_in = true},
    {.name = "name", .type = "string", .usual = "name", .always_given = true},
    {.name = "description", .type = "string"},
    {.name = "systemPrompt", .type = "string"},
    {.name = "imageUrl", .type = "string", .no_create = true},
    {.name = "headers", .type = "object"},
    {.name = "createdAt", .type = "timestamp", .usual = "created_at", .answer_only = true},
    {.name = "updatedAt", .type = "timestamp", .built_in = true},
    {.name = NULL},
};

static const struct mapping_known mapping_persona_upstream[] = {
    {.name = "name", .type = "string", .usual = "name", .required = true, .never_null = true},
    {.name = "description", .type = "string", .usual = "description", .required = true},
    {.name = "goal", .type = "string", .usual = "systemPrompt", .required = true},
    {.name = "agent_id", .type = "integer", .not_answered = true},
    {.name = "id", .type = "string", .set_there = true, .never_null = true},
    {.name = "created_at", .type = "timestamp", .set_there = true},
    {.name = "org_id", .type = "string", .set_there = true},
    {.name = NULL},
};

const struct mapping_resource mapping_persona = {
    .noun = "persona",
    .plural = "personas",
    .local = mapping_persona_local,
    .upstream = mapping_persona_upstream,
    .name = "name",
    .dated = true,
    .text = "fields:\n"
            "  name:         name\n"
            "  description:  {to: description, when_absent: \"\"}\n"
            "  systemPrompt: {to: goal, when_absent: \"\"}\n"
            "  createdAt:    {to: created_at, as: timestamp, read_only: true}\n"
            "constants:\n"
            "  agent_id: ${project.agent_id}\n"
            "kept_here: [headers, imageUrl]\n",
};

static const struct mapping_known mapping_community_local[] = {
    {.name = "id", .type = "string", .built_in = true},
    {.name = "title", .type = "string", .always_given = true},
    {.name = "description", .type = "string"},
    {.name = "digitalHumanIds", .type = "integers"},
    {.name = "createdAt", .type = "timestamp", .usual = "created_at", .answer_only = true},
    {.name = NULL},
};

static const struct mapping_known mapping_community_upstream[] = {
    {.name = "title", .type = "string", .usual = "title", .required = true, .never_null = true},
    {.name = "description", .type = "string", .usual = "description"},
    {.name = "digital_human_ids", .type = "integers", .usual = "digitalHumanIds"},
    {.name = "id", .type = "string", .set_there = true, .never_null = true},
    {.name = "created_at", .type = "timestamp", .set_there = true, .never_null = true},
    {.name = NULL},
};

static const struct mapping_known mapping_community_envelope[] = {
    {.name = "total_count", .type = "integer", .never_null = true},
    {.name = NULL},
};

const struct mapping_resource mapping_community = {
    .noun = "community",
    .plural = "communities",
    .local = mapping_community_local,
    .upstream = mapping_community_upstream,
    .items = "communities",
    .envelope = mapping_community_envelope,
    .text = "fields:\n"
            "  title:           title\n"
            "  description:     description\n"
            "  digitalHumanIds: {to: digital_human_ids, as: integers}\n"
            "  createdAt:       {to: created_at, as: timestamp, read_only: true}\n",
};

/* Looks a local path up. */
const struct mapping_known *
mapping_resource_local(const struct mapping_resource *resource, const struct mapping_path *path)
{
	return mapping_known_find(resource->local, path->keys[0]);
}

/* Looks a Bluejay path up. */
const struct mapping_known *
mapping_resource_upstream(const struct mapping_resource *resource,
    const struct mapping_path *path)
{
	return mapping_known_find(resource->upstream, path->keys[0]);
}
