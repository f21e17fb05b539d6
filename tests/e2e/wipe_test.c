#include "config.h"

#include "bluejay.h"
#include "secret.h"
#include "stage.h"
#include "tls_peer.h"
#include "tool.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What stays in the memory of a gateway of keys that it no longer needs, and of tokens
 * and credentials that it was shown: nothing. It is read through /proc/PID/mem, which
 * core_dumps allows.
 */

#define DEMO "/api/projects/demo/personas"
#define PLAIN "/api/projects/plain/personas"
#define READABLE "core_dumps: true\n"
#define LIVES 3 /* values of each secret, one after the other */

/* Secrets that change, the file that holds each, and whether the current value is kept in
 * memory: tokens are not, only their hashes are. */
static const struct {
	const char *file, *values[LIVES];
	bool kept;
} secrets[] = {
    {"key", {"bj-Q7xw2LmVt9ZkR4sYpD8cNfHu3Aa", "bj-b5TgXe1JoWq6ViSzKr0MhCyUd7Bb",
        "bj-PnEt8GvLa3RfZx5OwHs2QkYiJ9Cc"}, true},
    {"project", {"pr-uW4eKs7ZbTn1XcQy9GfLo6RmVh2Aa", "pr-Hd3JpCx8NvAz5WtUk0SrEq7BgYi4Bb",
        "pr-Lf9MoKy2TsGw6XbRu1DnVe5ZhPc8Cc"}, true},
    {"image", {"im-Zt6RqWn3YkVb8LdHs1XoCf5JgMu9Aa", "im-Ea2UiPy7GxTc4KvNw0RzSm6BhQl3Bb",
        "im-Vj5OtDk8WfXe1LyHn9CrAs4MgZu2Cc"}, true},
    {"token", {"tk-Ns8GcYw4QzEv1JrMt6KbXo3UhLf9Aa", "tk-Rk5VxHp2TbSn7DyAe0WgCq8ZmJi4Bb",
        "tk-Uf1LdOw6XsMt9QvKr3YhGc5NzBe7Cc"}, false},
};

#define SECRETS (sizeof secrets / sizeof *secrets)
#define COOKIE "ck-Mw2ZrTy8KpLs5XvQd1HnGc9JbFe6"

static struct program gateway;
static int tool;

/* Writes the file of a secret, by a rename. */
static void
write_secret(size_t which, int life)
{
	char from[300], to[300];

	snprintf(from, sizeof from, "%s", scratch_file("new", "%s\n", secrets[which].values[life]));
	snprintf(to, sizeof to, "%.250s/%s", scratch_dir(), secrets[which].file);
	ck_assert_int_eq(rename(from, to), 0);
}

/* Starts a gateway with the first values; `more` are lines of the file. */
static void
start(const char *more)
{
	const char *args[] = {"serve", "--config", NULL, NULL};

	bluejay_start();
	bluejay_rule("POST", "/v1/images", -1, BLUEJAY_ANSWER, 400, "{}");
	tool = tool_open();
	for (size_t i = 0; i < SECRETS; i++)
		write_secret(i, 0);
	args[2] = scratch_file("gateway.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	    "bluejay: {url: \"http://127.0.0.1:%d\", api_key_file: key, cache: {fresh: 0s}}\n"
	    "images: {url: \"http://127.0.0.1:%d\", api_key_file: image}\n"
	    "projects: {demo: {agent_id: 1, api_key_file: project}, plain: {}}\n"
	    "passthrough: {bluejay: true, local: \"http://127.0.0.1:%d\"}\n"
	    "clients: [{name: ops, token_file: token, admin: true, passthrough: true}]\n%s",
	    bluejay_port(), bluejay_port(), tool, more);
	program_start(&gateway, args);
}

/* Ends it. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
	bluejay_stop();
	tool_close();
}

/* The fields that show a token, in one of the three ways. */
static const char *
shown(const char *token, int way)
{
	static char fields[200];
	char *basic;

	if (way == 2) {
		basic = shell("printf 'me:%s' | base64 -w 0", token);
		snprintf(fields, sizeof fields, "Authorization: Basic %s\r\n", basic);
		free(basic);
	} else {
		snprintf(fields, sizeof fields, way == 0 ? "Authorization: Bearer %s\r\n"
		                                         : "X-API-Key: %s\r\n", token);
	}
	return fields;
}

/* Asks, and expects a status. */
static struct reply *
expect(int status, const char *method, const char *path, const char *token, int way, const char *body)
{
	struct reply *r = ask(gateway.port, method, path, shown(token, way), body);

	ck_assert_msg(r->status == status, "%s %s: %d %s", method, path, r->status, r->body);
	return r;
}

/* A request with a cookie to the local tool, and a WebSocket. */
static void
use_tool(const char *token)
{
	char text[700];
	struct reply r;
	int c, t;

	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof text, "GET /page HTTP/1.1\r\nHost: localhost\r\nCookie: " COOKIE "\r\n%s%s\r\n",
		    i == 0 ? "Connection: close\r\n" : "Connection: Upgrade\r\nUpgrade: websocket\r\n",
		    shown(token, 0));
		c = raw_connect(gateway.port);
		raw_send(c, text, 40); /* in two pieces */
		raw_send(c, text + 40, strlen(text) - 40);
		t = tool_accept();
		ck_assert_ptr_nonnull(strstr(tool_head(t), COOKIE));
		tool_say(t, i == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
		                   : "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
		raw_reply(c, true, &r);
		ck_assert_int_eq(r.status, i == 0 ? 200 : 101);
		free(r.body);
		close(c);
		close(t);
	}
}

/* Uses every secret, in every way. */
static void
use(int life)
{
	const char *token = secrets[3].values[life];
	char path[200], name[64];
	const char *id;

	for (int way = 0; way < 3; way++) {
		snprintf(name, sizeof name, "{\"name\":\"p%d%d\",\"systemPrompt\":\"s\"}", life, way);
		id = reply_string(expect(201, "POST", DEMO, token, way, name), "id");
		snprintf(path, sizeof path, DEMO "/%s", id);
		expect(200, "GET", path, token, way, NULL);
		expect(200, "PUT", path, token, way, "{\"systemPrompt\":\"t\"}");
		snprintf(path, sizeof path, DEMO "/%s/generate-image", id);
		expect(400, "POST", path, token, way, "{}");
		expect(201, "POST", PLAIN, token, way, name);
		expect(200, "GET", PLAIN, token, way, NULL);
		snprintf(path, sizeof path, "/v1/customer-persona/%s", id);
		expect(200, "GET", path, token, way, NULL);
		snprintf(path, sizeof path, "/v1/update-customer-persona/%s", id);
		expect(200, "PUT", path, token, way, "{\"goal\":\"u\"}");
	}
	expect(401, "GET", DEMO, "tk-of-nobody-who-is-known", 0, NULL);
	use_tool(token);
}

/* How often the log says that keys were read again. */
static unsigned
read_again(void)
{
	char *log = shell("cat %s", gateway.log);
	unsigned n = times(log, "the configuration was reloaded");

	free(log);
	return n;
}

/* Has new values come into force. */
static void
rotate(int life)
{
	for (size_t i = 0; i < SECRETS; i++) {
		unsigned before = read_again();

		write_secret(i, life);
		EVENTUALLY(read_again() > before);
	}
}

/* Whether a secret is gone from memory; says where it was last seen when the test ends. */
static bool
gone(const char *secret)
{
	char where[400];
	int n = secret_in_memory(gateway.pid, secret, where, sizeof where);

	ck_assert_int_ge(n, 0);
	if (n > 0)
		fprintf(stderr, "%d of %s in %s\n", n, secret, where);
	return n == 0;
}

START_TEST(keys_that_were_replaced_are_gone)
{
	char where[400];

	start(_i == 0 ? READABLE : READABLE "recording: {requests: 100}\n");
	for (int life = 0; life < LIVES; life++) {
		if (life > 0)
			rotate(life);
		use(life);
	}
	for (size_t i = 0; i < SECRETS; i++) {
		/* the last one is in use, and the one before it is kept to fall back to */
		EVENTUALLY(gone(secrets[i].values[0]));
		if (secrets[i].kept)
			ck_assert_int_gt(secret_in_memory(gateway.pid, secrets[i].values[LIVES - 1], where,
			    sizeof where), 0);
		else
			EVENTUALLY(gone(secrets[i].values[LIVES - 1]));
	}
	EVENTUALLY(gone(COOKIE));
	stop();
}
END_TEST

START_TEST(a_gateway_that_nobody_asks_lets_go_as_well)
{
	start(READABLE);
	for (int life = 0; life < LIVES; life++) {
		if (life > 0)
			rotate(life);
		if (life < LIVES - 1)
			use(life);
	}
	for (size_t i = 0; i < SECRETS; i++)
		EVENTUALLY(gone(secrets[i].values[0]));
	stop();
}
END_TEST

START_TEST(nothing_is_left_of_what_came_over_tls)
{
	static const char ask_for[] = "GET " DEMO " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
	                              "Cookie: " COOKIE "\r\n\r\n";
	const struct certificate_wish first = {.name = NULL};
	const struct tls_wish wish = {.min = 0};
	struct certificate server;
	char request[500], line[50];
	struct tls_peer peer;

	certificate_make(&server, &first);
	scratch_file("cert.pem", "%s", server.pem);
	scratch_file("key.pem", "%s", server.key);
	snprintf(line, sizeof line, "%.40s", strchr(strchr(server.key, '\n') + 1, '\n') + 1);
	snprintf(request, sizeof request, ask_for, secrets[3].values[0]);
	start(READABLE "tls: {certificate: cert.pem, key: key.pem}\n");
	ck_assert(tls_peer_open(&peer, gateway.port, &wish));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(tls_peer_ask(&peer, request, NULL, 0), 200);
	tls_peer_close(&peer);
	EVENTUALLY(gone(secrets[3].values[0]));
	EVENTUALLY(gone(COOKIE));
	EVENTUALLY(gone(line)); /* of the text of the key */
	certificate_free(&server);
	stop();
}
END_TEST

START_TEST(there_are_no_core_dumps_unless_the_file_allows_them)
{
	const struct rlimit no_limit = {RLIM_INFINITY, RLIM_INFINITY};
	char *program = realpath(program_path(), NULL), *limit;
	int status;

	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &no_limit), 0);
	ck_assert_int_eq(setenv("PERSONA_GATEWAY", program, 1), 0);
	ck_assert_int_eq(chdir(scratch_dir()), 0); /* where one would be written */
	start(_i == 0 ? "" : "core_dumps: true\n");
	limit = shell("sed -n 's/^Max core file size *\\([^ ]*\\) .*/\\1/p' /proc/%d/limits", (int)gateway.pid);
	ck_assert_str_eq(limit, _i == 0 ? "0\n" : "unlimited\n");
	if (_i == 0) {
		char where[400];

		if (getuid() != 0)
			ck_assert_int_eq(secret_in_memory(gateway.pid, COOKIE, where, sizeof where), -1);
		kill(gateway.pid, SIGABRT);
		ck_assert_int_eq(waitpid(gateway.pid, &status, 0), gateway.pid);
		ck_assert(WIFSIGNALED(status) && !WCOREDUMP(status));
		close(gateway.out);
	} else {
		ck_assert_int_eq(program_stop(&gateway), 0);
	}
	free(limit);
	free(program);
}
END_TEST

/* The suite. */
static Suite *
wipe_suite(void)
{
	Suite *suite = suite_create("wipe");
	TCase *tcase = tcase_create("wipe");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, keys_that_were_replaced_are_gone, 0, 2);
	tcase_add_test(tcase, a_gateway_that_nobody_asks_lets_go_as_well);
	tcase_add_test(tcase, nothing_is_left_of_what_came_over_tls);
	tcase_add_loop_test(tcase, there_are_no_core_dumps_unless_the_file_allows_them, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(wipe_suite)
