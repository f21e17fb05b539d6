#include "config.h"

#include "api/api.h"
#include "api/api_impl.h"
#include "api/client_ledger.h"
#include "api/item_routes.h"
#include "api/page.h"
#include "api/passthrough.h"
#include "base/mem.h"
#include "core/crew.h"
#include "core/resource_read.h"

#include <stdlib.h>

/* Finds who serves a request, and the resource that it is about. */
static enum http_route_result
api_find(const struct api *api, const struct http_request *q, struct http_match *match,
    const struct resource **resource)
{
	enum http_route_result found = HTTP_ROUTE_NONE;
	const struct item_resource *r;

	for (size_t i = 0; found == HTTP_ROUTE_NONE && (r = item_routes_at(api->items, i)) != NULL;
	    i++) {
		*resource = r->resource;
		found = http_route_find(r->routes, r->count, q->method, q->path, match);
	}
	if (found != HTTP_ROUTE_NONE)
		return found;
	*resource = NULL;
	return http_route_find(image_routes, image_route_count, q->method, q->path, match);
}

/* Counts through the routes of both addresses. */
bool
api_route(void *items, size_t i, struct openapi_route *out)
{
	const struct {
		const struct http_route *routes;
		size_t count;
		bool admin;
	} others[] = {{image_routes, image_route_count, false},
	    {project_routes, project_route_count, false}, {page_routes, page_route_count, true},
	    {admin_routes, admin_route_count, true}};
	const struct item_resource *r;

	for (size_t n = 0; (r = item_routes_at(items, n)) != NULL; n++) {
		if (i < r->count) {
			*out = (struct openapi_route){&r->routes[i], false, r->resource};
			return true;
		}
		i -= r->count;
	}
	for (size_t n = 0; n < sizeof others / sizeof *others; n++) {
		if (i < others[n].count) {
			*out = (struct openapi_route){&others[n].routes[i], others[n].admin, NULL};
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
	if (who == NULL || who->projects == NULL || resource == NULL ||
	    !snapshot_is_common(gateway_snapshot(api->gw), resource))
		return false;
	api_answer_error(ex, 403, "This token is for certain projects, and %s here belong to the whole "
	                          "organisation", resource->plural);
	return true;
}

/* Notes what a request wanted that was refused before anybody looked for its route. */
static void
api_note_refused(struct api *api, struct http_exchange *ex)
{
	const struct http_request *q = http_exchange_request(ex);
	const struct resource *resource;
	struct project project;
	struct http_match match;

	if (passthrough_would_take(api->pass, ex) ||
	    api_find(api, q, &match, &resource) != HTTP_ROUTE_FOUND || !match.text)
		return;
	traffic_note_route(ex, &match);
	if (snapshot_project(gateway_snapshot(api->gw), match.params[0],
	        resource != NULL ? resource : resource_built_in("personas"), &project))
		traffic_note_project(ex, &project);
}

/* Serves the local API. */
void
api_serve(void *arg, struct http_exchange *ex)
{
	struct api *api = arg;
	enum http_route_result found;
	enum client_entry entry;
	const struct config_client *who;
	const struct resource *resource;
	struct project project;
	struct http_match match;

	traffic_open(api->traffic, ex, false)->items = item_routes_ref(api->items);
	entry = client_gate_enter(api->gate, ex, CLIENT_DOOR_LOCAL, &who);
	if (entry == CLIENT_REFUSED)
		api_note_refused(api, ex);
	if (entry != CLIENT_ADMITTED || passthrough_takes(api->pass, ex, who) ||
	    project_serve(api, ex, who))
		return;
	found = api_find(api, http_exchange_request(ex), &match, &resource);
	if (api_refuse_route(ex, found, &match))
		return;
	traffic_note_route(ex, &match);
	if (api_refuse_common(api, ex, who, resource))
		return;
	if (!client_gate_project(who, match.params[0]) ||
	    !snapshot_project(gateway_snapshot(api->gw), match.params[0],
	        resource != NULL ? resource : resource_built_in("personas"), &project)) {
		api_answer_error(ex, 404, "Project not found");
		return;
	}
	project.client = who != NULL ? who->name : NULL;
	traffic_note_project(ex, &project);
	if (resource != NULL)
		item_serve(api, ex, &match, &project);
	else
		image_serve(api, ex, &match, &project);
}

/* Counts and logs. */
void
api_report(void *arg, const struct http_report *r)
{
	struct api *api = arg;

	traffic_report(api->traffic, r);
}

/* The gateway stops. */
void
api_stopping(struct api *api)
{
	api->stopping = true;
}

/* Names the servers. */
void
api_watch(struct api *api, const struct http_server *server, const struct http_server *admin)
{
	api->server = server;
	api->admin = admin;
}

/* Makes the API of a gateway, for one of several loops or the only one. */
static struct api *
api_make(struct loop *loop, struct gateway *gw, struct log *log, struct api *owner,
    struct fail *fail)
{
	struct api *api = mem_zero(1, sizeof *api);

	api->loop = loop;
	api->gw = gw;
	api->log = log;
	api->owner = owner;
	TAILQ_INIT(&api->reloads);
	api->ledger = owner != NULL ? owner->ledger : client_ledger_new();
	api->traffic = traffic_new(loop, gw, log);
	api->gate = client_gate_new(loop, gw, log, api->ledger);
	api->pass = passthrough_new(api, fail);
	if (api->pass != NULL) {
		api->items = item_routes_new(gateway_snapshot(gw));
		return api;
	}
	api_free(api);
	return NULL;
}

/* Makes the only one, or the first. */
struct api *
api_new(struct loop *loop, struct gateway *gw, struct log *log, struct fail *fail)
{
	return api_make(loop, gw, log, NULL, fail);
}

/* Makes a further one. */
struct api *
api_help(struct api *owner, struct loop *loop, struct gateway *gw, struct fail *fail)
{
	struct api *api = api_make(loop, gw, owner->log, owner, fail);

	if (api == NULL)
		return NULL;
	owner->helpers = mem_resize(owner->helpers, crew_place(gw) * sizeof(struct api *));
	owner->helpers[crew_place(gw) - 1] = api;
	return api;
}

/* Follows the gateway's snapshot. */
int
api_adjust(struct api *api, struct fail *fail)
{
	client_gate_adjust(api->gate);
	item_routes_unref(api->items);
	api->items = item_routes_new(gateway_snapshot(api->gw));
	return passthrough_adjust(api->pass, gateway_snapshot(api->gw), fail);
}

/* Frees it. */
void
api_free(struct api *api)
{
	if (api == NULL)
		return;
	passthrough_free(api->pass);
	traffic_free(api->traffic); /* which remembers the patterns of routes */
	client_gate_free(api->gate);
	if (api->owner == NULL)
		client_ledger_free(api->ledger);
	free(api->helpers);
	item_routes_unref(api->items);
	free(api);
}
