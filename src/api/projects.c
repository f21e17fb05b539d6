#include "config.h"

#include "api/api_impl.h"
#include "api/core_wait.h"
#include "base/mem.h"
#include "core/projects.h"

#include <stdlib.h>

const struct http_route project_routes[] = {{"GET", "/api/projects", 0}};
const size_t project_route_count = sizeof project_routes / sizeof *project_routes;

/* One request on its way. */
struct project_call {
	struct core_wait wait;
	struct api *api;
	const char *const *only; /* ids that the client may use; NULL: every one */
};

/* The exchange is over. */
static void
project_on_end(void *arg, enum http_end end)
{
	struct project_call *c = arg;

	core_wait_over(&c->wait, end);
	free(c);
}

/* The whole request is here. */
static void
project_on_body(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	struct project_call *c = arg;

	c->wait.work = projects_list(c->api->gw, c->only, core_wait_answer, &c->wait);
}

/* Serves the list of projects. */
bool
project_serve(struct api *api, struct http_exchange *ex, const struct config_client *who)
{
	const struct http_request *q = http_exchange_request(ex);
	enum http_route_result found;
	struct project_call *c;
	struct http_match match;

	found = http_route_find(project_routes, project_route_count, q->method, q->path, &match);
	if (found == HTTP_ROUTE_NONE)
		return false;
	if (api_refuse_route(ex, found, &match))
		return true;
	traffic_note_route(ex, &match);
	c = mem_zero(1, sizeof *c);
	c->api = api;
	c->wait.ex = ex;
	c->only = who != NULL ? (const char *const *)who->projects : NULL;
	http_exchange_on_end(ex, project_on_end, c);
	http_exchange_collect(ex, 0, project_on_body, c);
	return true;
}
