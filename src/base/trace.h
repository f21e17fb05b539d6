#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is known of a request on its way through the rooms: its id, the trace of
 * the caller (W3C Trace Context) that is continued upstream, and what it waited
 * for. Whoever works for a request holds a struct trace_ref, a weak reference:
 * work may go on after the request is over, and then finds nothing.
 */
#define TRACE_PARENT_SIZE 56 /* "00-…-…-01" and its NUL */
#define TRACE_STATE_MAX 512  /* bytes of tracestate that are passed on (3.3.1.1); longer ones are
                                not: a part of one would be a lie */

struct trace {
	const char *id;                 /* X-Request-Id; the opener's, until it is closed */
	char parent[TRACE_PARENT_SIZE]; /* traceparent for upstream calls; "": none is sent */
	char *state;                    /* tracestate; NULL: none; freed when it is closed */
	unsigned tries;                 /* of upstream calls */
	int64_t upstream_us, store_us;  /* waited for; -1: not asked */
	int64_t store_since;            /* 0: not waiting for the store */
	uint32_t slot, serial;          /* the table's */
};

struct trace_ref {
	uint32_t slot, serial; /* both 0: none */
	uint32_t call;         /* which of the request's calls, from 1, where somebody counts */
};

/* Zeroed is ready. Traces stay at their address and are reused by their owner. */
struct trace_table {
	struct trace **traces;
	uint32_t count, room;
	uint32_t serial;
};
void trace_table_free(struct trace_table *); /* the traces are their owner's */

/* Begins a request: empties the trace and gives it a new reference. */
struct trace_ref trace_open(struct trace_table *, struct trace *, const char *id);
void trace_close(struct trace_table *, struct trace *);

/* The trace of a request that still runs, or NULL. */
struct trace *trace_find(const struct trace_table *, struct trace_ref);

/*
 * Continues a caller's trace: reads the value of traceparent (W3C Trace Context,
 * 3.2), and keeps it with `span`, 8 random bytes, as the new parent-id. False when
 * it is not well-formed: then there is no trace.
 */
bool trace_continue(struct trace *, const char *traceparent, const unsigned char span[8]);

/* Keeps one more tracestate line; several are one list (3.3.1.1). Only after a
 * traceparent was continued. */
void trace_add_state(struct trace *, const char *tracestate);

/* Notes the begin and the end of a wait for the store; `trace` may be NULL. */
void trace_store_begin(struct trace *, int64_t now_us);
void trace_store_end(struct trace *, int64_t now_us);

#endif
