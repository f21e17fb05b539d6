#include "config.h"

#include "api/client_claim.h"
#include "api/client_failures.h"
#include "api/client_pass.h"
#include "api/client_rate.h"
#include "api_test.h"

#include <stdio.h>
#include <string.h>

/* ---- the token of a request ---- */

/* Reads the claim of a request with these fields, names and values in turn. */
static enum client_claim
claim(char digest[DIGEST_HEX_SIZE], const char *const *fields)
{
	struct http_field list[4];
	struct http_request q = {.fields = list};

	for (; fields[0] != NULL; fields += 2)
		list[q.field_count++] = (struct http_field){fields[0], fields[1]};
	return client_claim_read(&q, digest);
}

START_TEST(tokens_are_read_where_they_may_stand)
{
	/* "c2VjcmV0OnQ=" is "secret:t", "OnQ=" ":t", "OjpvZGQ6dA==" "::odd:t". */
	static const struct {
		const char *fields[7];
		enum client_claim claim;
		const char *token;
	} rows[] = {
	    {{"authorization", "Bearer t"}, CLIENT_CLAIM_ONE, "t"},
	    {{"authorization", "bEARER  t"}, CLIENT_CLAIM_ONE, "t"},
	    {{"x-api-key", "t"}, CLIENT_CLAIM_ONE, "t"},
	    {{"authorization", "Basic OnQ="}, CLIENT_CLAIM_ONE, "t"},
	    {{"authorization", "basic c2VjcmV0OnQ="}, CLIENT_CLAIM_ONE, "t"},
	    {{"authorization", "Basic OjpvZGQ6dA=="}, CLIENT_CLAIM_ONE, ":odd:t"},
	    {{"authorization", "Bearer t", "x-api-key", "t"}, CLIENT_CLAIM_ONE, "t"},
	    {{"x-api-key", "t", "x-api-key", "t"}, CLIENT_CLAIM_ONE, "t"},
	    {{"authorization", "Basic OnQ=", "x-api-key", "t"}, CLIENT_CLAIM_ONE, "t"},
	    {{"authorization", "Bearer t", "x-api-key", "u"}, CLIENT_CLAIM_TWO, NULL},
	    {{"x-api-key", "t", "x-api-key", "u"}, CLIENT_CLAIM_TWO, NULL},
	    {{"x-api-key", "t", "x-api-key", "t", "x-api-key", "u"}, CLIENT_CLAIM_TWO, NULL},
	    {{NULL}, CLIENT_CLAIM_NONE, ""},
	    {{"x-api-key", ""}, CLIENT_CLAIM_NONE, ""},
	    {{"authorization", "Bearer"}, CLIENT_CLAIM_NONE, ""},
	    {{"authorization", "Bearer "}, CLIENT_CLAIM_NONE, ""},
	    {{"authorization", "Bearert"}, CLIENT_CLAIM_NONE, ""},
	    {{"authorization", "Digest t"}, CLIENT_CLAIM_NONE, ""},
	    {{"authorization", "t"}, CLIENT_CLAIM_NONE, ""},
	    {{"authorization", "Basic "}, CLIENT_CLAIM_NONE, ""},
	    {{"authorization", "Basic dA=="}, CLIENT_CLAIM_NONE, ""},     /* no colon */
	    {{"authorization", "Basic dDo="}, CLIENT_CLAIM_NONE, ""},     /* no password */
	    {{"authorization", "Basic OnQ"}, CLIENT_CLAIM_NONE, ""},      /* cut */
	    {{"authorization", "Basic :t"}, CLIENT_CLAIM_NONE, ""},
	    {{"authorization", "Basic dDo=", "x-api-key", "u"}, CLIENT_CLAIM_ONE, "u"},
	    {{"cookie", "t"}, CLIENT_CLAIM_NONE, ""},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char digest[DIGEST_HEX_SIZE], want[DIGEST_HEX_SIZE];

		ck_assert_msg(claim(digest, rows[i].fields) == rows[i].claim, "row %zu", i);
		if (rows[i].token == NULL)
			continue;
		digest_hex(rows[i].token, strlen(rows[i].token), want);
		ck_assert_msg(strcmp(digest, want) == 0, "row %zu", i);
	}
	ck_assert(client_claim_is("Authorization", "Bearer x"));
	ck_assert(client_claim_is("X-API-Key", "x"));
	ck_assert(!client_claim_is("Authorization", "Negotiate x"));
}
END_TEST

/* ---- the rate ---- */

START_TEST(a_rate_lets_a_minutes_requests_come_at_once_and_then_one_by_one)
{
	struct client_rate r = {0};
	struct client_rate_left left;

	for (int i = 0; i < 30; i++) {
		ck_assert(client_rate_take(&r, 30, 500, &left));
		ck_assert_int_eq(left.requests, 29 - i);
		ck_assert_int_eq(left.reset_s, 2 * (i + 1));
	}
	ck_assert(!client_rate_take(&r, 30, 500, &left));
	ck_assert_int_eq(left.requests, 0);
	ck_assert_int_eq(left.reset_s, 2);
	ck_assert(!client_rate_take(&r, 30, 2499, &left));
	ck_assert_int_eq(left.reset_s, 1);
	ck_assert(client_rate_take(&r, 30, 2500, &left)); /* when it was said */
	ck_assert(!client_rate_take(&r, 30, 2500, &left));
	ck_assert(client_rate_take(&r, 30, 6500, &left));
	ck_assert(client_rate_take(&r, 30, 6500, &left));
	ck_assert(!client_rate_take(&r, 30, 6500, &left));
	/* A bucket does not become more than full, nor time run backwards. */
	ck_assert(client_rate_take(&r, 30, INT64_C(1) << 50, &left));
	ck_assert_int_eq(left.requests, 29);
	ck_assert(client_rate_take(&r, 30, 0, &left));
	ck_assert_int_eq(left.requests, 28);
}
END_TEST

START_TEST(rates_of_every_size_keep_what_retry_after_says)
{
	static const int64_t rates[] = {1, 7, 61, 999, 1000000};

	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct client_rate r = {0};
		struct client_rate_left left;
		int64_t n = 0, now = 12345;

		while (client_rate_take(&r, rates[i], now, &left))
			n++;
		ck_assert_int_eq(n, rates[i]);
		ck_assert_int_ge(left.reset_s, 1);
		ck_assert(client_rate_take(&r, rates[i], now + left.reset_s * 1000, &left));
	}
}
END_TEST

/* ---- failures ---- */

/* Notes failures of a peer at one time; the wait of the last. */
static int64_t
failures(struct client_failures *f, const char *peer, int count, int64_t now)
{
	int64_t wait = 0;
	bool first;

	while (count-- > 0)
		wait = client_failures_note(f, peer, now, &first);
	return wait;
}

START_TEST(failures_of_an_address_are_slowed_and_forgiven)
{
	struct client_failures *f = client_failures_new();
	bool first;

	ck_assert_int_eq(failures(f, "192.0.2.1", CLIENT_FAILURES_FREE, 1000), 0);
	ck_assert_int_eq(client_failures_note(f, "192.0.2.1", 1000, &first), 250);
	ck_assert(first);
	ck_assert_int_eq(client_failures_note(f, "192.0.2.1", 1000, &first), 500);
	ck_assert(!first);
	ck_assert_int_eq(failures(f, "192.0.2.1", 1, 1000), 1000);
	ck_assert_int_eq(failures(f, "192.0.2.1", 1, 1000), 2000);
	ck_assert_int_eq(failures(f, "192.0.2.1", 1000, 1000), CLIENT_FAILURES_LONGEST);
	/* Others are not held up by that. */
	ck_assert_int_eq(failures(f, "192.0.2.2", CLIENT_FAILURES_FREE, 1000), 0);
	ck_assert_int_eq(failures(f, "unix", CLIENT_FAILURES_FREE, 1000), 0);
	/* However many there were, two minutes are enough. */
	ck_assert_int_eq(failures(f, "192.0.2.1", CLIENT_FAILURES_FREE, 121000), 0);
	ck_assert_int_gt(failures(f, "192.0.2.1", 1, 121000), 0);
	ck_assert_int_eq(failures(f, "192.0.2.1", 1, 121000 + CLIENT_FAILURES_FORGIVE), 250);
	client_failures_free(f);
}
END_TEST

START_TEST(one_hosts_addresses_are_one)
{
	struct client_failures *f = client_failures_new();

	failures(f, "2001:db8:1:2::1", CLIENT_FAILURES_FREE, 0);
	ck_assert_int_eq(failures(f, "2001:db8:1:2:ffff::9", 1, 0), 250); /* the same /64 */
	ck_assert_int_eq(failures(f, "2001:db8:1:3::1", 1, 0), 0);
	failures(f, "198.51.100.7", CLIENT_FAILURES_FREE, 0);
	ck_assert_int_eq(failures(f, "::ffff:198.51.100.7", 1, 0), 250);
	ck_assert_int_eq(failures(f, "::ffff:198.51.100.8", 1, 0), 0);
	client_failures_free(f);
}
END_TEST

START_TEST(a_flood_of_addresses_does_not_hide_who_makes_many)
{
	struct client_failures *f = client_failures_new();
	char peer[32];

	failures(f, "192.0.2.1", 30, 0);
	for (int i = 0; i < 3 * CLIENT_FAILURES_ADDRESSES; i++) {
		snprintf(peer, sizeof peer, "10.%d.%d.%d", i >> 16 & 255, i >> 8 & 255, i & 255);
		failures(f, peer, 1, 0);
	}
	ck_assert_int_eq(failures(f, "192.0.2.1", 1, 0), CLIENT_FAILURES_LONGEST);
	client_failures_free(f);
}
END_TEST

/* ---- what is passed on ---- */

START_TEST(what_is_passed_on_for_whom)
{
	char shop[] = "shop", other[] = "a b", *projects[] = {shop, other, NULL};
	static const struct {
		const char *path;
		enum client_pass limited;
	} rows[] = {
	    {"/api/projects", CLIENT_PASS_OWN}, {"/api/projects/shop", CLIENT_PASS_MAY},
	    {"/api/projects/shop/", CLIENT_PASS_MAY}, {"/api/projects/shop/runs/1", CLIENT_PASS_MAY},
	    {"/api/projects/%73hop/runs", CLIENT_PASS_MAY}, {"/api/projects/a%20b/x", CLIENT_PASS_MAY},
	    {"/api/projects/shop/a%20b", CLIENT_PASS_MAY},
	    {"/api/projects/other/runs", CLIENT_PASS_NO_PROJECT},
	    {"/api/projects/Shop/runs", CLIENT_PASS_NO_PROJECT},
	    {"/api/projects/shop2/runs", CLIENT_PASS_NO_PROJECT},
	    {"/api/projects/", CLIENT_PASS_OUTSIDE}, {"/api/projects//shop", CLIENT_PASS_OUTSIDE},
	    {"/api/projectsx/shop", CLIENT_PASS_OUTSIDE}, {"/API/projects/shop", CLIENT_PASS_OUTSIDE},
	    {"/api/status", CLIENT_PASS_OUTSIDE}, {"/", CLIENT_PASS_OUTSIDE}, {"*", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop/../other/runs", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop/%2e%2e/other/runs", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop/%2E./other", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop/..;/other", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop/;x", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop\\..\\other", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop%5c..%5cother", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop%2f..%2fother", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop%252f..%252fother", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop/%c0%ae%c0%ae/other", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop%00/x", CLIENT_PASS_OUTSIDE}, {"/api/projects/shop/%zz", CLIENT_PASS_OUTSIDE},
	    {"/api/projects/shop/.", CLIENT_PASS_OUTSIDE}, {"/api/projects/shop//x", CLIENT_PASS_OUTSIDE},
	};
	const struct config_client limited = {.projects = projects};
	const struct config_client wide = {.passthrough = true}, plain = {.read_only = true};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_msg(client_pass(&limited, PASS_OTHER, rows[i].path) == rows[i].limited, "%s",
		    rows[i].path);
		ck_assert_int_eq(client_pass(&plain, PASS_OTHER, rows[i].path), CLIENT_PASS_MAY);
		ck_assert_int_eq(client_pass(NULL, PASS_OTHER, rows[i].path), CLIENT_PASS_MAY);
	}
	ck_assert_int_eq(client_pass(&limited, PASS_BLUEJAY, "/v1/ping"), CLIENT_PASS_NO_BLUEJAY);
	ck_assert_int_eq(client_pass(&plain, PASS_BLUEJAY, "/v1/ping"), CLIENT_PASS_NO_BLUEJAY);
	ck_assert_int_eq(client_pass(&wide, PASS_BLUEJAY, "/v1/ping"), CLIENT_PASS_MAY);
	ck_assert_int_eq(client_pass(NULL, PASS_BLUEJAY, "/v1/ping"), CLIENT_PASS_MAY);
}
END_TEST

/* Tests of what the gate is made of. */
Suite *
client_suite(void)
{
	const TTest *const tests[] = {tokens_are_read_where_they_may_stand,
	    a_rate_lets_a_minutes_requests_come_at_once_and_then_one_by_one,
	    rates_of_every_size_keep_what_retry_after_says,
	    failures_of_an_address_are_slowed_and_forgiven, one_hosts_addresses_are_one,
	    a_flood_of_addresses_does_not_hide_who_makes_many, what_is_passed_on_for_whom, NULL};

	return unit_suite("client", tests);
}
