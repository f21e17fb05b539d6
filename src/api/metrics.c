#include "config.h"

#include "api/metrics.h"
#include "api/census.h"
#include "api/metrics_process.h"
#include "base/mem.h"
#include "base/metric_text.h"
#include "core/counts.h"
#include "core/drift.h"

#include <stdlib.h>

#define METRICS_MAX ((size_t)16 << 20) /* bytes of the text */
#define METRICS_NAME(rest) "persona_gateway_" rest

/* One request on its way. */
struct metrics_call {
	struct api *api;
	struct http_exchange *ex;
	struct counts_question *question;
	struct crew_round *round;
	struct gateway_counts counts;
};

/* ---- clients ---- */

#define METRICS_SERVERS 2

/* The listeners' counts beside their names. */
struct metrics_servers {
	const char *names[METRICS_SERVERS];
	struct http_server_counts counts[METRICS_SERVERS];
};

/* Adds a family with one sample for each server. */
#define METRICS_EACH(b, servers, name, type, help, member)                                    \
	do {                                                                                  \
		metric_text_family((b), METRICS_NAME(name), (type), (help));                  \
		for (size_t s = 0; s < METRICS_SERVERS; s++)                                  \
			metric_text_sample((b), METRICS_NAME(name),                           \
			    METRIC_LABEL("listener", (servers)->names[s]),                    \
			    (servers)->counts[s].member);                                     \
	} while (0)

/* Adds what connections waited for in vain. */
static void
metrics_timeouts(struct buf *b, const struct metrics_servers *servers)
{
	static const char *const names[] = {[HTTP_TIMEOUT_IDLE] = "idle", [HTTP_TIMEOUT_HEAD] = "head",
	    [HTTP_TIMEOUT_BODY] = "body", [HTTP_TIMEOUT_WRITE] = "write",
	    [HTTP_TIMEOUT_LINGER] = "linger", [HTTP_TIMEOUT_HANDSHAKE] = "handshake"};
	const char *family = METRICS_NAME("http_timeouts_total");

	metric_text_family(b, family, "counter",
	    "Connections that waited too long for: a request (idle), its head or body, a client "
	    "that reads (write), the end of what was not wanted (linger), TLS (handshake).");
	for (size_t s = 0; s < METRICS_SERVERS; s++)
		for (size_t i = 0; i < HTTP_TIMEOUTS; i++)
			metric_text_sample(b, family, METRIC_LABEL("listener", servers->names[s],
			    "kind", names[i]), servers->counts[s].timeouts[i]);
}

/* Adds what the listeners count. */
static void
metrics_http(struct buf *b, const struct api *api, const struct http_server_counts *served)
{
	struct metrics_servers servers = {.names = {"api", "admin"}, .counts = {*served}};

	if (api->admin != NULL)
		http_server_counts(api->admin, &servers.counts[1]);
	METRICS_EACH(b, &servers, "http_connections_accepted_total", "counter",
	    "Connections of clients.", accepted);
	METRICS_EACH(b, &servers, "http_accept_failures_total", "counter",
	    "Times that there was no descriptor or memory for a client, who had to wait.",
	    accept_failures);
	METRICS_EACH(b, &servers, "http_connection_limit_reached_total", "counter",
	    "Times that limits.connections was reached and further clients had to wait.", held);
	METRICS_EACH(b, &servers, "http_proxy_headers_refused_total", "counter",
	    "Connections closed because they had to begin with a PROXY header and did not.",
	    unproxied);
	METRICS_EACH(b, &servers, "http_connections_open", "gauge", "Connections that are open.",
	    open);
	METRICS_EACH(b, &servers, "http_requests_in_flight", "gauge",
	    "Requests that are not answered yet.", pending);
	METRICS_EACH(b, &servers, "http_buffer_bytes", "gauge",
	    "Bytes that all connections hold, which limits.buffers bounds.", buffers);
	METRICS_EACH(b, &servers, "http_received_bytes_total", "counter", "Bytes from clients.",
	    received);
	METRICS_EACH(b, &servers, "http_sent_bytes_total", "counter", "Bytes to clients.", sent);
	METRICS_EACH(b, &servers, "tls_handshakes_total", "counter",
	    "Connections on which TLS was agreed on.", handshakes);
	METRICS_EACH(b, &servers, "tls_handshakes_failed_total", "counter",
	    "Connections on which it was not: no common version, no valid certificate of the client, "
	    "a client that left or spoke without TLS.", handshakes_failed);
	metrics_timeouts(b, &servers);
}

/* ---- upstreams ---- */

#define METRICS_UPSTREAMS 2

/* The upstreams' counts beside their names. */
struct metrics_upstreams {
	size_t count;
	const char *names[METRICS_UPSTREAMS];
	const struct upstream_counts *counts[METRICS_UPSTREAMS];
};

/* Adds a family with one sample for each upstream. */
#define METRICS_UP(b, ups, name, type, help, member)                                          \
	do {                                                                                  \
		metric_text_family((b), METRICS_NAME(name), (type), (help));                  \
		for (size_t u = 0; u < (ups)->count; u++)                                     \
			metric_text_sample((b), METRICS_NAME(name),                           \
			    METRIC_LABEL("upstream", (ups)->names[u]),                        \
			    (ups)->counts[u]->member);                                        \
	} while (0)

/* Adds what calls came to. */
static void
metrics_outcomes(struct buf *b, const struct metrics_upstreams *ups)
{
	static const char *const classes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
	const char *family = METRICS_NAME("upstream_outcomes_total");

	metric_text_family(b, family, "counter",
	    "Calls by what they came to, their last try included: the class of an answer's status, "
	    "or why there was none.");
	for (size_t u = 0; u < ups->count; u++) {
		const struct upstream_counts *c = ups->counts[u];

		for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
			metric_text_sample(b, family, METRIC_LABEL("upstream", ups->names[u], "outcome",
			    classes[i]), c->statuses[i]);
		for (size_t i = UPSTREAM_ANSWER + 1; i < UPSTREAM_OUTCOMES; i++)
			metric_text_sample(b, family, METRIC_LABEL("upstream", ups->names[u], "outcome",
			    upstream_outcome_name((enum upstream_outcome)i)), c->outcomes[i]);
	}
}

/* Adds the breakers' states: 1 for the one that holds. */
static void
metrics_breakers(struct buf *b, const struct metrics_upstreams *ups)
{
	static const char *const states[] = {[UPSTREAM_BREAKER_CLOSED] = "closed",
	    [UPSTREAM_BREAKER_OPEN] = "open", [UPSTREAM_BREAKER_PROBING] = "probing"};
	const char *family = METRICS_NAME("upstream_breaker_state");

	metric_text_family(b, family, "gauge",
	    "1 for the state that the breaker is in: open lets no call through.");
	for (size_t u = 0; u < ups->count; u++)
		for (size_t i = 0; i < sizeof states / sizeof *states; i++)
			metric_text_sample(b, family, METRIC_LABEL("upstream", ups->names[u], "state",
			    states[i]), ups->counts[u]->breaker == (enum upstream_breaker)i);
}

/* Adds what the upstreams' clients count. */
static void
metrics_upstream(struct buf *b, const struct gateway_counts *c)
{
	const struct metrics_upstreams ups = {.count = c->draws ? 2 : 1,
	    .names = {"bluejay", "images"}, .counts = {&c->bluejay, &c->images}};
	const char *took = METRICS_NAME("upstream_call_duration_seconds");

	METRICS_UP(b, &ups, "upstream_calls_total", "counter", "Calls that were wanted.", calls);
	METRICS_UP(b, &ups, "upstream_tries_total", "counter",
	    "Requests that were sent; more than calls when some were repeated.", tries);
	metrics_outcomes(b, &ups);
	METRICS_UP(b, &ups, "upstream_refused_total", "counter", "Calls that ended with status 429.",
	    refused);
	METRICS_UP(b, &ups, "upstream_calls_in_flight", "gauge", "Calls that are being tried.",
	    in_flight);
	METRICS_UP(b, &ups, "upstream_calls_queued", "gauge",
	    "Calls that wait for a place or for the rate budget.", queued);
	METRICS_UP(b, &ups, "upstream_breaker_opened_total", "counter",
	    "Times that the breaker opened.", opened);
	metrics_breakers(b, &ups);
	metric_text_family(b, took, "histogram", "From the wish to call to the answer, all tries "
	    "and waits included.");
	for (size_t u = 0; u < ups.count; u++)
		metric_text_histogram(b, took, METRIC_LABEL("upstream", ups.names[u]),
		    &ups.counts[u]->took);
}

/* ---- what is kept ---- */

/* Adds what the read cache did and holds. */
static void
metrics_cache(struct buf *b, const struct gateway_counts *c)
{
	const char *family = METRICS_NAME("cache_reads_total");

	metric_text_family(b, family, "counter",
	    "Reads answered from memory (hit), by asking (miss), by an old copy while Bluejay is "
	    "down (stale); joined: reads that shared another's call.");
	metric_text_sample(b, family, METRIC_LABEL("result", "hit"), c->cache_hits);
	metric_text_sample(b, family, METRIC_LABEL("result", "miss"), c->cache_misses);
	metric_text_sample(b, family, METRIC_LABEL("result", "stale"), c->cache_stale);
	metric_text_sample(b, family, METRIC_LABEL("result", "joined"), c->cache_joined);
	metric_text_gauge(b, METRICS_NAME("cache_bytes"), "Memory of kept answers, of all event loops.",
	    c->cache_bytes);
	metric_text_gauge(b, METRICS_NAME("cache_max_bytes"), "What bluejay.cache.size allows.",
	    c->cache_max_bytes);
	metric_text_gauge(b, METRICS_NAME("cache_entries"), "Kept answers; each event loop has its own.",
	    c->cache_entries);
}

/* Adds the store's work and what is unsettled in it. */
static void
metrics_store(struct buf *b, const struct gateway_counts *c)
{
	static const char *const operations[] = {[STORE_CREATE] = "create", [STORE_UPDATE] = "update",
	    [STORE_DELETE] = "delete", [STORE_ADD] = "add"};
	static const char *const states[] = {[STORE_PENDING] = "pending", [STORE_UNKNOWN] = "unknown",
	    [STORE_OPERATOR] = "operator", [STORE_TWINNING] = "twinning"};
	const char *family = METRICS_NAME("intents");

	metric_text_counter(b, METRICS_NAME("store_reads_total"), "Reads of the store.",
	    c->store.reads);
	metric_text_counter(b, METRICS_NAME("store_writes_total"), "Writes to the store.",
	    c->store.writes);
	metric_text_counter(b, METRICS_NAME("store_commits_total"),
	    "Transactions; each holds the writes that waited for it.", c->store.commits);
	metric_text_counter(b, METRICS_NAME("store_refused_total"),
	    "Reads and writes that failed: a full disk, an I/O error.", c->store.refused);
	metric_text_gauge(b, METRICS_NAME("store_queued"), "Reads and writes that wait.",
	    c->store.queued);
	metric_text_gauge(b, METRICS_NAME("store_members"),
	    "Gateways on the store, this one too, when its lease was last renewed.", c->store.members);
	metric_text_counter(b, METRICS_NAME("store_reconnects_total"),
	    "Connections to a database that were made again after they were lost.", c->store.reconnects);
	metric_text_family(b, family, "gauge",
	    "Writes that are not settled: on their way (pending), outcome unknown and being looked "
	    "for, left to an operator, or making a twin in the local tool.");
	for (size_t o = 0; o < sizeof operations / sizeof *operations; o++)
		for (size_t s = 0; s < sizeof states / sizeof *states; s++)
			metric_text_sample(b, family, METRIC_LABEL("operation", operations[o], "state",
			    states[s]), c->intents[o][s]);
	metric_text_family(b, METRICS_NAME("intent_oldest_age_seconds"), "gauge",
	    "Age of the oldest of them; 0 when there is none.");
	metric_text_seconds(b, METRICS_NAME("intent_oldest_age_seconds"), NULL,
	    c->oldest_intent_ms * 1000);
	metric_text_gauge(b, METRICS_NAME("writes_in_flight"),
	    "Writes that a stop waits for: sent and not yet recorded.", c->writes_running);
}

/* Adds how it goes with the other gateways on the same database; all 0 without any. */
static void
metrics_peers(struct buf *b, const struct gateway_counts *c)
{
	const char *age = METRICS_NAME("feed_age_seconds"), *lease = METRICS_NAME("lease_left_seconds");

	metric_text_counter(b, METRICS_NAME("intents_taken_total"),
	    "Writes that another gateway left unsettled and this one took over.", c->peers.taken);
	metric_text_counter(b, METRICS_NAME("intents_lost_total"),
	    "Writes that another gateway took over because this one was held up.", c->peers.lost);
	metric_text_counter(b, METRICS_NAME("peer_waits_total"),
	    "Times that a write waited for another gateway's.", c->peers.waits);
	metric_text_counter(b, METRICS_NAME("feed_gaps_total"),
	    "Times that changes of other gateways may have been missed, so that the cache was dropped.",
	    c->peers.gaps);
	metric_text_family(b, age, "gauge",
	    "Age of the last moment at which all changes of other gateways were known.");
	metric_text_seconds(b, age, NULL, c->peers.silence_ms * 1000);
	metric_text_family(b, lease, "gauge",
	    "How long what this gateway began is its own without another word from the database.");
	metric_text_seconds(b, lease, NULL, c->peers.lease_ms * 1000);
}

/* Adds what was drawn. */
static void
metrics_portraits(struct buf *b, const struct gateway_counts *c)
{
	const char *family = METRICS_NAME("portraits_total");

	metric_text_family(b, family, "counter", "Portraits that were drawn, or could not be.");
	metric_text_sample(b, family, METRIC_LABEL("outcome", "drawn"), c->portraits_drawn);
	metric_text_sample(b, family, METRIC_LABEL("outcome", "failed"), c->portraits_failed);
	metric_text_gauge(b, METRICS_NAME("portraits_in_flight"), "Portraits that are being made.",
	    c->portraits_running);
}

/* ---- the program ---- */

/* Adds the conditions of /readyz. */
static void
metrics_health(struct buf *b, struct api *api)
{
	const char *family = METRICS_NAME("check_ok");
	struct gateway_health h;

	gateway_health(api->gw, &h);
	metric_text_family(b, family, "gauge", "1 for each condition of /readyz that holds.");
	metric_text_sample(b, family, METRIC_LABEL("check", "store"), h.store_ok);
	metric_text_sample(b, family, METRIC_LABEL("check", "upstream"), h.upstream_ok);
	metric_text_sample(b, family, METRIC_LABEL("check", "key"), !h.key_refused);
	metric_text_sample(b, family, METRIC_LABEL("check", "personas"), !h.many_gone);
	metric_text_sample(b, family, METRIC_LABEL("check", "serving"), !api->stopping);
}

/* Adds what became of reading the configuration again, and how long the certificate lasts. */
static void
metrics_reloads(struct buf *b, const struct api *api)
{
	const struct tls_context *tls = gateway_snapshot(api->gw)->config->tls.context;
	const char *family = METRICS_NAME("config_reloads_total");
	const char *expiry = METRICS_NAME("tls_certificate_expiry_timestamp_seconds");

	metric_text_family(b, family, "counter",
	    "Times that the configuration was read again, key files and certificates included, and came "
	    "into force (taken) or was left (refused).");
	metric_text_sample(b, family, METRIC_LABEL("outcome", "taken"), api->reloads_taken);
	metric_text_sample(b, family, METRIC_LABEL("outcome", "refused"), api->reloads_refused);
	metric_text_gauge(b, METRICS_NAME("config_last_reload_ok"),
	    "0 when the configuration was left when it was last read again.", !api->reload_refused_last);
	metric_text_family(b, expiry, "gauge",
	    "When the first of the certificates that are sent to clients ends; nothing without TLS.");
	if (tls != NULL)
		metric_text_sample(b, expiry, NULL, (uint64_t)tls_context_expires(tls));
}

/* Adds what this program is. */
static void
metrics_build(struct buf *b, struct api *api)
{
	metric_text_family(b, METRICS_NAME("build_info"), "gauge", "1, and the version.");
	metric_text_sample(b, METRICS_NAME("build_info"), METRIC_LABEL("version", PACKAGE_VERSION), 1);
	metrics_reloads(b, api);
	metric_text_counter(b, METRICS_NAME("log_lines_dropped_total"),
	    "Lines of the log that could not be written, or not in time.", log_dropped(api->log));
	metric_text_gauge(b, METRICS_NAME("log_waiting_bytes"),
	    "Bytes of the log that are not written yet.", log_waiting(api->log));
	metrics_process(b, traffic_started(api->traffic));
}

/* Prints everything. */
static void
metrics_print(struct buf *b, struct api *api, const struct census *all,
    const struct gateway_counts *c)
{
	metrics_build(b, api);
	metrics_health(b, api);
	traffic_metrics(all->traffic, b);
	client_gate_metrics(all->gate, b);
	metrics_http(b, api, &all->server);
	metrics_upstream(b, c);
	metrics_cache(b, c);
	metrics_store(b, c);
	metrics_peers(b, c);
	metrics_portraits(b, c);
	drift_metrics(gateway_drift(api->gw), b);
}

/* All loops have counted: answers. */
static void
metrics_on_census(void *arg, void *census)
{
	static const struct http_field fields[] = {{"Content-Type", METRIC_TEXT_TYPE},
	    {"Cache-Control", "no-store"}, {NULL, NULL}};
	struct metrics_call *call = arg;
	struct buf b;

	call->round = NULL;
	buf_init(&b, METRICS_MAX);
	metrics_print(&b, call->api, census, &call->counts);
	http_answer(call->ex, 200, fields, b.data, b.len);
	buf_free(&b);
}

/* The gateway has counted. */
static void
metrics_on_counts(void *arg, const struct gateway_counts *c)
{
	struct metrics_call *call = arg;

	call->question = NULL;
	call->counts = *c;
	call->round = census_take(call->api, metrics_on_census, call);
}

/* The exchange is over. */
static void
metrics_on_end(void *arg, enum http_end end)
{
	struct metrics_call *call = arg;

	if (call->question != NULL)
		counts_cancel(call->question);
	if (call->round != NULL)
		crew_round_cancel(call->round);
	free(call);
}

/* The whole request is here. */
static void
metrics_on_body(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	struct metrics_call *call = arg;

	call->question = counts_ask(call->api->gw, metrics_on_counts, call);
}

/* Serves GET /metrics. */
void
metrics_serve(struct api *api, struct http_exchange *ex)
{
	struct metrics_call *call = mem_zero(1, sizeof *call);

	call->api = api;
	call->ex = ex;
	http_exchange_on_end(ex, metrics_on_end, call);
	http_exchange_collect(ex, 0, metrics_on_body, call);
}
