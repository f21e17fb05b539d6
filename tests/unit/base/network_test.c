#include "config.h"

#include "base/network.h"
#include "unit.h"

#include <string.h>

Suite *network_suite(void);

START_TEST(ranges_hold_what_lies_in_them)
{
	static const struct {
		const char *range, *peer;
		bool held;
	} rows[] = {
	    {"127.0.0.1", "127.0.0.1", true}, {"127.0.0.1", "127.0.0.2", false},
	    {"10.0.0.0/8", "10.255.1.2", true}, {"10.0.0.0/8", "11.0.0.0", false},
	    {"192.0.2.128/25", "192.0.2.128", true}, {"192.0.2.128/25", "192.0.2.127", false},
	    {"0.0.0.0/0", "203.0.113.9", true}, {"0.0.0.0/0", "::1", false},
	    {"0.0.0.0/0", "unix", false}, {"::/0", "2001:db8::1", true},
	    {"::/0", "192.0.2.1", false}, {"2001:db8::/32", "2001:db8:ffff::", true},
	    {"2001:db8::/33", "2001:db8:8000::", false}, {"::1", "::1", true},
	    {"::ffff:192.0.2.1", "192.0.2.1", true}, {"::ffff:10.0.0.0/104", "10.1.1.1", true},
	    {"192.0.2.0/24", "::ffff:192.0.2.7", true}, {"unix", "unix", true},
	    {"unix", "127.0.0.1", false}, {"127.0.0.1", "unix", false}, {"::1", "unix", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct network n;

		ck_assert_msg(network_read(rows[i].range, &n, NULL), "%s", rows[i].range);
		ck_assert_msg(network_holds(&n, 1, rows[i].peer) == rows[i].held, "%s %s",
		    rows[i].range, rows[i].peer);
		ck_assert(!network_holds(&n, 0, rows[i].peer));
	}
}
END_TEST

START_TEST(what_is_no_range_is_refused)
{
	static const char *const bad[] = {"", "localhost", "127.0.0.1/", "127.0.0.1/33",
	    "127.0.0.1/08", "127.0.0.1/-1", "127.0.0.1/8x", "127.1", "01.2.3.4", "[::1]", "::1/129",
	    "127.0.0.1:80", "unix:", "Unix", "unix/0", "*", "10.0.0.0/255.0.0.0", "/8", " 127.0.0.1"};
	static const char *const slips[][2] = {{"10.0.0.1/8", "10.0.0.0/8"},
	    {"192.0.2.255/25", "192.0.2.128/25"}, {"2001:db8::1/32", "2001:db8::/32"},
	    {"::ffff:10.0.0.1/104", "10.0.0.0/8"}};
	char base[NETWORK_TEXT_SIZE + 4];
	struct network n;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_msg(!network_read(bad[i], &n, base), "%s", bad[i]);
		ck_assert_str_eq(base, "");
	}
	for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
		ck_assert_msg(!network_read(slips[i][0], &n, base), "%s", slips[i][0]);
		ck_assert_str_eq(base, slips[i][1]);
	}
}
END_TEST

START_TEST(addresses_have_one_usual_form)
{
	static const char *const rows[][2] = {{"192.0.2.1", "192.0.2.1"},
	    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"}, {"::ffff:192.0.2.1", "192.0.2.1"},
	    {"::FFFF:c000:201", "192.0.2.1"}};
	char out[NETWORK_TEXT_SIZE];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert(network_normal(rows[i][0], strlen(rows[i][0]), out));
		ck_assert_str_eq(out, rows[i][1]);
	}
	ck_assert(network_normal("192.0.2.17", 9, out));
	ck_assert_str_eq(out, "192.0.2.1");
	ck_assert(!network_normal("unix", 4, out));
	ck_assert(!network_normal("127.0.0.1\0", 10, out));
	ck_assert(!network_normal("", 0, out));
	ck_assert(!network_normal("1111:1111:1111:1111:1111:1111:111.111.111.1111", 47, out));
}
END_TEST

/* The suite. */
Suite *
network_suite(void)
{
	const TTest *const tests[] = {ranges_hold_what_lies_in_them, what_is_no_range_is_refused,
	    addresses_have_one_usual_form, NULL};

	return unit_suite("network", tests);
}
