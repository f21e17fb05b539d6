#include "config.h"

#include "base/digest.h"
#include "harness.h"
#include "tool.h"
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Clients with tokens, by the real program. */

#define ALL "token-of-the-client-all"
#define SHOP "token-of-the-client-shop"
#define VIEWER "token-of-the-client-viewer"
#define OPS "token-of-the-client-ops"
#define WATCHER "token-of-the-client-watcher"
#define FEW "token-of-the-client-few"
#define WRONG "token-of-nobody-at-all-here"
#define PROJECTS "/api/projects"
#define PERSONAS PROJECTS "/shop/personas"
#define OTHERS PROJECTS "/other/personas"
#define BEARER(token) "Authorization: Bearer " token "\r\n"
#define SOCKET "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define FREE 10 /* failures that are answered at once */

static struct program gateway;

/* The digest of a token; static, eight at a time. */
static const char *
sha(const char *token)
{
	static char digests[8][DIGEST_HEX_SIZE];
	static unsigned turn;
	char *digest = digests[turn++ % 8];

	digest_hex(token, strlen(token), digest);
	return digest;
}

/* Writes a file with six clients; `more` is its end. */
static const char *
file(const char *more)
{
	ck_assert_int_eq(chmod(scratch_file("viewer.token", VIEWER "\n"), 0600), 0);
	return scratch_file("gateway.yaml",
	    "projects: {shop: {agent_id: 1, name: Shop}, other: {agent_id: 2}, plain: {}}\n"
	    "clients:\n"
	    "  - {name: all, token_sha256: %s}\n"
	    "  - {name: shop, token_sha256: %s, projects: [shop, plain]}\n"
	    "  - {name: viewer, token_file: viewer.token, read_only: true}\n"
	    "  - {name: ops, token_sha256: %s, admin: true}\n"
	    "  - {name: watcher, token_sha256: %s, admin: true, read_only: true}\n"
	    "  - {name: few, token_sha256: %s, rate: {per_minute: 3}}\n%s",
	    sha(ALL), sha(SHOP), sha(OPS), sha(WATCHER), sha(FEW), more);
}

/* Starts a gateway over its sandbox with these clients. */
static void
start(const char *more)
{
	const char *args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", "--config", file(more), NULL};

	program_start(&gateway, args);
}

/* Ends it; it must end well. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* One request with a token (NULL: none). */
static struct reply *
as(const char *token, const char *method, const char *path, const char *body)
{
	char field[200] = "";

	if (token != NULL)
		snprintf(field, sizeof field, BEARER("%s"), token);
	return ask(gateway.port, method, path, field, body);
}

/* The same on the admin address. */
static struct reply *
admin_as(const char *token, const char *method, const char *path, const char *body)
{
	char field[200] = "";

	if (token != NULL)
		snprintf(field, sizeof field, BEARER("%s"), token);
	return ask(gateway.admin_port, method, path, field, body);
}

/* Creates a persona with a token; its path, static. */
static const char *
create(const char *token, const char *collection, const char *name)
{
	static char path[200];
	char body[100];
	struct reply *r;

	snprintf(body, sizeof body, "{\"name\":\"%s\"}", name);
	r = as(token, "POST", collection, body);
	ck_assert_msg(r->status == 201, "%d: %s", r->status, r->body);
	snprintf(path, sizeof path, "%s/%s", collection, reply_string(r, "id"));
	return path;
}

/* An answer without what is of one answer alone: the id and the time. Static, two at a
 * time. */
static const char *
bare(const struct reply *r)
{
	static char texts[2][9000];
	static unsigned turn;
	char *text = texts[turn++ % 2], *at = text;

	for (const char *line = r->head; *line != '\0'; line = strstr(line, "\r\n") + 2)
		if (strncmp(line, "X-Request-Id:", 13) != 0 && strncmp(line, "Date:", 5) != 0)
			at += sprintf(at, "%.*s\n", (int)strcspn(line, "\r"), line);
	sprintf(at, "%s", r->body);
	return text;
}

/* Fails unless it is the answer to somebody without a valid token. */
static void
expect_unknown(const struct reply *r)
{
	expect_error(r, 401, "A valid token is needed: send Authorization: Bearer TOKEN, or X-API-Key: "
	    "TOKEN");
	ck_assert_ptr_nonnull(strstr(r->head, "\r\nWWW-Authenticate: Bearer realm=\"persona gateway\"\r\n"));
	ck_assert_ptr_nonnull(strstr(r->head, "\r\nWWW-Authenticate: Basic realm=\"persona gateway\", "
	    "charset=\"UTF-8\"\r\n"));
	ck_assert_str_eq(reply_field(r, "cache-control"), "no-store");
}

/* Whether something can be read just now. */
static bool
readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/* A number in /metrics; -1 without it. */
static long
metric(const char *series)
{
	const struct reply *r = admin_as(WATCHER, "GET", "/metrics", NULL);
	size_t len = strlen(series);

	for (const char *p = r->body; (p = strstr(p, series)) != NULL; p += len)
		if (p[-1] == '\n' && p[len] == ' ')
			return atol(p + len);
	return -1;
}

/* ---- who asks ---- */

START_TEST(every_request_needs_a_token)
{
	static const char *const others[][2] = {{"GET", PROJECTS}, {"POST", PERSONAS},
	    {"GET", "/nothing"}, {"GET", "/v1/ping"}, {"OPTIONS", PERSONAS}, {"PATCH", "/%00"}};
	struct reply *r, early;
	int fd;

	start("");
	expect_unknown(as(NULL, "GET", PERSONAS, NULL));
	ck_assert_str_eq(bare(as(NULL, "GET", PERSONAS, NULL)), bare(as(WRONG, "GET", PERSONAS, NULL)));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		expect_unknown(as(NULL, others[i][0], others[i][1], NULL));
	ck_assert_int_eq(as(ALL, "GET", PERSONAS, NULL)->status, 200);
	ck_assert_int_eq(as(ALL, "GET", "/nothing", NULL)->status, 404);
	/* A page's own script asks for the token itself; the browser must not. */
	r = ask(gateway.port, "GET", PERSONAS, "Sec-Fetch-Dest: empty\r\n", NULL);
	ck_assert_int_eq(r->status, 401);
	ck_assert_ptr_nonnull(strstr(r->head, "WWW-Authenticate: Bearer"));
	ck_assert_ptr_null(strstr(r->head, "Basic"));
	/* The body of somebody unknown is not waited for. */
	fd = raw_connect(gateway.port);
	raw_send(fd, "POST " PERSONAS " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n",
	    strlen("POST " PERSONAS " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n"));
	raw_reply(fd, false, &early);
	ck_assert_int_eq(early.status, 401);
	free(early.body);
	close(fd);
	stop();
}
END_TEST

START_TEST(a_token_may_come_in_three_ways)
{
	static const char *const ways[] = {"-u ':" ALL "'", "-u 'anyone:" ALL "'",
	    "-H 'Authorization: Bearer " ALL "'", "-H 'X-API-Key: " ALL "'",
	    "-H 'authorization: bearer   " ALL "'", "-u ':" ALL "' -H 'X-API-Key: " ALL "'"};
	static const char *const none[] = {"-u '" ALL ":'", "-H 'X-API-Key: x" ALL "'",
	    "-H 'Authorization: Digest " ALL "'", "-H 'Cookie: " ALL "'", "-H 'X-API-Key;'"};
	char *out;

	start("");
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		out = shell("curl -sS -o /dev/null -w '%%{http_code}' %s %s" PROJECTS, ways[i], gateway.url[0]);
		ck_assert_msg(strcmp(out, "200") == 0, "%s: %s", ways[i], out);
		free(out);
	}
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		out = shell("curl -sS -o /dev/null -w '%%{http_code}' %s %s" PROJECTS, none[i],
		    gateway.url[0]);
		ck_assert_msg(strcmp(out, "401") == 0, "%s: %s", none[i], out);
		free(out);
	}
	stop();
}
END_TEST

START_TEST(two_different_tokens_in_one_request_are_refused)
{
	static const char sentence[] = "The request shows two different tokens; send one";

	start("");
	expect_error(ask(gateway.port, "GET", PROJECTS, BEARER(ALL) "X-API-Key: " SHOP "\r\n", NULL), 400,
	    sentence);
	expect_error(ask(gateway.port, "GET", PROJECTS, BEARER(ALL) "X-API-Key: " WRONG "\r\n", NULL), 400,
	    sentence);
	expect_error(ask(gateway.port, "GET", PROJECTS, "X-API-Key: " ALL "\r\nX-API-Key: " SHOP "\r\n",
	    NULL), 400, sentence);
	ck_assert_int_eq(ask(gateway.port, "GET", PROJECTS, BEARER(ALL) "X-API-Key: " ALL "\r\n", NULL)->status,
	    200);
	stop();
}
END_TEST

START_TEST(without_clients_nobody_needs_a_token_on_this_machine)
{
	const char *args[] = {"serve", "--sandbox", "--admin-listen", "127.0.0.1:0",
	    "--listen", "0.0.0.0:0", NULL};
	struct program refused;
	char *log;

	ck_assert_int_eq(program_fails(&refused, args), 1);
	log = program_log(&refused);
	ck_assert_ptr_nonnull(strstr(log, "other machines can reach 0.0.0.0:0, and there are no clients"));
	free(log);
	log = shell("%s check --sandbox --config %s 2>&1", program_path(),
	    file("listen: 0.0.0.0:3000\nadmin_listen: '[::]:3001'\n"));
	ck_assert_str_eq(log, "ok\n");
	free(log);
	args[5] = "127.0.0.1:0";
	program_start(&gateway, args);
	ck_assert_int_eq(ask(gateway.port, "GET", PERSONAS, BEARER(WRONG), NULL)->status, 200);
	stop();
}
END_TEST

START_TEST(without_clients_pages_elsewhere_cannot_write)
{
	static const char sentence[] = "A page of another origin may not write here; cors.origins in the "
	    "gateway's configuration names those that may";
	static const struct {
		const char *fields;
		bool let_in;
	} rows[] = {
	    {"", true}, /* every program but a browser */
	    {"Origin: http://evil.example\r\n", true}, /* the same: no browser leaves it at that */
	    {"Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n", false},
	    {"Origin: null\r\nSec-Fetch-Site: cross-site\r\n", false},
	    {"Sec-Fetch-Site: cross-site\r\n", false},
	    {"Origin: http://localhost.evil.example\r\nSec-Fetch-Site: cross-site\r\n", false},
	    {"Origin: http://evil.example:80@localhost\r\nSec-Fetch-Site: cross-site\r\n", false},
	    {"Origin: http://localhost\r\nSec-Fetch-Site: cross-site\r\n", true},
	    {"Origin: http://[::1]:5173\r\nSec-Fetch-Site: cross-site\r\n", true},
	    {"Origin: https://gateway.example\r\nSec-Fetch-Site: cross-site\r\n", true},
	    {"Origin: http://studio.example\r\nSec-Fetch-Site: cross-site\r\n", true},
	    {"Origin: https://proxy.example\r\nSec-Fetch-Site: same-origin\r\n", true},
	    {"Sec-Fetch-Site: none\r\n", true},
	};
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--config",
	    scratch_file("pages.yaml", "cors: {origins: [http://studio.example]}\n"
	        "allowed_hosts: [gateway.example]\nadmin_listen: 127.0.0.1:0\n"), NULL};
	char body[64], fields[300], *id, draw[128];

	program_start(&gateway, args);
	id = strdup(reply_string(ask(gateway.port, "POST", "/api/projects/demo/personas", NULL,
	    "{\"name\":\"drawn\"}"), "id"));
	snprintf(draw, sizeof draw, "/api/projects/demo/personas/%s/generate-image", id);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct reply *r;

		snprintf(body, sizeof body, "{\"name\":\"n%zu\"}", i);
		r = ask(gateway.port, "POST", "/api/projects/demo/personas", rows[i].fields, body);
		ck_assert_msg(r->status == (rows[i].let_in ? 201 : 403), "%zu: %d %s", i, r->status, r->body);
		if (!rows[i].let_in) {
			expect_error(r, 403, sentence);
			/* what a form can send: no body that must be JSON */
			snprintf(fields, sizeof fields, "Content-Type: application/x-www-form-urlencoded\r\n%s",
			    rows[i].fields);
			expect_error(ask(gateway.port, "POST", draw, fields, ""), 403, sentence);
			snprintf(fields, sizeof fields, SOCKET "%s", rows[i].fields);
			expect_error(ask(gateway.port, "GET", "/chat", fields, NULL), 403, sentence);
			expect_error(ask(gateway.admin_port, "POST", "/reload", rows[i].fields, "{}"), 403, sentence);
		}
		/* reading is CORS' affair: the page gets nothing of it */
		ck_assert_int_eq(ask(gateway.port, "GET", "/api/projects/demo/personas", rows[i].fields,
		    NULL)->status, 200);
	}
	ck_assert_int_ne(ask(gateway.port, "POST", draw, NULL, NULL)->status, 403);
	free(id);
	stop();
}
END_TEST

START_TEST(preflights_need_no_token)
{
	static const char from[] = "Origin: http://studio.example\r\n";
	char fields[300];
	struct reply *r;

	start("cors: {origins: [http://studio.example]}\n");
	snprintf(fields, sizeof fields, "%sAccess-Control-Request-Method: GET\r\n"
	    "Access-Control-Request-Headers: authorization\r\n", from);
	r = ask(gateway.port, "OPTIONS", PERSONAS, fields, NULL);
	ck_assert_int_eq(r->status, 204);
	ck_assert_str_eq(reply_field(r, "access-control-allow-headers"), "authorization");
	r = ask(gateway.port, "GET", PERSONAS, from, NULL); /* the page can read that it needs one */
	expect_unknown(r);
	ck_assert_str_eq(reply_field(r, "access-control-allow-origin"), "http://studio.example");
	snprintf(fields, sizeof fields, "%s" BEARER(FEW), from);
	r = ask(gateway.port, "GET", PERSONAS, fields, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_ptr_nonnull(strstr(reply_field(r, "access-control-expose-headers"), "RateLimit"));
	stop();
}
END_TEST

/* ---- may they ---- */

START_TEST(a_client_sees_its_projects_alone)
{
	const char *path;
	char *other;
	struct reply *r;

	start("");
	other = strdup(create(ALL, OTHERS, "hidden"));
	path = create(SHOP, PERSONAS, "mine");
	ck_assert_int_eq(as(SHOP, "GET", path, NULL)->status, 200);
	ck_assert_int_eq(as(SHOP, "PUT", path, "{\"description\":\"d\"}")->status, 200);
	/* The same words as for a project that does not exist. */
	r = as(SHOP, "GET", PROJECTS "/never/personas", NULL);
	expect_error(r, 404, "Project not found");
	ck_assert_str_eq(bare(as(SHOP, "GET", OTHERS, NULL)), bare(r));
	expect_error(as(SHOP, "GET", other, NULL), 404, "Project not found");
	expect_error(as(SHOP, "PUT", other, "{\"name\":\"x\"}"), 404, "Project not found");
	expect_error(as(SHOP, "DELETE", other, NULL), 404, "Project not found");
	expect_error(as(SHOP, "GET", PROJECTS "/%6fther/personas", NULL), 404, "Project not found");
	expect_error(as(SHOP, "GET", PROJECTS "/other/images?role=r", NULL), 404, "Project not found");
	expect_error(as(SHOP, "POST", OTHERS, "{\"name\":\"x\"}"), 404, "Project not found");
	ck_assert_int_eq(as(ALL, "GET", other, NULL)->status, 200);
	ck_assert_str_eq(as(SHOP, "GET", PROJECTS, NULL)->body,
	    "[{\"id\":\"shop\",\"name\":\"Shop\"},{\"id\":\"plain\",\"name\":\"plain\"}]");
	ck_assert_ptr_nonnull(strstr(as(ALL, "GET", PROJECTS, NULL)->body, "\"other\""));
	free(other);
	stop();
}
END_TEST

START_TEST(what_belongs_to_all_projects_is_not_for_clients_of_some)
{
	start("communities: {scope: organisation}\n");
	expect_error(as(SHOP, "GET", PROJECTS "/shop/communities", NULL), 403, "This token is for certain "
	    "projects, and communities here belong to the whole organisation");
	ck_assert_int_eq(as(ALL, "GET", PROJECTS "/shop/communities", NULL)->status, 200);
	ck_assert_int_eq(as(SHOP, "GET", PERSONAS, NULL)->status, 200);
	stop();
	start("");
	ck_assert_int_eq(as(SHOP, "GET", PROJECTS "/shop/communities", NULL)->status, 200);
	expect_error(as(SHOP, "GET", PROJECTS "/other/communities", NULL), 404, "Project not found");
	stop();
}
END_TEST

START_TEST(a_reader_only_reads)
{
	static const char sentence[] = "This token may only read: GET, HEAD and OPTIONS";
	char drawing[256];
	const char *path;

	start("");
	path = create(ALL, PERSONAS, "a");
	ck_assert_int_eq(as(VIEWER, "GET", path, NULL)->status, 200);
	ck_assert_int_eq(as(VIEWER, "HEAD", path, NULL)->status, 200);
	ck_assert_int_eq(as(VIEWER, "OPTIONS", path, NULL)->status, 405);
	expect_error(as(VIEWER, "POST", PERSONAS, "{\"name\":\"b\"}"), 403, sentence);
	expect_error(as(VIEWER, "PUT", path, "{\"name\":\"b\"}"), 403, sentence);
	expect_error(as(VIEWER, "DELETE", path, NULL), 403, sentence);
	snprintf(drawing, sizeof drawing, "%s/generate-image", path);
	expect_error(as(VIEWER, "POST", drawing, NULL), 403, sentence);
	expect_error(as(VIEWER, "TRACE", path, NULL), 403, sentence);
	ck_assert_int_eq(as(ALL, "GET", path, NULL)->status, 200);
	ck_assert_int_eq(metric("persona_gateway_client_requests_total{client=\"viewer\",outcome="
	    "\"forbidden\"}"), 5);
	stop();
}
END_TEST

START_TEST(pages_elsewhere_cannot_write_with_the_browsers_password)
{
	static const char sentence[] = "A page of another origin cannot write with the browser's password";
	/* ":token-of-the-client-all" */
	static const char basic[] = "Authorization: Basic OnRva2VuLW9mLXRoZS1jbGllbnQtYWxs\r\n";
	static const struct {
		const char *fields, *origin;
		int status;
	} rows[] = {
	    {basic, "", 201}, {basic, "Origin: http://localhost\r\n", 201},
	    {basic, "Origin: http://studio.example\r\n", 201},
	    {basic, "Origin: http://evil.example\r\n", 403}, {basic, "Origin: null\r\n", 403},
	    {basic, "Origin: http://localhost:8080\r\n", 403},
	    {basic, "Origin: http://xlocalhost\r\n", 403},
	    {basic, "Sec-Fetch-Site: cross-site\r\n", 403}, {basic, "Sec-Fetch-Site: same-site\r\n", 403},
	    {basic, "Sec-Fetch-Site: same-origin\r\n", 201}, {basic, "Sec-Fetch-Site: none\r\n", 201},
	    {basic, "Origin: http://studio.example\r\nSec-Fetch-Site: cross-site\r\n", 201},
	    {BEARER(ALL), "Origin: http://evil.example\r\n", 201}, /* the page knew the token itself */
	    {BEARER(ALL), "Sec-Fetch-Site: cross-site\r\n", 201},
	};
	struct reply *r;
	char fields[300], body[40];

	start("cors: {origins: [http://studio.example], credentials: true}\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(fields, sizeof fields, "%s%s", rows[i].fields, rows[i].origin);
		snprintf(body, sizeof body, "{\"name\":\"n%zu\"}", i);
		r = ask(gateway.port, "POST", PERSONAS, fields, body);
		ck_assert_msg(r->status == rows[i].status, "%zu: %d %s", i, r->status, r->body);
		if (r->status == 403)
			expect_error(r, 403, sentence);
		ck_assert_int_eq(ask(gateway.port, "GET", PERSONAS, fields, NULL)->status, 200);
	}
	snprintf(fields, sizeof fields, "%sOrigin: http://evil.example\r\n" SOCKET, basic);
	expect_error(ask(gateway.port, "GET", "/api/socket", fields, NULL), 403, sentence);
	expect_error(ask(gateway.port, "GET", "/api/socket", BEARER(VIEWER) SOCKET, NULL), 403,
	    "This token may only read: GET, HEAD and OPTIONS");
	stop();
}
END_TEST

START_TEST(a_rate_is_kept_and_told)
{
	struct reply *r;

	start("");
	for (int i = 0; i < 3; i++) {
		char want[40];

		r = as(FEW, "GET", PERSONAS, NULL);
		ck_assert_int_eq(r->status, 200);
		ck_assert_str_eq(reply_field(r, "ratelimit-policy"), "\"client\";q=3;w=60");
		snprintf(want, sizeof want, "\"client\";r=%d;t=", 2 - i);
		ck_assert_int_eq(strncmp(reply_field(r, "ratelimit"), want, strlen(want)), 0);
	}
	r = as(FEW, "GET", PERSONAS, NULL);
	ck_assert_int_eq(r->status, 429);
	ck_assert_int_eq(strncmp(reply_string(r, "error"), "Too many requests: this client may make 3 "
	    "in a minute; try again in ", 66), 0);
	ck_assert_int_ge(atoi(reply_field(r, "retry-after")), 1);
	ck_assert_int_le(atoi(reply_field(r, "retry-after")), 20);
	ck_assert_int_eq(atoi(strstr(reply_field(r, "ratelimit"), ";t=") + 3),
	    atoi(reply_field(r, "retry-after")));
	ck_assert_str_eq(reply_field(r, "ratelimit-policy"), "\"client\";q=3;w=60");
	r = as(ALL, "GET", PERSONAS, NULL); /* nobody else's */
	ck_assert_int_eq(r->status, 200);
	ck_assert_ptr_null(reply_field(r, "ratelimit"));
	ck_assert_int_eq(metric("persona_gateway_client_requests_total{client=\"few\",outcome="
	    "\"limited\"}"), 1);
	stop();
}
END_TEST

START_TEST(idempotency_keys_belong_to_a_client)
{
	struct reply *r;
	char id[64];

	start("");
	r = ask(gateway.port, "POST", PERSONAS, BEARER(ALL) "Idempotency-Key: k\r\n", "{\"name\":\"a\"}");
	ck_assert_int_eq(r->status, 201);
	snprintf(id, sizeof id, "%s", reply_string(r, "id"));
	r = ask(gateway.port, "POST", PERSONAS, BEARER(SHOP) "Idempotency-Key: k\r\n", "{\"name\":\"b\"}");
	ck_assert_msg(r->status == 201, "%d: %s", r->status, r->body);
	ck_assert_str_ne(reply_string(r, "id"), id);
	r = ask(gateway.port, "POST", PERSONAS, BEARER(ALL) "Idempotency-Key: k\r\n", "{\"name\":\"a\"}");
	ck_assert_int_eq(r->status, 201);
	ck_assert_str_eq(reply_string(r, "id"), id);
	r = ask(gateway.port, "POST", PERSONAS, BEARER(ALL) "Idempotency-Key: k\r\n", "{\"name\":\"c\"}");
	ck_assert_int_eq(r->status, 422);
	stop();
}
END_TEST

START_TEST(images_of_clients_are_for_no_shared_cache)
{
	char path[200];
	struct reply *r;

	start("");
	r = as(ALL, "POST", PROJECTS "/shop/images",
	    "{\"role\":\"r\",\"imageBase64\":\"iVBORw0KGgoAAAANSUhEUgAAAAAAAAAAAAAAAAAAAAAAAAAA\"}");
	ck_assert_msg(r->status == 201, "%d: %s", r->status, r->body);
	snprintf(path, sizeof path, PROJECTS "/shop/images/%s", reply_string(r, "id"));
	r = as(VIEWER, "GET", path, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_field(r, "cache-control"), "private, max-age=3600");
	stop();
}
END_TEST

/* ---- what is passed on ---- */

/* Has a request passed on to the local tool, which answers; the head that it got. */
static const char *
passed(const char *method, const char *target, const char *fields)
{
	struct reply r;
	char text[600];
	const char *head;
	int fd = raw_connect(gateway.port), tool;

	snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
	    method, target, fields);
	raw_send(fd, text, strlen(text));
	tool = tool_accept();
	head = tool_head(tool);
	tool_say(tool, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	raw_reply(fd, false, &r);
	ck_assert_int_eq(r.status, 200);
	free(r.body);
	close(fd);
	close(tool);
	return head;
}

START_TEST(the_local_tool_gets_what_a_client_may_and_no_token)
{
	static const char outside[] = "This token is for certain projects, and the path is not plainly "
	                              "below one of them";
	char lines[100];
	const char *head;

	snprintf(lines, sizeof lines, "passthrough: {local: \"http://127.0.0.1:%d\"}\n", tool_open());
	start(lines);
	expect_unknown(as(NULL, "GET", "/api/status", NULL));
	head = passed("GET", "/api/status", BEARER(ALL) "X-API-Key: " ALL "\r\nCookie: own=1\r\n");
	ck_assert_ptr_null(head_field(head, "authorization"));
	ck_assert_ptr_null(head_field(head, "x-api-key"));
	ck_assert_str_eq(head_field(head, "cookie"), "own=1");
	passed("POST", "/api/projects/other/runs", BEARER(ALL));
	passed("GET", "/api/status", BEARER(VIEWER));
	expect_error(as(VIEWER, "POST", "/api/projects/shop/runs", "{}"), 403,
	    "This token may only read: GET, HEAD and OPTIONS");
	passed("POST", "/api/projects/shop/runs?x=1", BEARER(SHOP));
	expect_error(as(SHOP, "GET", "/api/projects/other/runs", NULL), 404, "Project not found");
	expect_error(as(SHOP, "GET", "/api/status", NULL), 403, outside);
	expect_error(as(SHOP, "GET", "/api/projects/shop/../other/runs", NULL), 403, outside);
	ck_assert_str_eq(as(SHOP, "GET", PROJECTS, NULL)->body,
	    "[{\"id\":\"shop\",\"name\":\"Shop\"},{\"id\":\"plain\",\"name\":\"plain\"}]");
	ck_assert(!tool_is_called());
	passed("GET", PROJECTS, BEARER(ALL));
	stop();
	tool_close();
}
END_TEST

START_TEST(bluejay_itself_needs_a_right_of_its_own)
{
	char more[300];

	snprintf(more, sizeof more, "  - {name: raw, token_sha256: %s, passthrough: true}\n"
	    "  - {name: rawviewer, token_sha256: %s, passthrough: true, read_only: true}\n"
	    "passthrough: {bluejay: true}\n", sha("token-of-the-client-raw"),
	    sha("token-of-the-client-rawviewer"));
	start(more);
	expect_unknown(as(NULL, "GET", "/v1/ping", NULL));
	expect_error(as(ALL, "GET", "/v1/ping", NULL), 403, "This token is not for /v1/");
	expect_error(as(SHOP, "GET", "/v1/ping", NULL), 403, "This token is not for /v1/");
	ck_assert_int_eq(as("token-of-the-client-raw", "GET", "/v1/ping", NULL)->status, 200);
	ck_assert_int_eq(as("token-of-the-client-rawviewer", "GET", "/v1/ping", NULL)->status, 200);
	expect_error(as("token-of-the-client-rawviewer", "DELETE", "/v1/ping", NULL), 403,
	    "This token may only read: GET, HEAD and OPTIONS");
	stop();
}
END_TEST

/* ---- failures ---- */

START_TEST(many_failures_wait_and_hold_nobody_else_up)
{
	static const char request[] = "GET " PERSONAS " HTTP/1.1\r\nHost: localhost\r\n"
	                              BEARER(WRONG) "\r\n";
	struct reply r = {0};
	int waiting[8];
	char *log;

	start("");
	for (int i = 0; i < FREE; i++)
		expect_unknown(as(i % 2 == 0 ? WRONG : NULL, "GET", PERSONAS, NULL));
	for (size_t i = 0; i < 8; i++) {
		waiting[i] = raw_connect(gateway.port);
		raw_send(waiting[i], request, strlen(request));
		while (metric("persona_gateway_client_failures_slowed_total") <= (long)i)
			;
	}
	/* All of them are held, and a right token is not. */
	ck_assert_int_eq(as(ALL, "GET", PERSONAS, NULL)->status, 200);
	ck_assert(!readable(waiting[7]));
	close(waiting[6]); /* who leaves meanwhile is forgotten */
	raw_reply(waiting[0], false, &r);
	expect_unknown(&r);
	ck_assert_int_eq(as(ALL, "GET", PERSONAS, NULL)->status, 200);
	ck_assert(!readable(waiting[7])); /* 4 s, against the first one's 250 ms */
	ck_assert_int_eq(metric("persona_gateway_client_failures_total{listener=\"api\",reason="
	    "\"wrong\"}"), FREE / 2 + 8);
	ck_assert_int_eq(metric("persona_gateway_client_failures_total{listener=\"api\",reason="
	    "\"missing\"}"), FREE / 2);
	log = program_log(&gateway);
	ck_assert_ptr_nonnull(strstr(log, "many requests without a valid token"));
	free(log);
	free(r.body);
	for (size_t i = 0; i < 8; i++)
		if (i != 6)
			close(waiting[i]);
	stop();
}
END_TEST

/* ---- the admin address ---- */

START_TEST(the_admin_address_needs_a_client_with_that_right)
{
	static const char *const paths[] = {"/", "/page.js", "/metrics", "/overview", "/intents",
	    "/drift", "/openapi.json", "/projects/shop/personas", "/nothing"};
	char *out;

	start("");
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		expect_unknown(admin_as(NULL, "GET", paths[i], NULL));
	expect_error(admin_as(ALL, "GET", "/overview", NULL), 403,
	    "This token is not for the admin address");
	ck_assert_int_eq(admin_as(OPS, "GET", "/overview", NULL)->status, 200);
	ck_assert_int_eq(admin_as(OPS, "GET", "/", NULL)->status, 200);
	ck_assert_int_eq(admin_as(OPS, "POST", "/projects/shop/refresh", "{}")->status, 204);
	ck_assert_int_eq(admin_as(WATCHER, "GET", "/metrics", NULL)->status, 200);
	expect_error(admin_as(WATCHER, "POST", "/projects/shop/refresh", "{}"), 403,
	    "This token may only read: GET, HEAD and OPTIONS");
	/* A load balancer has no token, and learns what it needs. */
	ck_assert_str_eq(admin_as(NULL, "GET", "/healthz", NULL)->body, "{\"alive\":true}");
	ck_assert_str_eq(admin_as(NULL, "GET", "/readyz", NULL)->body, "{\"ready\":true}");
	ck_assert_str_eq(admin_as(ALL, "GET", "/readyz", NULL)->body, "{\"ready\":true}");
	ck_assert_ptr_nonnull(strstr(admin_as(OPS, "GET", "/readyz", NULL)->body, "\"store\":{\"ok\":true}"));
	expect_unknown(admin_as(NULL, "POST", "/healthz", "{}"));
	/* As a browser would, for the page. */
	out = shell("curl -sS -o /dev/null -w '%%{http_code}' -u ':" OPS "' http://127.0.0.1:%d/page.js",
	    gateway.admin_port);
	ck_assert_str_eq(out, "200");
	free(out);
	stop();
}
END_TEST

START_TEST(the_admin_address_stays_open_here_without_such_a_client)
{
	const char *args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", "--config", scratch_file("gateway.yaml",
	        "clients: [{name: all, token_sha256: %s}]\n", sha(ALL)), NULL};

	program_start(&gateway, args);
	ck_assert_int_eq(ask(gateway.admin_port, "GET", "/overview", NULL, NULL)->status, 200);
	expect_unknown(ask(gateway.port, "GET", PROJECTS, NULL, NULL));
	stop();
}
END_TEST

START_TEST(the_command_for_intents_sends_a_token)
{
	const char *token;
	char *out;

	start("");
	token = scratch_file("ops.token", OPS "\n");
	ck_assert_int_eq(chmod(token, 0600), 0);
	out = shell("%s intents --admin http://127.0.0.1:%d list 2>&1", program_path(), gateway.admin_port);
	ck_assert_ptr_nonnull(strstr(out, "A valid token is needed"));
	free(out);
	out = shell("%s intents --admin http://127.0.0.1:%d --token-file %s list 2>&1", program_path(),
	    gateway.admin_port, token);
	ck_assert_str_eq(out, "nothing is unsettled\n");
	free(out);
	out = shell("%s intents --token-file %s/none list 2>&1", program_path(), scratch_dir());
	ck_assert_ptr_nonnull(strstr(out, "cannot read"));
	free(out);
	stop();
}
END_TEST

/* ---- what is told ---- */

START_TEST(logs_name_the_client_and_show_no_token)
{
	static const char *const tokens[] = {ALL, SHOP, VIEWER, OPS, WATCHER, FEW, WRONG};
	char *log;

	start("log: {format: json, level: debug}\n");
	create(SHOP, PERSONAS, "a");
	as(WRONG, "GET", PERSONAS, NULL);
	as(VIEWER, "GET", PERSONAS, NULL);
	ask(gateway.port, "GET", PROJECTS, BEARER(ALL) "X-API-Key: " WRONG "\r\n", NULL);
	admin_as(OPS, "POST", "/projects/shop/refresh", "{}");
	stop(); /* everything is written */
	log = program_log(&gateway);
	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
		ck_assert_msg(strstr(log, tokens[i]) == NULL, "%s", log);
		ck_assert_msg(strstr(log, sha(tokens[i])) == NULL, "%s", log);
	}
	ck_assert_ptr_nonnull(strstr(log, "\"event\":\"audit\""));
	for (const char *at = log; (at = strstr(at, "\"event\":\"audit\"")) != NULL; at++)
		ck_assert(strncmp(strstr(at, "\"client_name\":"), "\"client_name\":\"shop\"", 20) == 0 ||
		    strncmp(strstr(at, "\"client_name\":"), "\"client_name\":\"ops\"", 19) == 0);
	ck_assert_ptr_nonnull(strstr(log, "\"client_name\":\"viewer\""));
	free(log);
}
END_TEST

START_TEST(a_token_is_made_and_used)
{
	const char *args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen", "off",
	    "--config", NULL, NULL};
	char *out = shell("%s token ci --projects demo --read-only 2>/dev/null", program_path());
	char *line = strchr(out, '\n'), fields[200];

	ck_assert_ptr_nonnull(line);
	*line++ = '\0';
	args[7] = scratch_file("gateway.yaml", "projects: {demo: {agent_id: 1}}\nclients:\n  %s", line);
	program_start(&gateway, args);
	snprintf(fields, sizeof fields, "X-API-Key: %s\r\n", out);
	ck_assert_int_eq(ask(gateway.port, "GET", PROJECTS "/demo/personas", fields, NULL)->status, 200);
	ck_assert_int_eq(ask(gateway.port, "DELETE", PROJECTS "/demo/personas/x", fields, NULL)->status, 403);
	fields[strlen(fields) - 3] ^= 1;
	expect_unknown(ask(gateway.port, "GET", PROJECTS "/demo/personas", fields, NULL));
	free(out);
	stop();
}
END_TEST

/* The suite. */
static Suite *
clients_suite(void)
{
	const TTest *const tests[] = {every_request_needs_a_token, a_token_may_come_in_three_ways,
	    two_different_tokens_in_one_request_are_refused,
	    without_clients_nobody_needs_a_token_on_this_machine,
	    without_clients_pages_elsewhere_cannot_write, preflights_need_no_token,
	    a_client_sees_its_projects_alone,
	    what_belongs_to_all_projects_is_not_for_clients_of_some, a_reader_only_reads,
	    pages_elsewhere_cannot_write_with_the_browsers_password, a_rate_is_kept_and_told,
	    idempotency_keys_belong_to_a_client, images_of_clients_are_for_no_shared_cache,
	    the_local_tool_gets_what_a_client_may_and_no_token,
	    bluejay_itself_needs_a_right_of_its_own, many_failures_wait_and_hold_nobody_else_up,
	    the_admin_address_needs_a_client_with_that_right,
	    the_admin_address_stays_open_here_without_such_a_client,
	    the_command_for_intents_sends_a_token, logs_name_the_client_and_show_no_token,
	    a_token_is_made_and_used, NULL};

	return unit_suite("clients", tests);
}

UNIT_MAIN(clients_suite)
