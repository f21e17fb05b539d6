#include "config.h"

#include "http_corpus.h"
#include "http_rig.h"

#include <string.h>

#define CUT_LONG 400 /* longer inputs are cut at some places only */

/* Adds what a client got, without the ids, which are random. */
static void
add_answers(struct buf *out, const char *p)
{
	static const char name[] = "X-Request-Id: ";

	while (p != NULL && *p != '\0') {
		const char *at = strstr(p, name);

		buf_add(out, p, at != NULL ? (size_t)(at - p) : strlen(p));
		p = at != NULL ? strstr(at, "\r\n") + 2 : NULL;
	}
}

/* Plays the input in pieces: up to `first`, then `step` bytes at a time.
 * Everything that came of it is one text. */
static void
play(struct rig *rig, const struct http_case *k, size_t first, size_t step, struct buf *out)
{
	struct http_server_counts n;
	struct client c;
	size_t at = 0, len = first;

	buf_clear(out);
	buf_clear(&rig->seen);
	client_open(&c, rig);
	while (at < k->len && !c.closed) {
		if (len > k->len - at)
			len = k->len - at;
		client_send(&c, k->bytes + at, len);
		at += len;
		len = step;
	}
	add_answers(out, c.got.data);
	buf_addf(out, "closed=%d reset=%d\n", c.closed, c.reset);
	client_close(&c);
	buf_add(out, rig->seen.data, rig->seen.len);
	http_server_counts(rig->server, &n);
	ck_assert_uint_eq(n.open, 0);
	ck_assert_uint_eq(n.pending, 0);
}

/* Fails unless two outcomes are equal. */
static void
compare(const struct http_case *k, const struct buf *whole, const struct buf *cut, size_t at,
    size_t step)
{
	ck_assert_msg(whole->len == cut->len && memcmp(whole->data, cut->data, cut->len) == 0,
	    "%s, cut at %zu, then every %zu:\n%s\nnot\n%s", k->name, at, step, cut->data,
	    whole->data);
}

START_TEST(an_input_cut_in_two_means_the_same)
{
	struct buf whole = {0}, cut = {0};
	struct rig rig = {0};

	rig_start(&rig);
	for (const struct http_case *k = http_corpus; k->name != NULL; k++) {
		play(&rig, k, k->len, 1, &whole);
		for (size_t at = 1; at < k->len; at++) {
			if (k->len > CUT_LONG && at > 80 && at < k->len - 80 && at % 101 != 0)
				continue;
			play(&rig, k, at, k->len, &cut);
			compare(k, &whole, &cut, at, k->len);
		}
	}
	buf_free(&whole);
	buf_free(&cut);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_input_cut_into_small_pieces_means_the_same)
{
	struct buf whole = {0}, cut = {0};
	struct rig rig = {0};

	rig_start(&rig);
	for (const struct http_case *k = http_corpus; k->name != NULL; k++) {
		play(&rig, k, k->len, 1, &whole);
		for (size_t step = 1; step <= 3; step++) {
			if (k->len > CUT_LONG)
				continue;
			play(&rig, k, step, step, &cut);
			compare(k, &whole, &cut, step, step);
		}
	}
	buf_free(&whole);
	buf_free(&cut);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_cut_suite(void)
{
	const TTest *const tests[] = {an_input_cut_in_two_means_the_same,
	    an_input_cut_into_small_pieces_means_the_same, NULL};

	return unit_suite("http cut", tests);
}
