#include "config.h"

#include "base/mem.h"
#include "bluejay.h"
#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Connector headers, as a scripted Bluejay sees them. */

#define PERSONAS "/api/projects/a/personas"
#define CREATE "/v1/create-customer-persona"
#define ONE "/v1/customer-persona/"
#define UPDATE "/v1/update-customer-persona/"
#define LISTING "/v1/customer-personas-by-agent/"
#define IMAGES "/v1/images/generations"
#define FORWARD "  forward_persona_headers: true\n"
#define CONFIGURED "  headers: {X-Tenant: shop, X-Secret: \"${E2E_SECRET}\", User-Agent: mine/1}\n"
#define SECRET "v3ry-s3cret-value"

static struct program gateway;
static const char *config;

/* Starts Bluejay and a gateway; `more` are lines of the section bluejay, `rest` those
 * that follow it. */
static void
start(const char *more, const char *rest)
{
	const char *args[] = {"serve", "--config", NULL, NULL};

	setenv("E2E_SECRET", SECRET, 1);
	bluejay_start();
	config = scratch_file("gateway.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "log: {level: debug, format: json}\n"
	    "images: {api_key: image-key, url: \"http://127.0.0.1:%d\"}\n"
	    "projects: {a: {agent_id: 1}}\n"
	    "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: good\n"
	    "  timeouts: {total: 4s}\n  retries: 1\n  settle: {grace: 300ms}\n  cache: {fresh: 0s}\n"
	    "%s%s", bluejay_port(), bluejay_port(), more, rest);
	args[2] = config;
	program_start(&gateway, args);
}

/* Ends both; the gateway must end well. Nothing secret is in its log. */
static void
stop(void)
{
	char *log;

	ck_assert_int_eq(program_stop(&gateway), 0);
	log = program_log(&gateway);
	ck_assert_ptr_nonnull(strstr(log, "upstream call state")); /* it says what it does */
	ck_assert_ptr_null(strstr(log, SECRET));
	ck_assert_ptr_null(strstr(log, "own-secret"));
	free(log);
	bluejay_stop();
}

/* Creates a persona with these headers; its path (static, four at a time). */
static const char *
create(const char *name, const char *headers)
{
	static char paths[4][200];
	static unsigned turn;
	char *path = paths[turn++ % 4];
	char *body = mem_format("{\"name\":\"%s\",\"systemPrompt\":\"p\"%s%s}", name,
	    headers != NULL ? ",\"headers\":" : "", headers != NULL ? headers : "");
	struct reply *r = ask(gateway.port, "POST", PERSONAS, NULL, body);

	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	snprintf(path, sizeof paths[0], PERSONAS "/%s", reply_string(r, "id"));
	free(body);
	return path;
}

/* Fails unless the last call of a kind carried this; NULL: no such header. */
static void
expect(const char *method, const char *path, const char *name, const char *value)
{
	const char *got = bluejay_field(method, path, name);

	ck_assert_uint_gt(bluejay_count(method, path), 0);
	ck_assert_msg((got == NULL) == (value == NULL) && (got == NULL || strcmp(got, value) == 0),
	    "%s %s: %s is %s, not %s", method, path, name, got, value);
}

START_TEST(every_call_to_bluejay_carries_what_is_configured)
{
	static const char *const calls[][2] = {{"GET", LISTING}, {"POST", CREATE}, {"GET", ONE},
	    {"PUT", UPDATE}, {"DELETE", ONE}};
	char portrait[300];
	struct reply *r;
	const char *path;

	start(CONFIGURED, "");
	bluejay_rule("POST", IMAGES, -1, BLUEJAY_ANSWER, 200,
	    "{\"data\":[{\"b64_json\":\"iVBORw0KGgoAAAANSUhEUgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}");
	path = create("a", "{\"X-Tenant\":\"own\",\"X-Own\":\"1\"}");
	ck_assert_int_eq(ask(gateway.port, "GET", PERSONAS, NULL, NULL)->status, 200);
	ck_assert_int_eq(ask(gateway.port, "GET", path, NULL, NULL)->status, 200);
	ck_assert_int_eq(ask(gateway.port, "PUT", path, NULL, "{\"description\":\"d\"}")->status, 200);
	snprintf(portrait, sizeof portrait, "%s/generate-image", path);
	r = ask(gateway.port, "POST", portrait, NULL, NULL);
	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	ck_assert_int_eq(ask(gateway.port, "DELETE", path, NULL, NULL)->status, 204);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		expect(calls[i][0], calls[i][1], "X-Tenant", "shop");
		expect(calls[i][0], calls[i][1], "X-Secret", SECRET);
		expect(calls[i][0], calls[i][1], "User-Agent", "mine/1");
		expect(calls[i][0], calls[i][1], "X-API-Key", "good");
		expect(calls[i][0], calls[i][1], "X-Own", NULL);
	}
	expect("POST", IMAGES, "X-Tenant", NULL);
	expect("POST", IMAGES, "X-Secret", NULL);
	expect("POST", IMAGES, "X-Own", NULL);
	stop();
}
END_TEST

START_TEST(nothing_is_forwarded_unless_asked_for)
{
	const char *path;

	start("", "");
	path = create("a", "{\"X-Own\":\"1\"}");
	ck_assert_int_eq(ask(gateway.port, "GET", path, NULL, NULL)->status, 200);
	expect("POST", CREATE, "X-Own", NULL);
	expect("GET", ONE, "X-Own", NULL);
	expect("GET", ONE, "User-Agent", "persona-gateway/" PACKAGE_VERSION);
	stop();
}
END_TEST

START_TEST(a_personas_own_headers_go_along_and_win)
{
	const char *path;

	start(CONFIGURED FORWARD, "");
	path = create("a", "{\"x-tenant\":\"own-secret\",\"X-Own\":\"1\"}");
	expect("POST", CREATE, "X-Tenant", "own-secret");
	expect("POST", CREATE, "X-Own", "1");
	expect("POST", CREATE, "X-Secret", SECRET);
	ck_assert_int_eq(ask(gateway.port, "GET", path, NULL, NULL)->status, 200);
	expect("GET", ONE, "X-Tenant", "own-secret");
	expect("GET", ONE, "X-Own", "1");
	/* An update without headers carries those that the persona has ... */
	ck_assert_int_eq(ask(gateway.port, "PUT", path, NULL, "{\"description\":\"d\"}")->status, 200);
	expect("PUT", UPDATE, "X-Own", "1");
	expect("PUT", UPDATE, "X-Tenant", "own-secret");
	/* ... and one with headers the new ones alone. */
	ck_assert_int_eq(ask(gateway.port, "PUT", path, NULL,
	    "{\"description\":\"e\",\"headers\":{\"X-Own\":\"2\"}}")->status, 200);
	expect("PUT", UPDATE, "X-Own", "2");
	expect("PUT", UPDATE, "X-Tenant", "shop");
	ck_assert_int_eq(ask(gateway.port, "GET", path, NULL, NULL)->status, 200);
	expect("GET", ONE, "X-Own", "2");
	expect("GET", ONE, "X-Tenant", "shop");
	/* A change of headers alone is no call; the read before it carries the old ones. */
	ck_assert_int_eq(ask(gateway.port, "PUT", path, NULL, "{\"headers\":{}}")->status, 200);
	ck_assert_uint_eq(bluejay_count("PUT", UPDATE), 2);
	expect("GET", ONE, "X-Own", "2");
	ck_assert_int_eq(ask(gateway.port, "PUT", path, NULL, "{\"headers\":{\"X-Own\":\"3\"}}")->status,
	    200);
	expect("GET", ONE, "X-Own", NULL);
	ck_assert_int_eq(ask(gateway.port, "DELETE", path, NULL, NULL)->status, 204);
	expect("DELETE", ONE, "X-Own", "3");
	/* What is about many carries what is configured. */
	expect("GET", LISTING, "X-Own", NULL);
	stop();
}
END_TEST

START_TEST(looks_for_an_unknown_outcome_carry_them_too)
{
	const char *path;

	start(FORWARD, "");
	path = create("a", "{\"X-Own\":\"1\"}");
	bluejay_rule("PUT", UPDATE, 1, BLUEJAY_DO_CUT, 0, NULL);
	ck_assert_int_ge(ask(gateway.port, "PUT", path, NULL,
	    "{\"description\":\"d\",\"headers\":{\"X-Own\":\"2\"}}")->status, 200);
	expect("PUT", UPDATE, "X-Own", "2");
	bluejay_wait("GET", ONE, 1);
	expect("GET", ONE, "X-Own", "1"); /* the new ones are not known to hold */
	/* A create whose answer tells nothing but an id is read again under it. */
	bluejay_rule("POST", CREATE, 1, BLUEJAY_DO_ID, 0, NULL);
	path = create("b", "{\"X-Own\":\"3\"}");
	expect("POST", CREATE, "X-Own", "3");
	expect("GET", ONE, "X-Own", "3");
	stop();
}
END_TEST

START_TEST(what_may_not_be_sent_is_kept_and_stays_here)
{
	static const char own[] = "{\"X-API-Key\":\"stolen\",\"x_api_key\":\"stolen\",\"host\":\"evil\",\"Content-Length\":\"1\","
	    "\"Transfer-Encoding\":\"chunked\",\"Connection\":\"close\",\"Keep-Alive\":\"1\","
	    "\"TE\":\"x\",\"Trailer\":\"x\",\"Upgrade\":\"x\",\"Expect\":\"100-continue\","
	    "\"Proxy-Authorization\":\"x\",\"content-type\":\"text/plain\","
	    "\"Content-Encoding\":\"gzip\",\"Accept\":\"x\",\"Accept-Encoding\":\"gzip\","
	    "\"X-Request-Id\":\"x\",\"If-None-Match\":\"*\",\"Range\":\"bytes=0-1\","
	    "\"X Bad\":\"x\",\"X-Line\":\"a\\r\\nX-Evil: 1\",\"X-Tab\":\"a\\tb\",\"X-Number\":1,"
	    "\"X-Null\":null,\"X-Nested\":{\"a\":\"b\"},\"X-Good\":\"gr\u00fc\u00df\"}";
	static const char *const names[] = {"Transfer-Encoding", "Connection", "Keep-Alive", "TE",
	    "Trailer", "Upgrade", "Expect", "Proxy-Authorization", "Content-Encoding", "If-None-Match",
	    "Range", "X_API_Key", "X Bad", "X-Line", "X-Evil", "X-Tab", "X-Number", "X-Null", "X-Nested"};
	struct json_object *headers, *seen;
	const char *path;
	char *host;

	start(FORWARD, "");
	path = create("a", own);
	host = mem_format("127.0.0.1:%d", bluejay_port());
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		expect("POST", CREATE, names[i], NULL);
	expect("POST", CREATE, "X-API-Key", "good");
	expect("POST", CREATE, "Host", host);
	expect("POST", CREATE, "Content-Type", "application/json");
	expect("POST", CREATE, "Accept", "application/json");
	expect("POST", CREATE, "Accept-Encoding", "identity");
	expect("POST", CREATE, "X-Good", "gr\u00fc\u00df");
	ck_assert_ptr_null(strchr(bluejay_field("POST", CREATE, "Content-Length"), '|'));
	seen = reply_json(ask(gateway.port, "GET", path, NULL, NULL));
	ck_assert(json_object_object_get_ex(seen, "headers", &headers));
	ck_assert_str_eq(json_object_to_json_string_ext(headers,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), own);
	free(host);
	stop();
}
END_TEST

START_TEST(more_than_a_call_can_carry_stays_here)
{
	char *own = mem_alloc(20000), *log;
	size_t n = 0;
	const char *path;

	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(own + n, 20000 - n, "%s\"X-%d\":\"%d\"", i == 0 ? "{" : ",", i, i);
	snprintf(own + n, 20000 - n, "}");
	start(FORWARD, "");
	path = create("a", own);
	expect("POST", CREATE, "X-0", "0");
	expect("POST", CREATE, "X-31", "31");
	expect("POST", CREATE, "X-32", NULL);
	ck_assert_ptr_nonnull(strstr(ask(gateway.port, "GET", path, NULL, NULL)->body,
	    "\"X-99\":\"99\""));
	log = program_log(&gateway);
	ck_assert_ptr_nonnull(strstr(log, "headers of a persona were left out"));
	free(log);
	free(own);
	stop();
}
END_TEST

/* Sends a GET and leaves its answer for later. */
static int
begin(const char *path)
{
	char text[400];
	int fd = raw_connect(gateway.port);

	raw_send(fd, text, (size_t)snprintf(text, sizeof text,
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path));
	return fd;
}

START_TEST(equal_reads_still_share_one_call)
{
	struct reply a, b;
	const char *path;
	int one, two;

	start(CONFIGURED FORWARD, "");
	path = create("a", "{\"X-Own\":\"1\"}");
	bluejay_rule("GET", ONE, 1, BLUEJAY_HOLD, 0, NULL);
	one = begin(path);
	bluejay_wait("GET", ONE, 1);
	two = begin(path);
	/* A later request of another kind that was answered shows that the second is in. */
	ck_assert_int_eq(ask(gateway.port, "GET", PERSONAS, NULL, NULL)->status, 200);
	bluejay_release();
	raw_reply(one, false, &a);
	raw_reply(two, false, &b);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(a.body, b.body);
	ck_assert_uint_eq(bluejay_count("GET", ONE), 1);
	expect("GET", ONE, "X-Own", "1");
	free(a.body);
	free(b.body);
	close(one);
	close(two);
	stop();
}
END_TEST

START_TEST(headers_that_bluejay_keeps_are_not_forwarded)
{
	char *out;

	start(CONFIGURED FORWARD, "mapping: {persona: {kept_here: [imageUrl], "
	    "fields: {name: name, headers: meta.headers, systemPrompt: {to: goal, "
	    "when_absent: ''}, description: {to: description, when_absent: ''}, createdAt: {to: created_at, as: timestamp, "
	    "read_only: true}}}}\n");
	out = shell("'%s' check --config '%s' 2>&1", program_path(), config);
	ck_assert_msg(strstr(out, "warning: bluejay.forward_persona_headers does nothing, since "
	    "mapping.persona.kept_here has no \"headers\"\n") != NULL, "%s", out);
	ck_assert_ptr_null(strstr(out, SECRET));
	free(out);
	ask(gateway.port, "POST", PERSONAS, NULL, "{\"name\":\"a\",\"headers\":{\"X-Own\":\"1\"}}");
	expect("POST", CREATE, "X-Own", NULL);
	expect("POST", CREATE, "X-Tenant", "shop");
	stop();
}
END_TEST

/* The suite. */
static Suite *
headers_suite(void)
{
	const TTest *const tests[] = {every_call_to_bluejay_carries_what_is_configured,
	    nothing_is_forwarded_unless_asked_for, a_personas_own_headers_go_along_and_win,
	    looks_for_an_unknown_outcome_carry_them_too,
	    what_may_not_be_sent_is_kept_and_stays_here, more_than_a_call_can_carry_stays_here,
	    equal_reads_still_share_one_call, headers_that_bluejay_keeps_are_not_forwarded, NULL};

	return unit_suite("connector headers", tests);
}

UNIT_MAIN(headers_suite)
