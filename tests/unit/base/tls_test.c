#include "config.h"

#include "base/tls_context.h"
#include "base/tls_ticket.h"
#include "certificate.h"
#include "unit.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

Suite *tls_suite(void);

static int64_t fake_now;

/* The clock of the tests. */
static int64_t
now(void)
{
	return fake_now;
}

/* Makes a context of two texts. */
static struct tls_context *
make(const char *certificate, const char *key)
{
	struct tls_settings s = {.certificate = certificate, .key = key};
	enum tls_part at;
	struct fail fail;

	return tls_context_new(&s, &at, &fail);
}

START_TEST(a_context_knows_when_its_certificates_end)
{
	const struct certificate_wish early = {.name = "intermediate", .authority = true, .from_s = -60,
	    .to_s = 5000};
	struct certificate authority, own;
	char chain[8192];
	struct tls_context *tls;
	int64_t left;

	certificate_make(&authority, &early);
	certificate_make(&own, &(struct certificate_wish){.issuer = &authority});
	tls = make(own.pem, own.key);
	left = tls_context_expires(tls) - (int64_t)time(NULL);
	ck_assert(left > 86000 && left <= 86400);
	ck_assert_int_lt(tls_context_begins(tls), (int64_t)time(NULL));
	tls_context_unref(tls);
	snprintf(chain, sizeof chain, "a comment\n%s%s", own.pem, authority.pem);
	tls = make(chain, own.key);
	left = tls_context_expires(tls) - (int64_t)time(NULL);
	ck_assert(left > 4900 && left <= 5000);
	tls_context_unref(tls);
	certificate_free(&own);
	certificate_free(&authority);
}
END_TEST

START_TEST(what_is_wrong_is_named_with_its_part)
{
	struct certificate a, b;
	struct tls_settings s = {0};
	enum tls_part at;
	struct fail fail;

	certificate_make(&a, &(struct certificate_wish){0});
	certificate_make(&b, &(struct certificate_wish){0});
	s.certificate = a.pem;
	s.key = b.key;
	ck_assert_ptr_null(tls_context_new(&s, &at, &fail));
	ck_assert_int_eq(at, TLS_PART_KEY);
	s.key = a.key;
	s.clients = TLS_CLIENTS_REQUIRED;
	s.client_ca = "";
	ck_assert_ptr_null(tls_context_new(&s, &at, &fail));
	ck_assert_int_eq(at, TLS_PART_CLIENT_CA);
	s.certificate = "";
	ck_assert_ptr_null(tls_context_new(&s, &at, &fail));
	ck_assert_int_eq(at, TLS_PART_CERTIFICATE);
	certificate_free(&a);
	certificate_free(&b);
}
END_TEST

START_TEST(settings_that_differ_make_contexts_that_differ)
{
	struct certificate a, b;
	struct tls_context *one, *two;
	struct tls_settings s = {0};
	enum tls_part at;
	struct fail fail;

	certificate_make(&a, &(struct certificate_wish){0});
	certificate_make(&b, &(struct certificate_wish){0});
	one = make(a.pem, a.key);
	two = make(a.pem, a.key);
	ck_assert(tls_context_same(one, two));
	tls_context_unref(two);
	two = make(b.pem, b.key);
	ck_assert(!tls_context_same(one, two));
	tls_context_unref(two);
	s.certificate = a.pem;
	s.key = a.key;
	s.only_1_3 = true;
	two = tls_context_new(&s, &at, &fail);
	ck_assert(!tls_context_same(one, two));
	tls_context_unref(two);
	tls_context_unref(one);
	certificate_free(&a);
	certificate_free(&b);
}
END_TEST

/* Moves bytes from one side to the other. */
static void
move(BIO *from, BIO *to)
{
	char bytes[4096];
	int n;

	while ((n = BIO_read(from, bytes, sizeof bytes)) > 0)
		BIO_write(to, bytes, n);
}

static const struct certificate *shown; /* by the client; NULL: none */
static int version = TLS1_2_VERSION;

/* One connection with a session to resume, or NULL; gives the session that it ends with. */
static SSL_SESSION *
connect_once(SSL_CTX *server, SSL_SESSION *session, bool *reused)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *a, *b = SSL_new(server);
	BIO *to_a = BIO_new(BIO_s_mem()), *to_b = BIO_new(BIO_s_mem());
	BIO *from_a = BIO_new(BIO_s_mem()), *from_b = BIO_new(BIO_s_mem());
	SSL_SESSION *after;
	char byte;

	if (shown != NULL)
		certificate_use(ctx, shown);
	a = SSL_new(ctx);
	SSL_set_min_proto_version(a, version);
	SSL_set_max_proto_version(a, version);
	SSL_set_bio(a, to_a, from_a);
	SSL_set_bio(b, to_b, from_b);
	if (session != NULL)
		SSL_set_session(a, session);
	for (int i = 0; i < 10; i++) {
		SSL_connect(a);
		move(from_a, to_b);
		SSL_accept(b);
		move(from_b, to_a);
	}
	ck_assert_int_eq(SSL_is_init_finished(a), 1);
	ck_assert_int_eq(SSL_is_init_finished(b), 1);
	SSL_read(a, &byte, 1); /* the ticket of 1.3 comes behind the handshake */
	*reused = SSL_session_reused(b) == 1;
	after = SSL_get1_session(a);
	SSL_shutdown(a); /* else the session counts as broken */
	SSL_free(a);
	SSL_free(b);
	SSL_CTX_free(ctx);
	return after;
}

/* A server with a certificate and keys for tickets. */
static SSL_CTX *
make_server(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct certificate c;

	certificate_make(&c, &(struct certificate_wish){0});
	certificate_use(ctx, &c);
	certificate_free(&c);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	ck_assert_int_eq(tls_ticket_use(ctx, now), 0);
	return ctx;
}

START_TEST(a_ticket_is_good_for_the_time_of_two_keys)
{
	static const struct {
		int64_t made, used; /* after the first key */
		bool reused;
	} cases[] = {{0, 0, true}, {0, TLS_TICKET_ROTATE_S - 1, true}, {0, TLS_TICKET_ROTATE_S, true},
	    {0, 2 * TLS_TICKET_ROTATE_S - 1, true}, {0, 2 * TLS_TICKET_ROTATE_S, false},
	    {TLS_TICKET_ROTATE_S - 1, 2 * TLS_TICKET_ROTATE_S, false},
	    {TLS_TICKET_ROTATE_S, 2 * TLS_TICKET_ROTATE_S, true}, {0, 100 * TLS_TICKET_ROTATE_S, false}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SSL_CTX *server = make_server();
		SSL_SESSION *first, *second, *third;
		bool reused;

		fake_now = 1000000;
		SSL_SESSION_free(connect_once(server, NULL, &reused)); /* makes the key */
		fake_now += cases[i].made;
		first = connect_once(server, NULL, &reused);
		ck_assert(!reused);
		fake_now += cases[i].used - cases[i].made;
		second = connect_once(server, first, &reused);
		ck_assert_msg(reused == cases[i].reused, "case %zu", i);
		third = connect_once(server, second, &reused); /* with a ticket of the key of today */
		ck_assert(reused);
		SSL_SESSION_free(first);
		SSL_SESSION_free(second);
		SSL_SESSION_free(third);
		SSL_CTX_free(server);
	}
}
END_TEST

/* Takes every certificate. */
static int
take_any(int good, X509_STORE_CTX *chain)
{
	return 1;
}

START_TEST(a_ticket_does_not_outlive_the_clients_certificate)
{
	struct certificate good, ended;
	SSL_CTX *server = make_server();
	bool reused;

	fake_now = 1000000;
	certificate_make(&good, &(struct certificate_wish){0});
	certificate_make(&ended, &(struct certificate_wish){.from_s = -7200, .to_s = -3600});
	SSL_CTX_set_verify(server, SSL_VERIFY_PEER, take_any);
	SSL_CTX_set_session_id_context(server, (const unsigned char *)"x", 1);
	for (int i = 0; i < 4; i++) {
		SSL_SESSION *first;

		version = i % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
		shown = i < 2 ? &good : &ended;
		first = connect_once(server, NULL, &reused);
		ck_assert(!reused);
		SSL_SESSION_free(connect_once(server, first, &reused));
		ck_assert_msg(reused == (i < 2), "case %d", i);
		SSL_SESSION_free(first);
	}
	SSL_CTX_free(server);
	certificate_free(&good);
	certificate_free(&ended);
}
END_TEST

/* The suite. */
Suite *
tls_suite(void)
{
	const TTest *const tests[] = {
	    a_context_knows_when_its_certificates_end,
	    what_is_wrong_is_named_with_its_part,
	    settings_that_differ_make_contexts_that_differ,
	    a_ticket_is_good_for_the_time_of_two_keys,
	    a_ticket_does_not_outlive_the_clients_certificate,
	    NULL,
	};

	return unit_suite("tls", tests);
}
