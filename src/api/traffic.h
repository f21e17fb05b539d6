#ifndef API_TRAFFIC_H
#define API_TRAFFIC_H

#include "api/api.h"
#include "base/buf.h"
#include "core/snapshot.h"
#include "http/http_route.h"

/*
 * What goes through: every request is noted from its head to its report, counted
 * for /metrics, and told to the log. Handlers have nothing to do with it; what they
 * know beyond the route is noted where they pass anyway (api.c, answer.c).
 *
 * Nothing personal is kept: of a request its route, of a body the names of its
 * fields as far as the mapping knows them.
 */
struct item_routes;
struct traffic;

#define TRAFFIC_PROJECT_SIZE 129
#define TRAFFIC_ITEM_SIZE 64
#define TRAFFIC_FIELDS_MAX 512 /* bytes of names in an audit line */

/* A request that runs. */
struct traffic_note {
	struct trace trace;
	struct trace_ref ref;
	struct item_routes *items; /* to which the route belongs; NULL: to none */
	struct snapshot_hold *hold;
	struct snapshot *snap; /* what was in force when it began; it keeps that to its end */
	const char *route; /* the pattern; NULL: none was found */
	const char *cache; /* what the read cache did; NULL: does not apply */
	bool named;        /* the project has an entry in the file */
	bool admin;        /* on the admin address */
	bool passed;       /* to another server, which has its own reasons for an answer */
	bool doubt;        /* what was asked for may be done, although the answer is an error */
	int result;        /* status of the answer that was meant, whatever went out; 0: none was */
	bool writes;       /* may change something, though its method only reads: a WebSocket */
	int64_t asked_us;  /* since when another server's answer is waited for; 0: none is */
	char project[TRAFFIC_PROJECT_SIZE]; /* "": none */
	char client[CONFIG_CLIENT_NAME_MAX + 1]; /* "": nobody that is known */
	struct http_field beside[3];        /* of the answer, from the gate, with their text */
	char beside_text[2][64];
	char item[TRAFFIC_ITEM_SIZE];       /* an id of ours that the request is about; "": none */
	struct buf fields; /* names, with commas between */
	unsigned unknown;  /* fields that no mapping knows */
	struct traffic_note *next;
};

struct traffic *traffic_new(struct loop *, struct gateway *, struct log *);
void traffic_free(struct traffic *); /* after the servers that report to it */

/* Begins a note and attaches it to the exchange; the report ends it. */
struct traffic_note *traffic_open(struct traffic *, struct http_exchange *, bool admin);

/* The note of an exchange. */
struct traffic_note *traffic_note(struct http_exchange *);

/* Notes who asks. */
void traffic_note_client(struct http_exchange *, const char *name);
/* Notes which route was found, and the id of the thing in its path when it looks
 * like one. */
void traffic_note_route(struct http_exchange *, const struct http_match *);
/* Notes where a request is passed on to, which names the route, and what its path tells
 * plainly: the project, and of a write the id at its end. */
void traffic_note_pass(struct http_exchange *, const char *route);
/* Notes that a request which is passed on begins to wait for the other server, that it goes
 * out to it (once more), and that the answer has begun or will not. */
void traffic_note_asked(struct http_exchange *, int64_t now_us);
void traffic_note_try(struct http_exchange *);
void traffic_note_heard(struct http_exchange *, int64_t now_us);
/* Notes the project, and lets its calls know for which request they are. */
void traffic_note_project(struct http_exchange *, struct project *);
/* Notes which fields a write changes. */
void traffic_note_fields(struct http_exchange *, const struct mapping *, struct json_object *body);
/* Notes what an answer tells. */
void traffic_note_result(struct http_exchange *, const struct result *);

/* Counts a request and logs it; the http room's report. */
void traffic_report(struct traffic *, const struct http_report *);

/* When it was made, as wall time: with the process. */
int64_t traffic_started(const struct traffic *);

/* Adds what another one has counted. */
void traffic_sum(struct traffic *, const struct traffic *more);

/* Adds what was counted, as Prometheus text. */
void traffic_metrics(const struct traffic *, struct buf *);

#endif
