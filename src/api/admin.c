#include "config.h"

#include "api/api_impl.h"
#include "base/buf.h"
#include "base/mem.h"
#include "core/intents.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

enum admin_route { ADMIN_HEALTH, ADMIN_READY, ADMIN_DRIFT, ADMIN_INTENTS, ADMIN_ADOPT, ADMIN_FORGET };

static const struct http_route admin_routes[] = {
    {"GET", "/healthz", ADMIN_HEALTH},
    {"GET", "/readyz", ADMIN_READY},
    {"GET", "/drift", ADMIN_DRIFT},
    {"GET", "/intents", ADMIN_INTENTS},
    {"POST", "/intents/:id/adopt", ADMIN_ADOPT},
    {"POST", "/intents/:id/forget", ADMIN_FORGET},
};

/* One request that waits for the core. */
struct admin_call {
	struct api *api;
	struct http_exchange *ex;
	enum admin_route route;
	char intent[HTTP_ROUTE_PARAM_MAX];
	struct work *work;
	bool done;
};

/* The exchange is over. */
static void
admin_on_end(void *arg, enum http_end end)
{
	struct admin_call *c = arg;

	if (c->work != NULL && c->done)
		work_told(c->work, end == HTTP_SENT);
	else if (c->work != NULL)
		work_cancel(c->work);
	free(c);
}

/* The core gives its result. */
static void
admin_on_done(void *arg, struct result *r)
{
	struct admin_call *c = arg;

	c->done = true;
	api_answer_result(c->ex, r);
}

/* The persona's id in the body of an adopt; NULL when it answered. The caller frees. */
static char *
admin_persona_id(struct http_exchange *ex, const char *body, size_t len)
{
	struct json_object *root = NULL;
	const char *id = NULL;
	char *copy;

	if (json_read(body, len, &root, NULL) && json_object_is_type(root, json_type_object))
		id = json_get_string(root, "personaId");
	copy = mem_string(id);
	json_object_put(root);
	if (copy == NULL)
		api_answer_error(ex, 400, "Send {\"personaId\": \"<id in Bluejay>\"}");
	return copy;
}

/* The whole request is here. */
static void
admin_on_body(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	struct admin_call *c = arg;
	char *id;

	if (c->route == ADMIN_INTENTS) {
		c->work = intents_list(c->api->gw, admin_on_done, c);
	} else if (c->route == ADMIN_FORGET) {
		c->work = intents_forget(c->api->gw, c->intent, admin_on_done, c);
	} else if ((id = admin_persona_id(ex, body, len)) != NULL) {
		c->work = intents_adopt(c->api->gw, c->intent, id, admin_on_done, c);
		free(id);
	}
}

/* Starts what needs the core. Changes must declare JSON: a form on another site
 * cannot do that, so a browser behind this address cannot be made to send one. */
static void
admin_start(struct api *api, struct http_exchange *ex, const struct http_match *match)
{
	const char *type = http_request_field(http_exchange_request(ex), "content-type");
	struct admin_call *c;

	if (match->id != ADMIN_INTENTS && (type == NULL || !api_is_json(type))) {
		api_answer_error(ex, 415, "Send Content-Type: application/json");
		return;
	}
	c = mem_zero(1, sizeof *c);
	c->api = api;
	c->ex = ex;
	c->route = (enum admin_route)match->id;
	if (match->param_count > 0)
		memcpy(c->intent, match->params[0], sizeof c->intent);
	http_exchange_on_end(ex, admin_on_end, c);
	http_exchange_collect(ex, 0, admin_on_body, c);
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

/* Answers whether the gateway can do its work, each condition by name. */
static void
admin_ready(struct api *api, struct http_exchange *ex)
{
	struct gateway_health h;
	bool all = true;
	struct buf b;

	gateway_health(api->gw, &h);
	buf_init(&b, 4096);
	buf_addc(&b, '{');
	admin_check(&b, "store", h.store_ok, "the last write did not reach the disk", &all);
	admin_check(&b, "upstream", h.upstream.breaker == UPSTREAM_BREAKER_CLOSED,
	    "Bluejay is failing; calls are held back", &all);
	admin_check(&b, "key", !h.key_refused, "Bluejay refuses the API key", &all);
	admin_check(&b, "personas", !h.many_gone,
	    "several known personas in a row were not found; is this another account's key?", &all);
	buf_addf(&b, ",\"unsettled\":%u,\"ready\":%s}", h.unsettled, all ? "true" : "false");
	api_answer_json(ex, all ? 200 : 503, b.data, b.len);
	buf_free(&b);
}

/* Serves the admin address. */
void
api_serve_admin(void *arg, struct http_exchange *ex)
{
	static const char alive[] = "{\"alive\":true}";
	struct api *api = arg;
	const struct http_request *q = http_exchange_request(ex);
	struct http_match match;

	if (api_refuse_route(ex, http_route_find(admin_routes, sizeof admin_routes / sizeof *admin_routes,
	                             q->method, q->path, &match), &match))
		return;
	if (match.id == ADMIN_HEALTH)
		api_answer_json(ex, 200, alive, sizeof alive - 1);
	else if (match.id == ADMIN_READY)
		admin_ready(api, ex);
	else if (match.id == ADMIN_DRIFT)
		admin_drift(api, ex);
	else
		admin_start(api, ex, &match);
}
