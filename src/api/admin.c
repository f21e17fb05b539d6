#include "config.h"

#include "api/admin_reload.h"
#include "api/api_impl.h"
#include "api/core_wait.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/page.h"
#include "base/buf.h"
#include "base/mem.h"
#include "core/inspect.h"
#include "core/intents.h"
#include "core/items.h"
#include "core/resource_read.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

enum admin_route {
	ADMIN_HEALTH,
	ADMIN_READY,
	ADMIN_METRICS,
	ADMIN_DRIFT,
	ADMIN_REQUESTS,
	ADMIN_REQUEST,
	ADMIN_OPENAPI,
	ADMIN_OVERVIEW,
	ADMIN_PERSONAS,
	ADMIN_REFRESH,
	ADMIN_IMAGE,
	ADMIN_INTENTS,
	ADMIN_ADOPT,
	ADMIN_FORGET,
	ADMIN_RELOAD
};

const struct http_route admin_routes[] = {
    {"GET", "/healthz", ADMIN_HEALTH},
    {"GET", "/readyz", ADMIN_READY},
    {"GET", "/metrics", ADMIN_METRICS},
    {"GET", "/drift", ADMIN_DRIFT},
    {"GET", "/requests", ADMIN_REQUESTS},
    {"GET", "/requests/:id", ADMIN_REQUEST},
    {"GET", "/openapi.json", ADMIN_OPENAPI},
    {"GET", "/overview", ADMIN_OVERVIEW},
    {"GET", "/projects/:project/personas", ADMIN_PERSONAS},
    {"POST", "/projects/:project/refresh", ADMIN_REFRESH},
    {"GET", "/projects/:project/images/:id", ADMIN_IMAGE},
    {"GET", "/intents", ADMIN_INTENTS},
    {"POST", "/intents/:id/adopt", ADMIN_ADOPT},
    {"POST", "/intents/:id/forget", ADMIN_FORGET},
    {"POST", "/reload", ADMIN_RELOAD},
};
const size_t admin_route_count = sizeof admin_routes / sizeof *admin_routes;

/* One request that waits for the core. */
struct admin_call {
	struct api *api;
	struct core_wait wait;
	enum admin_route route;
	char intent[HTTP_ROUTE_PARAM_MAX];
	struct project project;
};

/* The exchange is over. */
static void
admin_on_end(void *arg, enum http_end end)
{
	struct admin_call *c = arg;

	core_wait_over(&c->wait, end);
	free(c);
}

/* The list was read from Bluejay, or could not be; what it holds is shown elsewhere. */
static void
admin_on_refreshed(void *arg, struct result *r)
{
	struct admin_call *c = arg;

	c->wait.done = true;
	if (r->status != 200)
		api_answer_result(c->wait.ex, r);
	else if (r->cache != NULL && strcmp(r->cache, "stale") == 0)
		api_answer_error(c->wait.ex, 503, "Bluejay does not answer; the last known state stays");
	else
		http_answer(c->wait.ex, 204, NULL, NULL, 0);
}

/* The id that an adopt names, whatever it is one of; NULL when it names none. */
static const char *
admin_id_of(struct json_object *root)
{
	static const char *const members[] = {"id", "personaId", "communityId"};
	const char *id = NULL;

	for (size_t i = 0; i < sizeof members / sizeof *members && id == NULL; i++)
		id = json_get_string(root, members[i]);
	return id;
}

/* The id in the body of an adopt; NULL when it answered. The caller frees. */
static char *
admin_item_id(struct http_exchange *ex, const char *body, size_t len)
{
	struct json_object *root = NULL;
	const char *id = NULL;
	char *copy;

	if (json_read(body, len, &root, NULL) && json_object_is_type(root, json_type_object))
		id = admin_id_of(root);
	copy = mem_string(id);
	json_object_put(root);
	if (copy == NULL)
		api_answer_error(ex, 400, "Send {\"id\": \"<id in Bluejay>\"}");
	return copy;
}

/* The whole request is here. */
static void
admin_on_body(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	struct admin_call *c = arg;
	struct gateway *gw = c->api->gw;
	char *id;

	switch (c->route) {
	case ADMIN_OVERVIEW:
		c->wait.work = inspect_gateway(gw, core_wait_answer, &c->wait);
		return;
	case ADMIN_PERSONAS:
		c->wait.work = inspect_personas(gw, &c->project, core_wait_answer, &c->wait);
		return;
	case ADMIN_REFRESH:
		c->wait.work = item_list(gw, &c->project, false, admin_on_refreshed, c);
		return;
	case ADMIN_INTENTS:
		c->wait.work = intents_list(gw, core_wait_answer, &c->wait);
		return;
	case ADMIN_FORGET:
		c->wait.work = intents_forget(gw, c->intent, core_wait_answer, &c->wait);
		return;
	default: /* ADMIN_ADOPT */
		id = admin_item_id(ex, body, len);
		if (id != NULL)
			c->wait.work = intents_adopt(gw, c->intent, id, core_wait_answer, &c->wait);
		free(id);
		return;
	}
}

/* Refuses a change that is not declared as JSON; true when it answered. A form on
 * another site cannot declare it, so that a browser behind this address cannot be made
 * to send one. */
static bool
admin_refuse_form(struct http_exchange *ex)
{
	const struct http_request *q = http_exchange_request(ex);
	const char *type = http_request_field(q, "content-type");

	if (strcmp(q->method, "POST") != 0 || (type != NULL && api_is_json(type)))
		return false;
	api_answer_error(ex, 415, "Send Content-Type: application/json");
	return true;
}

/* Finds the project that a route names; false when it answered. */
static bool
admin_project(struct api *api, struct http_exchange *ex, const char *id, struct project *out)
{
	if (snapshot_project(gateway_snapshot(api->gw), id, resource_built_in("personas"), out))
		return true;
	api_answer_error(ex, 404, "Project not found");
	return false;
}

/* Starts what needs the core. */
static void
admin_start(struct api *api, struct http_exchange *ex, const struct http_match *match)
{
	bool named = match->id == ADMIN_PERSONAS || match->id == ADMIN_REFRESH;
	struct project project = {0};
	struct admin_call *c;

	if (admin_refuse_form(ex) ||
	    (named && !admin_project(api, ex, match->params[0], &project)))
		return;
	c = mem_zero(1, sizeof *c);
	c->api = api;
	c->wait.ex = ex;
	c->route = (enum admin_route)match->id;
	c->project = project;
	if (!named && match->param_count > 0)
		memcpy(c->intent, match->params[0], sizeof c->intent);
	http_exchange_on_end(ex, admin_on_end, c);
	http_exchange_collect(ex, 0, admin_on_body, c);
}

/* Serves one image of a project. */
static void
admin_image(struct api *api, struct http_exchange *ex, const struct http_match *match)
{
	struct project project;

	if (admin_project(api, ex, match->params[0], &project))
		image_serve_bytes(api, ex, &project, match->params[1]);
}

/* Adds one named check to a readiness answer. */
static void
admin_check(struct buf *b, const char *name, bool ok, const char *why, bool *all)
{
	buf_addf(b, "%s\"%s\":{\"ok\":%s", b->len > 1 ? "," : "", name, ok ? "true" : "false");
	if (!ok)
		buf_addf(b, ",\"why\":\"%s\"", why);
	buf_addc(b, '}');
	*all = *all && ok;
}

/* Adds what is known of the local tool, which only creates of personas need. */
static void
admin_twins(struct buf *b, const struct gateway_health *h)
{
	bool unused = true;

	admin_check(b, "local_tool", !h->twins_late,
	    "the local tool does not work; personas cannot be created, and twins follow later", &unused);
	buf_addf(b, ",\"twins_with_another_id\":%u", h->twins_other);
}

/* Answers whether the gateway can do its work, each condition by name; to a stranger
 * only whether. */
static void
admin_ready(struct api *api, struct http_exchange *ex, bool stranger)
{
	struct gateway_health h;
	bool all = true;
	struct buf b;

	gateway_recover(api->gw);
	gateway_health(api->gw, &h);
	buf_init(&b, 4096);
	buf_addc(&b, '{');
	admin_check(&b, "store", h.store_ok,
	    h.store_away ? "the database does not answer" : "the last write did not reach the disk",
	    &all);
	admin_check(&b, "upstream", h.upstream_ok,
	    h.upstream.breaker == UPSTREAM_BREAKER_CLOSED
	        ? "Bluejay has not answered so far"
	        : "Bluejay is failing; calls are held back", &all);
	admin_check(&b, "key", !h.key_refused, "Bluejay refuses the API key", &all);
	admin_check(&b, "personas", !h.many_gone,
	    "several known ids in a row were not found; is this another account's key?", &all);
	if (api->stopping)
		admin_check(&b, "serving", false, "the gateway stops", &all);
	if (h.twins)
		admin_twins(&b, &h);
	if (h.key_fell_back)
		buf_adds(&b, ",\"earlier_key_used\":true");
	if (h.for_operator > 0)
		buf_addf(&b, ",\"for_operator\":%llu", (unsigned long long)h.for_operator);
	buf_addf(&b, ",\"unsettled\":%u,", h.unsettled);
	if (stranger) {
		buf_clear(&b);
		buf_addc(&b, '{');
	}
	buf_addf(&b, "\"ready\":%s}", all ? "true" : "false");
	api_answer_json(ex, all ? 200 : 503, b.data, b.len);
	buf_free(&b);
}

/* Describes what is served, well set for people. */
static void
admin_openapi(struct api *api, struct http_exchange *ex)
{
	struct json_object *document = openapi_make(gateway_snapshot(api->gw), api_route, api->items, api->server,
	    api->admin);
	const char *text = json_object_to_json_string_ext(document,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	struct result r;

	result_body(&r, 200, mem_string(text), strlen(text));
	result_etag(r.body, r.len, r.etag);
	api_answer_result(ex, &r);
	result_clear(&r);
	json_object_put(document);
}

/* Serves the admin address. */
void
api_serve_admin(void *arg, struct http_exchange *ex)
{
	static const char alive[] = "{\"alive\":true}";
	struct api *api = arg;
	const struct http_request *q = http_exchange_request(ex);
	const struct config_client *who;
	enum http_route_result found;
	struct http_match match;
	enum client_entry entry;

	traffic_open(api->traffic, ex, true);
	entry = client_gate_enter(api->gate, ex, CLIENT_DOOR_ADMIN, &who);
	if (entry == CLIENT_UNKNOWN || (entry != CLIENT_REFUSED && page_serve(ex)))
		return;
	found = http_route_find(admin_routes, admin_route_count, q->method, q->path, &match);
	if (found == HTTP_ROUTE_FOUND)
		traffic_note_route(ex, &match);
	if (entry == CLIENT_REFUSED || api_refuse_route(ex, found, &match))
		return;
	switch ((enum admin_route)match.id) {
	case ADMIN_HEALTH:
		api_answer_json(ex, 200, alive, sizeof alive - 1);
		return;
	case ADMIN_READY:
		admin_ready(api, ex, entry == CLIENT_STRANGER);
		return;
	case ADMIN_METRICS:
		metrics_serve(api, ex);
		return;
	case ADMIN_DRIFT:
		admin_drift(api, ex);
		return;
	case ADMIN_REQUESTS:
		admin_requests(api, ex);
		return;
	case ADMIN_REQUEST:
		admin_request(api, ex, match.params[0]);
		return;
	case ADMIN_OPENAPI:
		admin_openapi(api, ex);
		return;
	case ADMIN_IMAGE:
		admin_image(api, ex, &match);
		return;
	case ADMIN_RELOAD:
		if (!admin_refuse_form(ex))
			admin_reload(api, ex);
		return;
	default:
		admin_start(api, ex, &match);
		return;
	}
}
