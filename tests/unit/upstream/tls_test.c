#include "config.h"

#include "base/mem.h"
#include "call_bench.h"
#include "unit.h"
#include "upstream/tunnel.h"
#include "upstream_suites.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A server's TLS context and the file with its self-signed certificate. */
struct identity {
	SSL_CTX *ctx;
	char file[32];
	unsigned handshakes, resumed;
};

/* Counts handshakes. */
static void
on_handshake(const SSL *ssl, int where, int ret)
{
	struct identity *id = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (where != SSL_CB_HANDSHAKE_DONE)
		return;
	id->handshakes++;
	id->resumed += SSL_session_reused(ssl) ? 1 : 0;
}

/* Makes a certificate for one subject alternative name. */
static X509 *
make_certificate(EVP_PKEY *key, const char *alt_name)
{
	X509 *cert = X509_new();
	X509_EXTENSION *ext;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
	    (const unsigned char *)"test upstream", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt_name);
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	ck_assert_int_gt(X509_sign(cert, key, EVP_sha256()), 0);
	return cert;
}

/* Makes an identity. */
static void
identity_open(struct identity *id, const char *alt_name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_certificate(key, alt_name);
	FILE *f;
	int fd;

	memset(id, 0, sizeof *id);
	id->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_app_data(id->ctx, id);
	SSL_CTX_set_info_callback(id->ctx, on_handshake);
	ck_assert_int_eq(SSL_CTX_use_certificate(id->ctx, cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(id->ctx, key), 1);
	strcpy(id->file, "/tmp/upstream-ca-XXXXXX");
	fd = mkstemp(id->file);
	ck_assert_int_ge(fd, 0);
	f = fdopen(fd, "w");
	PEM_write_X509(f, cert);
	fclose(f);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* Ends an identity. */
static void
identity_close(struct identity *id)
{
	unlink(id->file);
	SSL_CTX_free(id->ctx);
}

/* A bench whose server speaks TLS. */
static void
tls_open(struct bench *b, struct identity *id, const char *alt_name)
{
	bench_open(b, false);
	identity_open(id, alt_name);
	fake_server_free(b->server);
	b->server = fake_server_new(b->loop, id->ctx);
	b->config.url = fake_server_url(b->server);
}

START_TEST(a_certificate_of_the_ca_file_is_trusted)
{
	struct upstream_request q;
	struct identity id;
	struct bench_call c;
	struct bench b;

	tls_open(&b, &id, "IP:127.0.0.1");
	b.config.ca_file = id.file;
	bench_client(&b);
	for (int i = 0; i < 3; i++) {
		q = i % 2 ? bench_post(&b) : bench_get(&b);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
		ck_assert_str_eq(c.body, "{\"ok\":true}");
		ck_assert_uint_eq(c.answer.tries, 1);
		bench_forget(&c);
	}
	ck_assert_uint_eq(fake_server_connections(b.server), 1); /* session tickets are no junk */
	bench_close(&b);
	identity_close(&id);
}
END_TEST

START_TEST(new_connections_resume_the_session)
{
	struct upstream_request q;
	struct identity id;
	struct bench_call c[3];
	struct bench b;

	tls_open(&b, &id, "IP:127.0.0.1");
	b.config.ca_file = id.file;
	bench_client(&b);
	q = bench_post(&b);
	q.fresh_connection = true;
	bench_run(&b, &c[0], &q);
	bench_forget(&c[0]);
	ck_assert_uint_eq(id.handshakes, 1);
	for (int i = 0; i < 3; i++) /* each on its own handle */
		bench_start(&b, &c[i], &q);
	bench_until(&b, b.answered == 4);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(c[i].answer.status, 200);
		bench_forget(&c[i]);
	}
	ck_assert_uint_eq(id.handshakes, 4);
	ck_assert_uint_eq(id.resumed, 3);
	bench_close(&b);
	identity_close(&id);
}
END_TEST

START_TEST(an_unknown_or_wrong_certificate_gets_no_request)
{
	struct upstream_request q;
	struct identity id;
	struct bench_call c;
	struct bench b;

	for (int i = 0; i < 2; i++) {
		tls_open(&b, &id, i == 0 ? "IP:127.0.0.1" : "DNS:other.example");
		b.config.ca_file = i == 0 ? NULL : id.file;
		bench_client(&b);
		q = bench_post(&b);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_NO_CONNECT);
		ck_assert(!c.answer.maybe_received);
		ck_assert_uint_eq(c.answer.tries, 1); /* it would be refused again */
		ck_assert_uint_eq(fake_server_requests(b.server), 0);
		bench_forget(&c);
		bench_close(&b);
		identity_close(&id);
	}
}
END_TEST

START_TEST(a_tunnel_shows_the_proxy_nothing)
{
	static const char field[] = "X-API-Key: " BENCH_KEY "\r\n";
	struct upstream_request q;
	struct identity id;
	struct bench_call c;
	struct bench b;

	bench_open(&b, false); /* the server is the proxy, and the upstream behind it */
	identity_open(&id, "DNS:bluejay.invalid");
	fake_server_set_tls(b.server, id.ctx);
	b.config.ca_file = id.file;
	b.config.proxy = fake_server_url(b.server);
	b.config.url = "https://bluejay.invalid";
	bench_client(&b);
	fake_server_push(b.server, &(struct fake_step){.then = FAKE_TLS,
	    .bytes = "HTTP/1.1 200 Go\r\nRetry-After: 99\r\n\r\n"});
	fake_server_answer(b.server, 429, "Retry-After: 9\r\n", "{}");
	q = bench_post(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
	ck_assert_int_eq(c.answer.status, 429);
	ck_assert_int_eq(c.answer.retry_after, 9000);
	ck_assert_uint_eq(fake_server_requests(b.server), 2);
	ck_assert_ptr_nonnull(strstr(fake_server_request(b.server, 0), "CONNECT bluejay.invalid:443 "));
	ck_assert_ptr_null(strstr(fake_server_request(b.server, 0), field));
	ck_assert_ptr_nonnull(strstr(fake_server_request(b.server, 1), field));
	bench_forget(&c);
	bench_run(&b, &c, &q); /* the tunnel is kept alive */
	ck_assert_int_eq(c.answer.status, 200);
	ck_assert_uint_eq(fake_server_connections(b.server), 1);
	bench_forget(&c);
	bench_close(&b);
	identity_close(&id);
}
END_TEST

START_TEST(a_server_without_tls_gets_no_request)
{
	struct upstream_request q;
	struct bench_call c;
	struct bench b;
	char *url;

	bench_open(&b, false);
	url = mem_format("https://127.0.0.1:%d", fake_server_port(b.server));
	b.config.url = url;
	b.config.retries = 1;
	bench_client(&b);
	fake_server_push(b.server, &(struct fake_step){.when = FAKE_ACCEPT, .then = FAKE_CLOSE,
	    .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"});
	q = bench_post(&b);
	bench_run(&b, &c, &q);
	ck_assert_int_eq(c.answer.outcome, UPSTREAM_NO_CONNECT);
	ck_assert(!c.answer.maybe_received);
	ck_assert_uint_eq(fake_server_requests(b.server), 0);
	bench_forget(&c);
	free(url);
	bench_close(&b);
}
END_TEST

static bool reads_ahead; /* OpenSSL takes more off a socket than one record */

/* Stands before the library's own. */
SSL *
SSL_new(SSL_CTX *ctx)
{
	static SSL *(*next)(SSL_CTX *);
	SSL *ssl;

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "SSL_new");
	ssl = next(ctx);
	if (ssl != NULL && reads_ahead)
		SSL_set_read_ahead(ssl, 1);
	return ssl;
}

START_TEST(an_answer_of_many_records_is_read_whole)
{
	struct upstream_request q;
	struct identity id;
	struct bench_call c;
	struct bench b;
	char *text = bench_text(12000);

	tls_open(&b, &id, "IP:127.0.0.1");
	SSL_CTX_set_max_send_fragment(id.ctx, 512);
	b.config.ca_file = id.file;
	b.config.retries = 1;
	bench_client(&b);
	q = bench_get(&b);
	for (int i = 0; i < 2; i++) {
		reads_ahead = i > 0; /* then the socket is empty before the last of them is read */
		q.fresh_connection = true;
		fake_server_answer(b.server, 200, NULL, text);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
		ck_assert_str_eq(c.body, text);
		bench_forget(&c);
	}
	free(text);
	bench_close(&b);
	identity_close(&id);
}
END_TEST

START_TEST(a_record_behind_an_answer_is_no_answer_to_what_is_asked_next)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 472\r\n\r\n",
	    stray[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\"bad\"";
	struct upstream_request q;
	struct identity id;
	struct bench_call c;
	struct bench b;
	char *text = bench_text(472), bytes[600];

	snprintf(bytes, sizeof bytes, "%s%s%s", head, text, stray);
	ck_assert_uint_eq(sizeof head - 1 + strlen(text), 512);
	tls_open(&b, &id, "IP:127.0.0.1");
	SSL_CTX_set_max_send_fragment(id.ctx, 512); /* the answer is one record, the rest another */
	b.config.ca_file = id.file;
	bench_client(&b);
	q = bench_get(&b);
	for (int i = 0; i < 2; i++) {
		reads_ahead = i > 0;
		q.fresh_connection = true;
		fake_server_push(b.server, &(struct fake_step){.bytes = bytes});
		bench_run(&b, &c, &q);
		ck_assert_str_eq(c.body, text);
		bench_forget(&c);
		q.fresh_connection = false;
		bench_run(&b, &c, &q); /* the loop has not turned since */
		ck_assert_str_eq(c.body, "{\"ok\":true}");
		bench_forget(&c);
	}
	free(text);
	bench_close(&b);
	identity_close(&id);
}
END_TEST

START_TEST(who_changes_keys_without_end_is_left)
{
	struct upstream_request q;
	struct identity id;
	struct bench_call c;
	struct bench b;

	tls_open(&b, &id, "IP:127.0.0.1");
	b.config.ca_file = id.file;
	bench_client(&b);
	q = bench_get(&b);
	for (unsigned i = 0; i < 4; i++) {
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.status, 200);
		ck_assert_uint_eq(c.answer.tries, 1);
		bench_forget(&c);
		ck_assert_uint_eq(fake_server_connections(b.server), i < 3 ? 1 : 2);
		fake_server_change_keys(b.server, i < 2 ? 20 : 1000);
	}
	bench_close(&b);
	identity_close(&id);
}
END_TEST

START_TEST(a_long_request_waits_for_its_connection)
{
	struct upstream_request q;
	struct identity id;
	struct bench_call c;
	struct bench b;
	char *text = bench_text(8u << 20);

	tls_open(&b, &id, "IP:127.0.0.1");
	b.config.ca_file = id.file;
	bench_client(&b);
	q = bench_post(&b);
	q.body = text;
	q.body_len = strlen(text);
	for (int i = 0; i < 2; i++) {
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_ANSWER);
		ck_assert_uint_eq(c.answer.tries, 1);
		ck_assert_ptr_nonnull(strstr(fake_server_request(b.server, (unsigned)i), text));
		bench_forget(&c);
	}
	ck_assert_uint_eq(fake_server_connections(b.server), 1);
	free(text);
	bench_close(&b);
	identity_close(&id);
}
END_TEST

START_TEST(an_answer_cut_within_tls_is_broken)
{
	static const char *const cut[] = {
	    "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\"",
	    "HTTP/1.1 200 OK\r\n\r\n{\"a\":1}", /* ends with the connection, which was not closed properly */
	};
	struct upstream_request q;
	struct identity id;
	struct bench_call c;
	struct bench b;

	tls_open(&b, &id, "IP:127.0.0.1");
	b.config.ca_file = id.file;
	bench_client(&b);
	for (int i = 0; i < 2; i++) {
		fake_server_push(b.server, &(struct fake_step){.bytes = cut[i], .then = FAKE_RESET});
		q = bench_post(&b);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_BROKEN);
		ck_assert(c.answer.maybe_received);
		bench_forget(&c);
	}
	bench_close(&b);
	identity_close(&id);
}
END_TEST

START_TEST(a_create_on_a_dying_kept_tls_connection_arrives_exactly_once)
{
	struct upstream_request q;
	struct identity id;
	struct bench_call c;
	struct bench b;

	for (int round = 0; round < 2; round++) {
		tls_open(&b, &id, "IP:127.0.0.1");
		b.config.ca_file = id.file;
		bench_client(&b);
		q = bench_get(&b);
		bench_run(&b, &c, &q);
		bench_forget(&c);
		q = bench_post(&b);
		fake_server_push(b.server, &(struct fake_step){
		    .then = round == 0 ? FAKE_CLOSE : FAKE_RESET});
		bench_run(&b, &c, &q);
		bench_settle(&b);
		ck_assert_int_eq(c.answer.outcome, UPSTREAM_BROKEN);
		ck_assert(c.answer.maybe_received);
		ck_assert_uint_eq(fake_server_requests(b.server), 2);
		ck_assert_uint_eq(fake_server_connections(b.server), 1);
		bench_forget(&c);
		bench_close(&b);
		identity_close(&id);
	}
}
END_TEST

START_TEST(a_tls_connection_that_the_upstream_closed_is_not_used)
{
	struct upstream_request q;
	struct identity id;
	struct bench_call c;
	struct bench b;

	tls_open(&b, &id, "IP:127.0.0.1");
	b.config.ca_file = id.file;
	bench_client(&b);
	for (int i = 0; i < 4; i++) {
		q = bench_post(&b);
		bench_run(&b, &c, &q);
		ck_assert_int_eq(c.answer.status, 200);
		ck_assert_uint_eq(c.answer.tries, 1);
		bench_forget(&c);
		fake_server_hang_up(b.server);
		bench_settle(&b);
	}
	bench_close(&b);
	identity_close(&id);
}
END_TEST

/* What a tunnel has told. */
struct heard {
	struct tunnel *tunnel;
	int status;
	size_t bytes;
	bool over;
};

/* The head is here. */
static void
on_tunnel_head(void *arg, const struct tunnel_head *h)
{
	struct heard *heard = arg;

	heard->status = h->status;
}

/* Bytes are here, or the end; each piece is waited for. */
static void
on_tunnel_data(void *arg, const char *bytes, size_t len)
{
	struct heard *heard = arg;

	heard->bytes += len;
	heard->over = len == 0;
	tunnel_pause(heard->tunnel);
}

/* All is sent. */
static void
on_tunnel_room(void *arg)
{
}

/* It has failed. */
static void
on_tunnel_end(void *arg, enum relay_end end, const char *why)
{
	ck_abort_msg("%s", why);
}

START_TEST(a_changed_protocol_speaks_within_tls)
{
	static const struct tunnel_events events = {on_tunnel_head, on_tunnel_data, on_tunnel_room,
	    on_tunnel_end};
	static const struct wire_field fields[] = {{"Host", "x"}, {"Upgrade", "y"}, {NULL, NULL}};
	static char big[60000];
	struct relay_config cfg = {.connect_ms = 5000, .idle_ms = 60000, .keep_s = 3};
	struct heard heard = {0};
	struct identity id;
	struct bench b;
	char *answer;

	tls_open(&b, &id, "IP:127.0.0.1");
	memset(big, 'x', sizeof big - 1);
	answer = mem_format("HTTP/1.1 101 S\r\nUpgrade: y\r\n\r\n%s", big);
	fake_server_push(b.server, &(struct fake_step){.bytes = answer});
	fake_server_push(b.server, &(struct fake_step){.then = FAKE_CLOSE});
	cfg.url = fake_server_url(b.server);
	cfg.ca_file = id.file;
	heard.tunnel = tunnel_open(b.loop, &cfg, "GET", "/", fields, &events, &heard);
	while (heard.bytes < sizeof big - 1) { /* TLS keeps what the socket no longer shows */
		size_t before = heard.bytes;

		bench_until(&b, heard.bytes > before);
		tunnel_resume(heard.tunnel);
	}
	ck_assert_int_eq(heard.status, 101);
	ck_assert_uint_eq(heard.bytes, sizeof big - 1);
	memcpy(big + sizeof big - 5, "\r\n\r\n", 4);
	tunnel_write(heard.tunnel, big, sizeof big - 1);
	bench_until(&b, fake_server_requests(b.server) == 2);
	ck_assert_str_eq(fake_server_request(b.server, 1), big);
	bench_until(&b, heard.over);
	tunnel_close(heard.tunnel);
	free(answer);
	bench_close(&b);
	identity_close(&id);
}
END_TEST

/* All tests of this file. */
Suite *
tls_suite(void)
{
	const TTest *const tests[] = {
	    a_certificate_of_the_ca_file_is_trusted,
	    new_connections_resume_the_session,
	    an_unknown_or_wrong_certificate_gets_no_request,
	    a_tunnel_shows_the_proxy_nothing,
	    a_server_without_tls_gets_no_request,
	    an_answer_of_many_records_is_read_whole,
	    a_record_behind_an_answer_is_no_answer_to_what_is_asked_next,
	    who_changes_keys_without_end_is_left,
	    a_long_request_waits_for_its_connection,
	    an_answer_cut_within_tls_is_broken,
	    a_create_on_a_dying_kept_tls_connection_arrives_exactly_once,
	    a_tls_connection_that_the_upstream_closed_is_not_used,
	    a_changed_protocol_speaks_within_tls,
	    NULL,
	};

	return unit_suite("upstream TLS", tests);
}
