#include "config.h"

#include "api/api_impl.h"
#include "base/buf.h"

#include <stdlib.h>

enum admin_route { ADMIN_HEALTH, ADMIN_READY };

static const struct http_route admin_routes[] = {
    {"GET", "/healthz", ADMIN_HEALTH},
    {"GET", "/readyz", ADMIN_READY},
};

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
	else
		admin_ready(api, ex);
}
