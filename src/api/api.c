#include "config.h"

#include "api/api.h"
#include "api/api_impl.h"
#include "api/page.h"
#include "api/passthrough.h"
#include "base/mem.h"

#include <stdlib.h>

static const struct api_service *const api_services[] = {&persona_service, &community_service,
    &image_service};

/* Finds who serves a request. */
static const struct api_service *
api_find(const struct http_request *q, struct http_match *match, enum http_route_result *found)
{
	const struct api_service *s = NULL;

	*found = HTTP_ROUTE_NONE;
	for (size_t i = 0; i < sizeof api_services / sizeof *api_services &&
	     *found == HTTP_ROUTE_NONE; i++) {
		s = api_services[i];
		*found = http_route_find(s->routes, s->count, q->method, q->path, match);
	}
	return s;
}

/* Counts through the routes of both addresses. */
bool
api_route(size_t i, struct openapi_route *out)
{
	const struct {
		const struct http_route *routes;
		size_t count;
		bool admin;
	} others[] = {{project_routes, project_route_count, false},
	    {page_routes, page_route_count, true}, {admin_routes, admin_route_count, true}};

	for (size_t n = 0; n < sizeof api_services / sizeof *api_services; n++) {
		if (i < api_services[n]->count) {
			*out = (struct openapi_route){&api_services[n]->routes[i], false};
			return true;
		}
		i -= api_services[n]->count;
	}
	for (size_t n = 0; n < sizeof others / sizeof *others; n++) {
		if (i < others[n].count) {
			*out = (struct openapi_route){&others[n].routes[i], others[n].admin};
			return true;
		}
		i -= others[n].count;
	}
	return false;
}

/* Refuses a client of certain projects what belongs to all of them; true when it
 * answered. */
static bool
api_refuse_common(struct api *api, struct http_exchange *ex, const struct config_client *who,
    const struct resource *resource)
{
	if (who == NULL || who->projects == NULL || resource != &resource_community ||
	    gateway_snapshot(api->gw)->config->communities_scope != CONFIG_COMMUNITIES_ORGANISATION)
		return false;
	api_answer_error(ex, 403, "This token is for certain projects, and communities here belong to "
	                          "the whole organisation");
	return true;
}

/* Serves the local API. */
void
api_serve(void *arg, struct http_exchange *ex)
{
	struct api *api = arg;
	enum http_route_result found;
	const struct api_service *service;
	const struct config_client *who;
	struct project project;
	struct http_match match;

	traffic_open(api->traffic, ex, false);
	if (client_gate_enter(api->gate, ex, CLIENT_DOOR_LOCAL, &who) != CLIENT_ADMITTED ||
	    passthrough_takes(api->pass, ex, who) || project_serve(api, ex, who))
		return;
	service = api_find(http_exchange_request(ex), &match, &found);
	if (api_refuse_route(ex, found, &match))
		return;
	traffic_note_route(ex, &match);
	if (api_refuse_common(api, ex, who, service->resource))
		return;
	if (!client_gate_project(who, match.params[0]) ||
	    !snapshot_project(gateway_snapshot(api->gw), match.params[0], service->resource,
	        &project)) {
		api_answer_error(ex, 404, "Project not found");
		return;
	}
	project.client = who != NULL ? who->name : NULL;
	traffic_note_project(ex, &project);
	service->start(api, ex, &match, &project);
}

/* Counts and logs. */
void
api_report(void *arg, const struct http_report *r)
{
	struct api *api = arg;

	traffic_report(api->traffic, r);
}

/* Names the servers. */
void
api_watch(struct api *api, const struct http_server *server, const struct http_server *admin)
{
	api->server = server;
	api->admin = admin;
}

/* Makes the API of a gateway. */
struct api *
api_new(struct loop *loop, struct gateway *gw, struct log *log, struct fail *fail)
{
	struct api *api = mem_zero(1, sizeof *api);

	api->loop = loop;
	api->gw = gw;
	api->log = log;
	api->traffic = traffic_new(loop, gw, log);
	api->gate = client_gate_new(loop, gw, log);
	api->pass = passthrough_new(api, fail);
	if (api->pass != NULL)
		return api;
	api_free(api);
	return NULL;
}

/* Frees it. */
void
api_free(struct api *api)
{
	if (api == NULL)
		return;
	passthrough_free(api->pass);
	traffic_free(api->traffic);
	client_gate_free(api->gate);
	free(api);
}
