#include "config.h"

#include "fuzz.h"
#include "upstream/http1_answer.h"

#include <stdlib.h>
#include <string.h>

/*
 * Feeds what a connection brings to the reader of answers, and then the connection's end:
 * at once, in single bytes, and cut in two at every byte, or at some of them when there are
 * many. All must tell the same, and what is told must keep what the reader promises.
 */

#define BODY_MAX 5000 /* bytes of a body that are allowed */
#define CUTS_MAX 600  /* places at which an input is cut */

/* What came of an input. */
struct told {
	enum http1_read read;
	struct http1_answer answer;
};

/* Takes a piece, unless it is over; after a whole answer everything more is excess. */
static void
take(struct told *t, const char *bytes, size_t len)
{
	if (len > 0 && (t->read == HTTP1_READ_MORE || t->read == HTTP1_READ_WHOLE))
		t->read = http1_answer_feed(&t->answer, bytes, len);
}

/* Plays an input in pieces: the first of so many bytes, and the rest in pieces of `step`. */
static void
play(struct told *t, const char *bytes, size_t size, size_t first, size_t step)
{
	http1_answer_init(&t->answer, BODY_MAX);
	t->read = HTTP1_READ_MORE;
	take(t, bytes, first);
	for (size_t at = first; at < size; at += step)
		take(t, bytes + at, step < size - at ? step : size - at);
	if (t->read == HTTP1_READ_MORE)
		t->read = http1_answer_end(&t->answer);
}

/* Whether two plays told the same. */
static bool
same(const struct told *a, const struct told *b)
{
	const struct http1_answer *x = &a->answer, *y = &b->answer;

	if (a->read != b->read)
		return false;
	if (a->read != HTTP1_READ_WHOLE)
		return true;
	return x->head.status == y->head.status && x->body.len == y->body.len &&
	    (x->body.len == 0 || memcmp(x->body.data, y->body.data, x->body.len) == 0) &&
	    x->head.has_retry_after == y->head.has_retry_after &&
	    strcmp(x->head.retry_after, y->head.retry_after) == 0 &&
	    http1_answer_keeps(x) == http1_answer_keeps(y);
}

/* Whether an answer keeps what is promised. */
static void
check(const struct told *t)
{
	const struct http1_answer *a = &t->answer;

	if (t->read == HTTP1_READ_MORE || (t->read == HTTP1_READ_BAD && a->why == NULL))
		abort();
	if (t->read != HTTP1_READ_WHOLE)
		return;
	if (a->head.status < 200 || a->head.status > 599 || a->head.ambiguous || a->body.len > BODY_MAX)
		abort();
	if (a->head.has_length && !a->head.chunked && a->head.status != 204 && a->head.status != 304 &&
	    a->body.len != (size_t)a->head.length)
		abort();
	if (http1_answer_keeps(a) && (a->excess || a->head.closing))
		abort();
}

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	size_t apart = size / CUTS_MAX + 1;
	struct told whole, cut;

	play(&whole, bytes, size, 0, size > 0 ? size : 1);
	check(&whole);
	for (size_t first = 0; first <= size; first += apart) {
		play(&cut, bytes, size, first, size);
		if (!same(&whole, &cut))
			abort();
		http1_answer_free(&cut.answer);
	}
	play(&cut, bytes, size, 0, 1);
	if (!same(&whole, &cut))
		abort();
	http1_answer_free(&cut.answer);
	http1_answer_free(&whole.answer);
	return 0;
}
