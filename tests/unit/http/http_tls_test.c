#include "config.h"

#include "certificate.h"
#include "http_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* What has been counted. */
static struct http_server_counts
counts(struct rig *rig)
{
	struct http_server_counts c;

	http_server_counts(rig->server, &c);
	return c;
}

/* Answers with the request's scheme. */
static void
say_scheme(struct rig *rig, struct http_exchange *ex)
{
	const char *scheme = http_exchange_request(ex)->scheme;

	http_answer(ex, 200, NULL, scheme, strlen(scheme));
}

START_TEST(a_request_says_how_it_came)
{
	struct rig rig = {.secure = _i == 1, .service = say_scheme};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET);
	ck_assert_str_eq(client_body(&c, 0), _i == 1 ? "https" : "http");
	ck_assert_uint_eq(counts(&rig).handshakes, (unsigned)_i);
	client_close(&c);
	ck_assert_uint_eq(counts(&rig).open, 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_client_without_tls_is_told)
{
	static const char *const sayings[] = {GET, "P", "get / HTTP/1.0\r\n\r\n"};
	struct rig rig = {.secure = true};
	struct client c;

	rig_start(&rig);
	client_connect(&c, &rig);
	client_says(&c, sayings[_i]);
	ck_assert_int_eq(client_status(&c, 0), 400);
	ck_assert_str_eq(client_body(&c, 0),
	    "{\"error\":\"The client sent a plain request to a TLS port; use https\"}");
	ck_assert_uint_eq(counts(&rig).handshakes_failed, 1);
	ck_assert_uint_eq(counts(&rig).requests, 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(what_is_neither_is_refused)
{
	struct rig rig = {.secure = true};
	struct client c;

	rig_start(&rig);
	client_connect(&c, &rig);
	client_send(&c, "\0\1\2\3\4\5\6\7\10\11", 10);
	ck_assert(c.closed);
	ck_assert_uint_eq(counts(&rig).handshakes_failed, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* Whether a connection with these settings comes about. */
static bool
agrees(void (*set_up)(SSL *), struct client *c, struct rig *rig)
{
	client_connect(c, rig);
	return client_secure(c, set_up);
}

/* TLS 1.1, as far as this machine can still ask for it. */
static void
old(SSL *ssl)
{
	SSL_set_security_level(ssl, 0);
	SSL_set_min_proto_version(ssl, TLS1_VERSION);
	SSL_set_max_proto_version(ssl, TLS1_1_VERSION);
}

/* TLS 1.2 alone. */
static void
only_1_2(SSL *ssl)
{
	SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
}

/* TLS 1.3 alone. */
static void
only_1_3(SSL *ssl)
{
	SSL_set_min_proto_version(ssl, TLS1_3_VERSION);
}

/* Suites of 1.2 without authenticated encryption. */
static void
cbc(SSL *ssl)
{
	only_1_2(ssl);
	SSL_set_cipher_list(ssl, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA");
}

/* HTTP/2 alone. */
static void
h2(SSL *ssl)
{
	SSL_set_alpn_protos(ssl, (const unsigned char *)"\2h2", 3);
}

/* HTTP/2 rather than HTTP/1.1. */
static void
h2_first(SSL *ssl)
{
	SSL_set_alpn_protos(ssl, (const unsigned char *)"\2h2\10http/1.1", 12);
}

START_TEST(versions_suites_and_protocols_are_chosen)
{
	static const struct {
		void (*set_up)(SSL *);
		bool good;
	} cases[] = {{old, false}, {only_1_2, true}, {only_1_3, true}, {cbc, false}, {h2, false},
	    {h2_first, true}, {NULL, true}};
	struct rig rig = {.secure = true};
	const unsigned char *alpn;
	struct client c;
	unsigned len;

	rig_start(&rig);
	ck_assert_int_eq(agrees(cases[_i].set_up, &c, &rig), cases[_i].good);
	if (cases[_i].good) {
		client_says(&c, GET);
		ck_assert_int_eq(client_status(&c, 0), 200);
		SSL_get0_alpn_selected(c.ssl, &alpn, &len);
		ck_assert_uint_eq(len, cases[_i].set_up == h2_first ? 8 : 0);
	} else {
		rig_turn(&rig);
		ck_assert_uint_eq(counts(&rig).handshakes_failed, 1);
		ck_assert_uint_eq(counts(&rig).open, 0);
	}
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
	struct rig rig = {.secure = true};
	struct client c;

	rig_start(&rig);
	client_connect(&c, &rig);
	c.drips = true;
	ck_assert(client_secure(&c, _i == 0 ? only_1_2 : only_1_3));
	client_says(&c, GET GET);
	ck_assert_uint_eq(client_answers(&c), 2);
	client_close(&c);
	ck_assert_uint_eq(counts(&rig).open, 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_request_may_come_with_the_end_of_the_handshake)
{
	struct rig rig = {.secure = true};
	struct client c;

	rig_start(&rig);
	client_connect(&c, &rig);
	c.hasty = true;
	ck_assert(client_secure(&c, only_1_3));
	SSL_write(c.ssl, GET, sizeof GET - 1);
	client_read(&c);
	ck_assert_int_eq(client_status(&c, 0), 200);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_client_may_leave_after_any_byte)
{
	struct rig rig = {.secure = true};
	char hello[4096];
	size_t len = client_hello(hello, sizeof hello);
	struct client c;

	rig_start(&rig);
	for (size_t at = 0; at <= len; at++) {
		client_connect(&c, &rig);
		client_send(&c, hello, at);
		ck_assert_msg(!c.closed, "after %zu of %zu bytes", at, len);
		client_close(&c);
		ck_assert_uint_eq(counts(&rig).open, 0);
		ck_assert_uint_eq(counts(&rig).handshakes_failed, at + 1);
	}
	rig_stop(&rig);
}
END_TEST

START_TEST(keys_are_not_agreed_on_twice)
{
	struct rig rig = {.secure = true};
	struct client c;

	rig_start(&rig);
	client_connect(&c, &rig);
	ck_assert(client_secure(&c, only_1_2));
	client_says(&c, GET);
	SSL_renegotiate(c.ssl);
	SSL_do_handshake(c.ssl);
	client_read(&c);
	ck_assert_int_ne(SSL_do_handshake(c.ssl), 1);
	ck_assert_uint_eq(counts(&rig).handshakes, 1);
	client_close(&c);
	ck_assert_uint_eq(counts(&rig).open, 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(keys_are_not_changed_without_end)
{
	struct rig rig = {.secure = true};
	struct client c;
	int changes = 0;

	rig_start(&rig);
	client_connect(&c, &rig);
	ck_assert(client_secure(&c, only_1_3));
	for (; changes < 1000 && !c.closed; changes++) {
		SSL_key_update(c.ssl, _i == 0 ? SSL_KEY_UPDATE_NOT_REQUESTED : SSL_KEY_UPDATE_REQUESTED);
		ck_assert_int_eq(SSL_do_handshake(c.ssl), 1);
		if (changes >= 64)
			rig_turn(&rig);
		else
			client_says(&c, GET);
		client_read(&c);
	}
	ck_assert_int_ge(changes, 65);
	ck_assert_int_le(changes, 66);
	ck_assert_uint_eq(client_answers(&c), 64);
	ck_assert_uint_eq(counts(&rig).open, 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(many_small_records_leave_others_their_turn)
{
	static const char head[] = "POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n\r\n";
	static const char other_says[] = "GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct rig rig = {.secure = true};
	struct client c, other;
	const char *turn;

	rig_start(&rig);
	client_open(&other, &rig);
	client_open(&c, &rig);
	client_says(&c, head);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(client_put(&c, "x", 1), 1);
	ck_assert_int_gt(client_put(&other, other_says, sizeof other_says - 1), 0);
	client_read(&c);
	client_read(&other);
	turn = strstr(rig.seen.data, "/other");
	ck_assert_ptr_nonnull(turn);
	ck_assert_ptr_nonnull(strstr(turn, "xxx")); /* the rest of it came later */
	ck_assert_int_eq(client_status(&c, 0), 200);
	ck_assert_int_eq(client_status(&other, 0), 200);
	client_close(&c);
	client_close(&other);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_slow_handshake_has_one_deadline)
{
	struct rig rig = {.secure = true, .config.limits = HTTP_LIMITS_DEFAULT};
	struct client c;

	rig.config.limits.head_ms = 1000;
	rig_start(&rig);
	client_connect(&c, &rig);
	for (int i = 0; i < 9; i++) {
		client_send(&c, "\x16\x03\x01\x01\x00\x01\x00\x00\xfc" + i, 1);
		ck_assert(!c.closed);
		loop_fake_advance(rig.loop, 110);
		rig_turn(&rig);
	}
	ck_assert_uint_eq(counts(&rig).open, 1);
	loop_fake_advance(rig.loop, 20);
	rig_turn(&rig);
	client_read(&c);
	ck_assert(c.closed);
	ck_assert_uint_eq(c.got.len, 0);
	ck_assert_uint_eq(counts(&rig).timeouts[HTTP_TIMEOUT_HANDSHAKE], 1);
	ck_assert_uint_eq(counts(&rig).open, 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_silent_client_is_cut_at_the_same_time)
{
	struct rig rig = {.secure = true};
	struct client c;

	rig_start(&rig);
	client_connect(&c, &rig);
	loop_fake_advance(rig.loop, 10001);
	rig_turn(&rig);
	ck_assert_uint_eq(counts(&rig).timeouts[HTTP_TIMEOUT_HANDSHAKE], 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_end_that_was_not_announced_is_a_cut)
{
	struct rig rig = {.secure = true};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, "POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345");
	shutdown(c.fd, SHUT_WR);
	client_read(&c);
	ck_assert(c.closed);
	ck_assert_uint_eq(c.got.len, 0);
	ck_assert_uint_eq(rig.gone, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_answer_without_a_length_ends_in_words)
{
	struct rig rig = {.secure = true};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, "POST /hold HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
	http_answer_begin(rig.held, 200, NULL, -1, NULL, NULL);
	http_answer_write(rig.held, "half", 4);
	rig_turn(&rig);
	if (_i == 0)
		http_answer_end(rig.held);
	else
		http_answer_abort(rig.held);
	client_read(&c);
	ck_assert_ptr_nonnull(strstr(c.got.data, "half"));
	ck_assert(c.closed);
	ck_assert_int_eq(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN,
	    _i == 0 ? SSL_RECEIVED_SHUTDOWN : 0);
	ck_assert_int_eq(c.cut || c.reset, _i == 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_connection_keeps_the_certificate_with_which_it_began)
{
	struct certificate_wish wish = {.name = "other.example"};
	struct tls_settings settings = {0};
	struct rig rig = {.secure = true};
	struct tls_context *other;
	struct certificate cert;
	struct client before, after;
	enum tls_part part;
	struct fail f;
	char name[64];

	rig_start(&rig);
	client_open(&before, &rig);
	certificate_make(&cert, &wish);
	settings.certificate = cert.pem;
	settings.key = cert.key;
	other = tls_context_new(&settings, &part, &f);
	rig.config.tls = other;
	http_server_configure(rig.server, &rig.config);
	tls_context_unref(other); /* the server has it */
	client_says(&before, GET);
	ck_assert_int_eq(client_status(&before, 0), 200);
	client_open(&after, &rig);
	client_says(&after, GET);
	X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(after.ssl)), NID_commonName, name, sizeof name);
	ck_assert_str_eq(name, "other.example");
	X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(before.ssl)), NID_commonName, name, sizeof name);
	ck_assert_str_eq(name, "localhost");
	rig.config.tls = NULL; /* keeps it */
	http_server_configure(rig.server, &rig.config);
	client_close(&after);
	client_open(&after, &rig);
	client_says(&after, GET);
	ck_assert_int_eq(client_status(&after, 0), 200);
	client_close(&before);
	client_close(&after);
	certificate_free(&cert);
	rig_stop(&rig);
}
END_TEST

/* The server has drained. */
static void
on_drained(void *arg)
{
	struct rig *rig = arg;

	rig->drained++;
}

START_TEST(a_stop_that_does_not_wait_is_no_end)
{
	struct rig rig = {.secure = true};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, "POST /hold HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
	http_answer_begin(rig.held, 200, NULL, -1, NULL, NULL);
	http_answer_write(rig.held, "half", 4);
	rig_turn(&rig);
	http_server_drain(rig.server, 100, on_drained, &rig);
	loop_fake_advance(rig.loop, 101);
	rig_turn(&rig);
	client_read(&c);
	ck_assert_uint_eq(rig.gone, 1);
	ck_assert(c.closed);
	ck_assert(!c.reset);
	ck_assert(c.cut);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_drain_gives_what_has_not_begun_a_moment)
{
	struct rig rig = {.secure = true};
	struct client opening, silent, idle;

	rig_start(&rig);
	client_connect(&opening, &rig);
	client_connect(&silent, &rig);
	client_open(&idle, &rig);
	client_says(&idle, GET);
	http_server_drain(rig.server, 60000, on_drained, &rig);
	client_read(&idle);
	ck_assert(idle.closed && !idle.cut && !idle.reset);
	ck_assert(client_secure(&opening, NULL));
	client_says(&opening, GET);
	ck_assert_int_eq(client_status(&opening, 0), 200);
	ck_assert(opening.closed && !opening.cut);
	client_close(&opening);
	ck_assert_uint_eq(counts(&rig).open, 1);
	loop_fake_advance(rig.loop, 1001);
	rig_turn(&rig);
	ck_assert_uint_eq(counts(&rig).open, 0);
	ck_assert_uint_eq(rig.drained, 1);
	client_close(&silent);
	client_close(&idle);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_tls_suite(void)
{
	Suite *s = suite_create("tls");
	TCase *t = tcase_create("tls");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_request_says_how_it_came, 0, 2);
	tcase_add_loop_test(t, a_client_without_tls_is_told, 0, 3);
	tcase_add_test(t, what_is_neither_is_refused);
	tcase_add_loop_test(t, versions_suites_and_protocols_are_chosen, 0, 7);
	tcase_add_loop_test(t, bytes_may_come_one_by_one, 0, 2);
	tcase_add_test(t, a_request_may_come_with_the_end_of_the_handshake);
	tcase_add_test(t, a_client_may_leave_after_any_byte);
	tcase_add_test(t, keys_are_not_agreed_on_twice);
	tcase_add_loop_test(t, keys_are_not_changed_without_end, 0, 2);
	tcase_add_test(t, many_small_records_leave_others_their_turn);
	tcase_add_test(t, a_slow_handshake_has_one_deadline);
	tcase_add_test(t, a_silent_client_is_cut_at_the_same_time);
	tcase_add_test(t, an_end_that_was_not_announced_is_a_cut);
	tcase_add_loop_test(t, an_answer_without_a_length_ends_in_words, 0, 2);
	tcase_add_test(t, a_connection_keeps_the_certificate_with_which_it_began);
	tcase_add_test(t, a_stop_that_does_not_wait_is_no_end);
	tcase_add_test(t, a_drain_gives_what_has_not_begun_a_moment);
	suite_add_tcase(s, t);
	return s;
}
