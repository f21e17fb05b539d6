#include "config.h"

#include "base/base64.h"
#include "base/buf.h"
#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Pages on other origins, as the bytes of the real program's answers. */

#define PAGE "http://studio.example:5173"
#define FROM "Origin: " PAGE "\r\n"
#define EVIL "Origin: http://evil.example\r\n"
#define ASKS "Access-Control-Request-Method: PUT\r\n"
#define PERSONAS "/api/projects/demo/personas"
#define IMAGES "/api/projects/demo/images"
#define BIG 300000 /* bytes of an image that is a file, and is streamed */

static struct program gateway;

/* Starts a gateway over its sandbox with this in its file. */
static void
start(const char *lines)
{
	const char *args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", "--config", scratch_file("gateway.yaml", "%s", lines), NULL};

	program_start(&gateway, args);
}

/* Ends it; it must end well. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* How many fields of a name an answer has. */
static unsigned
count(const struct reply *r, const char *name)
{
	size_t len = strlen(name);
	unsigned n = 0;

	for (const char *p = r->head; (p = strstr(p, "\r\n")) != NULL; p += 2)
		n += strncasecmp(p + 2, name, len) == 0 && p[2 + len] == ':';
	return n;
}

/* Fails unless the page may read this answer. */
static void
expect_open(const struct reply *r, int status)
{
	static const char *const exposed[] = {"ETag", "X-Cache", "X-Request-Id", "Age",
	    "Retry-After", "Location", "Content-Range"};

	ck_assert_msg(r->status == status, "%d instead of %d: %s", r->status, status, r->body);
	ck_assert_uint_eq(count(r, "Access-Control-Allow-Origin"), 1);
	ck_assert_str_eq(reply_field(r, "Access-Control-Allow-Origin"), PAGE);
	ck_assert_uint_eq(count(r, "Access-Control-Expose-Headers"), 1);
	for (size_t i = 0; i < sizeof exposed / sizeof *exposed; i++)
		ck_assert_ptr_nonnull(
		    strstr(reply_field(r, "Access-Control-Expose-Headers"), exposed[i]));
	ck_assert_uint_eq(count(r, "Access-Control-Allow-Credentials"), 0);
	ck_assert_uint_eq(count(r, "Vary"), 1);
	ck_assert_str_eq(reply_field(r, "Vary"), "Origin");
	ck_assert_uint_eq(count(r, "X-Request-Id"), 1);
}

/* Fails unless no page may read this answer. */
static void
expect_shut(const struct reply *r, int status)
{
	ck_assert_msg(r->status == status, "%d instead of %d: %s", r->status, status, r->body);
	ck_assert_ptr_null(strcasestr(r->head, "\r\naccess-control-"));
}

/* Sends bytes on a connection of their own. */
static struct reply *
tell(const char *bytes)
{
	static struct reply r;
	int fd = raw_connect(gateway.port);

	raw_send(fd, bytes, strlen(bytes));
	free(r.body);
	raw_reply(fd, false, &r);
	close(fd);
	return &r;
}

/* Uploads a large image; its path, static. */
static const char *
upload(void)
{
	static char path[200], bytes[BIG] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
	struct reply *r;
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, "{\"role\":\"r\",\"imageBase64\":\"");
	base64_encode(&b, bytes, sizeof bytes);
	buf_adds(&b, "\"}");
	r = ask(gateway.port, "POST", IMAGES, FROM, b.data);
	expect_open(r, 201);
	snprintf(path, sizeof path, IMAGES "/%s", reply_string(r, "id"));
	buf_free(&b);
	return path;
}

START_TEST(every_answer_is_open_to_an_allowed_page)
{
	char path[200], fields[300];
	struct reply *r;

	start("cors: {origins: [" PAGE "]}\nlimits: {body: 1KiB}\n"
	      "client_timeouts: {body: 200ms}\nprojects: {demo: {agent_id: 1}}\n");
	expect_open(ask(gateway.port, "GET", PERSONAS, FROM, NULL), 200);
	r = ask(gateway.port, "POST", PERSONAS, FROM, "{\"name\":\"a\"}");
	expect_open(r, 201);
	snprintf(path, sizeof path, PERSONAS "/%s", reply_string(r, "id"));
	expect_open(ask(gateway.port, "POST", PERSONAS, FROM, "{\"name\":\"a\"}"), 409);
	expect_open(ask(gateway.port, "POST", PERSONAS, FROM, "{"), 400);
	expect_open(ask(gateway.port, "PUT", path, FROM, "{\"description\":\"d\"}"), 200);
	r = ask(gateway.port, "GET", path, FROM, NULL);
	expect_open(r, 200);
	snprintf(fields, sizeof fields, FROM "If-None-Match: %s\r\n", reply_field(r, "etag"));
	expect_open(ask(gateway.port, "GET", path, fields, NULL), 304);
	expect_open(ask(gateway.port, "HEAD", path, FROM, NULL), 200);
	expect_open(ask(gateway.port, "POST", path, FROM, "{}"), 405);
	expect_open(ask(gateway.port, "OPTIONS", path, FROM, NULL), 405);
	expect_open(ask(gateway.port, "DELETE", path, FROM, NULL), 204);
	expect_open(ask(gateway.port, "DELETE", path, FROM, NULL), 404);
	expect_open(ask(gateway.port, "GET", "/api/projects/other/personas", FROM, NULL), 404);
	expect_open(ask(gateway.port, "GET", "/nothing", FROM, NULL), 404);
	expect_open(ask(gateway.port, "GET", "/..", FROM, NULL), 400);
	expect_open(ask(gateway.port, "POST", PERSONAS, FROM "Content-Type: text/plain\r\n", "{}"),
	    415);
	expect_open(tell("POST " PERSONAS " HTTP/1.1\r\nHost: localhost\r\n" FROM
	    "Content-Type: application/json\r\nContent-Length: 1025\r\n\r\n"), 413);
	expect_open(tell("POST " PERSONAS " HTTP/1.1\r\nHost: localhost\r\n" FROM
	    "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"), 408);
	expect_open(tell("GET " PERSONAS " HTTP/1.1\r\nHost: rebound.example\r\n" FROM "\r\n"), 421);
	stop();
}
END_TEST

START_TEST(images_are_open_to_an_allowed_page)
{
	char fields[300];
	const char *path;
	struct reply *r;

	start("cors: {origins: [" PAGE "]}\n");
	path = upload();
	r = ask(gateway.port, "GET", path, FROM, NULL);
	expect_open(r, 200);
	ck_assert_uint_eq(r->len, BIG);
	snprintf(fields, sizeof fields, FROM "If-None-Match: %s\r\n", reply_field(r, "etag"));
	expect_open(ask(gateway.port, "GET", path, fields, NULL), 304);
	expect_open(ask(gateway.port, "GET", path, FROM "Range: bytes=0-9\r\n", NULL), 206);
	expect_open(ask(gateway.port, "GET", path, FROM "Range: bytes=999999-\r\n", NULL), 416);
	/* A copy in a browser's cache that was fetched without an origin is not used for one. */
	r = ask(gateway.port, "GET", path, NULL, NULL);
	expect_shut(r, 200);
	ck_assert_str_eq(reply_field(r, "vary"), "Origin");
	stop();
}
END_TEST

START_TEST(preflights_are_answered_on_every_path)
{
	static const char *const paths[] = {PERSONAS, PERSONAS "/x", IMAGES, "/", "/v1/any", "*",
	    "/api/projects/other/personas"};
	struct reply *r;

	start("cors: {origins: [" PAGE "], max_age: 90500ms}\nprojects: {demo: {}}\n");
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		r = ask(gateway.port, "OPTIONS", paths[i],
		    FROM ASKS "Access-Control-Request-Headers: content-type,idempotency-key\r\n", NULL);
		ck_assert_int_eq(r->status, 204);
		ck_assert_str_eq(reply_field(r, "Access-Control-Allow-Origin"), PAGE);
		ck_assert_str_eq(reply_field(r, "Access-Control-Allow-Methods"),
		    "GET, HEAD, POST, PUT, PATCH, DELETE");
		ck_assert_str_eq(reply_field(r, "Access-Control-Allow-Headers"),
		    "content-type,idempotency-key");
		ck_assert_str_eq(reply_field(r, "Access-Control-Max-Age"), "90");
		r = ask(gateway.port, "OPTIONS", paths[i], EVIL ASKS, NULL);
		expect_error(r, 403, "This origin may not use the gateway; cors.origins in its "
		    "configuration names those that may");
		expect_shut(r, 403);
	}
	expect_error(ask(gateway.port, "OPTIONS", "/", FROM "Access-Control-Request-Method: (\r\n",
	    NULL), 400, "Access-Control-Request-Method is not a method");
	stop();
}
END_TEST

START_TEST(other_pages_see_nothing)
{
	struct reply *r;

	start("cors: {origins: [" PAGE "]}\n");
	r = ask(gateway.port, "POST", PERSONAS, EVIL, "{\"name\":\"a\"}");
	expect_shut(r, 201); /* no browser sends this without asking first */
	ck_assert_str_eq(reply_field(r, "vary"), "Origin");
	expect_shut(ask(gateway.port, "GET", PERSONAS, EVIL, NULL), 200);
	expect_shut(ask(gateway.port, "GET", "/nothing", "Origin: null\r\n", NULL), 404);
	expect_shut(ask(gateway.port, "GET", "/nothing", NULL, NULL), 404);
	stop();
}
END_TEST

/* An answer without what differs each time; the caller frees. */
static char *
steady(const char *method, const char *fields)
{
	char head[200];
	struct reply *r;
	char *at;

	snprintf(head, sizeof head, "X-Request-Id: 1\r\n%s", fields);
	r = ask(gateway.port, method, PERSONAS, head, NULL);
	if ((at = strstr(r->head, "\r\nDate: ")) != NULL)
		memset(at + 8, 'x', strcspn(at + 8, "\r"));
	return strdup(r->head);
}

START_TEST(without_origins_nothing_changes)
{
	static const char *const methods[] = {"GET", "OPTIONS", "DELETE"};
	static const int statuses[] = {200, 405, 405};

	start(_i == 0 ? "cors: {origins: [], credentials: true}\n" : "drain: 1s\n");
	for (int i = 0; i < 3; i++) {
		char *with, *without;

		free(steady(methods[i], "")); /* X-Cache is the same from the second time */
		without = steady(methods[i], "");
		with = steady(methods[i], FROM ASKS);
		ck_assert_int_eq(atoi(without + 9), statuses[i]);
		ck_assert_str_eq(with, without);
		ck_assert_ptr_null(strcasestr(with, "access-control"));
		ck_assert_ptr_null(strcasestr(with, "vary"));
		free(with);
		free(without);
	}
	stop();
}
END_TEST

START_TEST(every_page_may_be_allowed)
{
	struct reply *r;

	start("cors: {origins: '*'}\n");
	r = ask(gateway.port, "GET", PERSONAS, EVIL, NULL);
	ck_assert_str_eq(reply_field(r, "Access-Control-Allow-Origin"), "*");
	ck_assert_ptr_null(reply_field(r, "Vary"));
	ck_assert_ptr_null(reply_field(r, "Access-Control-Allow-Credentials"));
	r = ask(gateway.port, "OPTIONS", PERSONAS, EVIL ASKS, NULL);
	ck_assert_int_eq(r->status, 204);
	/* A page that had a name of its own lead here is still told off by its Host. */
	r = tell("GET " PERSONAS " HTTP/1.1\r\nHost: evil.example\r\n" EVIL "\r\n");
	ck_assert_int_eq(r->status, 421);
	r = tell("OPTIONS " PERSONAS " HTTP/1.1\r\nHost: evil.example\r\n" EVIL ASKS "\r\n");
	ck_assert_int_eq(r->status, 421);
	stop();
}
END_TEST

START_TEST(credentials_go_to_named_pages)
{
	struct reply *r;

	start("cors: {origins: [" PAGE "], credentials: true}\n");
	r = ask(gateway.port, "GET", PERSONAS, FROM, NULL);
	ck_assert_str_eq(reply_field(r, "Access-Control-Allow-Credentials"), "true");
	r = ask(gateway.port, "OPTIONS", PERSONAS, FROM ASKS, NULL);
	ck_assert_str_eq(reply_field(r, "Access-Control-Allow-Credentials"), "true");
	expect_shut(ask(gateway.port, "GET", PERSONAS, "Origin: null\r\n", NULL), 200);
	stop();
}
END_TEST

/* What a page may send without asking first: no preflight guards against it. */
START_TEST(what_needs_no_preflight_changes_nothing)
{
	static const char *const types[] = {"Content-Type: text/plain\r\n",
	    "Content-Type: application/x-www-form-urlencoded\r\n",
	    "Content-Type: multipart/form-data; boundary=x\r\n", "Content-Type:\r\n",
	    "Content-Type: text/plain;application/json\r\n"};
	char fields[200], path[200];
	struct reply *r;

	start(_i == 0 ? "cors: {origins: '*'}\n" : "drain: 1s\n");
	r = ask(gateway.port, "POST", PERSONAS, NULL, "{\"name\":\"a\"}");
	snprintf(path, sizeof path, PERSONAS "/%s", reply_string(r, "id"));
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		snprintf(fields, sizeof fields, EVIL "%s", types[i]);
		ck_assert_int_eq(ask(gateway.port, "POST", PERSONAS, fields,
		    "{\"name\":\"b\"}")->status, 415);
		ck_assert_int_eq(ask(gateway.port, "PUT", path, fields,
		    "{\"name\":\"b\"}")->status, 415);
		ck_assert_int_eq(ask(gateway.port, "POST", IMAGES, fields,
		    "{\"role\":\"r\",\"imageBase64\":\"iVBORw0KGgo=\"}")->status, 415);
	}
	ck_assert_int_eq(ask(gateway.port, "DELETE", PERSONAS, EVIL, NULL)->status, 405);
	r = ask(gateway.port, "GET", PERSONAS, NULL, NULL);
	ck_assert_uint_eq(json_object_array_length(reply_json(r)), 1);
	ck_assert_ptr_null(strstr(r->body, "\"b\""));
	stop();
}
END_TEST

START_TEST(the_admin_address_is_not_affected)
{
	struct reply *r;

	start("cors: {origins: '*'}\n");
	r = ask(gateway.admin_port, "GET", "/healthz", EVIL, NULL);
	expect_shut(r, 200);
	ck_assert_ptr_null(reply_field(r, "vary"));
	expect_shut(ask(gateway.admin_port, "OPTIONS", "/intents", EVIL ASKS, NULL), 405);
	stop();
}
END_TEST

/* The suite. */
static Suite *
cors_suite(void)
{
	const TTest *const tests[] = {every_answer_is_open_to_an_allowed_page,
	    images_are_open_to_an_allowed_page, preflights_are_answered_on_every_path,
	    other_pages_see_nothing, every_page_may_be_allowed, credentials_go_to_named_pages,
	    the_admin_address_is_not_affected, NULL};
	Suite *suite = unit_suite("cors", tests);
	TCase *both = tcase_create("with and without");

	tcase_set_timeout(both, 60);
	tcase_add_loop_test(both, without_origins_nothing_changes, 0, 2);
	tcase_add_loop_test(both, what_needs_no_preflight_changes_nothing, 0, 2);
	suite_add_tcase(suite, both);
	return suite;
}

UNIT_MAIN(cors_suite)
