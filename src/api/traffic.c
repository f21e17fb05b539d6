#include "config.h"

#include "api/traffic.h"
#include "api/client_pass.h"
#include "api/item_routes.h"
#include "base/mem.h"
#include "base/metric_text.h"
#include "base/uuid.h"
#include "core/resource_read.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds of what is counted one by one. Routes are the program's and the file's,
 * statuses an upstream's too; whoever is beyond counts as "other". */
#define TRAFFIC_REQUESTS_MAX 2000
#define TRAFFIC_ROUTES_MAX 400
#define TRAFFIC_PROJECTS_MAX 2000
#define TRAFFIC_KINDS 64
#define TRAFFIC_ROUTE_SIZE 80
#define TRAFFIC_CLASSES 6 /* of statuses: by hundreds */
#define TRAFFIC_TUNNEL 101 /* a WebSocket was opened */
#define TRAFFIC_GONE 499 /* the status of a request whose client left before an answer */

/* Where a kind of request is counted; found again without looking it up by name. */
struct traffic_kind {
	const char *method, *route; /* the method is one of ours: equal pointers are equal */
	char route_copy[TRAFFIC_ROUTE_SIZE];
	int status;
	uint64_t *requests;
	struct metric_histogram *times;
};

struct traffic {
	struct gateway *gw;
	struct log *log;
	struct metric_set *requests; /* by method, route, code */
	struct metric_set *times;    /* by method, route: histograms */
	struct metric_set *projects; /* by project, class of the code */
	struct traffic_kind kinds[TRAFFIC_KINDS]; /* each in the place that its hash gives it */
	char project[TRAFFIC_PROJECT_SIZE];  /* the one counted last: many in a row are the same */
	uint64_t *project_counters[TRAFFIC_CLASSES];
	struct traffic_note *spare;
	int64_t started; /* wall time */
};

/* ---- notes ---- */

/* Begins a trace that goes on upstream, if the caller sent one. */
static void
traffic_continue(struct traffic_note *n, const struct http_request *q)
{
	unsigned char span[8];

	uuid_random(span, sizeof span);
	if (!trace_continue(&n->trace, q->traceparent, span))
		return;
	for (size_t i = 0; i < q->field_count; i++)
		if (strcmp(q->fields[i].name, "tracestate") == 0)
			trace_add_state(&n->trace, q->fields[i].value);
}

/* Begins a note. */
struct traffic_note *
traffic_open(struct traffic *t, struct http_exchange *ex, bool admin)
{
	const struct http_request *q = http_exchange_request(ex);
	struct traffic_note *n = t->spare;

	if (n != NULL)
		t->spare = n->next;
	else
		n = mem_zero(1, sizeof *n);
	n->hold = gateway_hold(t->gw, gateway_snapshot(t->gw));
	n->snap = n->hold->snap;
	n->ref = trace_open(gateway_traces(t->gw), &n->trace, q->id);
	if (q->traceparent != NULL)
		traffic_continue(n, q);
	n->route = n->cache = NULL;
	n->named = n->writes = n->passed = n->doubt = false;
	n->admin = admin;
	n->asked_us = 0;
	n->result = 0;
	n->client[0] = n->project[0] = n->item[0] = '\0';
	n->unknown = 0;
	http_exchange_set_note(ex, n);
	return n;
}

/* Ends a note; it is kept for the next request. */
static void
traffic_close(struct traffic *t, struct traffic_note *n)
{
	trace_close(gateway_traces(t->gw), &n->trace);
	item_routes_unref(n->items);
	n->items = NULL;
	snapshot_hold_drop(n->hold);
	n->hold = NULL;
	n->snap = NULL;
	buf_free(&n->fields);
	n->next = t->spare;
	t->spare = n;
}

/* The note of an exchange. */
struct traffic_note *
traffic_note(struct http_exchange *ex)
{
	return http_exchange_note(ex);
}

/* Notes who asks. */
void
traffic_note_client(struct http_exchange *ex, const char *name)
{
	strcpy(traffic_note(ex)->client, name); /* it is short enough */
}

/* Whether a text is made like an id: an upstream's, an image's or a number, not a
 * sentence that somebody put into a path. */
static bool
traffic_is_id(const char *s)
{
	size_t len = strlen(s), digits = strspn(s, "0123456789");

	return len < TRAFFIC_ITEM_SIZE && (digits == len || (len >= UUID_SIZE - 1 &&
	    uuid_valid(s, UUID_SIZE - 1) && (len == UUID_SIZE - 1 || s[UUID_SIZE - 1] == '.')));
}

/* Whether a request reads only. */
static bool
traffic_reads(const struct http_request *q)
{
	return q->method == NULL || strcmp(q->method, "GET") == 0 ||
	    strcmp(q->method, "HEAD") == 0 || strcmp(q->method, "OPTIONS") == 0;
}

/* Notes which thing a write is about, if that looks like an id. */
static void
traffic_note_item(struct http_exchange *ex, const char *id)
{
	if (!traffic_reads(http_exchange_request(ex)) && *id != '\0' && traffic_is_id(id))
		strcpy(traffic_note(ex)->item, id);
}

/* Notes the route; of a write, which thing it is about. */
void
traffic_note_route(struct http_exchange *ex, const struct http_match *match)
{
	traffic_note(ex)->route = match->pattern;
	if (match->param_count > 0 && strstr(match->pattern, "/:id") != NULL)
		traffic_note_item(ex, match->params[match->param_count - 1]);
}

/* Notes what is passed on. */
void
traffic_note_pass(struct http_exchange *ex, const char *route)
{
	const char *path = http_exchange_request(ex)->path, *last = strrchr(path, '/');
	struct traffic_note *n = traffic_note(ex);
	char id[CLIENT_PASS_PROJECT_SIZE];
	struct project project;

	n->route = route;
	if (client_pass_project(path, id) &&
	    snapshot_project(n->snap, id, resource_built_in("personas"), &project))
		traffic_note_project(ex, &project);
	if (last != NULL)
		traffic_note_item(ex, last + 1);
}

/* Another server is waited for. */
void
traffic_note_asked(struct http_exchange *ex, int64_t now)
{
	traffic_note(ex)->asked_us = now;
}

/* A request goes out to it. */
void
traffic_note_try(struct http_exchange *ex)
{
	struct traffic_note *n = traffic_note(ex);

	n->passed = true;
	n->trace.tries++;
}

/* Adds a wait for another server that is over. */
static void
traffic_end_wait(struct traffic_note *n, int64_t now)
{
	if (n->asked_us != 0)
		n->trace.upstream_us = now - n->asked_us;
	n->asked_us = 0;
}

/* It was heard of. */
void
traffic_note_heard(struct http_exchange *ex, int64_t now)
{
	traffic_end_wait(traffic_note(ex), now);
}

/* Notes the project. */
void
traffic_note_project(struct http_exchange *ex, struct project *p)
{
	struct traffic_note *n = traffic_note(ex);
	size_t len = strnlen(p->id, sizeof n->project - 1);

	memcpy(n->project, p->id, len);
	n->project[len] = '\0';
	n->named = p->named;
	p->trace = n->ref;
}

/* Whether the mapping has a field that is, or begins with, this member. */
static bool
traffic_knows(const struct mapping *m, const char *member)
{
	size_t len = strlen(member);
	struct mapping_declared d;

	for (size_t i = 0; mapping_declared(m, i, &d); i++)
		if (strncmp(d.local, member, len) == 0 && (d.local[len] == '\0' || d.local[len] == '.'))
			return true;
	return false;
}

/* Notes the names of fields. One that no mapping knows is only counted: its name is
 * the caller's words. */
void
traffic_note_fields(struct http_exchange *ex, const struct mapping *m, struct json_object *body)
{
	struct traffic_note *n = traffic_note(ex);

	buf_init(&n->fields, TRAFFIC_FIELDS_MAX);
	json_object_object_foreach(body, name, value) {
		(void)value;
		if (!traffic_knows(m, name)) {
			n->unknown++;
			continue;
		}
		if (n->fields.len > 0)
			buf_addc(&n->fields, ',');
		buf_adds(&n->fields, name);
	}
}

/* Notes what an answer tells: what the cache did, and which item was made. */
void
traffic_note_result(struct http_exchange *ex, const struct result *r)
{
	static const char begin[] = "{\"id\":\"";
	struct traffic_note *n = traffic_note(ex);
	size_t len;
	const char *id;

	n->cache = r->cache;
	n->doubt = r->doubt;
	n->result = r->status;
	if (r->status != 201 || r->body == NULL || strncmp(r->body, begin, sizeof begin - 1) != 0)
		return;
	id = r->body + sizeof begin - 1;
	len = strcspn(id, "\"");
	if (len >= sizeof n->item)
		return;
	memcpy(n->item, id, len);
	n->item[len] = '\0';
	if (!traffic_is_id(n->item))
		n->item[0] = '\0';
}

/* ---- counting ---- */

/* A request's method if it is a common one: any word can be a method. */
static const char *
traffic_method(const struct http_request *q)
{
	static const char *const known[] = {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS",
	    "PATCH"};

	for (size_t i = 0; q->method != NULL && i < sizeof known / sizeof *known; i++)
		if (strcmp(q->method, known[i]) == 0)
			return known[i];
	return METRIC_OTHER;
}

/* The status of a request. */
static int
traffic_status(const struct http_report *r)
{
	return r->status != 0 ? r->status : TRAFFIC_GONE;
}

/* The series of a request of this kind. */
static void
traffic_find(struct traffic *t, const char *method, const char *route, int status,
    struct traffic_kind *k)
{
	char code[] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
	    (char)('0' + status % 10), '\0'};

	k->requests = metric_set_at(t->requests, (const char *const[]){method, route, code});
	k->times = metric_set_at(t->times, (const char *const[]){method, route});
}

/* The same, remembered. A route's address alone does not tell it: a configuration
 * that is replaced may leave its place to another one. */
static const struct traffic_kind *
traffic_kind(struct traffic *t, const char *method, const char *route, int status)
{
	uintptr_t h = ((uintptr_t)route >> 3) ^ ((uintptr_t)method >> 2) ^ (unsigned)status;
	struct traffic_kind *k = &t->kinds[h % TRAFFIC_KINDS];

	if (k->method == method && k->status == status && k->route == route &&
	    strcmp(k->route_copy, route) == 0)
		return k;
	traffic_find(t, method, route, status, k);
	k->method = method;
	k->status = status;
	k->route = strlen(route) < sizeof k->route_copy ? route : NULL; /* else not found again */
	snprintf(k->route_copy, sizeof k->route_copy, "%s", route);
	return k;
}

/* Counts a request for its project. */
static void
traffic_count_project(struct traffic *t, const char *project, int status)
{
	static const char *const classes[TRAFFIC_CLASSES] = {METRIC_OTHER, "1xx", "2xx", "3xx",
	    "4xx", "5xx"};
	int class = status / 100 < TRAFFIC_CLASSES ? status / 100 : 0;

	if (strcmp(t->project, project) != 0) {
		snprintf(t->project, sizeof t->project, "%s", project);
		memset(t->project_counters, 0, sizeof t->project_counters);
	}
	if (t->project_counters[class] == NULL)
		t->project_counters[class] = metric_set_at(t->projects,
		    (const char *const[]){project, classes[class]});
	++*t->project_counters[class];
}

/* Counts a request. */
static void
traffic_count(struct traffic *t, const struct http_report *r, const struct traffic_note *n)
{
	const char *method = traffic_method(r->request);
	const char *route = n != NULL && n->route != NULL ? n->route : "none";
	int status = traffic_status(r);
	const struct traffic_kind *k = traffic_kind(t, method, route, status);

	++*k->requests;
	metric_observe(k->times, r->total_us);
	if (n != NULL && n->project[0] != '\0')
		traffic_count_project(t, n->named ? n->project : METRIC_OTHER, status);
}

/* ---- logging ---- */

#define TRAFFIC_FIELDS 24 /* of a line */

struct traffic_line {
	struct log_field fields[TRAFFIC_FIELDS];
	size_t count;
};

/* Adds a field to a line. */
static void
traffic_say(struct traffic_line *l, struct log_field f)
{
	if (l->count < TRAFFIC_FIELDS - 1)
		l->fields[l->count++] = f;
}

/* Adds a time if there is one. */
static void
traffic_say_time(struct traffic_line *l, const char *key, int64_t us)
{
	if (us >= 0)
		traffic_say(l, LOG_MS(key, us));
}

/* Begins a line with what every line about a request says. */
static void
traffic_begin(struct traffic_line *l, const struct http_report *r, const struct traffic_note *n)
{
	const struct http_request *q = r->request;

	l->count = 0;
	traffic_say(l, LOG_S("request", q->id));
	traffic_say(l, LOG_S("client", q->peer));
	if (q->chain != NULL)
		traffic_say(l, LOG_S("proxy", q->near));
	if (n != NULL && n->client[0] != '\0')
		traffic_say(l, LOG_S("client_name", n->client));
	if (n != NULL && n->project[0] != '\0')
		traffic_say(l, LOG_S("project", n->project));
	traffic_say(l, LOG_S("method", traffic_method(q)));
	traffic_say(l, LOG_S("route", n != NULL && n->route != NULL ? n->route : "none"));
	traffic_say(l, LOG_I("status", traffic_status(r)));
}

/* Adds the caller's trace, and our part of it. */
static void
traffic_say_trace(struct traffic_line *l, const struct trace *t, char id[33], char span[17])
{
	if (t->parent[0] == '\0')
		return;
	memcpy(id, t->parent + 3, 32);
	memcpy(span, t->parent + 36, 16);
	id[32] = span[16] = '\0';
	traffic_say(l, LOG_S("trace", id));
	traffic_say(l, LOG_S("span", span));
}

/* Writes the line of a request. */
static void
traffic_log(struct traffic *t, const struct http_report *r, const struct traffic_note *n,
    enum log_level level)
{
	static const char *const ends[] = {[HTTP_SENT] = "sent", [HTTP_GONE] = "gone"};
	struct traffic_line l;
	char id[33], span[17];

	traffic_begin(&l, r, n);
	traffic_say(&l, LOG_S("end", r->refused ? "refused" : ends[r->end]));
	traffic_say(&l, LOG_MS("duration_ms", r->total_us));
	if (r->request->has_body)
		traffic_say_time(&l, "receive_ms", r->body_us);
	if (n != NULL) {
		traffic_say_time(&l, "store_ms", n->trace.store_us);
		traffic_say_time(&l, "upstream_ms", n->trace.upstream_us);
		if (n->trace.upstream_us >= 0)
			traffic_say(&l, LOG_I("tries", n->trace.tries));
		if (n->cache != NULL)
			traffic_say(&l, LOG_S("cache", n->cache));
	}
	if (r->status != 0 && r->answer_us >= 0)
		traffic_say(&l, LOG_MS("send_ms", r->total_us - r->answer_us));
	traffic_say(&l, LOG_I("bytes_in", r->received));
	traffic_say(&l, LOG_I("bytes_out", r->sent));
	if (n != NULL)
		traffic_say_trace(&l, &n->trace, id, span);
	l.fields[l.count] = LOG_END;
	log_emit(t->log, level, "request", l.fields);
}

/* What became of a write, by its answer: the one that was meant, where there was no room to
 * send it. */
static const char *
traffic_outcome(const struct http_report *r, const struct traffic_note *n)
{
	bool refused = r->refused && n->result == 0;
	int status = r->refused && n->result != 0 ? n->result : r->status;

	if ((status >= 200 && status < 300) || status == TRAFFIC_TUNNEL)
		return "done";
	if (n->doubt || (n->passed && (refused || status == 503)))
		return "unconfirmed";
	if (refused || (status >= 400 && status < 500) || status == 503)
		return "refused";
	return "unconfirmed";
}

/* Writes the line of a write: who changed what. */
static void
traffic_audit(struct traffic *t, const struct http_report *r, const struct traffic_note *n)
{
	struct traffic_line l;

	traffic_begin(&l, r, n);
	if (n->admin)
		traffic_say(&l, LOG_S("via", "admin"));
	if (n->item[0] != '\0')
		traffic_say(&l, LOG_S("id", n->item));
	if (n->fields.len > 0)
		traffic_say(&l, LOG_S("fields", n->fields.data));
	if (n->unknown > 0)
		traffic_say(&l, LOG_I("unknown_fields", n->unknown));
	traffic_say(&l, LOG_S("outcome", traffic_outcome(r, n)));
	l.fields[l.count] = LOG_END;
	log_audit(t->log, l.fields);
}

/* A request is over. Scrapes and health checks are many and tell little. */
void
traffic_report(struct traffic *t, const struct http_report *r)
{
	struct traffic_note *n = r->note;
	bool reads = traffic_reads(r->request), admin = n != NULL && n->admin;
	enum log_level level = admin && reads ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

	traffic_count(t, r, n);
	if (n != NULL) {
		trace_store_end(&n->trace, r->begun_us + r->total_us);
		traffic_end_wait(n, r->begun_us + r->total_us);
	}
	if (log_wants(t->log, level) && gateway_snapshot(t->gw)->config->log_access)
		traffic_log(t, r, n, level);
	if (n != NULL && n->route != NULL && (!reads || n->writes))
		traffic_audit(t, r, n);
	if (n != NULL)
		traffic_close(t, n);
}

/* ---- all of it ---- */

/* When it began. */
int64_t
traffic_started(const struct traffic *t)
{
	return t->started;
}

/* Adds another one's. */
void
traffic_sum(struct traffic *t, const struct traffic *more)
{
	metric_set_sum(t->requests, more->requests);
	metric_set_sum(t->times, more->times);
	metric_set_sum(t->projects, more->projects);
}

/* Adds what was counted. */
void
traffic_metrics(const struct traffic *t, struct buf *b)
{
	metric_text_counters(b, "persona_gateway_http_requests_total",
	    "Requests that are over, by method, route and status; 499: the client left before an "
	    "answer.", t->requests);
	metric_text_histograms(b, "persona_gateway_http_request_duration_seconds",
	    "From a request's whole head to the end of its answer.", t->times);
	metric_text_counters(b, "persona_gateway_project_requests_total",
	    "Requests by project of the configuration file, and class of status.", t->projects);
}

/* Makes it. */
struct traffic *
traffic_new(struct loop *loop, struct gateway *gw, struct log *log)
{
	static const char *const requests[] = {"method", "route", "code"};
	static const char *const projects[] = {"project", "code"};
	struct traffic *t = mem_zero(1, sizeof *t);

	t->gw = gw;
	t->log = log;
	t->started = loop_wall(loop);
	t->requests = metric_set_new(requests, 3, TRAFFIC_REQUESTS_MAX, 0);
	t->times = metric_set_new(requests, 2, TRAFFIC_ROUTES_MAX, sizeof(struct metric_histogram));
	t->projects = metric_set_new(projects, 2, TRAFFIC_PROJECTS_MAX, 0);
	return t;
}

/* Frees it. */
void
traffic_free(struct traffic *t)
{
	struct traffic_note *n;

	if (t == NULL)
		return;
	while ((n = t->spare) != NULL) {
		t->spare = n->next;
		free(n);
	}
	metric_set_free(t->requests);
	metric_set_free(t->times);
	metric_set_free(t->projects);
	free(t);
}
