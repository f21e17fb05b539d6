#include "config.h"

#include "base/buf.h"
#include "base/chunked.h"
#include "base/mem.h"
#include "fuzz.h"
#include "http/http_host.h"
#include "http/http_parse.h"
#include "http/http_route.h"

#include <stdlib.h>
#include <string.h>

/*
 * Feeds one connection's bytes to guard, parser and chunk decoder, once whole
 * and once cut in two where the bytes themselves say. Both must tell the same.
 */

#define FUZZ_MAX_HEAD 16384
#define FUZZ_MAX_FIELDS 100

/* Some input of which the first `here` bytes have arrived. */
struct input {
	const char *bytes;
	size_t len, here, at;
	struct buf told;
};

/* Lets the rest arrive; false when it is here already. */
static bool
input_more(struct input *in)
{
	bool more = in->here < in->len;

	in->here = in->len;
	return more;
}

/* Adds a text and its end. */
static void
tell(struct input *in, const char *s)
{
	buf_adds(&in->told, s != NULL ? s : "-");
	buf_addc(&in->told, '\n');
}

/* Writes down what the parser has made of a head. */
static void
tell_head(struct input *in, const struct http_head *h)
{
	static const struct http_route routes[] = {{"GET", "/:a/b/:c", 1}, {"POST", "/echo", 2}};
	static const char *const allowed[] = {"gw.example", NULL};
	const struct http_request *r = &h->request;
	struct http_match m;

	tell(in, r->method);
	tell(in, r->target);
	tell(in, r->path);
	tell(in, r->query);
	tell(in, r->host);
	tell(in, r->id);
	tell(in, r->upgrade);
	buf_addf(&in->told, "%d %d %lld %d %d %d %d %d\n", r->minor, r->has_body,
	    (long long)r->length, h->keep_alive, h->close_named, h->expect_continue,
	    (int)http_route_find(routes, 2, r->method, r->path, &m),
	    http_host_allowed(r->host, allowed));
	for (size_t i = 0; i < r->field_count; i++) {
		tell(in, r->fields[i].name);
		tell(in, r->fields[i].value);
	}
}

/* Reads one head; 0 when there is one and it is good. */
static int
read_head(struct input *in, struct http_head *h)
{
	struct http_guard g = {0};
	enum http_guard_result r;
	struct http_field *fields;
	char *head, *room;
	size_t len;
	int status;

	while ((r = http_guard_feed(&g, in->bytes + in->at, in->here - in->at, FUZZ_MAX_HEAD,
	            FUZZ_MAX_FIELDS)) == HTTP_GUARD_MORE)
		if (!input_more(in)) {
			buf_addf(&in->told, "more, begun %d\n", http_guard_begun(&g));
			return -1;
		}
	if (r != HTTP_GUARD_DONE) {
		buf_addf(&in->told, "guard %d\n", (int)r);
		return -1;
	}
	/* Three blocks of their own, so that a step beyond any of them is seen. */
	len = g.seen - g.start;
	head = mem_copy(in->bytes + in->at + g.start, len);
	fields = mem_alloc(g.fields * sizeof *fields);
	room = mem_alloc(HTTP_PARSE_ROOM(g.line));
	status = http_parse_head(&g, head, fields, room, h);
	buf_addf(&in->told, "status %d\n", status);
	if (status == 0)
		tell_head(in, h);
	else
		tell(in, h->why);
	in->at += g.seen;
	free(head);
	free(fields);
	free(room);
	return status;
}

/* Reads a body of known length; false when it is not whole. */
static bool
read_plain(struct input *in, int64_t left)
{
	do {
		size_t n = in->here - in->at;

		if ((uint64_t)left < n)
			n = (size_t)left;
		buf_add(&in->told, in->bytes + in->at, n);
		in->at += n;
		left -= (int64_t)n;
	} while (left > 0 && input_more(in));
	tell(in, left > 0 ? "short" : "whole");
	return left == 0;
}

/* Reads a body in chunks; false when it is broken or not whole. */
static bool
read_chunks(struct input *in)
{
	enum chunked_result r;
	struct chunked k;
	const char *piece;
	size_t used, len;

	chunked_init(&k);
	do {
		r = chunked_next(&k, in->bytes + in->at, in->here - in->at, &used, &piece, &len);
		in->at += used;
		if (r == CHUNKED_DATA)
			buf_add(&in->told, piece, len);
		if (r == CHUNKED_MORE && in->at != in->here)
			abort();
	} while (r == CHUNKED_DATA || (r == CHUNKED_MORE && input_more(in)));
	buf_addf(&in->told, "chunks %d at %zu\n", (int)r, in->at);
	return r == CHUNKED_END;
}

/* Plays the input with the first bytes here at once. */
static void
play(struct input *in, const uint8_t *data, size_t size, size_t first)
{
	struct http_head h;
	bool go_on = true;

	memset(in, 0, sizeof *in);
	in->bytes = (const char *)data;
	in->len = size;
	in->here = first;
	while (go_on && read_head(in, &h) == 0) {
		if (h.request.length < 0)
			go_on = read_chunks(in);
		else if (h.request.has_body)
			go_on = read_plain(in, h.request.length);
	}
}

/* A place to cut that depends on all bytes. */
static size_t
cut_of(const uint8_t *data, size_t size)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 16777619u;
	return h % (size + 1);
}

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input whole, cut;

	play(&whole, data, size, size);
	play(&cut, data, size, cut_of(data, size));
	if (whole.told.len != cut.told.len || whole.at != cut.at ||
	    memcmp(whole.told.data, cut.told.data, whole.told.len) != 0)
		abort();
	buf_free(&whole.told);
	buf_free(&cut.told);
	return 0;
}
