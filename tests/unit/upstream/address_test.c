#include "config.h"

#include "call_bench.h"
#include "unit.h"
#include "upstream/address.h"
#include "upstream_suites.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* Whether the address of a text is public. */
static bool
is_public(const char *text)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return address_is_public((struct sockaddr *)&four);
	ck_assert_int_eq(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return address_is_public((struct sockaddr *)&six);
}

START_TEST(public_addresses_are_told_from_others)
{
	static const char *const yes[] = {"8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1",
	    "100.63.0.1",
	    "100.128.0.1", "169.253.0.1", "192.0.1.1", "198.17.0.1", "223.255.255.255", "11.0.0.1",
	    "2606:4700::1111", "2a00:1450:4001::1"};
	static const char *const no[] = {"127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3",
	    "172.16.0.1",
	    "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.1.1",
	    "224.0.0.1",
	    "255.255.255.255", "240.0.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.19.0.1",
	    "198.51.100.1", "203.0.113.1", "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1",
	    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "2001:db8::1", "2002:7f00:1::",
	    "2001::1", "fec0::1"};

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		ck_assert_msg(is_public(yes[i]), "%s", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		ck_assert_msg(!is_public(no[i]), "%s", no[i]);
	ck_assert(!address_is_public(&(struct sockaddr){.sa_family = AF_UNIX}));
}
END_TEST

START_TEST(a_client_for_public_addresses_never_connects_elsewhere)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false);
	b.config.public_only = true;
	b.config.retries = 1;
	bench_client(&b);
	q = bench_get(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_NO_CONNECT);
	ck_assert(!c.answer.maybe_received);
	ck_assert_uint_eq(fake_server_connections(b.server), 0);
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

START_TEST(key_and_types_stand_as_the_request_says)
{
	struct upstream_request q;
	struct bench_call c;
	const char *seen;
	struct bench b;

	bench_open(&b, false);
	bench_client(&b);
	q = bench_post(&b);
	q.key_field = "Authorization: Bearer ";
	q.body_type = "multipart/form-data; boundary=x";
	q.accept = "image/*";
	bench_run(&b, &c, &q);
	seen = fake_server_request(b.server, 0);
	ck_assert_ptr_nonnull(strstr(seen, "\r\nAuthorization: Bearer " BENCH_KEY "\r\n"));
	ck_assert_ptr_nonnull(strstr(seen,
	    "\r\nContent-Type: multipart/form-data; boundary=x\r\n"));
	ck_assert_ptr_nonnull(strstr(seen, "\r\nAccept: image/*\r\n"));
	ck_assert_ptr_null(strcasestr(seen, "x-api-key"));
	bench_forget(&c);
	q = bench_get(&b);
	q.api_key = NULL;
	bench_run(&b, &c, &q);
	seen = fake_server_request(b.server, 1);
	ck_assert_ptr_null(strstr(seen, BENCH_KEY));
	bench_forget(&c);
	bench_close(&b);
}
END_TEST

/* Tests of where a client connects and what it says of itself. */
Suite *
address_suite(void)
{
	const TTest *const tests[] = {
	    public_addresses_are_told_from_others,
	    a_client_for_public_addresses_never_connects_elsewhere,
	    key_and_types_stand_as_the_request_says,
	    NULL,
	};

	return unit_suite("upstream address", tests);
}
