#include "config.h"

#include "api/item_routes.h"
#include "api/passthrough.h"
#include "api/client_pass.h"
#include "api/pass_fields.h"
#include "api/pass_mask.h"
#include "api/pass_target.h"
#include "api/passthrough_impl.h"
#include "api/traffic.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "core/bypass.h"
#include "http/http_format.h"
#include "upstream/url.h"
#include "upstream/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PASS_HOLDS ((size_t)32 << 10)       /* memory of one exchange, counted in limits.buffers */
#define PASS_HOLDS_BODY ((size_t)320 << 10) /* the same with a request that has a body, or a WebSocket */
#define PASS_AGAIN_MAX ((size_t)64 << 10)   /* bytes of a body that are kept to be sent once more */
#define PASS_KEEP_BLUEJAY_S 45L /* as the gateway's own calls to it */
#define PASS_KEEP_LOCAL_S 3L    /* Node.js closes idle connections after five seconds */

/* One exchange. */
struct pass {
	struct passthrough *owner;
	struct http_exchange *ex;
	enum pass_way way;
	bool known; /* the request has the token of a client, which stays here */
	struct pass_road *road;
	struct upstream_call *place; /* among the calls to Bluejay */
	struct relay_call *call;
	struct snapshot *snap; /* whose key goes along; NULL when none can be needed any more */
	const char *key;       /* of it: the one in use */
	struct buf body;       /* to Bluejay, as long as the key may turn out to be refused: */
	bool body_ended;       /* what has gone out of the request's body, and whether that is all */
	bool again;            /* the request is about to go once more, with the key before it */
	struct pass_mask mask;  /* takes the key out of the answer */
	struct loop_timer turn; /* does that, outside of the relay's calls */
	bool write; /* it may change what Bluejay holds */
	bool sent;  /* a request may have gone out */
	bool begun; /* the answer is the other server's, and has begun */
	bool dropped; /* the answer is ours; what still comes is dropped */
};

/* ---- the end ---- */

/* The key has been heard of, or will not be: the request cannot go once more. */
static void
pass_settle_key(struct pass *p)
{
	snapshot_unref(p->snap);
	p->snap = NULL;
	p->key = NULL;
	buf_free(&p->body);
}

/* Frees what an exchange has of others: the connection of one that is not over is cut. */
static void
pass_leave(struct pass *p)
{
	if (p->call != NULL)
		relay_cancel(p->call);
	p->call = NULL;
	if (p->place != NULL)
		upstream_cancel(p->place);
	p->place = NULL;
}

/* The client has its answer, or is gone. */
static void
pass_on_over(void *arg, enum http_end how)
{
	struct pass *p = arg;

	if (p->again)
		loop_timer_cancel(&p->turn);
	pass_leave(p);
	pass_settle_key(p);
	pass_mask_free(&p->mask);
	if (p->write && p->sent)
		bypass_written(p->owner->api->gw);
	pass_road_unref(p->road);
	free(p);
}

/* Answers in the words that the gateway has for Bluejay everywhere. */
static void
pass_answer_trouble(struct pass *p, enum upstream_outcome outcome, int64_t retry_after)
{
	const struct upstream_answer a = {.outcome = outcome, .retry_after = retry_after};
	struct result r;

	result_from_upstream(&r, &a, NULL, NULL);
	api_answer_result(p->ex, &r);
	result_clear(&r);
}

/* Notes a failure, in words that are not for clients. */
static void
pass_log(const struct passthrough *t, struct http_exchange *ex, enum pass_way way, const char *why)
{
	log_info(t->api->log, "pass-through failed",
	    LOG_S("request", http_exchange_request(ex)->id),
	    LOG_S("to", way == PASS_TO_LOCAL ? "local" : "bluejay"), LOG_S("why", why));
}

/* Answers what has kept the local tool's answer from beginning. */
void
pass_answer_local_trouble(const struct passthrough *t, const struct pass_road *road,
    struct http_exchange *ex, enum relay_end end, const char *why)
{
	const char *url = road->config.url;

	pass_log(t, ex, PASS_TO_LOCAL, why);
	switch (end) {
	case RELAY_NO_CONNECT:
		api_answer_error(ex, 502, "The local tool at %s could not be reached", url);
		return;
	case RELAY_TIMEOUT:
		api_answer_error(ex, 504, "The local tool at %s did not answer in time", url);
		return;
	case RELAY_WHOLE:
	case RELAY_BROKEN:
		break;
	}
	api_answer_error(ex, 502,
	    "The connection to the local tool at %s broke before its answer was complete", url);
}

/* Answers the same of Bluejay's. */
static void
pass_answer_bluejay_trouble(struct pass *p, enum relay_end end, const char *why)
{
	static const enum upstream_outcome outcomes[] = {[RELAY_WHOLE] = UPSTREAM_BROKEN,
	    [RELAY_NO_CONNECT] = UPSTREAM_NO_CONNECT, [RELAY_TIMEOUT] = UPSTREAM_TIMEOUT,
	    [RELAY_BROKEN] = UPSTREAM_BROKEN};

	pass_log(p->owner, p->ex, PASS_TO_BLUEJAY, why);
	pass_answer_trouble(p, outcomes[end], -1);
}

/* ---- the other server's side ---- */

static void pass_on_turn(void *);

/* The client has taken what waited for it. */
static void
pass_on_drained(void *arg)
{
	struct pass *p = arg;

	if (p->call != NULL)
		relay_resume(p->call);
}

/* Whether the key in use is the one before that of the configuration. */
static bool
pass_fell_back(const struct pass *p)
{
	return p->snap != NULL && p->key == p->snap->config->bluejay.earlier_key;
}

/* Has a request whose key was refused go once more with the one before it, if there is one
 * and all that was sent is still here. The refusal proves that nothing was done. */
static bool
pass_fall_back(struct pass *p)
{
	if (p->snap == NULL || p->snap->config->bluejay.earlier_key == NULL || pass_fell_back(p) ||
	    p->body.full)
		return false;
	p->key = p->snap->config->bluejay.earlier_key;
	p->again = true;
	http_exchange_pause(p->ex); /* no more of the body, until the request is on its way */
	loop_timer_init(&p->turn, p->owner->api->loop, pass_on_turn, p);
	loop_timer_set(&p->turn, 0);
	return true;
}

/* Begins the answer; no field of it shows the key. */
static void
pass_begin(struct pass *p, const struct relay_head *h)
{
	struct pass_fields l;
	struct http_field *fields;
	char **masked;

	pass_fields_answer(&l, h->fields, p->way, p->owner->name);
	fields = mem_zero(l.count + 1, sizeof *fields);
	masked = mem_zero(l.count + 1, sizeof *masked);
	for (size_t i = 0; i < l.count; i++) {
		fields[i] = (struct http_field){l.list[i].name, l.list[i].value};
		if (!pass_mask_has(&p->mask, l.list[i].value))
			continue;
		fields[i].value = masked[i] = mem_string(l.list[i].value);
		pass_mask_text(&p->mask, masked[i], strlen(masked[i]));
	}
	http_answer_begin(p->ex, h->status, fields, h->length, pass_on_drained, p);
	for (size_t i = 0; i < l.count; i++)
		free(masked[i]);
	free(masked);
	free(fields);
	pass_fields_free(&l);
}

/* The head of the answer is here. */
static void
pass_on_head(void *arg, const struct relay_head *h)
{
	struct pass *p = arg;
	struct gateway *gw = p->owner->api->gw;

	if (h->status == 401 && pass_fall_back(p))
		return;
	traffic_note_heard(p->ex, loop_now_us(p->owner->api->loop));
	if (p->place != NULL)
		upstream_place_judge(p->place, h->status < 500);
	if (p->way == PASS_TO_BLUEJAY)
		bypass_saw(gw, h->status, p->key, pass_fell_back(p));
	pass_mask_begin(&p->mask, p->key);
	pass_settle_key(p);
	if (p->write)
		bypass_written(gw);
	if (p->way == PASS_TO_BLUEJAY && h->status == 401) {
		p->dropped = true; /* the client's own key is not what was refused */
		api_answer_error(p->ex, 502, "Bluejay refused the gateway's API key");
		return;
	}
	p->begun = true;
	pass_begin(p, h);
}

/* Gives bytes of the answer to the client. */
static void
pass_give(void *arg, const char *bytes, size_t len)
{
	struct pass *p = arg;

	if (http_answer_write(p->ex, bytes, len) >= PASS_MARK && p->call != NULL)
		relay_pause(p->call);
}

/* A piece of the answer is here. */
static void
pass_on_data(void *arg, const char *bytes, size_t len)
{
	struct pass *p = arg;

	if (!p->dropped && !p->again)
		pass_mask_feed(&p->mask, bytes, len, pass_give, p);
}

/* The other server has taken what waited for it. */
static void
pass_on_room(void *arg)
{
	struct pass *p = arg;

	if (!p->again)
		http_exchange_resume(p->ex);
}

/* The exchange with the other server is over. */
static void
pass_on_end(void *arg, enum relay_end end, const char *why)
{
	struct pass *p = arg;
	struct http_exchange *ex = p->ex;

	p->call = NULL;
	if (p->again)
		return;
	traffic_note_heard(ex, loop_now_us(p->owner->api->loop));
	if (p->place != NULL && !p->begun && !p->dropped)
		upstream_place_judge(p->place, false);
	pass_leave(p);
	if (p->dropped)
		return;
	if (p->begun)
		pass_mask_end(&p->mask, pass_give, p);
	if (p->begun && end != RELAY_WHOLE)
		pass_log(p->owner, ex, p->way, why);
	if (!p->begun && p->way == PASS_TO_LOCAL)
		pass_answer_local_trouble(p->owner, p->road, ex, end, why);
	else if (!p->begun)
		pass_answer_bluejay_trouble(p, end, why);
	else if (end == RELAY_WHOLE)
		http_answer_end(ex);
	else
		http_answer_abort(ex); /* the client must see that it was not whole */
}

static const struct relay_events pass_events = {pass_on_head, pass_on_data, pass_on_room,
    pass_on_end};

/* ---- the client's side ---- */

/* A piece of the request's body is here, or its end. */
static void
pass_on_body(void *arg, struct http_exchange *ex, const char *piece, size_t len)
{
	struct pass *p = arg;

	if (p->snap != NULL && p->snap->config->bluejay.earlier_key != NULL)
		buf_add(&p->body, piece, len);
	p->body_ended = len == 0;
	if (p->call == NULL)
		return;
	if (len == 0)
		relay_write_end(p->call);
	else if (relay_write(p->call, piece, len) >= PASS_MARK)
		http_exchange_pause(ex);
}

/* Sends the head of the request on. */
static void
pass_send(struct pass *p)
{
	struct passthrough *t = p->owner;
	const struct http_request *q = http_exchange_request(p->ex);
	bool local = p->way == PASS_TO_LOCAL;
	bool reads = strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0;
	char *origin = pass_target_origin(q);
	const char *url = p->road->config.url;
	char *target = mem_format("%s%s", local ? "" : url + url_origin(url), origin);
	const struct pass_along along = {p->key, local ? NULL : &p->snap->config->bluejay.headers};
	struct relay_request r = {.method = q->method, .target = target, .has_body = q->has_body,
	    .length = q->length};
	struct pass_fields l;

	/* On this machine a new connection costs less than a write that met a closed one. */
	r.fresh = local && (q->has_body || !reads);
	pass_fields_request(&l, q, p->way, p->known, t->name, local ? NULL : &along);
	r.fields = l.list;
	p->sent = true;
	traffic_note_try(p->ex);
	p->call = relay_start(p->road->relay, &r, &pass_events, p);
	pass_fields_free(&l);
	free(target);
	free(origin);
}

/* Sends the request once more, with what there is of its body by now. */
static void
pass_on_turn(void *arg)
{
	struct pass *p = arg;
	size_t waits = 0;

	p->again = false;
	if (p->call != NULL)
		relay_cancel(p->call);
	pass_send(p);
	if (p->body.len > 0)
		waits = relay_write(p->call, p->body.data, p->body.len);
	if (p->body_ended)
		relay_write_end(p->call);
	if (waits < PASS_MARK)
		http_exchange_resume(p->ex);
}

/* Sends the request on, with the key that is in force by now. */
static void
pass_go(struct pass *p)
{
	struct snapshot *snap = gateway_snapshot(p->owner->api->gw);

	if (p->way == PASS_TO_BLUEJAY) {
		p->snap = snapshot_ref(snap);
		p->key = snap->config->bluejay.api_key;
		buf_init(&p->body, PASS_AGAIN_MAX);
	}
	pass_send(p);
}

/* There is a place among the calls to Bluejay, or there will be none. */
static void
pass_on_place(void *arg, enum upstream_outcome outcome, int64_t retry_after)
{
	struct pass *p = arg;

	if (outcome != UPSTREAM_ANSWER) {
		p->place = NULL;
		pass_answer_trouble(p, outcome, retry_after);
		return;
	}
	pass_go(p);
	http_exchange_resume(p->ex);
}

/* Whether a request asks for a WebSocket (RFC 6455, 4.1). No other protocol is changed
 * to: in HTTP/2 a client could say what nobody here would see. */
static bool
pass_is_websocket(const struct http_request *q, enum pass_way way)
{
	return way == PASS_TO_LOCAL && q->upgrade != NULL &&
	    strcasecmp(q->upgrade, "websocket") == 0 && strcmp(q->method, "GET") == 0;
}

/* Whether a request may not be passed on; then it is answered. */
static bool
pass_refuses(struct passthrough *t, struct http_exchange *ex, enum pass_way way)
{
	const struct http_request *q = http_exchange_request(ex);
	static const struct http_field allow[] = {
	    {"Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}, {NULL, NULL}};
	bool trace = strcmp(q->method, "TRACE") == 0;
	bool last = pass_fields_forwards(q) == 0;
	bool large = q->has_body || pass_is_websocket(q, way);

	if (pass_fields_loop(q, t->name))
		api_answer_error(ex, 508, "%s leads back to the gateway itself",
		    way == PASS_TO_LOCAL ? "passthrough.local" : "bluejay.url");
	else if (q->has_body && (trace || strcmp(q->method, "HEAD") == 0))
		api_answer_error(ex, 400, "%s takes no body", q->method);
	else if (last && !trace)
		http_answer(ex, 204, allow, NULL, 0);
	else if (trace && (last || way == PASS_TO_BLUEJAY)) /* Bluejay's answer would show the key */
		api_answer_error(ex, 405, "Method not allowed");
	else if (!http_exchange_reserve(ex, large ? PASS_HOLDS_BODY : PASS_HOLDS))
		http_answer_error(ex, 503, http_format_full);
	else
		return false;
	return true;
}

/* Whether a method only reads (RFC 9110, 9.2.1). */
static bool
pass_is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
	    strcmp(method, "OPTIONS") == 0;
}

/* Notes that a request is one to be passed on. */
static void
pass_note(struct http_exchange *ex, enum pass_way way)
{
	traffic_note_pass(ex, way == PASS_TO_LOCAL ? "passthrough.local" : "/v1/...");
	traffic_note(ex)->writes = pass_is_websocket(http_exchange_request(ex), way);
}

/* Starts passing a request on. */
static void
pass_start(struct passthrough *t, struct http_exchange *ex, enum pass_way way, bool known)
{
	const struct http_request *q = http_exchange_request(ex);
	struct pass *p;

	pass_note(ex, way);
	if (pass_refuses(t, ex, way))
		return;
	traffic_note_asked(ex, loop_now_us(t->api->loop));
	if (pass_is_websocket(q, way)) {
		pass_tunnel_start(t, ex, known);
		return;
	}
	p = mem_zero(1, sizeof *p);
	p->owner = t;
	p->ex = ex;
	p->way = way;
	p->known = known;
	p->road = pass_road_ref(way == PASS_TO_LOCAL ? t->local : t->bluejay);
	p->write = way == PASS_TO_BLUEJAY && !pass_is_safe(q->method);
	http_exchange_on_end(ex, pass_on_over, p);
	http_exchange_stream(ex, pass_on_body, p);
	if (way == PASS_TO_LOCAL) {
		pass_go(p);
	} else {
		http_exchange_pause(ex);
		p->place = bypass_place(t->api->gw, q->id, pass_on_place, p);
	}
}

/* Passes on what its client may; false when the gateway itself answers. */
static bool
pass_for(struct passthrough *t, struct http_exchange *ex, const struct config_client *who,
    enum pass_owner owner)
{
	enum pass_way way = owner == PASS_BLUEJAY ? PASS_TO_BLUEJAY : PASS_TO_LOCAL;
	enum client_pass may = client_pass(who, owner, http_exchange_request(ex)->path);

	if (may == CLIENT_PASS_MAY) {
		pass_start(t, ex, way, who != NULL);
		return true;
	}
	if (may == CLIENT_PASS_OWN)
		return false;
	pass_note(ex, way);
	if (may == CLIENT_PASS_NO_BLUEJAY)
		api_answer_error(ex, 403, "This token is not for /v1/");
	else if (may == CLIENT_PASS_NO_PROJECT)
		api_answer_error(ex, 404, "Project not found");
	else
		api_answer_error(ex, 403, "This token is for certain projects, and the path is not plainly "
		                          "below one of them");
	return true;
}

/* Looks whether a request is to be passed on. */
bool
passthrough_takes(struct passthrough *t, struct http_exchange *ex, const struct config_client *who)
{
	const struct pass_claims claims = {item_routes_keys(t->api->items), t->bluejay != NULL};

	if (t->bluejay == NULL && t->local == NULL)
		return false;
	switch (pass_target_owner(http_exchange_request(ex)->path, &claims)) {
	case PASS_OWN:
		return false;
	case PASS_BLUEJAY:
		return pass_for(t, ex, who, PASS_BLUEJAY);
	case PASS_OTHER:
		return t->local != NULL && pass_for(t, ex, who, PASS_OTHER);
	case PASS_UNCLEAR:
		break;
	}
	api_answer_error(ex, 400, "The path could be read as one of the gateway's own, but is not "
	                          "written like one");
	return true;
}

/* Notes where a refused request would have gone. */
bool
passthrough_would_take(struct passthrough *t, struct http_exchange *ex)
{
	const struct pass_claims claims = {item_routes_keys(t->api->items), t->bluejay != NULL};
	enum pass_owner owner = pass_target_owner(http_exchange_request(ex)->path, &claims);

	if (owner == PASS_BLUEJAY)
		pass_note(ex, PASS_TO_BLUEJAY);
	else if (owner == PASS_OTHER && t->local != NULL)
		pass_note(ex, PASS_TO_LOCAL);
	else
		return false;
	return true;
}

/* ---- the whole ---- */

/* Finds or opens the way that the configuration asks for: NULL for none; *ok is false,
 * with a sentence, when it cannot be opened. The caller has a reference. */
static struct pass_road *
passthrough_road(struct passthrough *t, struct pass_road *now, bool wanted,
    const struct relay_config *rc, bool *ok, struct fail *fail)
{
	struct pass_road *r = NULL;

	if (!wanted)
		return NULL;
	if (pass_road_is(now, rc)) {
		relay_renew(now->relay);
		return pass_road_ref(now);
	}
	r = pass_road_open(t->api->loop, rc, fail);
	*ok = *ok && r != NULL;
	return r;
}

/* Opens what the configuration asks for. */
int
passthrough_adjust(struct passthrough *t, const struct snapshot *snap, struct fail *fail)
{
	const struct config *c = snap->config;
	struct gateway *gw = t->api->gw;
	struct relay_config there = {.url = bypass_url(gw), .proxy = bypass_proxy(gw, snap),
	    .ca_file = c->bluejay.ca_file, .connect_ms = c->passthrough.connect,
	    .idle_ms = c->passthrough.idle, .keep_s = PASS_KEEP_BLUEJAY_S};
	struct relay_config here = {.url = c->passthrough.local, .connect_ms = c->passthrough.connect,
	    .idle_ms = c->passthrough.idle, .keep_s = PASS_KEEP_LOCAL_S};
	bool ok = true;
	struct pass_road *bluejay =
	    passthrough_road(t, t->bluejay, c->passthrough.bluejay, &there, &ok, fail);
	struct pass_road *local =
	    ok ? passthrough_road(t, t->local, here.url != NULL, &here, &ok, fail) : NULL;

	if (!ok) {
		pass_road_unref(bluejay);
		return -1;
	}
	pass_road_unref(t->bluejay);
	pass_road_unref(t->local);
	t->bluejay = bluejay;
	t->local = local;
	return 0;
}

/* Makes what is asked for. */
struct passthrough *
passthrough_new(struct api *api, struct fail *fail)
{
	struct passthrough *t = mem_zero(1, sizeof *t);
	char id[UUID_SIZE];

	t->api = api;
	uuid_make(id);
	if (api->owner != NULL) /* a message that comes back may come to another loop */
		memcpy(t->name, api->owner->pass->name, sizeof t->name);
	else
		snprintf(t->name, sizeof t->name, "persona-gateway-%.8s", id);
	if (passthrough_adjust(t, gateway_snapshot(api->gw), fail) == 0)
		return t;
	passthrough_free(t);
	return NULL;
}

/* Closes the ways. */
void
passthrough_free(struct passthrough *t)
{
	if (t == NULL)
		return;
	pass_road_unref(t->bluejay);
	pass_road_unref(t->local);
	free(t);
}
