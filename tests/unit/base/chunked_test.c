#include "config.h"

#include "base/buf.h"
#include "base/chunked.h"
#include "unit.h"

#include <string.h>

Suite *chunked_suite(void);

/* Decodes a text; the content goes to *out. Returns the last result. */
static enum chunked_result
decode(const char *in, size_t len, struct buf *out, size_t *used)
{
	enum chunked_result r;
	struct chunked k;
	const char *piece;
	size_t n, piece_len;

	chunked_init(&k);
	*used = 0;
	do {
		r = chunked_next(&k, in + *used, len - *used, &n, &piece, &piece_len);
		*used += n;
		if (r == CHUNKED_DATA && out != NULL)
			buf_add(out, piece, piece_len);
	} while (r == CHUNKED_DATA);
	return r;
}

START_TEST(the_end_is_found_exactly)
{
	static const char in[] = "3\r\nabc\r\n0\r\nT: u\r\n\r\nGET ";
	struct buf out = {0};
	size_t used;

	ck_assert_int_eq(decode(in, sizeof in - 1, &out, &used), CHUNKED_END);
	ck_assert_uint_eq(used, sizeof in - 1 - 4);
	ck_assert_str_eq(out.data, "abc");
	ck_assert_int_eq(decode(in, sizeof in - 1 - 5, NULL, &used), CHUNKED_MORE);
	buf_free(&out);
}
END_TEST

START_TEST(sizes_up_to_63_bits)
{
	size_t used;

	ck_assert_int_eq(decode("7fffffffffffffff\r\n", 18, NULL, &used), CHUNKED_MORE);
	ck_assert_int_eq(decode("8000000000000000", 16, NULL, &used), CHUNKED_BAD);
	ck_assert_uint_eq(used, 16);
}
END_TEST

/* Adds a chunk with an extension of len bytes. */
static void
add_chunk(struct buf *b, size_t content, size_t extension)
{
	buf_addf(b, "%zx", content);
	if (extension > 0)
		buf_addc(b, ';');
	for (size_t i = 1; i < extension; i++)
		buf_addc(b, 'e');
	buf_adds(b, "\r\n");
	for (size_t i = 0; i < content; i++)
		buf_addc(b, 'x');
	buf_adds(b, "\r\n");
}

START_TEST(chunks_of_one_byte_pass_for_ever)
{
	struct buf in = {0}, out = {0};
	size_t used;

	for (int i = 0; i < 20000; i++)
		add_chunk(&in, 1, 0);
	buf_adds(&in, "0\r\n\r\n");
	ck_assert_int_eq(decode(in.data, in.len, &out, &used), CHUNKED_END);
	ck_assert_uint_eq(out.len, 20000);
	buf_free(&in);
	buf_free(&out);
}
END_TEST

START_TEST(content_earns_credit_for_framing)
{
	static const size_t contents[] = {100, 5000};
	struct buf in = {0}, out = {0};
	size_t used;

	for (int k = 0; k < 2; k++) {
		buf_clear(&in);
		buf_clear(&out);
		for (int i = 0; i < 200; i++)
			add_chunk(&in, contents[k], 500);
		buf_adds(&in, "0\r\n\r\n");
		ck_assert_int_eq(decode(in.data, in.len, &out, &used), CHUNKED_END);
		ck_assert_uint_eq(out.len, 200 * contents[k]);
	}
	buf_free(&in);
	buf_free(&out);
}
END_TEST

START_TEST(overhead_is_bounded)
{
	struct buf in = {0}, out = {0};
	size_t used;

	for (int i = 0; i < 20000; i++)
		add_chunk(&in, 1, 20);
	ck_assert_int_eq(decode(in.data, in.len, &out, &used), CHUNKED_BAD);
	ck_assert_uint_lt(used, 16384);
	buf_clear(&in);
	add_chunk(&in, 1, CHUNKED_CREDIT - 3);
	ck_assert_int_eq(decode(in.data, in.len, NULL, &used), CHUNKED_MORE);
	buf_clear(&in);
	add_chunk(&in, 1, CHUNKED_CREDIT - 2);
	ck_assert_int_eq(decode(in.data, in.len, NULL, &used), CHUNKED_BAD);
	buf_free(&in);
	buf_free(&out);
}
END_TEST

/* The suite. */
Suite *
chunked_suite(void)
{
	const TTest *const tests[] = {the_end_is_found_exactly, sizes_up_to_63_bits,
	    chunks_of_one_byte_pass_for_ever, content_earns_credit_for_framing,
	    overhead_is_bounded, NULL};

	return unit_suite("chunked", tests);
}
