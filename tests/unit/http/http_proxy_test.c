#include "config.h"

#include "http_rig.h"
#include "base/mem.h"
#include "http/http_proxy.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The PROXY protocol: headers as haproxy's specification has them, cut at every place.
 */

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xcb\x00\x71\x07\xc0\x00\x02\x01\x30\x39\x01\xbb" /* 203.0.113.7 and two ports */
#define V6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"       /* 2001:db8::7 */
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff\xcb\x00\x71\x07"
#define LINE(text) {text, sizeof text - 1}

struct row {
	const char *bytes;
	size_t len;
};

/* Good headers, and who the client is: NULL for one that is not known, "itself". */
static const struct {
	struct row header;
	const char *client;
} good[] = {
    {LINE("PROXY TCP4 203.0.113.7 192.0.2.1 12345 443\r\n"), "203.0.113.7"},
    {LINE("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255"},
    {LINE("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0"},
    {LINE("PROXY TCP6 2001:DB8::7 ::1 1 2\r\n"), "2001:db8::7"},
    {LINE("PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n"), "203.0.113.7"},
    {LINE("PROXY TCP6 ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), ""}, /* no address */
    {LINE("PROXY UNKNOWN\r\n"), NULL},
    {LINE("PROXY UNKNOWN ffff::1 ffff::1 65535 65535\r\n"), NULL},
    {LINE("PROXY UNKNOWN \0\x01 what\tever\r\n"), NULL},
    {LINE(V2 "\x21\x11\0\x0c" V4), "203.0.113.7"},
    {LINE(V2 "\x21\x11\0\x13" V4 "\x04\0\x04" "noop"), "203.0.113.7"},
    {LINE(V2 "\x21\x21\0\x24" V6 V6 "\0\1\0\2"), "2001:db8::7"},
    {LINE(V2 "\x21\x21\0\x24" MAPPED V6 "\0\1\0\2"), "203.0.113.7"},
    {LINE(V2 "\x20\0\0\0"), "itself"},
    {LINE(V2 "\x20\x11\0\x0c" V4), "itself"},
    {LINE(V2 "\x20\xff\0\3abc"), "itself"}, /* the family of LOCAL is ignored */
    {LINE(V2 "\x21\0\0\0"), NULL},
    {LINE(V2 "\x21\0\0\5abcde"), NULL},
};

static const struct row bad[] = {
    LINE("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), LINE("\x16\x03\x01\x02"), LINE("\r\n\r\nG"),
    LINE("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"), LINE("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n"),
    LINE("PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n"), LINE(" PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n"),
    LINE("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"), LINE("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n"),
    LINE("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"), LINE("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"),
    LINE("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), LINE("PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n"),
    LINE("PROXY TCP4 1.2.3.4 1.2.3.4  1 2\r\n"), LINE("PROXY TCP4 1.2.3.4 1.2.3.4\t1 2\r\n"),
    LINE("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"), LINE("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"),
    LINE("PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n"), LINE("PROXY TCP4 1.2.3.4 1.2.3.4 1 0x2\r\n"),
    LINE("PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n"), LINE("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"),
    LINE("PROXY TCP4 1.2.3.4 host 1 2\r\n"), LINE("PROXY TCP4 ::1 ::1 1 2\r\n"),
    LINE("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"), LINE("PROXY TCP6 [::1] ::1 1 2\r\n"),
    LINE("PROXY TCP6 fe80::1%lo ::1 1 2\r\n"), LINE("PROXY TCP6 1::2::3 ::1 1 2\r\n"),
    LINE("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"), LINE("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"),
    LINE("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"), LINE("PROXY UNIX\r\n"), LINE("PROXY \r\n"),
    LINE("PROXY TCP4\r\n"), LINE("PROXY UNKNOWNS\r\n"), LINE("PROXY UNKNOWN\rx\r\n"),
    /* 108 bytes, one too many */
    LINE("PROXY UNKNOWN 567890123456789012345678901234567890123456789012345678901234567890123456789"
         "01234567890123456\r\n"),
    LINE(V2 "\x11\x11\0\x0c" V4), LINE(V2 "\x31\x11\0\x0c" V4), LINE(V2 "\x22\x11\0\x0c" V4),
    LINE(V2 "\x21\x12\0\x0c" V4), LINE(V2 "\x21\x10\0\x0c" V4), LINE(V2 "\x21\x01\0\x0c" V4),
    LINE(V2 "\x21\x41\0\x0c" V4), LINE(V2 "\x21\x13\0\x0c" V4), LINE(V2 "\x21\x11\0\x0b" V4),
    LINE(V2 "\x21\x11\0\0"), LINE(V2 "\x21\x21\0\x23" V6 V6 "\0\1\0\2"), LINE(V2 "\x21\x31\0\xd7"),
};

/* Sends the bytes through a socket, cut in two, and takes the header; what is left of the
 * bytes must come after it. */
static enum http_proxy_result
through(const struct row *r, size_t cut, struct http_proxy *p)
{
	static const char after[] = "\r\n\r\nwhat follows";
	enum http_proxy_result result;
	char rest[64] = "";
	int fd[2];

	memset(p, 0, sizeof *p);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	if (cut > 0)
		ck_assert_int_eq(send(fd[0], r->bytes, cut, 0), (ssize_t)cut);
	result = http_proxy_take(p, fd[1]);
	if (result == HTTP_PROXY_MORE) {
		ck_assert_int_eq(recv(fd[1], rest, sizeof rest, MSG_PEEK), -1); /* nothing to spin on */
		if (r->len > cut)
			ck_assert_int_eq(send(fd[0], r->bytes + cut, r->len - cut, 0), (ssize_t)(r->len - cut));
		ck_assert_int_eq(send(fd[0], after, sizeof after - 1, 0), (ssize_t)sizeof after - 1);
		result = http_proxy_take(p, fd[1]);
		if (result == HTTP_PROXY_DONE) {
			ck_assert_int_eq(recv(fd[1], rest, sizeof rest, 0), (ssize_t)sizeof after - 1);
			ck_assert_str_eq(rest, after);
		}
	}
	close(fd[0]);
	close(fd[1]);
	return result;
}

START_TEST(good_headers_name_the_client_wherever_they_are_cut)
{
	struct http_proxy p;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		const struct row *r = &good[i].header;
		const char *want = good[i].client;

		for (size_t cut = 0; cut <= r->len; cut++) {
			enum http_proxy_result result = through(r, cut, &p);

			if (want != NULL && want[0] == '\0') {
				ck_assert_msg(result == HTTP_PROXY_BAD, "%zu at %zu", i, cut);
				continue;
			}
			ck_assert_msg(result == HTTP_PROXY_DONE, "%zu at %zu: %d", i, cut, (int)result);
			ck_assert_uint_eq(p.header.length, r->len);
			if (want == NULL) {
				ck_assert_int_eq(p.header.client, HTTP_PROXY_UNKNOWN);
			} else if (strcmp(want, "itself") == 0) {
				ck_assert_int_eq(p.header.client, HTTP_PROXY_ITSELF);
			} else {
				ck_assert_int_eq(p.header.client, HTTP_PROXY_ADDRESS);
				ck_assert_str_eq(p.header.address, want);
			}
		}
	}
}
END_TEST

START_TEST(bad_headers_are_bad_wherever_they_are_cut)
{
	struct http_proxy p;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		for (size_t cut = 0; cut <= bad[i].len; cut++)
			ck_assert_msg(through(&bad[i], cut, &p) == HTTP_PROXY_BAD, "%zu: %s at %zu", i,
			    bad[i].bytes, cut);
}
END_TEST

START_TEST(the_longest_line_and_the_longest_block_are_taken)
{
	static char block[16 + 65535] = V2 "\x21\x31\xff\xff";
	char line[HTTP_PROXY_V1_MAX + 2];
	const struct row longest = {line, HTTP_PROXY_V1_MAX}, whole = {block, sizeof block};
	struct http_proxy p;

	memset(line, 'x', sizeof line);
	memcpy(line, "PROXY UNKNOWN ", 14);
	strcpy(line + HTTP_PROXY_V1_MAX - 2, "\r\n");
	for (size_t cut = 0; cut <= longest.len; cut++)
		ck_assert_int_eq(through(&longest, cut, &p), HTTP_PROXY_DONE);
	for (size_t cut = 0; cut <= sizeof block; cut += cut < 300 ? 1 : 997) {
		ck_assert_int_eq(through(&whole, cut, &p), HTTP_PROXY_DONE);
		ck_assert_int_eq(p.header.client, HTTP_PROXY_UNKNOWN);
	}
}
END_TEST

/* ---- a server behind a proxy ---- */

#define GET "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define GET_FOR(who) "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: " who "\r\n\r\n"
#define HEAD4 "PROXY TCP4 203.0.113.7 192.0.2.1 12345 443\r\n"

static const char *const local[] = {"unix", NULL}, *const nobody[] = {"192.0.2.1", NULL};

/* Notes who asks. */
static void
serve_peer(struct rig *rig, struct http_exchange *ex)
{
	const struct http_request *r = http_exchange_request(ex);

	buf_drain(&rig->seen, rig->seen.len);
	buf_addf(&rig->seen, "%s by %s", r->peer, r->near);
	http_answer(ex, 200, NULL, "x", 1);
}

START_TEST(a_named_address_begins_with_a_header)
{
	struct rig rig = {.service = serve_peer, .config.proxy_headed = local};
	struct http_server_counts n;
	struct client c;

	rig_start(&rig);
	for (size_t cut = 0; cut <= sizeof HEAD4 GET - 1; cut++) {
		static const char all[] = HEAD4 GET;

		client_open(&c, &rig);
		client_send(&c, all, cut);
		client_send(&c, all + cut, sizeof all - 1 - cut);
		ck_assert_int_eq(client_status(&c, 0), 200);
		ck_assert_str_eq(rig.seen.data, "203.0.113.7 by 203.0.113.7");
		client_says(&c, GET); /* once, for the whole connection */
		ck_assert_int_eq(client_status(&c, 1), 200);
		client_close(&c);
	}
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.unproxied, 0);
	client_open(&c, &rig);
	client_says(&c, GET);
	ck_assert(c.closed);
	ck_assert_uint_eq(c.got.len, 0);
	client_close(&c);
	client_open(&c, &rig); /* a proxy looks whether somebody is there */
	client_close(&c);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.unproxied, 1);
	ck_assert_uint_eq(n.open, 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(from_others_a_header_is_no_request)
{
	struct rig rig = {.service = serve_peer, .config.proxy_headed = nobody};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, HEAD4 GET);
	ck_assert_int_eq(client_status(&c, 0), 400);
	ck_assert(c.closed || client_has(&c, 0, "Connection: close"));
	client_close(&c);
	client_open(&c, &rig);
	client_send(&c, V2 "\x21\x11\0\x0c" V4 GET, sizeof V2 + 15 + sizeof GET - 1);
	ck_assert_int_eq(client_status(&c, 0), 400);
	client_close(&c);
	ck_assert_uint_eq(rig.seen.len, 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_header_has_its_time_however_slowly_it_comes)
{
	struct rig rig = {.config.proxy_headed = local, .config.limits = HTTP_LIMITS_DEFAULT};
	struct http_server_counts n;
	struct client c;

	rig.config.limits.head_ms = 1000;
	rig_start(&rig);
	client_open(&c, &rig);
	for (int i = 0; i < 9; i++) {
		client_send(&c, HEAD4 + i, 1);
		loop_fake_advance(rig.loop, 110);
	}
	client_read(&c);
	ck_assert(!c.closed);
	loop_fake_advance(rig.loop, 20);
	client_read(&c);
	ck_assert(c.closed);
	ck_assert_uint_eq(c.got.len, 0);
	client_close(&c);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.timeouts[HTTP_TIMEOUT_HEAD], 1);
	rig_stop(&rig);
}
END_TEST

/* What the server takes the client of a request for. */
static const char *
taken_for(struct rig *rig, const char *bytes, size_t len)
{
	struct client c;

	client_open(&c, rig);
	client_send(&c, bytes, len);
	ck_assert_int_eq(client_status(&c, 0), 200);
	client_close(&c);
	return rig->seen.data;
}

START_TEST(what_a_veiled_client_says_of_others_is_not_believed)
{
	static const char proxied[] = HEAD4 GET_FOR("6.6.6.6"),
	    unknown[] = "PROXY UNKNOWN\r\n" GET_FOR("6.6.6.6"),
	    itself[] = V2 "\x20\0\0\0" GET_FOR("6.6.6.6"),
	    socket[] = V2 "\x21\0\0\0" GET_FOR("6.6.6.6");
	struct rig rig = {.service = serve_peer, .config.proxy_headed = local, .config.trusted = local};

	rig_start(&rig);
	ck_assert_str_eq(taken_for(&rig, proxied, sizeof proxied - 1), "203.0.113.7 by 203.0.113.7");
	ck_assert_str_eq(taken_for(&rig, unknown, sizeof unknown - 1), "unix by unix");
	ck_assert_str_eq(taken_for(&rig, socket, sizeof socket - 1), "unix by unix");
	ck_assert_str_eq(taken_for(&rig, itself, sizeof itself - 1), "6.6.6.6 by unix");
	rig_stop(&rig);
}
END_TEST

START_TEST(other_ranges_hold_for_new_connections)
{
	struct rig rig = {.service = serve_peer};
	struct client old, new;

	rig_start(&rig);
	client_open(&old, &rig);
	rig.config.proxy_headed = rig.config.trusted = local;
	http_server_configure(rig.server, &rig.config);
	client_says(&old, GET_FOR("192.0.2.9"));
	ck_assert_str_eq(rig.seen.data, "192.0.2.9 by unix");
	client_open(&new, &rig);
	client_says(&new, HEAD4 GET);
	ck_assert_str_eq(rig.seen.data, "203.0.113.7 by 203.0.113.7");
	client_close(&old);
	client_close(&new);
	rig_stop(&rig);
}
END_TEST

/* Nothing is left. */
static void
on_drained(void *arg)
{
	struct rig *rig = arg;

	rig->drained++;
}

START_TEST(a_drain_waits_a_second_for_a_header_and_one_for_a_request)
{
	struct rig rig = {.config.proxy_headed = local};
	struct client c, late;

	rig_start(&rig);
	client_open(&c, &rig);
	client_open(&late, &rig);
	client_send(&c, HEAD4, 5);
	http_server_drain(rig.server, 60000, on_drained, &rig);
	loop_fake_advance(rig.loop, 900);
	client_says(&c, HEAD4 + 5);
	loop_fake_advance(rig.loop, 900);
	client_read(&c);
	client_read(&late);
	ck_assert(late.closed && !c.closed);
	client_says(&c, GET);
	ck_assert_int_eq(client_status(&c, 0), 200);
	ck_assert(c.closed);
	client_close(&c);
	client_close(&late);
	loop_fake_advance(rig.loop, 0);
	ck_assert_uint_eq(rig.drained, 1);
	rig_stop(&rig);
}
END_TEST

/* Notes who asks, and how. */
static void
serve_scheme(struct rig *rig, struct http_exchange *ex)
{
	const struct http_request *r = http_exchange_request(ex);

	buf_drain(&rig->seen, rig->seen.len);
	buf_addf(&rig->seen, "%s by %s", r->peer, r->scheme);
	http_answer(ex, 200, NULL, "x", 1);
}

START_TEST(tls_comes_after_the_header)
{
	static const char *const loopback[] = {"127.0.0.1", NULL};
	struct rig rig = {.service = serve_scheme, .secure = true, .config.proxy_headed = loopback};
	struct http_server_counts n;
	struct client c;

	rig_start_at(&rig, "127.0.0.1:0");
	for (size_t cut = 0; cut < sizeof HEAD4; cut += 7) {
		client_connect(&c, &rig);
		ck_assert_int_eq(send(c.fd, HEAD4, cut, 0), (ssize_t)cut);
		rig_turn(&rig);
		ck_assert_int_eq(send(c.fd, HEAD4 + cut, sizeof HEAD4 - 1 - cut, 0),
		    (ssize_t)(sizeof HEAD4 - 1 - cut));
		ck_assert(client_secure(&c, NULL)); /* its first bytes may come together with these */
		client_says(&c, GET);
		ck_assert_int_eq(client_status(&c, 0), 200);
		ck_assert_str_eq(rig.seen.data, "203.0.113.7 by https");
		client_close(&c);
	}
	client_connect(&c, &rig);
	ck_assert(!client_secure(&c, NULL));
	client_close(&c);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.unproxied, 1);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_proxy_suite(void)
{
	const TTest *const tests[] = {good_headers_name_the_client_wherever_they_are_cut,
	    bad_headers_are_bad_wherever_they_are_cut,
	    the_longest_line_and_the_longest_block_are_taken, a_named_address_begins_with_a_header,
	    from_others_a_header_is_no_request, a_header_has_its_time_however_slowly_it_comes, tls_comes_after_the_header,
	    what_a_veiled_client_says_of_others_is_not_believed, other_ranges_hold_for_new_connections,
	    a_drain_waits_a_second_for_a_header_and_one_for_a_request, NULL};

	return unit_suite("http proxy", tests);
}
