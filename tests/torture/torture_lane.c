#include "config.h"

#include "torture_lane.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANE_PERSONAS 14 /* of one client, that may exist at a time */

/* Prepares a client. */
void
lane_init(struct lane *l, struct world *w, unsigned number)
{
	memset(l, 0, sizeof *l);
	l->world = w;
	l->number = number;
	l->project = &w->projects[number % WORLD_PROJECTS];
	l->random = w->options->seed * UINT64_C(1000003) + number;
}

/* Frees what a client knows. */
void
lane_free(struct lane *l)
{
	for (size_t i = 0; i < l->count; i++) {
		model_clear(l->personas[i]);
		free(l->personas[i]);
	}
	free(l->personas);
}

/* Adds a persona. */
struct model_persona *
lane_add(struct lane *l)
{
	l->personas = mem_resize(l->personas, (l->count + 1) * sizeof(struct model_persona *));
	l->personas[l->count] = mem_zero(1, sizeof **l->personas);
	return l->personas[l->count++];
}

/* A random persona in a state. */
struct model_persona *
lane_choose(struct lane *l, enum model_state state)
{
	struct model_persona *chosen = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < l->count; i++)
		if (l->personas[i]->state == state && world_pick(&l->random, ++n) == 0)
			chosen = l->personas[i];
	return chosen;
}

/* Whether another persona holds a name. */
bool
lane_held(const struct lane *l, const char *name, const struct model_persona *but, bool must)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct model_persona *p = l->personas[i];

		if (p != but && (must ? model_must_hold(p, name) : model_may_hold(p, name)))
			return true;
	}
	return false;
}

/* The path of the project's personas. */
void
lane_collection_path(const struct lane *l, char *out, size_t size)
{
	snprintf(out, size, "/api/projects/%s/personas", l->project->id);
}

/* The path of one. */
void
lane_id_path(const struct lane *l, const struct model_persona *p, char *out, size_t size)
{
	snprintf(out, size, "/api/projects/%s/personas/%s", l->project->id, p->id);
}

/* Goes on with a create whose outcome is open. */
static void
lane_resolve(struct lane *l)
{
	struct model_persona *p = lane_choose(l, MODEL_MAYBE);

	if (p == NULL)
		lane_create_new(l);
	else if (world_pick(&l->random, 4) == 0)
		lane_create_other(l, p);
	else
		lane_create_again(l, p);
}

/* How many of the client's personas may exist. */
static unsigned
lane_population(const struct lane *l)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += l->personas[i]->state != MODEL_GONE;
	return n;
}

/* One random operation. */
static void
lane_step(struct lane *l)
{
	static const struct {
		unsigned weight;
		void (*run)(struct lane *);
	} steps[] = {{34, lane_create_new}, {6, lane_resolve}, {3, lane_create_taken},
	    {5, lane_create_burst}, {2, lane_create_abort}, {12, lane_update}, {2, lane_rename_burst},
	    {2, lane_update_burst}, {20, lane_delete}, {2, lane_delete_burst}, {8, lane_get},
	    {2, lane_list}, {2, lane_get_foreign}};
	unsigned total = 0, drawn;

	if (lane_population(l) >= LANE_PERSONAS && world_pick(&l->random, 4) != 0) {
		lane_delete(l);
		return;
	}
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		total += steps[i].weight;
	drawn = world_pick(&l->random, total);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (drawn < steps[i].weight) {
			steps[i].run(l);
			return;
		}
		drawn -= steps[i].weight;
	}
}

/* The client's thread. */
void *
lane_run(void *arg)
{
	struct lane *l = arg;

	while (!atomic_load(&l->world->stop))
		lane_step(l);
	return NULL;
}
