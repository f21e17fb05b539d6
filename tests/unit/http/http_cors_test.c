#include "config.h"

#include "base/mem.h"
#include "http_rig.h"

#include <stdio.h>
#include <string.h>

#define PAGE "http://page.example:5173"
#define FROM(origin) "Host: localhost\r\nOrigin: " origin "\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" FROM(PAGE) "\r\n"
#define ASK(origin) "OPTIONS /any HTTP/1.1\r\n" FROM(origin) "Access-Control-Request-Method: PUT\r\n"
#define ALLOWED "\r\nAccess-Control-Allow-Origin: " PAGE "\r\n"
#define EVERYONE "\r\nAccess-Control-Allow-Origin: *\r\n"
#define EXPOSED "\r\nAccess-Control-Expose-Headers: ETag, Age\r\n"
#define VARIES "\r\nVary: Origin\r\n"

static const char *const listed[] = {"https://other.example", PAGE, "http://[::1]:8080", NULL};
static const struct http_cors list = {.origins = listed, .max_age = 600,
    .methods = "GET, PUT", .exposed = "ETag, Age", .refusal = "Not from there"};
static const struct http_cors everyone = {.any = true, .methods = "GET, PUT",
    .exposed = "ETag, Age", .refusal = "Not from there"};
static const struct http_cors trusting = {.origins = listed, .credentials = true,
    .methods = "GET, PUT", .exposed = "ETag, Age", .refusal = "Not from there"};

/* Starts a server and a client. */
static void
start(struct rig *rig, struct client *c, const struct http_cors *cors)
{
	rig->config.cors = cors;
	rig_start(rig);
	client_open(c, rig);
}

/* Ends both. */
static void
stop(struct rig *rig, struct client *c)
{
	client_close(c);
	rig_stop(rig);
}

/* Forgets what came and connects again. */
static void
again(struct rig *rig, struct client *c)
{
	client_close(c);
	client_open(c, rig);
}

/* How often a text is in what came. */
static unsigned
count(const struct client *c, const char *text)
{
	unsigned n = 0;

	for (const char *p = c->got.data; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

/* Answers as an upstream with rules of its own would. */
static void
serve_own_fields(struct rig *rig, struct http_exchange *ex)
{
	static const struct http_field fields[] = {{"access-control-allow-origin", "*"},
	    {"Access-Control-Allow-Credentials", "true"}, {"Vary", "Accept-Encoding"},
	    {"X-Kept", "1"}, {"vary", "Accept, origin"}, {NULL, NULL}};
	static const struct http_field bare[] = {{"Vary", ""}, {NULL, NULL}};
	const char *path = http_exchange_request(ex)->path;

	http_answer(ex, 200, strcmp(path, "/bare") == 0 ? bare : fields, "x", 1);
}

START_TEST(without_it_nothing_changes)
{
	struct rig rig = {.service = serve_own_fields};
	struct client c;
	char *plain;

	start(&rig, &c, NULL);
	client_says(&c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: 1\r\n\r\n");
	plain = mem_string(c.got.data);
	again(&rig, &c);
	client_says(&c, "GET / HTTP/1.1\r\n" FROM(PAGE) "X-Request-Id: 1\r\n\r\n");
	ck_assert_str_eq(c.got.data, plain);
	again(&rig, &c);
	client_says(&c, ASK(PAGE) "X-Request-Id: 1\r\n\r\n");
	ck_assert_str_eq(c.got.data, plain);
	ck_assert(client_has(&c, 0, "\r\naccess-control-allow-origin: *\r\n"
	    "Access-Control-Allow-Credentials: true\r\nVary: Accept-Encoding\r\nX-Kept: 1\r\n"
	    "vary: Accept, origin\r\n"));
	free(plain);
	stop(&rig, &c);
}
END_TEST

START_TEST(every_answer_of_a_service_has_the_fields)
{
	static const char *const requests[] = {GET("/"), GET("/skip"), GET("/none"),
	    "HEAD / HTTP/1.1\r\n" FROM(PAGE) "\r\n",
	    "POST /echo HTTP/1.1\r\n" FROM(PAGE) "Content-Length: 2\r\n\r\nab",
	    "OPTIONS / HTTP/1.1\r\n" FROM(PAGE) "\r\n"};
	static const int statuses[] = {200, 404, 500, 200, 200, 200};
	struct rig rig = {0};
	struct client c;

	start(&rig, &c, &list);
	for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++) {
		client_says(&c, requests[i]);
		ck_assert_int_eq(client_status(&c, 0), statuses[i]);
		ck_assert(client_has(&c, 0, ALLOWED));
		ck_assert(client_has(&c, 0, EXPOSED));
		ck_assert(client_has(&c, 0, VARIES));
		ck_assert(!client_has(&c, 0, "Credentials"));
		ck_assert(!client_has(&c, 0, "Allow-Methods"));
		again(&rig, &c);
	}
	stop(&rig, &c);
}
END_TEST

/* Answers in pieces, or that nothing has changed. */
static void
serve_forms(struct rig *rig, struct http_exchange *ex)
{
	static const struct http_field fields[] = {{"ETag", "\"1\""}, {NULL, NULL}};

	if (strcmp(http_exchange_request(ex)->path, "/same") == 0) {
		http_answer(ex, 304, fields, NULL, 0);
		return;
	}
	http_answer_begin(ex, 206, fields, -1, NULL, NULL);
	http_answer_write(ex, "x", 1);
	http_answer_end(ex);
}

START_TEST(answers_in_pieces_and_without_body_have_the_fields)
{
	struct rig rig = {.service = serve_forms};
	struct client c;

	start(&rig, &c, &list);
	client_says(&c, GET("/same") GET("/pieces"));
	ck_assert_int_eq(client_status(&c, 0), 304);
	ck_assert_int_eq(client_status(&c, 1), 206);
	ck_assert_uint_eq(count(&c, ALLOWED), 2);
	ck_assert_uint_eq(count(&c, EXPOSED), 2);
	ck_assert_uint_eq(count(&c, VARIES), 2);
	stop(&rig, &c);
}
END_TEST

START_TEST(what_the_server_refuses_itself_has_the_fields)
{
	struct rig rig = {0};
	struct client c;

	rig.config.limits = HTTP_LIMITS_DEFAULT;
	rig.config.limits.buffers = 100000;
	start(&rig, &c, &list);
	client_says(&c, "POST /short HTTP/1.1\r\n" FROM(PAGE) "Content-Length: 9\r\n\r\n");
	ck_assert_int_eq(client_status(&c, 0), 413);
	ck_assert(client_has(&c, 0, ALLOWED) && client_has(&c, 0, EXPOSED) && client_has(&c, 0, VARIES));
	again(&rig, &c);
	client_says(&c, "POST /echo HTTP/1.1\r\n" FROM(PAGE) "Transfer-Encoding: chunked\r\n\r\nx\r\n");
	ck_assert_int_eq(client_status(&c, 0), 400);
	ck_assert(client_has(&c, 0, ALLOWED));
	again(&rig, &c);
	client_says(&c, "POST /echo HTTP/1.1\r\n" FROM(PAGE) "Content-Length: 9\r\n\r\n");
	loop_fake_advance(rig.loop, rig.config.limits.body_ms + 1);
	client_read(&c);
	ck_assert_int_eq(client_status(&c, 0), 408);
	ck_assert(client_has(&c, 0, ALLOWED));
	again(&rig, &c);
	client_says(&c, "GET / HTTP/1.1\r\nHost: rebound.example\r\nOrigin: " PAGE "\r\n\r\n");
	ck_assert_int_eq(client_status(&c, 0), 421);
	ck_assert(client_has(&c, 0, ALLOWED));
	again(&rig, &c);
	client_says(&c, "POST /echo HTTP/1.1\r\n" FROM(PAGE) "Content-Length: 200000\r\n\r\n");
	for (unsigned i = 0; i < 200; i++)
		client_send(&c, (char[1000]){0}, 1000);
	ck_assert_int_eq(client_status(&c, 0), 503);
	ck_assert(client_has(&c, 0, ALLOWED) && client_has(&c, 0, "\r\nRetry-After: 1\r\n"));
	stop(&rig, &c);
}
END_TEST

START_TEST(a_head_that_cannot_be_read_says_what_holds_for_everyone)
{
	static const char bad[] = "GET / HTTP/1.1\r\n" FROM(PAGE) " folded\r\n\r\n";
	struct rig rig = {0};
	struct client c;

	start(&rig, &c, &list);
	client_says(&c, bad);
	ck_assert_int_eq(client_status(&c, 0), 400);
	ck_assert(client_has(&c, 0, VARIES) && !client_has(&c, 0, "Access-Control"));
	stop(&rig, &c);
	memset(&rig, 0, sizeof rig);
	start(&rig, &c, &everyone);
	client_says(&c, bad);
	ck_assert_int_eq(client_status(&c, 0), 400);
	ck_assert(client_has(&c, 0, EVERYONE) && !client_has(&c, 0, "Vary"));
	stop(&rig, &c);
}
END_TEST

START_TEST(other_origins_are_served_without_the_fields)
{
	static const char *const origins[] = {"http://page.example", "https://page.example:5173",
	    "http://page.example:5174", "http://sub.page.example:5173", "null", "", "*", "file://",
	    "http://page.example:5173/", "http://page.example:5173.evil.example", "page.example:5173",
	    "http://page.example:05173x", "https://other.example:444", "http://[::2]:8080"};
	struct rig rig = {0};
	char request[300];
	struct client c;

	start(&rig, &c, &list);
	for (unsigned i = 0; i < sizeof origins / sizeof *origins; i++) {
		snprintf(request, sizeof request,
		    "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: %s\r\n\r\n", origins[i]);
		client_says(&c, request);
		ck_assert_str_eq(client_body(&c, i), "hello");
		ck_assert_msg(!client_has(&c, i, "Access-Control"), "%s", origins[i]);
		ck_assert(client_has(&c, i, VARIES));
	}
	client_says(&c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert_uint_eq(count(&c, "Access-Control"), 0);
	ck_assert_uint_eq(count(&c, VARIES), sizeof origins / sizeof *origins + 1);
	stop(&rig, &c);
}
END_TEST

START_TEST(origins_are_equal_in_their_normal_form)
{
	static const char *const origins[] = {"HTTP://Page.Example:5173", "http://page.example:05173",
	    "https://other.example:443", "HTTPS://OTHER.example", "http://[0:0::0:1]:8080"};
	struct rig rig = {0};
	char text[300];
	struct client c;

	start(&rig, &c, &list);
	for (unsigned i = 0; i < sizeof origins / sizeof *origins; i++) {
		snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: %s\r\n\r\n",
		    origins[i]);
		client_says(&c, text);
		snprintf(text, sizeof text, "\r\nAccess-Control-Allow-Origin: %s\r\n", origins[i]);
		ck_assert_msg(client_has(&c, i, text), "%s", origins[i]);
	}
	stop(&rig, &c);
}
END_TEST

START_TEST(a_preflight_is_answered_by_the_server)
{
	struct rig rig = {0};
	struct client c;

	start(&rig, &c, &list);
	client_says(&c, ASK(PAGE) "Access-Control-Request-Headers: content-type,x-a , ,x-b\r\n"
	    "X-Request-Id: 1\r\n\r\n");
	ck_assert_str_eq(c.got.data, "HTTP/1.1 204 No Content\r\n"
	    "Access-Control-Allow-Origin: " PAGE "\r\n"
	    "Access-Control-Allow-Methods: GET, PUT\r\n"
	    "Access-Control-Allow-Headers: content-type,x-a , ,x-b\r\n"
	    "Access-Control-Max-Age: 600\r\n"
	    "Vary: Origin, Access-Control-Request-Headers\r\n"
	    "Date: Wed, 28 Jan 2026 10:00:00 GMT\r\n"
	    "X-Request-Id: 1\r\n\r\n");
	client_says(&c, ASK(PAGE) "\r\n" GET("/"));
	ck_assert_int_eq(client_status(&c, 1), 204);
	ck_assert(!client_has(&c, 1, "Allow-Headers"));
	ck_assert_str_eq(client_body(&c, 2), "hello");
	ck_assert_uint_eq(count(&c, "/any"), 0);
	ck_assert_ptr_null(strstr(rig.seen.data, "OPTIONS"));
	ck_assert(!c.closed);
	again(&rig, &c);
	client_says(&c, ASK("https://evil.example") "\r\n");
	ck_assert_int_eq(client_status(&c, 0), 403);
	ck_assert_str_eq(client_body(&c, 0), "{\"error\":\"Not from there\"}");
	ck_assert(!client_has(&c, 0, "\nAccess-Control-"));
	ck_assert(client_has(&c, 0, "\r\nVary: Origin, "));
	/* The check of Host comes first. */
	client_says(&c, "OPTIONS / HTTP/1.1\r\nHost: rebound.example\r\nOrigin: " PAGE "\r\n"
	    "Access-Control-Request-Method: PUT\r\n\r\n");
	ck_assert_int_eq(client_status(&c, 1), 421);
	stop(&rig, &c);
}
END_TEST

START_TEST(an_options_request_that_is_no_preflight_is_the_services)
{
	struct rig rig = {0};
	struct client c;

	start(&rig, &c, &list);
	client_says(&c, "OPTIONS / HTTP/1.1\r\n" FROM(PAGE) "\r\n"
	    "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nAccess-Control-Request-Method: PUT\r\n\r\n"
	    "GET / HTTP/1.1\r\n" FROM(PAGE) "Access-Control-Request-Method: PUT\r\n\r\n");
	for (unsigned i = 0; i < 3; i++)
		ck_assert_str_eq(client_body(&c, i), "hello");
	stop(&rig, &c);
}
END_TEST

START_TEST(a_preflight_that_is_not_well_formed_is_refused)
{
	static const char *const fields[] = {"Access-Control-Request-Method: a b\r\n",
	    "Access-Control-Request-Method: \r\n",
	    "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: a b\r\n",
	    "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: a,(\r\n",
	    "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: \xc3\xa9\r\n"};
	struct rig rig = {0};
	char request[400];
	struct client c;

	start(&rig, &c, &list);
	for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
		snprintf(request, sizeof request, "OPTIONS / HTTP/1.1\r\n" FROM(PAGE) "%s\r\n", fields[i]);
		client_says(&c, request);
		ck_assert_int_eq(client_status(&c, i), 400);
		ck_assert(client_has(&c, i, ALLOWED));
		ck_assert(!client_has(&c, i, "Allow-Headers"));
	}
	stop(&rig, &c);
}
END_TEST

/* Asks for so many names of so many letters; the status. */
static int
ask_for(struct rig *rig, struct client *c, unsigned names, int letters)
{
	struct buf b = {0};
	int status;

	buf_adds(&b, ASK(PAGE) "Access-Control-Request-Headers: ");
	for (unsigned i = 0; i < names; i++)
		buf_addf(&b, "%s%0*d", i == 0 ? "" : ",", letters, 7);
	buf_adds(&b, "\r\n\r\n");
	again(rig, c);
	client_send(c, b.data, b.len);
	buf_free(&b);
	status = client_status(c, 0);
	ck_assert_int_eq(client_has(c, 0, "Allow-Headers"), status == 204);
	return status;
}

START_TEST(what_a_preflight_may_ask_for_is_bounded)
{
	struct rig rig = {0};
	struct client c;

	start(&rig, &c, &list);
	ck_assert_int_eq(ask_for(&rig, &c, HTTP_CORS_NAMES_MAX, 3), 204);
	ck_assert_int_eq(ask_for(&rig, &c, HTTP_CORS_NAMES_MAX + 1, 3), 400);
	ck_assert_int_eq(ask_for(&rig, &c, 1, HTTP_CORS_HEADERS_MAX), 204);
	ck_assert_int_eq(ask_for(&rig, &c, 1, HTTP_CORS_HEADERS_MAX + 1), 400);
	stop(&rig, &c);
}
END_TEST

START_TEST(everyone_may_read_without_credentials)
{
	struct rig rig = {0};
	struct client c;

	start(&rig, &c, &everyone);
	client_says(&c, GET("/") "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	    "GET / HTTP/1.1\r\n" FROM("null") "\r\n" ASK("http://any.example") "\r\n");
	ck_assert_uint_eq(count(&c, EVERYONE), 4);
	ck_assert_uint_eq(count(&c, EXPOSED), 3);
	ck_assert_uint_eq(count(&c, "Vary: "), 1);
	ck_assert_uint_eq(count(&c, "Credentials"), 0);
	ck_assert_int_eq(client_status(&c, 3), 204);
	ck_assert(client_has(&c, 3, "\r\nAccess-Control-Max-Age: 0\r\n"));
	stop(&rig, &c);
}
END_TEST

START_TEST(credentials_are_allowed_by_name_only)
{
	struct rig rig = {0};
	struct client c;

	start(&rig, &c, &trusting);
	client_says(&c, GET("/") ASK(PAGE) "\r\nGET / HTTP/1.1\r\n" FROM("null") "\r\n");
	for (unsigned i = 0; i < 2; i++) {
		ck_assert(client_has(&c, i, ALLOWED));
		ck_assert(client_has(&c, i, "\r\nAccess-Control-Allow-Credentials: true\r\n"));
	}
	ck_assert(!client_has(&c, 2, "Access-Control"));
	stop(&rig, &c);
}
END_TEST

START_TEST(a_service_cannot_say_it_twice_or_otherwise)
{
	struct rig rig = {.service = serve_own_fields};
	struct client c;

	start(&rig, &c, &list);
	client_says(&c, GET("/") "GET / HTTP/1.1\r\n" FROM("http://evil.example") "\r\n" GET("/bare"));
	ck_assert(client_has(&c, 0, ALLOWED) && !client_has(&c, 0, "Credentials"));
	ck_assert(!client_has(&c, 1, "ontrol-Allow-Origin") && !client_has(&c, 1, "ontrol-allow-"));
	for (unsigned i = 0; i < 2; i++) {
		ck_assert(client_has(&c, i, "\r\nX-Kept: 1\r\n"));
		ck_assert(client_has(&c, i, "\r\nVary: Accept-Encoding, Accept, origin\r\n"));
	}
	ck_assert(client_has(&c, 2, VARIES));
	ck_assert_uint_eq(count(&c, "ary: "), 3);
	ck_assert_uint_eq(count(&c, "ontrol-Allow-Origin"), 2);
	stop(&rig, &c);
	memset(&rig, 0, sizeof rig);
	rig.service = serve_own_fields;
	start(&rig, &c, &everyone);
	client_says(&c, GET("/"));
	ck_assert(client_has(&c, 0, EVERYONE) && !client_has(&c, 0, "ontrol-allow-"));
	ck_assert(client_has(&c, 0, "\r\nVary: Accept-Encoding\r\n"));
	stop(&rig, &c);
}
END_TEST

/* The suite. */
Suite *
http_cors_suite(void)
{
	const TTest *const tests[] = {without_it_nothing_changes,
	    every_answer_of_a_service_has_the_fields,
	    answers_in_pieces_and_without_body_have_the_fields,
	    what_the_server_refuses_itself_has_the_fields,
	    a_head_that_cannot_be_read_says_what_holds_for_everyone,
	    other_origins_are_served_without_the_fields, origins_are_equal_in_their_normal_form,
	    a_preflight_is_answered_by_the_server,
	    an_options_request_that_is_no_preflight_is_the_services,
	    a_preflight_that_is_not_well_formed_is_refused, what_a_preflight_may_ask_for_is_bounded,
	    everyone_may_read_without_credentials, credentials_are_allowed_by_name_only,
	    a_service_cannot_say_it_twice_or_otherwise, NULL};

	return unit_suite("http_cors", tests);
}
