#include "config.h"

#include "api/client_gate.h"
#include "api/api_impl.h"
#include "api/client_claim.h"
#include "api/client_ledger.h"
#include "api/client_origin.h"
#include "base/mem.h"
#include "base/metric_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_GATE_HELD_MAX 1000 /* failures whose answers wait; more are answered at once */
#define CLIENT_GATE_SERIES_MAX 2000
#define CLIENT_GATE_NAME "persona_gateway_client"

/* Why a request is a failure. */
enum client_failing { CLIENT_MISSING, CLIENT_WRONG, CLIENT_AMBIGUOUS, CLIENT_FAILINGS };

struct client_gate {
	struct loop *loop;
	struct gateway *gw;
	struct log *log;
	struct client_ledger *ledger;
	struct snapshot *snap; /* that the accounts are for */
	struct client_account **accounts; /* in the order of its clients */
	bool admin; /* one of them may use the admin address, which therefore needs a token */
	unsigned held;
	uint64_t slowed;
	uint64_t failed[CLIENT_DOORS][CLIENT_FAILINGS];
	struct metric_set *requests; /* by client, outcome */
};

/* A failure whose answer waits. */
struct client_held {
	struct client_gate *gate;
	struct http_exchange *ex;
	enum client_door door;
	struct loop_timer timer;
};

/* ---- what the clients of the configuration have used ---- */

/* Gives the accounts back. */
static void
client_gate_close(struct client_gate *g)
{
	for (size_t i = 0; g->snap != NULL && i < g->snap->config->client_count; i++)
		client_ledger_close(g->ledger, g->accounts[i]);
	free(g->accounts);
	snapshot_unref(g->snap);
}

/* Takes the clients of the current configuration. */
static const struct config *
client_gate_update(struct client_gate *g)
{
	struct snapshot *snap = gateway_snapshot(g->gw);
	const struct config *c = snap->config;
	struct client_account **accounts;

	if (snap == g->snap)
		return c;
	accounts = mem_zero(c->client_count + 1, sizeof(struct client_account *));
	g->admin = false;
	for (size_t i = 0; i < c->client_count; i++) {
		accounts[i] = client_ledger_open(g->ledger, c->clients[i].name);
		g->admin |= c->clients[i].admin;
	}
	client_gate_close(g);
	g->accounts = accounts;
	g->snap = snapshot_ref(snap);
	return c;
}

/* Takes the snapshot that is in force, also when nobody asks for anything: the one before
 * has keys. */
void
client_gate_adjust(struct client_gate *g)
{
	client_gate_update(g);
}

/* ---- who is it ---- */

/* Whether two digests are equal, in a time that does not tell how much of them is. */
static unsigned
client_gate_same(const char *a, const char *b)
{
	unsigned differ = 0;

	for (size_t i = 0; i < DIGEST_HEX_SIZE - 1; i++)
		differ |= (unsigned char)a[i] ^ (unsigned char)b[i];
	return (differ - 1) >> (8 * sizeof differ - 1); /* 1 when nothing differs */
}

/* The client with a token, or NULL. Every client is compared, found or not. */
static const struct config_client *
client_gate_find(const struct config *c, const char digest[DIGEST_HEX_SIZE])
{
	size_t found = 0;

	for (size_t i = 0; i < c->client_count; i++)
		found |= (i + 1) * client_gate_same(c->clients[i].digest, digest); /* digests differ */
	return found > 0 ? &c->clients[found - 1] : NULL;
}

/* ---- failures ---- */

/* Whether a browser may ask its user for a token: a page's own scripts ask themselves. */
static bool
client_gate_asks(const struct http_request *q, enum client_door door)
{
	const char *dest = http_request_field(q, "sec-fetch-dest");

	return door == CLIENT_DOOR_ADMIN || dest == NULL || strcmp(dest, "empty") != 0;
}

/* Answers that a token is needed: the same whether there was none or a wrong one. */
static void
client_gate_answer_unknown(struct http_exchange *ex, enum client_door door)
{
	static const char body[] = "{\"error\":\"A valid token is needed: send Authorization: Bearer "
	                           "TOKEN, or X-API-Key: TOKEN\"}";
	struct http_field fields[] = {{"Content-Type", "application/json; charset=utf-8"},
	    {"Cache-Control", "no-store"}, {"WWW-Authenticate", "Bearer realm=\"persona gateway\""},
	    {"WWW-Authenticate", "Basic realm=\"persona gateway\", charset=\"UTF-8\""}, {NULL, NULL}};

	if (!client_gate_asks(http_exchange_request(ex), door))
		fields[3] = (struct http_field){NULL, NULL};
	http_answer(ex, 401, fields, body, sizeof body - 1);
}

/* The wait is over. */
static void
client_gate_on_timer(void *arg)
{
	struct client_held *h = arg;

	client_gate_answer_unknown(h->ex, h->door);
}

/* The exchange is over. */
static void
client_gate_on_end(void *arg, enum http_end end)
{
	struct client_held *h = arg;

	h->gate->held--;
	loop_timer_cancel(&h->timer);
	free(h);
}

/* Nothing of the body is taken while the answer waits. */
static void
client_gate_on_data(void *arg, struct http_exchange *ex, const char *piece, size_t len)
{
}

/* Has the answer to a failure wait. */
static void
client_gate_hold(struct client_gate *g, struct http_exchange *ex, enum client_door door, int64_t ms)
{
	struct client_held *h = mem_zero(1, sizeof *h);

	h->gate = g;
	h->ex = ex;
	h->door = door;
	g->held++;
	loop_timer_init(&h->timer, g->loop, client_gate_on_timer, h);
	loop_timer_set(&h->timer, ms);
	http_exchange_on_end(ex, client_gate_on_end, h);
	http_exchange_stream(ex, client_gate_on_data, h);
	http_exchange_pause(ex);
}

/* Counts a failure and answers it, later when there were many from the same address. */
static void
client_gate_fail(struct client_gate *g, struct http_exchange *ex, enum client_door door,
    enum client_failing why)
{
	const char *peer = http_exchange_request(ex)->peer;
	bool first;
	int64_t wait = client_ledger_fail(g->ledger, peer, loop_now(g->loop), &first);

	g->failed[door][why]++;
	if (first)
		log_warn(g->log, "many requests without a valid token; their answers wait",
		    LOG_S("client", peer));
	if (why == CLIENT_AMBIGUOUS) {
		api_answer_error(ex, 400, "The request shows two different tokens; send one");
	} else if (wait > 0 && g->held < CLIENT_GATE_HELD_MAX) {
		g->slowed++;
		client_gate_hold(g, ex, door, wait);
	} else {
		client_gate_answer_unknown(ex, door);
	}
}

/* ---- may they ---- */

/* Counts a client's request. */
static void
client_gate_count(struct client_gate *g, const struct config_client *who, const char *outcome)
{
	metric_set_add(g->requests, 1, who->name, outcome);
}

/* Has the answer say what is left of a client's rate (draft-ietf-httpapi-ratelimit-headers,
 * from its version 08 on: one policy, a window of a minute). */
static void
client_gate_show(struct http_exchange *ex, int64_t per_minute, const struct client_rate_left *left)
{
	struct traffic_note *n = traffic_note(ex);

	snprintf(n->beside_text[0], sizeof n->beside_text[0], "\"client\";q=%lld;w=60",
	    (long long)per_minute);
	snprintf(n->beside_text[1], sizeof n->beside_text[1], "\"client\";r=%lld;t=%lld",
	    (long long)left->requests, (long long)left->reset_s);
	n->beside[0] = (struct http_field){"RateLimit-Policy", n->beside_text[0]};
	n->beside[1] = (struct http_field){"RateLimit", n->beside_text[1]};
	n->beside[2] = (struct http_field){NULL, NULL};
	http_exchange_set_fields(ex, n->beside);
}

/* Answers that a client's rate is used up. */
static void
client_gate_answer_limited(struct http_exchange *ex, const struct config_client *who, int64_t s)
{
	char retry[24], body[160];
	const struct http_field fields[] = {{"Content-Type", "application/json; charset=utf-8"},
	    {"Retry-After", retry}, {NULL, NULL}};
	int len;

	snprintf(retry, sizeof retry, "%lld", (long long)s);
	len = snprintf(body, sizeof body, "{\"error\":\"Too many requests: this client may make %lld "
	    "in a minute; try again in %lld s\"}", (long long)who->rate_per_minute, (long long)s);
	http_answer(ex, 429, fields, body, (size_t)len);
}

/* Takes one request from a client's rate; false when it answered. */
static bool
client_gate_allows_rate(struct client_gate *g, struct http_exchange *ex,
    const struct config_client *who)
{
	struct client_rate_left left;
	bool taken;

	if (who->rate_per_minute == 0)
		return true;
	taken = client_ledger_take(g->ledger, g->accounts[who - g->snap->config->clients],
	    who->rate_per_minute, loop_now(g->loop), &left);
	client_gate_show(ex, who->rate_per_minute, &left);
	if (!taken)
		client_gate_answer_limited(ex, who, left.reset_s);
	return taken;
}

/* Lets a known client in, or answers why not. */
static bool
client_gate_allows(struct client_gate *g, struct http_exchange *ex, enum client_door door,
    const struct config_client *who)
{
	const struct http_request *q = http_exchange_request(ex);
	const char *outcome = "forbidden";
	bool allowed = false;

	traffic_note_client(ex, who->name);
	if (!client_gate_allows_rate(g, ex, who)) {
		outcome = "limited";
	} else if (door == CLIENT_DOOR_ADMIN && !who->admin) {
		api_answer_error(ex, 403, "This token is not for the admin address");
	} else if (who->read_only && client_origin_writes(q)) {
		api_answer_error(ex, 403, "This token may only read: GET, HEAD and OPTIONS");
	} else if (client_origin_is_forged(g->snap->config, q)) {
		api_answer_error(ex, 403, "A page of another origin cannot write with the browser's "
		                          "password");
	} else {
		outcome = "admitted";
		allowed = true;
	}
	client_gate_count(g, who, outcome);
	return allowed;
}

/* Whether everyone may see what is asked for. */
static bool
client_gate_open(const struct http_request *q, enum client_door door)
{
	return door == CLIENT_DOOR_ADMIN && client_origin_reads(q->method) &&
	    (strcmp(q->path, "/healthz") == 0 || strcmp(q->path, "/readyz") == 0);
}

/* Lets everyone in, pages from elsewhere apart. */
static enum client_entry
client_gate_admit_all(const struct config *c, struct http_exchange *ex)
{
	if (!client_origin_is_foreign(c, http_exchange_request(ex)))
		return CLIENT_ADMITTED;
	api_answer_error(ex, 403, "A page of another origin may not write here; cors.origins in the "
	                          "gateway's configuration names those that may");
	return CLIENT_REFUSED;
}

/* Looks at a request. */
enum client_entry
client_gate_enter(struct client_gate *g, struct http_exchange *ex, enum client_door door,
    const struct config_client **who)
{
	const struct http_request *q = http_exchange_request(ex);
	const struct config *c = client_gate_update(g);
	const struct config_client *found;
	char digest[DIGEST_HEX_SIZE];
	enum client_claim claim;

	*who = NULL;
	if (door == CLIENT_DOOR_ADMIN ? !g->admin : c->client_count == 0)
		return client_gate_admit_all(c, ex);
	claim = client_claim_read(q, digest);
	found = client_gate_find(c, digest);
	if (claim == CLIENT_CLAIM_NONE)
		found = NULL; /* whatever the file says of the empty text */
	if (client_gate_open(q, door) && (found == NULL || !found->admin))
		return CLIENT_STRANGER;
	if (claim == CLIENT_CLAIM_TWO) {
		client_gate_fail(g, ex, door, CLIENT_AMBIGUOUS);
		return CLIENT_UNKNOWN;
	}
	if (found == NULL) {
		client_gate_fail(g, ex, door, claim == CLIENT_CLAIM_NONE ? CLIENT_MISSING : CLIENT_WRONG);
		return CLIENT_UNKNOWN;
	}
	*who = found;
	return client_gate_allows(g, ex, door, found) ? CLIENT_ADMITTED : CLIENT_REFUSED;
}

/* Whether a client may use a project. */
bool
client_gate_project(const struct config_client *who, const char *id)
{
	if (who == NULL || who->projects == NULL)
		return true;
	for (char **p = who->projects; *p != NULL; p++)
		if (strcmp(*p, id) == 0)
			return true;
	return false;
}

/* ---- all of it ---- */

/* Adds another one's. */
void
client_gate_sum(struct client_gate *g, const struct client_gate *more)
{
	for (size_t d = 0; d < CLIENT_DOORS; d++)
		for (size_t r = 0; r < CLIENT_FAILINGS; r++)
			g->failed[d][r] += more->failed[d][r];
	g->slowed += more->slowed;
	metric_set_sum(g->requests, more->requests);
}

/* Adds what was counted. */
void
client_gate_metrics(const struct client_gate *g, struct buf *b)
{
	static const char *const doors[] = {[CLIENT_DOOR_LOCAL] = "api", [CLIENT_DOOR_ADMIN] = "admin"};
	static const char *const reasons[] = {[CLIENT_MISSING] = "missing", [CLIENT_WRONG] = "wrong",
	    [CLIENT_AMBIGUOUS] = "ambiguous"};
	const char *family = CLIENT_GATE_NAME "_failures_total";

	metric_text_family(b, family, "counter",
	    "Requests without a valid token: with none (missing), one of nobody (wrong), two that "
	    "differ (ambiguous).");
	for (size_t d = 0; d < CLIENT_DOORS; d++)
		for (size_t r = 0; r < CLIENT_FAILINGS; r++)
			metric_text_sample(b, family, METRIC_LABEL("listener", doors[d], "reason",
			    reasons[r]), g->failed[d][r]);
	metric_text_counter(b, CLIENT_GATE_NAME "_failures_slowed_total",
	    "Of these, those whose answer waited because the address made many.", g->slowed);
	metric_text_counters(b, CLIENT_GATE_NAME "_requests_total",
	    "Requests of clients with a token: let in (admitted), beyond their rate (limited), beyond "
	    "their rights (forbidden).", g->requests);
}

/* Makes it. */
struct client_gate *
client_gate_new(struct loop *loop, struct gateway *gw, struct log *log,
    struct client_ledger *ledger)
{
	static const char *const labels[] = {"client", "outcome"};
	struct client_gate *g = mem_zero(1, sizeof *g);

	g->loop = loop;
	g->gw = gw;
	g->log = log;
	g->ledger = ledger;
	g->requests = metric_set_new(labels, 2, CLIENT_GATE_SERIES_MAX, 0);
	return g;
}

/* Frees it. */
void
client_gate_free(struct client_gate *g)
{
	if (g == NULL)
		return;
	client_gate_close(g);
	metric_set_free(g->requests);
	free(g);
}
