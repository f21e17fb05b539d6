#include "config.h"

#include "config/config_find.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Orders by id. */
static int
config_find_by_id(const void *a, const void *b)
{
	const struct config_project *const *p = a, *const *q = b;

	return strcmp((*p)->id, (*q)->id);
}

/* Orders by agent, then as in the file; those without an agent come last. */
static int
config_find_by_agent(const void *a, const void *b)
{
	const struct config_project *p = *(const struct config_project *const *)a;
	const struct config_project *q = *(const struct config_project *const *)b;

	if (p->has_agent != q->has_agent)
		return p->has_agent ? -1 : 1;
	if (p->has_agent && p->agent_id != q->agent_id)
		return p->agent_id < q->agent_id ? -1 : 1;
	return p < q ? -1 : p > q;
}

/* Makes a sorted list of the projects. */
static const struct config_project **
config_find_sort(const struct config *config, int (*order)(const void *, const void *))
{
	const struct config_project **list = mem_zero(config->project_count + 1, sizeof *list);

	for (size_t i = 0; i < config->project_count; i++)
		list[i] = &config->projects[i];
	qsort(list, config->project_count, sizeof *list, order);
	return list;
}

/* Sorts. */
void
config_find_prepare(struct config *config)
{
	config->by_id = config_find_sort(config, config_find_by_id);
	config->by_agent = config_find_sort(config, config_find_by_agent);
}

/* Finds an id. */
const struct config_project *
config_find_project(const struct config *config, const char *id)
{
	size_t from = 0, to = config->project_count;

	while (from < to) {
		size_t half = from + (to - from) / 2;
		int order = strcmp(config->by_id[half]->id, id);

		if (order == 0)
			return config->by_id[half];
		if (order < 0)
			from = half + 1;
		else
			to = half;
	}
	return NULL;
}

/* The place of the first project whose agent is not below this one, and that does not
 * stand before `after` in the file when it is the same agent (NULL: any). */
static size_t
config_find_place(const struct config *config, int64_t agent_id,
    const struct config_project *after)
{
	size_t from = 0, to = config->project_count;

	while (from < to) {
		size_t half = from + (to - from) / 2;
		const struct config_project *p = config->by_agent[half];

		if (p->has_agent &&
		    (p->agent_id < agent_id || (p->agent_id == agent_id && after != NULL && p <= after)))
			from = half + 1;
		else
			to = half;
	}
	return from;
}

/* What stands at a place, if it has the agent. */
static const struct config_project *
config_find_at(const struct config *config, size_t place, int64_t agent_id)
{
	const struct config_project *p =
	    place < config->project_count ? config->by_agent[place] : NULL;

	return p != NULL && p->has_agent && p->agent_id == agent_id ? p : NULL;
}

/* Finds an agent. */
const struct config_project *
config_find_agent(const struct config *config, int64_t agent_id)
{
	return config_find_at(config, config_find_place(config, agent_id, NULL), agent_id);
}

/* Finds the next of an agent. */
const struct config_project *
config_find_agent_next(const struct config *config, const struct config_project *p)
{
	return config_find_at(config, config_find_place(config, p->agent_id, p), p->agent_id);
}
