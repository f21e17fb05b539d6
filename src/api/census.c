#include "config.h"

#include "api/census.h"
#include "base/mem.h"

#include <stdlib.h>

/* Adds what one loop has counted. */
static void
census_add(struct census *c, const struct api *api)
{
	traffic_sum(c->traffic, api->traffic);
	client_gate_sum(c->gate, api->gate);
	if (api->server != NULL)
		http_server_counts_add(api->server, &c->server);
}

/* The same on the thread of a helper. */
static void
census_on_helper(void *load, struct gateway *helper)
{
	struct census *c = load;

	census_add(c, c->home->helpers[crew_place(helper) - 1]);
}

/* Frees one. */
static void
census_free(void *load)
{
	struct census *c = load;

	traffic_free(c->traffic);
	client_gate_free(c->gate);
	free(c);
}

static const struct crew_task census_task = {census_on_helper, census_free};

/* Asks all. */
struct crew_round *
census_take(struct api *api, void (*done)(void *arg, void *census), void *arg)
{
	struct census *c = mem_zero(1, sizeof *c);

	c->home = api;
	c->traffic = traffic_new(api->loop, api->gw, api->log);
	c->gate = client_gate_new(api->loop, api->gw, api->log, api->ledger);
	census_add(c, api);
	return crew_go_round(api->gw, &census_task, c, done, arg);
}
