#include "config.h"

#include "base/trace.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* version "-" trace-id "-" parent-id "-" flags */
#define TRACE_ID_AT 3
#define TRACE_SPAN_AT 36
#define TRACE_FLAGS_AT 53
#define TRACE_LEN 55
#define TRACE_FLAGS_KNOWN 3 /* sampled, random trace-id (Trace Context Level 2, 3.2.2.5) */

static const char trace_hex[] = "0123456789abcdef";

/* ---- references ---- */

/* Frees the table. */
void
trace_table_free(struct trace_table *t)
{
	free(t->traces);
	memset(t, 0, sizeof *t);
}

/* Gives a trace its place in the table, once. */
static void
trace_place(struct trace_table *t, struct trace *trace)
{
	if (t->count == t->room) {
		t->room = t->room > 0 ? t->room * 2 : 16;
		t->traces = mem_resize(t->traces, t->room * sizeof *t->traces);
	}
	t->traces[t->count++] = trace;
	trace->slot = t->count; /* from 1 */
}

/* Begins a request. */
struct trace_ref
trace_open(struct trace_table *t, struct trace *trace, const char *id)
{
	if (trace->slot == 0)
		trace_place(t, trace);
	if (++t->serial == 0)
		t->serial = 1;
	trace->serial = t->serial;
	trace->id = id;
	trace->parent[0] = '\0';
	trace->state = NULL;
	trace->tries = 0;
	trace->upstream_us = trace->store_us = -1;
	trace->store_since = 0;
	return (struct trace_ref){.slot = trace->slot, .serial = trace->serial};
}

/* Ends a request. */
void
trace_close(struct trace_table *t, struct trace *trace)
{
	trace->serial = 0;
	trace->id = NULL;
	free(trace->state);
	trace->state = NULL;
}

/* Finds a running request. */
struct trace *
trace_find(const struct trace_table *t, struct trace_ref ref)
{
	struct trace *trace;

	if (ref.slot == 0 || ref.slot > t->count)
		return NULL;
	trace = t->traces[ref.slot - 1];
	return trace->serial == ref.serial && ref.serial != 0 ? trace : NULL;
}

/* ---- W3C Trace Context ---- */

/* Whether there are `len` hexadecimal digits in lower case; *zero: all are 0. */
static bool
trace_is_hex(const char *s, size_t len, bool *zero)
{
	*zero = true;
	for (size_t i = 0; i < len; i++) {
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
		*zero = *zero && s[i] == '0';
	}
	return true;
}

/* Whether a traceparent is well-formed; a later version may be longer. */
static bool
trace_is_parent(const char *s)
{
	size_t len = strnlen(s, TRACE_LEN + 1);
	bool zero, no_trace, no_parent;

	return len >= TRACE_LEN && s[2] == '-' && s[TRACE_SPAN_AT - 1] == '-' &&
	    s[TRACE_FLAGS_AT - 1] == '-' && trace_is_hex(s, 2, &zero) && strncmp(s, "ff", 2) != 0 &&
	    trace_is_hex(s + TRACE_ID_AT, 32, &no_trace) && !no_trace &&
	    trace_is_hex(s + TRACE_SPAN_AT, 16, &no_parent) && !no_parent &&
	    trace_is_hex(s + TRACE_FLAGS_AT, 2, &zero) &&
	    (len == TRACE_LEN || (strncmp(s, "00", 2) != 0 && s[TRACE_LEN] == '-'));
}

/* The value of a digit that is known to be one. */
static unsigned
trace_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Continues a trace. */
bool
trace_continue(struct trace *trace, const char *from, const unsigned char span[8])
{
	char *to = trace->parent;
	unsigned flags;

	if (!trace_is_parent(from))
		return false;
	memcpy(to, from, TRACE_LEN);
	memcpy(to, "00", 2);
	for (size_t i = 0; i < 8; i++) {
		to[TRACE_SPAN_AT + 2 * i] = trace_hex[span[i] >> 4];
		to[TRACE_SPAN_AT + 2 * i + 1] = trace_hex[span[i] & 15];
	}
	flags = trace_digit(from[TRACE_FLAGS_AT + 1]) & TRACE_FLAGS_KNOWN;
	to[TRACE_FLAGS_AT] = '0';
	to[TRACE_FLAGS_AT + 1] = trace_hex[flags];
	to[TRACE_LEN] = '\0';
	return true;
}

/* Adds a list to what there is. */
void
trace_add_state(struct trace *trace, const char *more)
{
	char *all;

	if (trace->parent[0] == '\0' || *more == '\0')
		return;
	all = trace->state == NULL ? mem_string(more) : mem_format("%s,%s", trace->state, more);
	free(trace->state);
	trace->state = all;
	if (strlen(all) > TRACE_STATE_MAX) {
		free(all);
		trace->state = NULL;
	}
}

/* ---- waiting ---- */

/* A wait for the store begins. */
void
trace_store_begin(struct trace *trace, int64_t now_us)
{
	if (trace != NULL && trace->store_since == 0)
		trace->store_since = now_us;
}

/* It is over. */
void
trace_store_end(struct trace *trace, int64_t now_us)
{
	if (trace == NULL || trace->store_since == 0)
		return;
	if (trace->store_us < 0)
		trace->store_us = 0;
	trace->store_us += now_us - trace->store_since;
	trace->store_since = 0;
}
