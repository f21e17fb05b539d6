#include "config.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/header.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/origin.h"
#include "base/timestamp.h"
#include "base/uuid.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(buf_refuses_beyond_its_limit_and_keeps_what_it_had)
{
	struct buf b;

	buf_init(&b, 8);
	ck_assert(buf_adds(&b, "12345678"));
	ck_assert(!buf_addc(&b, '9'));
	ck_assert(b.full);
	ck_assert_str_eq(b.data, "12345678");
	ck_assert(!buf_adds(&b, ""));
	buf_clear(&b);
	ck_assert(buf_addf(&b, "%d", 42));
	ck_assert_str_eq(b.data, "42");
	buf_free(&b);
}
END_TEST

START_TEST(buf_formats_long_text_whole)
{
	struct buf b;
	char *s;
	size_t len;

	buf_init(&b, 0);
	ck_assert(buf_addf(&b, "%0900d", 7));
	ck_assert_uint_eq(b.len, 900);
	buf_drain(&b, 899);
	ck_assert_str_eq(b.data, "7");
	s = buf_take(&b, &len);
	ck_assert_str_eq(s, "7");
	ck_assert_uint_eq(b.len, 0);
	free(s);
}
END_TEST

/* Reads a time and writes it again. */
static const char *
again(const char *text)
{
	static char out[TIMESTAMP_SIZE];
	int64_t ms;

	if (!timestamp_parse(text, strlen(text), &ms))
		return "refused";
	timestamp_format(ms, out);
	return out;
}

START_TEST(timestamps_take_every_form_that_bluejay_sends)
{
	ck_assert_str_eq(again("2023-11-07T05:31:56Z"), "2023-11-07T05:31:56.000Z");
	ck_assert_str_eq(again("2023-11-07T05:31:56"), "2023-11-07T05:31:56.000Z");
	ck_assert_str_eq(again("2023-11-07T05:31:56.1"), "2023-11-07T05:31:56.100Z");
	ck_assert_str_eq(again("2023-11-07T05:31:56.123999"), "2023-11-07T05:31:56.123Z");
	ck_assert_str_eq(again("2023-11-07T05:31:56.123456+00:00"), "2023-11-07T05:31:56.123Z");
	ck_assert_str_eq(again("2024-03-01T00:30:00+01:00"), "2024-02-29T23:30:00.000Z");
	ck_assert_str_eq(again("1969-12-31T23:59:59.999Z"), "1969-12-31T23:59:59.999Z");
	ck_assert_str_eq(again("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00.000Z");
	ck_assert_str_eq(again("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59.000Z");
}
END_TEST

START_TEST(timestamps_refuse_what_is_none)
{
	static const char *const bad[] = {"", "2023", "2023-11-07", "2023-13-07T05:31:56Z",
	    "2023-02-29T00:00:00Z", "2023-11-07T24:00:00Z", "2023-11-07T05:31:56.Z",
	    "2023-11-07T05:31:56Zx", "2023-11-07T05:31:56+1", "0000-01-01T00:00:00Z",
	    "2023-11-07 05:31", NULL};

	for (int i = 0; bad[i] != NULL; i++)
		ck_assert_str_eq(again(bad[i]), "refused");
}
END_TEST

START_TEST(http_dates_round_trip)
{
	char out[TIMESTAMP_SIZE];
	int64_t ms;

	ck_assert(timestamp_parse_http("Sun, 06 Nov 1994 08:49:37 GMT", &ms));
	timestamp_format_http(ms, out);
	ck_assert_str_eq(out, "Sun, 06 Nov 1994 08:49:37 GMT");
	ck_assert(!timestamp_parse_http("Sun, 06 Foo 1994 08:49:37 GMT", &ms));
	ck_assert(!timestamp_parse_http("120", &ms));
}
END_TEST

START_TEST(uuids_have_their_form)
{
	char a[UUID_SIZE], b[UUID_SIZE];

	uuid_make(a);
	uuid_make(b);
	ck_assert(uuid_valid(a, strlen(a)));
	ck_assert_int_eq(a[14], '4');
	ck_assert_str_ne(a, b);
	ck_assert(!uuid_valid("987fcdeb-51a2-3bc4-d567-89012345678g", 36));
	ck_assert(!uuid_valid("987fcdeb51a23bc4d567890123456789", 32));
}
END_TEST

START_TEST(a_name_is_made_durable_in_its_folder)
{
	char dir[] = "/tmp/persona-gateway-unit-XXXXXX", path[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/file", dir);
	ck_assert_int_eq(fd_sync_folder(dir), 0);
	ck_assert_int_eq(fd_sync_name(path), 0);
	ck_assert_int_eq(fd_sync_name("here"), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(fd_sync_name(path), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(fd_sync_folder("/dev/null"), -1);
	ck_assert_int_eq(errno, ENOTDIR);
}
END_TEST

START_TEST(digest_is_sha256)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex("abc", 3, hex);
	ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

static char trace[64];
static char one[] = "1", two[] = "2", three[] = "3";

/* Notes which timer fired. */
static void
note(void *arg)
{
	strncat(trace, arg, sizeof trace - strlen(trace) - 1);
}

START_TEST(headers_are_put_and_replaced)
{
	struct header_list list = {0}, copy = {0};

	ck_assert_int_eq(header_list_put(&list, "X-A", "1"), HEADER_GOOD);
	ck_assert_int_eq(header_list_put(&list, "User-Agent", ""), HEADER_GOOD);
	ck_assert_int_eq(header_list_put(&list, "x-a", "l\xc3\xb6ng er"), HEADER_GOOD);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_uint_eq(list.bytes, 3 + 8 + 10);
	ck_assert_str_eq(header_list_find(&list, "X-a")->value, "l\xc3\xb6ng er");
	ck_assert_str_eq(header_list_find(&list, "X-a")->name, "x-a");
	ck_assert_ptr_null(header_list_find(&list, "X"));
	header_list_copy(&copy, &list);
	header_list_clear(&list);
	ck_assert_uint_eq(list.bytes, 0);
	ck_assert_str_eq(header_list_find(&copy, "user-agent")->value, "");
	ck_assert_uint_eq(copy.bytes, 21);
	header_list_clear(&copy);
}
END_TEST

START_TEST(headers_that_may_not_be_sent_are_refused)
{
	static const char *const reserved[] = {"X-API-Key", "x-api-key", "Host", "Content-Length",
	    "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect",
	    "Proxy-Authorization", "proxy-", "PROXY-CONNECTION", "Content-Type", "Content-Encoding",
	    "Accept", "Accept-Encoding", "X-Request-Id", "Range", "Content-Range", "If-Match",
	    "if-none-match", "If-Range", "HTTP2-Settings"};
	static const char *const names[] = {"", "a b", "a:", "a\n", "\xc3\xa4", "a(b)", "a;", "\"a\"",
	    "a\x7f"};
	static const char *const values[] = {"\r\nX: y", "a\n", "\t", "\x01", "a\x7f"};
	static const char *const good[] = {"Authorization", "Cookie", "Accept-Language", "Forwarded",
	    "X-API-Key2", "Proxy", "If", "TEs", "!#$%&'*+-.^_`|~09Az", "Content-Language"};
	struct header_list list = {0};

	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		ck_assert_msg(header_list_put(&list, reserved[i], "1") == HEADER_RESERVED, "%s",
		    reserved[i]);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ck_assert_msg(header_list_put(&list, names[i], "1") == HEADER_BAD_NAME, "%s",
		    names[i]);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		ck_assert_int_eq(header_list_put(&list, "X-A", values[i]), HEADER_BAD_VALUE);
	ck_assert_uint_eq(list.count, 0);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(header_list_put(&list, good[i], "1") == HEADER_GOOD, "%s", good[i]);
	header_list_clear(&list);
}
END_TEST

START_TEST(headers_are_bounded)
{
	static char longest[HEADER_BYTES_MAX];
	struct header_list list = {0};
	char name[16];

	for (int i = 0; i < HEADER_MAX; i++) {
		snprintf(name, sizeof name, "X-%d", i);
		ck_assert_int_eq(header_list_put(&list, name, "1"), HEADER_GOOD);
	}
	ck_assert_int_eq(header_list_put(&list, "X-More", "1"), HEADER_TOO_MANY);
	ck_assert_int_eq(header_list_put(&list, "x-0", "2"), HEADER_GOOD);
	header_list_clear(&list);
	memset(longest, 'v', sizeof longest - 3);
	ck_assert_int_eq(header_list_put(&list, "X-A", longest), HEADER_GOOD);
	ck_assert_int_eq(header_list_put(&list, "B", ""), HEADER_TOO_MANY);
	ck_assert_int_eq(header_list_put(&list, "x-a", longest), HEADER_GOOD);
	ck_assert_int_eq(header_list_put(&list, "x-a", ""), HEADER_GOOD);
	longest[sizeof longest - 3] = 'v';
	ck_assert_int_eq(header_list_put(&list, "X-A", longest), HEADER_TOO_MANY);
	ck_assert_str_eq(header_list_find(&list, "x-a")->value, "");
	header_list_clear(&list);
}
END_TEST

START_TEST(origins_have_one_normal_form)
{
	static const char *const forms[][2] = {
	    {"http://localhost:5173", "http://localhost:5173"},
	    {"HTTP://LocalHost:05173", "http://localhost:5173"},
	    {"http://a_b.example-1:80", "http://a_b.example-1"},
	    {"https://a.example:443", "https://a.example"},
	    {"https://a.example:80", "https://a.example:80"},
	    {"http://127.0.0.1:1", "http://127.0.0.1:1"},
	    {"http://[0:0:0::1]:65535", "http://[::1]:65535"},
	    {"http://[::1]", "http://[::1]"},
	    {"tauri://localhost", "tauri://localhost"},
	    {"chrome-extension://abc", "chrome-extension://abc"},
	    {"app+1.x://h:80", "app+1.x://h:80"},
	};
	static const char *const none[] = {"", "null", "*", "http", "http:", "http:/a", "http://",
	    "://a", "1a://h", "a b://h", "http://a/", "http://a:1/", "http://a?", "http://a#",
	    "http://u@a", "http://a:", "http://a:0", "http://a:65536", "http://a:123456",
	    "http://a:1:2", "http://a:+1", "http://*.a", "http://[::1", "http://[::1]x",
	    "http://[]", "http://[1]", "http://\xc3\xa9", "http://a b", " http://a", "http://a "};
	char out[ORIGIN_SIZE], longest[ORIGIN_SIZE + 10] = "http://";

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		ck_assert_msg(origin_normal(forms[i][0], out), "%s", forms[i][0]);
		ck_assert_str_eq(out, forms[i][1]);
	}
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		ck_assert_msg(!origin_normal(none[i], out), "%s", none[i]);
	memset(longest + 7, 'a', 253);
	strcpy(longest + 260, ":65535");
	ck_assert(origin_normal(longest, out));
	ck_assert_str_eq(out, longest);
	strcpy(longest + 260, "a");
	ck_assert(!origin_normal(longest, out));
}
END_TEST

START_TEST(fake_loop_fires_in_order_and_only_when_due)
{
	struct loop *l = loop_new_fake(5000);
	struct loop_timer a, b, c;

	trace[0] = '\0';
	loop_timer_init(&a, l, note, one);
	loop_timer_init(&b, l, note, two);
	loop_timer_init(&c, l, note, three);
	loop_timer_set(&b, 20);
	loop_timer_set(&a, 10);
	loop_timer_set(&c, 15);
	loop_timer_cancel(&c);
	loop_fake_advance(l, 9);
	ck_assert_str_eq(trace, "");
	loop_fake_advance(l, 100);
	ck_assert_str_eq(trace, "12");
	ck_assert_int_eq(loop_wall(l), 5109);
	loop_free(l);
}
END_TEST

/* A timer that looks at the clock when it fires. */
struct punctual {
	struct loop *loop;
	struct loop_timer timer;
	bool fired, early;
};

/* It fires. */
static void
punctual_on_timer(void *arg)
{
	struct punctual *p = arg;

	p->fired = true;
	p->early = loop_now(p->loop) < p->timer.due;
}

START_TEST(no_timer_is_early)
{
	struct loop *l = loop_new();
	struct punctual all[40];

	for (int i = 0; i < 40; i++) {
		all[i] = (struct punctual){.loop = l};
		loop_timer_init(&all[i].timer, l, punctual_on_timer, &all[i]);
		loop_timer_set(&all[i].timer, i);
	}
	while (!all[39].fired)
		loop_turn(l, true);
	for (int i = 0; i < 40; i++) {
		ck_assert(all[i].fired);
		ck_assert(!all[i].early);
	}
	loop_free(l);
}
END_TEST

/* Posts from another thread. */
static void *
post_thread(void *arg)
{
	loop_post(arg, note, one);
	loop_post(arg, note, two);
	loop_stop(arg);
	return NULL;
}

START_TEST(letters_from_another_thread_arrive_in_order)
{
	struct loop *l = loop_new();
	pthread_t t;

	trace[0] = '\0';
	pthread_create(&t, NULL, post_thread, l);
	loop_run(l);
	pthread_join(t, NULL);
	loop_turn(l, false);
	ck_assert_str_eq(trace, "12");
	loop_free(l);
}
END_TEST

/* All tests of the room. */
static Suite *
base_suite(void)
{
	const TTest *const tests[] = {
	    buf_refuses_beyond_its_limit_and_keeps_what_it_had,
	    buf_formats_long_text_whole,
	    timestamps_take_every_form_that_bluejay_sends,
	    timestamps_refuse_what_is_none,
	    http_dates_round_trip,
	    uuids_have_their_form,
	    a_name_is_made_durable_in_its_folder,
	    digest_is_sha256,
	    headers_are_put_and_replaced,
	    headers_that_may_not_be_sent_are_refused,
	    headers_are_bounded,
	    origins_have_one_normal_form,
	    fake_loop_fires_in_order_and_only_when_due,
	    no_timer_is_early,
	    letters_from_another_thread_arrive_in_order,
	    NULL,
	};

	return unit_suite("base", tests);
}

Suite *chunked_suite(void);
Suite *log_suite(void);
Suite *mem_trim_suite(void);
Suite *metric_suite(void);
Suite *network_suite(void);
Suite *notify_suite(void);
Suite *tls_suite(void);
Suite *trace_suite(void);

UNIT_MAIN(base_suite, chunked_suite, log_suite, mem_trim_suite, metric_suite, network_suite, notify_suite,
    tls_suite, trace_suite)
