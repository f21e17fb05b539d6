#include "config.h"

#include "script.h"
#include "stage.h"
#include "tool.h"
#include "unit.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the real program writes to its log, and what it does not. */

#define SETTINGS "  cache: {fresh: 1h}\n  retries: 1\n"

/* The n-th line (from 0) of an event in the log, as JSON; NULL when there are not so
 * many. It lives until the sixteenth next. */
static struct json_object *
line(const char *event, unsigned n)
{
	static struct json_object *kept[16];
	static unsigned next;
	char *log = program_log(&stage_gateway), *save = NULL;
	struct json_object *found = NULL;

	for (char *l = strtok_r(log, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save)) {
		struct json_object *o = json_tokener_parse(l), *name = NULL;

		ck_assert_msg(o != NULL, "not JSON: %s", l);
		json_object_object_get_ex(o, "event", &name);
		if (strcmp(json_object_get_string(name), event) == 0 && n-- == 0) {
			found = o;
			break;
		}
		json_object_put(o);
	}
	free(log);
	if (found != NULL) {
		json_object_put(kept[next]);
		kept[next++] = found;
		next %= 16;
	}
	return found;
}

/* The same; it must come. */
static struct json_object *
wait_line(const char *event, unsigned n)
{
	struct json_object *o = NULL;

	EVENTUALLY((o = line(event, n)) != NULL);
	return o;
}

/* A member as text; "(none)" without it. */
static const char *
member(struct json_object *o, const char *name)
{
	struct json_object *v = NULL;

	return json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : "(none)";
}

/* Fails unless the members are as given: name, value, …, NULL. */
#define EXPECT(line, ...) expect((line), (const char *const[]){__VA_ARGS__, NULL})
static void
expect(struct json_object *o, const char *const *want)
{
	for (; *want != NULL; want += 2)
		ck_assert_msg(strcmp(member(o, want[0]), want[1]) == 0, "%s is not %s in %s", want[0],
		    want[1], json_object_to_json_string(o));
}

START_TEST(every_request_has_its_line)
{
	struct json_object *o;
	struct reply *r;
	char *id, text[32];

	stage_open(SETTINGS, NULL);
	id = create(STAGE_DEMO, "{\"name\":\"a\"}");
	o = wait_line("request", 0);
	EXPECT(o, "level", "info", "client", "127.0.0.1", "project", "demo", "method", "POST", "route",
	    "/api/projects/:project/personas", "status", "201", "end", "sent", "cache", "(none)");
	ck_assert(strcmp(member(o, "store_ms"), "0.000") > 0);
	ck_assert(json_object_get_double(json_object_object_get(o, "duration_ms")) >=
	    json_object_get_double(json_object_object_get(o, "store_ms")));
	ck_assert_int_ge(json_object_get_int(json_object_object_get(o, "tries")), 1);
	ck_assert_str_ne(member(o, "upstream_ms"), "(none)");
	ck_assert_str_ne(member(o, "receive_ms"), "(none)");
	r = call_with("GET", below(STAGE_DEMO, id), "X-Request-Id: mine-1\r\n", NULL);
	snprintf(text, sizeof text, "%zu", strlen(r->head) + r->len);
	o = wait_line("request", 1);
	EXPECT(o, "request", "mine-1", "method", "GET", "route", "/api/projects/:project/personas/:id",
	    "status", "200", "cache", "hit", "tries", "(none)", "upstream_ms", "(none)", "store_ms",
	    "(none)", "receive_ms", "(none)", "bytes_out", text);
	call_with("GET", below(STAGE_DEMO, id), "Cache-Control: no-cache\r\n", NULL);
	EXPECT(wait_line("request", 2), "cache", "miss", "tries", "1");
	call("GET", "/nothing", NULL);
	EXPECT(wait_line("request", 3), "project", "(none)", "route", "none", "status", "404");
	free(id);
	stage_close();
}
END_TEST

START_TEST(what_the_server_refuses_has_its_line_too)
{
	static const char bad[] = "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n";
	struct reply r;
	int fd;

	stage_open(SETTINGS, "limits: {body: 1KiB}\n");
	fd = raw_connect(stage_gateway.port);
	raw_send(fd, bad, sizeof bad - 1);
	raw_reply(fd, false, &r);
	close(fd);
	ck_assert_int_eq(r.status, 400);
	free(r.body);
	EXPECT(wait_line("request", 0), "status", "400", "end", "refused", "route", "none");
	ck_assert_int_eq(call_with("POST", STAGE_DEMO, "Content-Length: 9999\r\n", NULL)->status, 415);
	stage_close();
}
END_TEST

START_TEST(a_client_that_leaves_has_its_line)
{
	int fd;

	stage_open(SETTINGS, NULL);
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":3000}");
	fd = call_start("GET", STAGE_DEMO, NULL, NULL);
	EVENTUALLY(stage_received("GET", "/v1/customer-personas-by-agent/{agent_id}") == 1);
	close(fd);
	EXPECT(wait_line("request", 0), "status", "499", "end", "gone", "bytes_out", "0");
	stage_close();
}
END_TEST

START_TEST(every_write_has_an_audit_line)
{
	char *id;

	stage_open(SETTINGS, "log: {level: error}\n");
	id = create(STAGE_DEMO, "{\"name\":\"a\",\"systemPrompt\":\"x\",\"headers\":{\"k\":\"v\"}}");
	EXPECT(wait_line("audit", 0), "level", "info", "client", "127.0.0.1", "project", "demo", "method", "POST", "id",
	    id, "fields", "name,systemPrompt,headers", "status", "201", "outcome", "done",
	    "unknown_fields", "(none)");
	call("PUT", below(STAGE_DEMO, id), "{\"systemPrompt\":\"y\",\"what is this\":1}");
	EXPECT(wait_line("audit", 1), "method", "PUT", "id", id, "fields", "systemPrompt",
	    "unknown_fields", "1", "outcome", "done");
	call("PUT", below(STAGE_DEMO, id), "{\"name\":7}");
	EXPECT(wait_line("audit", 2), "status", "400", "outcome", "refused");
	call("GET", below(STAGE_DEMO, id), NULL);
	call("DELETE", below(STAGE_DEMO, id), NULL);
	EXPECT(wait_line("audit", 3), "method", "DELETE", "id", id, "outcome", "done", "fields",
	    "(none)");
	stage_fault("reset-after", "POST", 1);
	call("POST", STAGE_PLAIN, "{\"name\":\"b\"}");
	EXPECT(wait_line("audit", 4), "project", "plain", "status", "504", "outcome", "unconfirmed");
	ask(stage_gateway.admin_port, "POST", "/intents/00000000-0000-4000-8000-000000000000/forget",
	    NULL, "{}");
	EXPECT(wait_line("audit", 5), "via", "admin", "route", "/intents/:id/forget", "id",
	    "00000000-0000-4000-8000-000000000000", "outcome", "refused");
	ck_assert_ptr_null(line("request", 0));
	ck_assert_ptr_null(line("audit", 6));
	free(id);
	stage_close();
}
END_TEST

START_TEST(what_becomes_of_an_unconfirmed_write_is_audited_too)
{
	char *id, *request;
	int fd;

	stage_open("  settle: {grace: 1s}\n  retries: 1\n  timeouts: {connect: 1s, first_byte: 3s, total: 6s}\n",
	    "log: {access: false}\n");
	id = create(STAGE_DEMO, "{\"name\":\"a\"}");
	wait_line("audit", 0);
	stage_fault("reset-after", "PUT", 1);
	call("PUT", below(STAGE_DEMO, id), "{\"description\":\"b\"}");
	EXPECT(wait_line("audit", 1), "status", "502", "outcome", "unconfirmed");
	request = strdup(member(line("audit", 1), "request"));
	EXPECT(wait_line("audit", 2), "request", request, "project", "demo", "via", "settling", "operation",
	    "update", "id", id, "outcome", "done");
	free(request);
	stage_fault("reset-before", "DELETE", 1);
	call("DELETE", below(STAGE_DEMO, id), NULL);
	EXPECT(wait_line("audit", 3), "outcome", "unconfirmed");
	EXPECT(wait_line("audit", 4), "via", "settling", "operation", "delete", "id", id, "outcome", "refused");
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":1000,\"count\":1,"
	    "\"method\":\"POST\"}");
	fd = call_start("POST", STAGE_DEMO, NULL, "{\"name\":\"c\"}");
	EVENTUALLY(stage_received("POST", "/v1/create-customer-persona") == 2);
	close(fd);
	EXPECT(wait_line("audit", 5), "status", "499", "outcome", "unconfirmed");
	request = strdup(member(line("audit", 5), "request"));
	EXPECT(wait_line("audit", 6), "request", request, "via", "settling", "operation", "create", "outcome",
	    "done");
	free(request);
	stage_faults("{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":1000,\"count\":1,"
	    "\"method\":\"PUT\"}");
	fd = call_start("PUT", below(STAGE_DEMO, id), NULL, "{\"description\":\"d\"}");
	EVENTUALLY(stage_received("PUT", "/v1/update-customer-persona/{persona_id}") == 2);
	stage_kill_gateway();
	close(fd);
	stage_start_gateway();
	EXPECT(wait_line("audit", 0), "request", "(none)", "via", "settling", "operation", "update", "id", id);
	free(id);
	stage_close();
}
END_TEST

START_TEST(a_write_whose_answer_found_no_room_was_done)
{
	static char body[1600000], prompt[800001];
	struct reply *r;
	const char *id;

	memset(prompt, 'x', sizeof prompt - 1);
	snprintf(body, sizeof body, "{\"name\":\"a\",\"description\":\"%.700000s\",\"goal\":\"%s\","
	    "\"agent_id\":%d}", prompt, prompt, STAGE_AGENT);
	stage_open(SETTINGS, "limits: {buffers: 1MiB}\n");
	r = stage_bluejay("POST", "/v1/create-customer-persona", body);
	ck_assert_int_eq(r->status, 200);
	id = reply_string(r, "id");
	ck_assert_int_eq(call("PUT", below(STAGE_DEMO, id), "{\"name\":\"b\"}")->status, 503);
	ck_assert_str_eq(stage_member(id, "name"), "b");
	EXPECT(wait_line("audit", 0), "status", "503", "id", id, "outcome", "done");
	stage_close();
}
END_TEST

#define VIEWER "Authorization: Bearer a-viewer-of-tests\r\n" /* who may read */
#define CLIENT "Authorization: Bearer a-client-of-tests\r\n"
#define CLIENTS "clients:\n" \
	"  - {name: viewer, read_only: true, passthrough: true,\n" \
	"     token_sha256: 80d1628507811ef25758170d2ee268471d8ac992e23a75e8bae8763a0287157a}\n" \
	"  - {name: client,\n" \
	"     token_sha256: bc4d48a990fa06e36c0a7fdc54c50078c4a6d1d96b7c992719d0d383489f3b95}\n" \
	"passthrough: {bluejay: true}\n"

START_TEST(writes_that_are_forbidden_are_audited_too)
{
	char *id;

	stage_open(SETTINGS, "log: {access: false}\n" CLIENTS);
	id = stage_make(STAGE_AGENT, "a", "");
	ck_assert_int_eq(call_with("PUT", below(STAGE_DEMO, id), VIEWER, "{\"name\":\"b\"}")->status, 403);
	EXPECT(wait_line("audit", 0), "client_name", "viewer", "project", "demo", "method", "PUT", "route",
	    "/api/projects/:project/personas/:id", "id", id, "status", "403", "outcome", "refused");
	ck_assert_int_eq(call_with("POST", "/v1/create-customer-persona", VIEWER, "{}")->status, 403);
	EXPECT(wait_line("audit", 1), "client_name", "viewer", "route", "/v1/...", "outcome", "refused");
	ck_assert_int_eq(call("DELETE", below(STAGE_DEMO, id), NULL)->status, 401); /* whose it is nobody knows */
	ck_assert_int_eq(call_with("GET", below(STAGE_DEMO, id), VIEWER, NULL)->status, 200);
	ck_assert_int_eq(call_with("DELETE", below(STAGE_DEMO, id), CLIENT, NULL)->status, 204);
	EXPECT(wait_line("audit", 2), "client_name", "client", "status", "204");
	free(id);
	stage_close();
}
END_TEST

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

START_TEST(what_is_passed_on_has_its_lines)
{
	char more[200], *id, path[80];
	int c, t;

	snprintf(more, sizeof more, "passthrough: {bluejay: true, local: 'http://127.0.0.1:%d'}\n", tool_open());
	stage_open(SETTINGS, more);
	c = call_start("POST", "/api/projects/demo/runs?q=MARKED", NULL, "{}");
	t = tool_accept();
	tool_head(t);
	tool_say(t, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
	ck_assert_int_eq(ask_end(c)->status, 201);
	close(t);
	EXPECT(wait_line("request", 0), "project", "demo", "route", "passthrough.local", "status", "201",
	    "tries", "1");
	ck_assert_str_ne(member(line("request", 0), "upstream_ms"), "(none)");
	EXPECT(wait_line("audit", 0), "project", "demo", "route", "passthrough.local", "outcome", "done");
	c = call_start("GET", "/chat", "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n", NULL);
	t = tool_accept();
	tool_head(t);
	tool_say(t, SWITCH);
	tool_head(c);
	close(t);
	close(c);
	EXPECT(wait_line("request", 1), "status", "101", "tries", "1");
	EXPECT(wait_line("audit", 1), "method", "GET", "status", "101", "outcome", "done");
	id = stage_make(STAGE_AGENT, "a", "");
	snprintf(path, sizeof path, "/v1/customer-persona/%s", id);
	ck_assert_int_eq(call("DELETE", path, NULL)->status, 200);
	EXPECT(wait_line("request", 2), "route", "/v1/...", "tries", "1");
	EXPECT(wait_line("audit", 2), "route", "/v1/...", "id", id, "outcome", "done");
	free(id);
	tool_close();
	stage_close();
}
END_TEST

/* Sends marked content wherever a client can put some. */
static void
send_marked(void)
{
	static const char fields[] = "Content-Type: application/json\r\nX-Other: MARKED-header\r\n"
	    "Authorization: Bearer MARKED-token\r\nCookie: a=MARKED-cookie\r\n"
	    "X-API-Key: MARKED-key\r\nUser-Agent: MARKED-agent\r\nReferer: http://MARKED/\r\n"
	    "Idempotency-Key: MARKED-idempotency\r\nX-Request-Id: MARKED not an id\r\n"
	    "traceparent: MARKED\r\ntracestate: MARKED=1\r\nIf-None-Match: MARKED\r\n";
	static const char body[] = "{\"name\":\"MARKED-name\",\"systemPrompt\":\"MARKED-prompt\","
	    "\"description\":\"MARKED-text\",\"headers\":{\"MARKED-k\":\"MARKED-v\"},\"MARKED key\":1}";
	static const char *const paths[] = {STAGE_DEMO, STAGE_PLAIN, STAGE_DEMO "?MARKED=MARKED",
	    STAGE_DEMO "/MARKED", STAGE_DEMO "/MARKED/generate-image?MARKED",
	    "/api/projects/MARKED/personas", "/api/projects/demo/images?role=MARKED",
	    "/api/projects/demo/images/MARKED", "/MARKED", "/api/projects/%2e%2e/MARKED"};
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS",
	    "MARKED"};

	for (size_t p = 0; p < sizeof paths / sizeof *paths; p++)
		for (size_t m = 0; m < sizeof methods / sizeof *methods; m++)
			call_with(methods[m], paths[p], fields, m == 1 || m == 2 ? body : NULL);
	call("POST", STAGE_DEMO, "{\"name\": MARKED");
	call("POST", STAGE_DEMO, "[\"MARKED\"]");
	call("POST", STAGE_DEMO, "{\"name\":{\"MARKED\":1}}");
	call("POST", "/api/projects/demo/images",
	    "{\"imageBase64\":\"MARKED\",\"role\":\"MARKED\",\"filename\":\"MARKED\"}");
	call_with("POST", STAGE_DEMO, "Content-Type: text/MARKED\r\n", "{}");
}

START_TEST(nothing_personal_is_ever_logged)
{
	char *log, *id, refused[4096];
	struct reply r;
	int fd;

	stage_open(NULL, "log: {level: debug}\n");
	send_marked();
	id = create(STAGE_DEMO, "{\"name\":\"MARKED 2\",\"systemPrompt\":\"MARKED\"}");
	stage_fault("garbage", NULL, 2);
	call_with("GET", below(STAGE_DEMO, id), "Cache-Control: no-cache\r\n", NULL);
	call("PUT", below(STAGE_DEMO, id), "{\"name\":\"MARKED 3\",\"description\":\"MARKED\"}");
	stage_fault("reset-after", NULL, 1);
	call("POST", STAGE_DEMO, "{\"name\":\"MARKED lost\"}");
	snprintf(refused, sizeof refused, "MARKED /MARKED HTTP/1.1\r\nHost: MARKED\x01\r\n\r\n");
	fd = raw_connect(stage_gateway.port);
	raw_send(fd, refused, strlen(refused));
	raw_reply(fd, false, &r);
	free(r.body);
	close(fd);
	ck_assert_int_eq(program_stop(&stage_gateway), 0);
	log = program_log(&stage_gateway);
	ck_assert_ptr_nonnull(strstr(log, "\"event\":\"audit\""));
	ck_assert_ptr_nonnull(strstr(log, "\"level\":\"debug\""));
	ck_assert_msg(strstr(log, "MARKED") == NULL, "logged: %.400s", strstr(log, "MARKED"));
	ck_assert_int_eq(program_stop(&stage_sandbox), 0);
	free(log);
	free(id);
}
END_TEST

/* What a file holds; the caller frees. */
static char *
contents(const char *path)
{
	return shell("cat '%s' 2>/dev/null || true", path);
}

/* Whether a file holds a text. */
static bool
holds(const char *path, const char *text)
{
	char *all = contents(path);
	bool found = strstr(all, text) != NULL;

	free(all);
	return found;
}

START_TEST(a_log_file_can_be_rotated)
{
	char path[300], moved[310], more[400];

	snprintf(path, sizeof path, "%s/gateway.log", scratch_dir());
	snprintf(moved, sizeof moved, "%s.1", path);
	snprintf(more, sizeof more, "log: {file: '%s'}\n", path);
	stage_open(SETTINGS, more);
	call_with("GET", STAGE_DEMO, "X-Request-Id: before\r\n", NULL);
	EVENTUALLY(holds(path, "\"request\":\"before\""));
	ck_assert_int_eq(rename(path, moved), 0);
	kill(stage_gateway.pid, SIGUSR1);
	EVENTUALLY(access(path, F_OK) == 0);
	call_with("GET", STAGE_DEMO, "X-Request-Id: after\r\n", NULL);
	EVENTUALLY(holds(path, "\"request\":\"after\""));
	ck_assert(!holds(moved, "\"request\":\"after\"") && !holds(path, "\"request\":\"before\""));
	stage_close();
	ck_assert(holds(path, "\"event\":\"stopping\""));
}
END_TEST

/* The block of a document that begins with a line and ends before "```", with another path. */
static char *
documented(const char *file, const char *first, const char *path, const char *instead)
{
	char *text = shell("sed -n '\\|^%s|,/^```/p' '%s/%s' | grep -v '```' | sed 's|%s|%s|'", first,
	    TEST_SRCDIR, file, path, instead);

	ck_assert_msg(strchr(text, '\n') != NULL, "%s has no such block", file);
	return text;
}

#define LOG_FILE "/var/log/persona-gateway/gateway.log"

START_TEST(logrotate_as_documented_loses_no_line)
{
	char path[300], more[400], request[160], *block, *said;
	struct reply r;
	int fd, n = 0;

	said = shell("PATH=$PATH:/usr/sbin command -v logrotate || true");
	if (*said == '\0') {
		fprintf(stderr, "skipped: logrotate is not here; Debian's package is logrotate\n");
		free(said);
		return;
	}
	free(said);
	snprintf(path, sizeof path, "%s/gateway.log", scratch_dir());
	snprintf(more, sizeof more, "log: {file: '%s'}\n", path);
	stage_open(SETTINGS, more);
	block = documented("docs/operations.md", LOG_FILE, LOG_FILE, path);
	scratch_file("logrotate.conf", "%s", block);
	free(block);
	fd = raw_connect(stage_gateway.port);
	for (int turn = 0; turn < 5; turn++) {
		for (int i = 0; i < 100; i++, n++) {
			snprintf(request, sizeof request, "GET /api/projects HTTP/1.1\r\nHost: localhost\r\n"
			    "X-Request-Id: n-%d-\r\n\r\n", n);
			raw_send(fd, request, strlen(request));
			raw_reply(fd, false, &r);
			free(r.body);
		}
		said = shell("cd %s && chmod 600 logrotate.conf && sed -i 's/pkill -USR1 -x persona-gateway/"
		    "kill -USR1 %d/' logrotate.conf && PATH=$PATH:/usr/sbin logrotate -f -s state logrotate.conf 2>&1; "
		    "echo $?", scratch_dir(), (int)stage_gateway.pid);
		ck_assert_str_eq(said, "0\n");
		free(said);
	}
	close(fd);
	stage_close();
	said = shell("cd %s && ls gateway.log gateway.log.[0-9]* | wc -l && (cat gateway.log gateway.log.1; "
	    "zcat gateway.log.*.gz) | grep -o '\"request\":\"n-[0-9]*-' | sort -u | wc -l", scratch_dir());
	ck_assert_str_eq(said, "6\n500\n");
	free(said);
}
END_TEST

START_TEST(without_a_file_the_signal_does_nothing)
{
	stage_open(SETTINGS, NULL);
	kill(stage_gateway.pid, SIGUSR1);
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	kill(stage_sandbox.pid, SIGUSR1); /* which keeps no log file, as no other command does */
	ck_assert_int_eq(call_with("GET", STAGE_DEMO, "Cache-Control: no-cache\r\n", NULL)->status, 200);
	stage_close();
}
END_TEST

START_TEST(a_file_that_cannot_be_written_stops_the_start)
{
	const char *config = scratch_file("nolog.yaml", "log: {file: /nowhere/at/all/log}\n");
	const char *const args[] = {"serve", "--sandbox", "--config", config, "--listen", "127.0.0.1:0",
	    "--admin-listen", "127.0.0.1:0", NULL};
	struct program p;
	char *said;

	ck_assert_int_eq(program_fails(&p, args), 1);
	said = program_log(&p);
	ck_assert_ptr_nonnull(strstr(said,
	    "persona-gateway: log.file /nowhere/at/all/log cannot be written: No such file or directory"));
	free(said);
}
END_TEST

/* Reads what there is in a pipe, up to the line that tells of lost ones. */
static void
read_until_told(int fd)
{
	static char all[8 << 20];
	size_t len = 0;

	do {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		ck_assert_int_eq(poll(&p, 1, 10000), 1);
		n = read(fd, all + len, sizeof all - 1 - len);
		ck_assert_int_gt(n, 0);
		len += (size_t)n;
		all[len] = '\0';
	} while (strstr(all, "\"event\":\"log lines were dropped") == NULL);
}

/* The number of lost lines, by /metrics. */
static unsigned long
lost(void)
{
	struct reply *r = ask(stage_gateway.admin_port, "GET", "/metrics", NULL, NULL);
	const char *p = strstr(r->body, "\npersona_gateway_log_lines_dropped_total ");

	ck_assert_ptr_nonnull(p);
	return strtoul(strchr(p + 1, ' '), NULL, 10);
}

START_TEST(a_log_that_nobody_reads_holds_up_nobody)
{
	static const char get[] = "GET /api/projects HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: long-so-that-"
	    "few-lines-fill-everything-that-waits-for-a-reader-who-never-comes-to-read-it-and-nobody-else-does\r\n\r\n";
	char path[300], more[400];
	struct reply r;
	int fd, pipe;

	snprintf(path, sizeof path, "%s/pipe", scratch_dir());
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	pipe = open(path, O_RDONLY | O_NONBLOCK);
	ck_assert_int_ge(pipe, 0);
	snprintf(more, sizeof more, "log: {file: '%s'}\n", path);
	stage_open(SETTINGS, more);
	fd = raw_connect(stage_gateway.port);
	for (int i = 0; i < 7500; i++) { /* more than the pipe and all buffers take */
		raw_send(fd, get, sizeof get - 1);
		raw_reply(fd, false, &r);
		ck_assert_int_eq(r.status, 200);
		free(r.body);
	}
	close(fd);
	ck_assert_uint_gt(lost(), 0);
	read_until_told(pipe);
	stage_close();
	close(pipe);
}
END_TEST

/* ---- ids and traces upstream ---- */

#define PARENT "4bf92f3577b34da6a3ce929d0e0e4736"

static char heads[8][4096];
static int head_count;

/* Keeps the head of a request, and answers like Bluejay without personas. */
static void
keep_head(void *arg, const struct script_request *q, struct script_reply *out)
{
	if (head_count < 8)
		snprintf(heads[head_count], sizeof heads[0], "%.*s", (int)(q->body - q->head), q->head);
	__atomic_add_fetch(&head_count, 1, __ATOMIC_SEQ_CST);
	out->status = 200;
	snprintf(out->body, sizeof out->body, "[]");
}

/* Reads the list anew with these fields; gives the head that went upstream. */
static const char *
upstream_head(const char *fields)
{
	char all[1024];

	head_count = 0;
	snprintf(all, sizeof all, "%sCache-Control: no-cache\r\n", fields);
	ck_assert_int_eq(call_with("GET", STAGE_DEMO, all, NULL)->status, 200);
	ck_assert_int_eq(head_count, 1);
	return heads[0];
}

START_TEST(ids_and_traces_go_on_upstream)
{
	const char *const args[] = {"serve", "--config", NULL, "--listen", "127.0.0.1:0",
	    "--admin-listen", "127.0.0.1:0", NULL};
	const char *argv[8], *head, *span;
	struct json_object *o;

	memcpy(argv, args, sizeof args);
	argv[2] = scratch_file("trace.yaml",
	    "data_dir: trace\nbluejay: {url: 'http://127.0.0.1:%d', api_key: k}\n"
	    "projects: {demo: {agent_id: 7}}\n", script_start(keep_head, NULL));
	program_start(&stage_gateway, argv);

	head = upstream_head("X-Request-Id: mine-7\r\n");
	ck_assert_ptr_nonnull(strstr(head, "\r\nX-Request-Id: mine-7\r\n"));
	ck_assert_ptr_null(strcasestr(head, "traceparent"));

	head = upstream_head("traceparent: 00-" PARENT "-00f067aa0ba902b7-01\r\n"
	    "tracestate: a=1\r\ntracestate: b=2\r\n");
	span = strstr(head, "\r\ntraceparent: 00-" PARENT "-");
	ck_assert_ptr_nonnull(span);
	span += strlen("\r\ntraceparent: 00-" PARENT "-");
	ck_assert(strncmp(span, "00f067aa0ba902b7", 16) != 0);
	ck_assert(strncmp(span + 16, "-01\r\n", 5) == 0);
	ck_assert_ptr_nonnull(strstr(head, "\r\ntracestate: a=1,b=2\r\n"));
	o = wait_line("request", 1);
	EXPECT(o, "trace", PARENT);
	ck_assert(strncmp(member(o, "span"), span, 16) == 0);

	head = upstream_head("traceparent: 00-" PARENT "-00f067aa0ba902b7-00\r\n");
	ck_assert_ptr_nonnull(strstr(head, "\r\ntraceparent: 00-" PARENT "-"));
	ck_assert_ptr_null(strcasestr(head, "tracestate"));

	head = upstream_head("traceparent: 00-" PARENT "-0000000000000000-01\r\ntracestate: a=1\r\n");
	ck_assert_ptr_null(strcasestr(head, "trace"));

	head = upstream_head("traceparent: 00-" PARENT "-00f067aa0ba902b7-01\r\n"
	    "traceparent: 00-" PARENT "-00f067aa0ba902b7-01\r\n");
	ck_assert_ptr_null(strcasestr(head, "trace"));
	ck_assert_int_eq(program_stop(&stage_gateway), 0);
}
END_TEST

/* Tests of the log. */
static Suite *
log_suite(void)
{
	const TTest *const tests[] = {
	    every_request_has_its_line,
	    what_the_server_refuses_has_its_line_too,
	    a_client_that_leaves_has_its_line,
	    every_write_has_an_audit_line,
	    what_becomes_of_an_unconfirmed_write_is_audited_too,
	    a_write_whose_answer_found_no_room_was_done,
	    writes_that_are_forbidden_are_audited_too,
	    what_is_passed_on_has_its_lines,
	    nothing_personal_is_ever_logged,
	    a_log_file_can_be_rotated,
	    logrotate_as_documented_loses_no_line,
	    without_a_file_the_signal_does_nothing,
	    a_file_that_cannot_be_written_stops_the_start,
	    a_log_that_nobody_reads_holds_up_nobody,
	    ids_and_traces_go_on_upstream,
	    NULL,
	};

	return unit_suite("log", tests);
}

UNIT_MAIN(log_suite)
