#include "config.h"

#include "base/buf.h"
#include "front.h"
#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * HTTP/2 to the upstream: nginx plays Bluejay over TLS, with and without it, and notes which
 * version each request had.
 */

#define PERSONAS "/api/projects/demo/personas"
#define ANN "11111111-2222-4333-8444-000000000001"
#define ANN_JSON "{\"id\":\"" ANN "\",\"name\":\"ann\",\"description\":\"\",\"goal\":\"\"," \
	"\"created_at\":\"2026-01-01T00:00:00Z\",\"org_id\":\"o\"}"
#define BOB_JSON "{\"id\":\"11111111-2222-4333-8444-000000000002\",\"name\":\"bob\",\"description\":\"\"," \
	"\"goal\":\"\",\"created_at\":\"2026-01-01T00:00:00Z\",\"org_id\":\"o\"}"

static struct program gateway;

/* Makes a certificate. */
static void
make_certificate(void)
{
	char *out = shell("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	    "-days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout b.key -out b.pem 2>&1 "
	    "&& echo made", scratch_dir());

	ck_assert_msg(strstr(out, "made\n") != NULL, "%s", out);
	free(out);
}

/* Starts both; `speaks` is nginx's word for HTTP/2, or "". */
static void
start(const char *speaks)
{
	const char *const args[] = {"serve", "--config", NULL, "--data-dir", scratch_dir(), "--listen",
	    "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};
	const char *with[sizeof args / sizeof *args];
	int port = front_port();
	struct buf b;

	make_certificate();
	buf_init(&b, 0);
	buf_addf(&b, "log_format seen '$server_protocol $request_method';\nserver {\n"
	    "  listen 127.0.0.1:%d ssl %s;\n  ssl_certificate %s/b.pem;\n  ssl_certificate_key %s/b.key;\n"
	    "  access_log %s/seen seen;\n  default_type application/json;\n"
	    "  location /v1/customer-persona/ { return 200 '%s'; }\n"
	    "  location /v1/update-customer-persona/ { return 200 '%s'; }\n"
	    "  location /v1/customer-personas-by-agent/ { return 200 '[%s]'; }\n"
	    "  location /v1/create-customer-persona { return 200 '%s'; }\n}\n", port, speaks, scratch_dir(),
	    scratch_dir(), scratch_dir(), ANN_JSON, ANN_JSON, ANN_JSON, BOB_JSON);
	front_start_nginx(b.data, port);
	buf_free(&b);
	memcpy(with, args, sizeof args);
	with[2] = scratch_file("gateway.yaml",
	    "bluejay: {url: \"https://localhost:%d\", api_key: k, ca_file: %s/b.pem, http: 2, cache: {fresh: 0s}}\n"
	    "projects: {demo: {agent_id: 7}}\n", port, scratch_dir());
	program_start(&gateway, with);
}

/* Lists, reads, updates and creates, each with success. */
static void
use(void)
{
	int port = gateway.port;

	ck_assert_int_eq(ask(port, "GET", PERSONAS, NULL, NULL)->status, 200);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(reply_string(ask(port, "GET", PERSONAS "/" ANN, NULL, NULL), "name"), "ann");
	ck_assert_int_eq(ask(port, "PUT", PERSONAS "/" ANN, NULL, "{\"description\":\"\"}")->status, 200);
	ck_assert_int_eq(ask(port, "POST", PERSONAS, NULL, "{\"name\":\"bob\"}")->status, 201);
}

/* Ends both, and fails unless the upstream has seen these requests. */
static void
stop(const char *want)
{
	char *seen;

	ck_assert_int_eq(program_stop(&gateway), 0);
	front_stop();
	seen = shell("sort %s/seen | uniq -c | sed 's/^ *//'", scratch_dir());
	ck_assert_str_eq(seen, want);
	free(seen);
}

START_TEST(what_may_be_repeated_goes_in_http2_and_creates_do_not)
{
	start("http2");
	use();
	stop("1 HTTP/1.1 POST\n4 HTTP/2.0 GET\n1 HTTP/2.0 PUT\n");
}
END_TEST

START_TEST(an_upstream_without_http2_is_asked_again_in_the_old_version)
{
	char want[80], *log;

	start("");
	use();
	/* each event loop finds it out by one of its own */
	snprintf(want, sizeof want, "%d HTTP/1.1 GET\n1 HTTP/1.1 POST\n1 HTTP/1.1 PUT\n",
	    4 + program_loops());
	stop(want);
	log = program_log(&gateway);
	ck_assert_ptr_nonnull(strstr(log, "does not speak HTTP/2"));
	free(log);
}
END_TEST

/* The suite. */
static Suite *
http2_suite(void)
{
	const TTest *const tests[] = {
	    what_may_be_repeated_goes_in_http2_and_creates_do_not,
	    an_upstream_without_http2_is_asked_again_in_the_old_version,
	    NULL,
	};

	return unit_suite("http2", tests);
}

/* Whether nginx is here. */
static bool
http2_possible(void)
{
	if (front_nginx() == NULL)
		fprintf(stderr, "skipped: nginx is not here; Debian's package is nginx\n");
	return front_nginx() != NULL;
}

UNIT_MAIN_IF(http2_possible(), http2_suite)
