#include "config.h"

#include "base/trace.h"
#include "unit.h"

#include <string.h>

Suite *trace_suite(void);

#define GOOD "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

static const unsigned char span[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

/* What goes upstream for a caller's traceparent. */
static const char *
continued(const char *from)
{
	static struct trace t;

	t.parent[0] = '\0';
	if (!trace_continue(&t, from, span))
		return t.parent[0] == '\0' ? "none" : "refused, but kept";
	return t.parent;
}

START_TEST(a_trace_goes_on_with_a_parent_of_our_own)
{
	const char *const sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-0123456789abcdef-01";
	const char *const not_sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-0123456789abcdef-00";

	ck_assert_str_eq(continued("00-" GOOD "-01"), sampled);
	ck_assert_str_eq(continued("00-" GOOD "-00"), not_sampled);
	ck_assert_str_eq(continued("00-" GOOD "-fd"), sampled); /* flags that nobody knows */
	ck_assert_str_eq(continued("cc-" GOOD "-01"), sampled); /* a later version */
	ck_assert_str_eq(continued("cc-" GOOD "-01-what-comes-then"), sampled);
}
END_TEST

START_TEST(what_is_no_traceparent_begins_no_trace)
{
	static const char *const bad[] = {"", "00", "ff-" GOOD "-01", "00-" GOOD "-01-more",
	    "00-" GOOD "-01 ", "cc-" GOOD "-01more", "00-" GOOD "-0", "00-" GOOD "-0g",
	    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
	    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
	    "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
	    "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01", "0-" GOOD "-001", NULL};

	for (int i = 0; bad[i] != NULL; i++)
		ck_assert_msg(strcmp(continued(bad[i]), "none") == 0, "taken: %s", bad[i]);
}
END_TEST

START_TEST(a_reference_finds_its_own_request_only)
{
	struct trace_table table = {0};
	struct trace traces[40] = {{0}};
	struct trace_ref refs[40], none = {.slot = 0};

	for (int i = 0; i < 40; i++)
		refs[i] = trace_open(&table, &traces[i], "id");
	for (int i = 0; i < 40; i++)
		ck_assert_ptr_eq(trace_find(&table, refs[i]), &traces[i]);
	trace_close(&table, &traces[7]);
	ck_assert_ptr_null(trace_find(&table, refs[7]));
	trace_open(&table, &traces[7], "another request");
	ck_assert_ptr_null(trace_find(&table, refs[7]));
	ck_assert_ptr_null(trace_find(&table, none));
	ck_assert_uint_eq(table.count, 40); /* a trace keeps its place */
	trace_table_free(&table);
}
END_TEST

START_TEST(lists_of_tracestate_are_joined_and_bounded)
{
	struct trace_table table = {0};
	struct trace t = {0};
	char longer[TRACE_STATE_MAX + 2];

	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	trace_open(&table, &t, "id");
	trace_add_state(&t, "a=1");
	ck_assert_ptr_null(t.state); /* without a traceparent it says nothing */
	ck_assert(trace_continue(&t, "00-" GOOD "-01", span));
	trace_add_state(&t, "a=1");
	trace_add_state(&t, "");
	trace_add_state(&t, "b=2,c=3");
	ck_assert_str_eq(t.state, "a=1,b=2,c=3");
	trace_close(&table, &t);
	ck_assert_ptr_null(t.state);
	trace_open(&table, &t, "id");
	ck_assert(trace_continue(&t, "00-" GOOD "-01", span));
	trace_add_state(&t, longer);
	ck_assert_ptr_null(t.state);
	trace_close(&table, &t);
	trace_table_free(&table);
}
END_TEST

START_TEST(waits_add_up)
{
	struct trace_table table = {0};
	struct trace t = {0};

	trace_open(&table, &t, "id");
	trace_store_end(&t, 5);
	ck_assert_int_eq(t.store_us, -1);
	trace_store_begin(&t, 10);
	trace_store_end(&t, 14);
	trace_store_begin(&t, 20);
	trace_store_begin(&t, 25);
	trace_store_end(&t, 30);
	trace_store_end(&t, 99);
	ck_assert_int_eq(t.store_us, 14);
	trace_store_begin(NULL, 1);
	trace_store_end(NULL, 1);
	trace_table_free(&table);
}
END_TEST

/* Tests of what is known of a request. */
Suite *
trace_suite(void)
{
	const TTest *const tests[] = {
	    a_trace_goes_on_with_a_parent_of_our_own,
	    what_is_no_traceparent_begins_no_trace,
	    a_reference_finds_its_own_request_only,
	    lists_of_tracestate_are_joined_and_bounded,
	    waits_add_up,
	    NULL,
	};

	return unit_suite("trace", tests);
}
