#include "config.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "harness.h"
#include "unit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* generate-image, spoken to the real program; the images are drawn by its own
 * sandbox, by a second one with faults, or by a server with fixed answers. */

#define DEMO "/api/projects/demo"
#define KEY "sk-very-secret-image-key"
#define NO_PROVIDER "No LLM provider configured. Configure one in Settings > LLM Providers."

static struct program gateway, provider;

/* Starts the gateway with a configuration's images section, or none (NULL). */
static void
start(const char *images)
{
	const char *args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL, NULL, NULL};

	if (images != NULL) {
		args[6] = "--config";
		args[7] = scratch_file("c.yaml",
		    "projects: {demo: {agent_id: 1}, \"*\": {}}\nimages: %s\n",
		    images);
	}
	program_start(&gateway, args);
}

/* Starts a provider of its own with a fault profile, and the gateway on it. */
static void
start_with_provider(const char *faults, const char *more)
{
	const char *const args[] = {"sandbox", "--listen", "127.0.0.1:0", "--api-key", KEY,
	    "--faults",
	    faults, NULL};
	char images[300];

	program_start(&provider, args);
	snprintf(images, sizeof images, "{api_key: " KEY ", url: \"http://127.0.0.1:%d\"%s}",
	    provider.port, more);
	start(images);
}

/* Ends the gateway; it must end well, and must not have told the key. */
static void
stop(void)
{
	char *log;

	ck_assert_int_eq(program_stop(&gateway), 0);
	log = program_log(&gateway);
	ck_assert_ptr_null(strstr(log, KEY));
	free(log);
	if (provider.pid > 0)
		ck_assert_int_eq(program_stop(&provider), 0);
}

/* Makes a persona; its id is the caller's. */
static char *
persona(const char *project, const char *name)
{
	char path[200], body[300];
	struct reply *r;

	snprintf(path, sizeof path, "/api/projects/%s/personas", project);
	snprintf(body, sizeof body, "{\"name\":\"%s\",\"systemPrompt\":\"You are %s.\"}", name,
	    name);
	r = ask(gateway.port, "POST", path, NULL, body);
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	return mem_string(reply_string(r, "id"));
}

/* Asks for something of a persona; "" asks for itself. */
static struct reply *
of(const char *method, const char *id, const char *what, const char *body)
{
	char path[300];

	snprintf(path, sizeof path, DEMO "/personas/%s%s", id, what);
	return ask(gateway.port, method, path, NULL, body);
}

/* Asks for a portrait. */
static struct reply *
draw(const char *id)
{
	return of("POST", id, "/generate-image", NULL);
}

/* Fails unless the image of a persona's answer is served as a PNG; its id. */
static const char *
expect_portrait(const struct reply *r)
{
	static char url[200];
	struct reply *image;
	char path[300];

	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	snprintf(url, sizeof url, "%s", reply_string(r, "imageUrl"));
	snprintf(path, sizeof path, DEMO "/images/%s", url);
	image = ask(gateway.port, "GET", path, NULL, NULL);
	ck_assert_int_eq(image->status, 200);
	ck_assert_str_eq(reply_field(image, "content-type"), "image/png");
	ck_assert(memcmp(image->body, "\x89PNG\r\n\x1a\n", 8) == 0);
	return url;
}

/* How many images of a role the project has. */
static int
count(const char *role)
{
	char path[200];

	snprintf(path, sizeof path, DEMO "/images?role=%s", role);
	return (int)json_object_array_length(
	    json_object_object_get(reply_json(ask(gateway.port, "GET", path, NULL, NULL)), "ids"));
}

/* How many requests the provider has processed at a path. */
static int
processed(const char *path)
{
	struct json_object *list, *at;
	struct reply *r = ask(provider.port, "GET", "/__sandbox/requests",
	    "X-API-Key: " KEY "\r\n", NULL);

	list = json_object_object_get(reply_json(r), "requests");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		at = json_object_array_get_idx(list, i);
		if (strcmp(json_object_get_string(json_object_object_get(at, "path")), path) == 0)
			return json_object_get_int(json_object_object_get(at, "processed"));
	}
	ck_abort_msg("no path %s", path);
	return -1;
}

START_TEST(the_sandbox_draws_each_persona_its_own)
{
	char *ann, *bob, first[200];
	struct reply *r;

	start(NULL);
	ann = persona("demo", "Ann");
	bob = persona("demo", "Bob");
	r = draw(ann);
	ck_assert_str_eq(reply_string(r, "name"), "Ann");
	snprintf(first, sizeof first, "%s", expect_portrait(r));
	ck_assert_str_eq(reply_string(of("GET", ann, "", NULL), "imageUrl"), first);
	ck_assert_str_ne(expect_portrait(draw(bob)), first);
	ck_assert_int_eq(count("persona-avatar"), 2);
	expect_error(draw("nope"), 404, "Persona not found");
	r = of("PUT", ann, "", "{\"systemPrompt\":\"\"}");
	ck_assert_int_eq(r->status, 200);
	expect_error(draw(ann), 400, "Persona must have a system prompt to generate an image");
	free(ann);
	free(bob);
	stop();
}
END_TEST

START_TEST(without_a_provider_the_local_sentence_is_told)
{
	char *id;

	start("{provider: none}");
	id = persona("demo", "Ann");
	expect_error(draw("nope"), 404, "Persona not found");
	expect_error(draw(id), 400, NO_PROVIDER);
	ck_assert_int_eq(count("persona-avatar"), 0);
	free(id);
	stop();
}
END_TEST

START_TEST(images_of_the_style_are_sent_along)
{
	struct buf body;
	char *id;

	start_with_provider("none", ", size: 64x64");
	id = persona("demo", "Ann");
	expect_portrait(draw(id));
	ck_assert_int_eq(processed("/v1/images/generations"), 1);
	/* one small image and one that is a file; a GIF is not for the provider */
	for (size_t len = 60; len <= 100000; len += 99940) {
		char *bytes = mem_zero(1, len);

		memcpy(bytes, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
		buf_init(&body, 0);
		buf_adds(&body, "{\"role\":\"persona-avatar-styleguide\",\"imageBase64\":\"");
		base64_encode(&body, bytes, len);
		buf_adds(&body, "\"}");
		ck_assert_int_eq(ask(gateway.port, "POST", DEMO "/images", NULL,
		    body.data)->status, 201);
		buf_free(&body);
		free(bytes);
	}
	ck_assert_int_eq(ask(gateway.port, "POST", DEMO "/images", NULL,
	    "{\"role\":\"persona-avatar-styleguide\","
	    "\"imageBase64\":\"R0lGODlhAAAAAAAAAAAA\"}")->status, 201);
	expect_portrait(draw(id));
	ck_assert_int_eq(processed("/v1/images/generations"), 1);
	ck_assert_int_eq(processed("/v1/images/edits"), 1);
	free(id);
	stop();
}
END_TEST

START_TEST(what_goes_wrong_is_told_in_plain_words)
{
	static const struct {
		const char *faults;
		int status, other;
	} rows[] = {{"errors-before", 502, 502}, {"truncated", 502, 502}, {"reset-after", 502, 502},
	    {"reset-before", 502, 502}, {"garbage", 502, 502}};
	char faults[200];
	struct reply *r;
	char *id;

	start_with_provider("none", ", size: 64x64, timeout: 2s");
	id = persona("demo", "Ann");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(faults, sizeof faults,
		    "{\"profile\":\"%s\",\"percent\":100,\"count\":1}", rows[i].faults);
		ck_assert_int_eq(ask(provider.port, "POST", "/__sandbox/faults",
		    "X-API-Key: " KEY "\r\n",
		                     faults)->status, 200);
		r = draw(id);
		ck_assert_msg(r->status == rows[i].status, "%s: %d %s", rows[i].faults, r->status,
		    r->body);
		ck_assert_ptr_null(strstr(r->body, KEY));
	}
	ck_assert_int_eq(count("persona-avatar"), 0);
	ck_assert_int_eq(ask(provider.port, "POST", "/__sandbox/faults", "X-API-Key: " KEY "\r\n",
	    "{\"profile\":\"slow-after\",\"percent\":100,\"count\":1}")->status, 200);
	expect_error(draw(id), 504, "The image provider did not answer in time");
	/* a refusal for now is asked again within the time */
	ck_assert_int_eq(ask(provider.port, "POST", "/__sandbox/faults", "X-API-Key: " KEY "\r\n",
	    "{\"profile\":\"rate-limit\",\"percent\":100,\"count\":1,\"seed\":1}")->status, 200);
	r = draw(id);
	ck_assert(r->status == 200 || r->status == 429);
	ck_assert(r->status == 200 || reply_field(r, "retry-after") != NULL);
	expect_portrait(draw(id));
	free(id);
	stop();
}
END_TEST

START_TEST(a_refused_key_is_not_told)
{
	char images[200], *id;
	const char *const args[] = {"sandbox", "--listen", "127.0.0.1:0", NULL};

	program_start(&provider, args);
	snprintf(images, sizeof images, "{api_key: " KEY ", url: \"http://127.0.0.1:%d\"}",
	    provider.port);
	start(images);
	id = persona("demo", "Ann");
	expect_error(draw(id), 502, "The image provider refused the gateway's API key");
	free(id);
	stop();
}
END_TEST

/* Sends a request for a portrait and does not wait. */
static int
send_draw(const char *id)
{
	char head[300];
	int fd = raw_connect(gateway.port);

	snprintf(head, sizeof head, "POST " DEMO "/personas/%s/generate-image HTTP/1.1\r\n"
	    "Host: localhost\r\nContent-Length: 0\r\n\r\n", id);
	raw_send(fd, head, strlen(head));
	return fd;
}

/* Sets a latency of the provider. */
static void
slow(int ms)
{
	char body[100];

	snprintf(body, sizeof body, "{\"profile\":\"latency\",\"delay_ms\":%d}", ms);
	ck_assert_int_eq(ask(provider.port, "POST", "/__sandbox/faults", "X-API-Key: " KEY "\r\n",
	                     body)->status, 200);
}

START_TEST(equal_requests_share_one_portrait)
{
	struct reply one, two;
	int a, b;
	char *id;

	start_with_provider("none", ", size: 64x64");
	id = persona("demo", "Ann");
	slow(500);
	a = send_draw(id);
	b = send_draw(id);
	raw_reply(a, false, &one);
	raw_reply(b, false, &two);
	ck_assert_int_eq(one.status, 200);
	ck_assert_str_eq(one.body, two.body);
	ck_assert_int_eq(processed("/v1/images/generations"), 1);
	ck_assert_int_eq(count("persona-avatar"), 1);
	close(a);
	close(b);
	free(one.body);
	free(two.body);
	free(id);
	stop();
}
END_TEST

/* Waits until the provider has received a request. */
static void
wait_asked(void)
{
	for (int i = 0; i < 2000; i++) {
		struct reply *r = ask(provider.port, "GET", "/__sandbox/requests",
		    "X-API-Key: " KEY "\r\n",
		    NULL);

		if (strstr(r->body, "/v1/images/generations\",\"received\":1") != NULL)
			return;
	}
	ck_abort_msg("the provider was not asked");
}

START_TEST(a_client_that_leaves_does_not_lose_the_picture)
{
	struct reply *r;
	char *id;
	int fd;

	start_with_provider("none", ", size: 64x64");
	id = persona("demo", "Ann");
	slow(300);
	fd = send_draw(id);
	wait_asked();
	close(fd);
	/* the next one joins it, or finds it done */
	for (int i = 0; i < 5000; i++) {
		r = of("GET", id, "", NULL);
		if (reply_string(r, "imageUrl") != NULL)
			break;
	}
	expect_portrait(r);
	ck_assert_int_eq(processed("/v1/images/generations"), 1);
	free(id);
	stop();
}
END_TEST

START_TEST(a_stop_waits_for_the_picture)
{
	char images[300], *id, path[300], url[200];
	const char *const args[] = {"sandbox", "--listen", "127.0.0.1:0", "--api-key", KEY, NULL};
	const char *run[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", "--data-dir", NULL, "--config", NULL, NULL};
	char *dir = mem_format("%s/stop", scratch_dir());
	struct reply *r;
	int fd;

	program_start(&provider, args);
	snprintf(images, sizeof images, "projects: {demo: {agent_id: 1}}\nimages: {api_key: " KEY
	    ", size: 64x64, url: \"http://127.0.0.1:%d\"}\n", provider.port);
	run[7] = dir;
	run[9] = mem_string(scratch_file("stop.yaml", "%s", images));
	program_start(&gateway, run);
	id = persona("demo", "Ann");
	slow(500);
	fd = send_draw(id);
	wait_asked();
	close(fd);
	ck_assert_int_eq(program_stop(&gateway), 0);
	program_start(&gateway, run);
	r = of("GET", id, "", NULL);
	ck_assert_ptr_nonnull(reply_string(r, "imageUrl"));
	snprintf(url, sizeof url, "%s", expect_portrait(r));
	/* and the picture goes with its persona */
	ck_assert_int_eq(of("DELETE", id, "", NULL)->status, 204);
	snprintf(path, sizeof path, DEMO "/images/%s", url);
	for (int i = 0; i < 10000 && ask(gateway.port, "GET", path, NULL, NULL)->status == 200; i++)
		;
	expect_error(ask(gateway.port, "GET", path, NULL, NULL), 404, "Image not found");
	free((char *)(uintptr_t)run[9]);
	free(dir);
	free(id);
	stop();
}
END_TEST

START_TEST(a_picture_that_another_persona_uses_stays)
{
	char *ann, *bob, body[300], url[200];

	start(NULL);
	ann = persona("demo", "Ann");
	bob = persona("demo", "Bob");
	snprintf(url, sizeof url, "%s", expect_portrait(draw(ann)));
	snprintf(body, sizeof body, "{\"imageUrl\":\"%s\"}", url);
	ck_assert_int_eq(of("PUT", bob, "", body)->status, 200);
	ck_assert_int_eq(of("DELETE", ann, "", NULL)->status, 204);
	ck_assert_str_eq(expect_portrait(of("GET", bob, "", NULL)), url);
	free(ann);
	free(bob);
	stop();
}
END_TEST

/* ---- a provider with fixed answers ---- */

static pid_t fixed_pid;

/* Answers each connection: /v1/… with `answer`, /silent never, everything else with a
 * picture, unless the request carries a key. */
static void
fixed_serve(int listener, const char *answer)
{
	static char in[65536];
	char out[1024];

	for (;;) {
		int fd = accept(listener, NULL, NULL), n = 0;
		size_t len = 0;
		ssize_t got;

		while (fd >= 0 && len < sizeof in - 1 && (got = recv(fd, in + len,
		    sizeof in - 1 - len, 0)) > 0) {
			len += (size_t)got;
			in[len] = '\0';
			if (strstr(in, "\r\n\r\n") != NULL && (strncmp(in, "GET", 3) == 0 ||
			    in[len - 1] == '}'))
				break;
		}
		in[len] = '\0';
		if (strncmp(in, "GET /silent ", 12) == 0)
			continue; /* it stays open */
		if (strncmp(in, "GET", 3) != 0)
			n = snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
			    "Connection: close\r\n\r\n%s", strlen(answer), answer);
		else if (strcasestr(in, "authorization") == NULL && strstr(in, KEY) == NULL)
			n = snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n"
			    "Connection: close\r\n\r\n%.60s",
			    "GIF89a......................................................");
		if (n > 0)
			(void)!send(fd, out, (size_t)n, MSG_NOSIGNAL);
		close(fd);
	}
}

/* Listens on a free port. */
static int
fixed_listen(int *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, len), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* Starts the server in a process of its own, and the gateway on it. In the
 * answer, PORT is replaced. */
static void
start_fixed(const char *answer)
{
	char images[300], text[1000];
	const char *at = strstr(answer, "PORT");
	int port, fd = fixed_listen(&port);

	if (at != NULL)
		snprintf(text, sizeof text, "%.*s%d%s", (int)(at - answer), answer, port, at + 4);
	else
		snprintf(text, sizeof text, "%s", answer);
	fixed_pid = fork();
	ck_assert_int_ge(fixed_pid, 0);
	if (fixed_pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fixed_serve(fd, text);
	}
	close(fd);
	snprintf(images, sizeof images, "{api_key: " KEY ", url: \"http://127.0.0.1:%d\", timeout: 3s}",
	    port);
	start(images);
}

START_TEST(answers_without_an_image_are_not_believed)
{
	static const char *const answers[] = {"{}", "[]", "{\"data\":[]}", "{\"data\":[{}]}",
	    "{\"data\":[{\"b64_json\":\"!!!\"}]}", "{\"data\":[{\"b64_json\":\"PGh0bWw+\"}]}",
	    "{\"data\":[{\"url\":\"file:///etc/passwd\"}]}", "{\"data\":[{\"url\":\"ftp://x/y\"}]}",
	    "{\"data\":[{\"url\":\"http://u:p@127.0.0.1/\"}]}", "{\"data\":[{\"url\":5}]}",
	    "{\"data\":[{\"url\":\"http://127.0.0.1:PORT/nothing like it\"}]}"};
	char *id;

	start_fixed(answers[_i]);
	id = persona("demo", "Ann");
	expect_error(draw(id), 502, NULL);
	ck_assert_ptr_null(reply_string(of("GET", id, "", NULL), "imageUrl"));
	ck_assert_int_eq(count("persona-avatar"), 0);
	free(id);
	stop();
	kill(fixed_pid, SIGKILL);
	waitpid(fixed_pid, NULL, 0);
}
END_TEST

START_TEST(links_are_followed_without_the_key)
{
	struct reply *r;
	char *id;

	start_fixed("{\"data\":[{\"url\":\"http://127.0.0.1:PORT/a/b?c=d#e\"}]}");
	id = persona("demo", "Ann");
	r = draw(id);
	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	ck_assert_ptr_nonnull(strstr(reply_string(r, "imageUrl"), ".gif"));
	free(id);
	stop();
	kill(fixed_pid, SIGKILL);
	waitpid(fixed_pid, NULL, 0);
}
END_TEST

START_TEST(a_link_to_nothing_has_an_end)
{
	char *id;

	start_fixed("{\"data\":[{\"url\":\"http://127.0.0.1:PORT/silent\"}]}");
	id = persona("demo", "Ann");
	expect_error(draw(id), 504, "The image provider did not answer in time");
	free(id);
	stop();
	kill(fixed_pid, SIGKILL);
	waitpid(fixed_pid, NULL, 0);
}
END_TEST

/* Tests of portraits. */
static Suite *
portraits_suite(void)
{
	const TTest *const tests[] = {
	    the_sandbox_draws_each_persona_its_own,
	    without_a_provider_the_local_sentence_is_told,
	    images_of_the_style_are_sent_along,
	    what_goes_wrong_is_told_in_plain_words,
	    a_refused_key_is_not_told,
	    equal_requests_share_one_portrait,
	    a_client_that_leaves_does_not_lose_the_picture,
	    a_stop_waits_for_the_picture,
	    a_picture_that_another_persona_uses_stays,
	    links_are_followed_without_the_key,
	    a_link_to_nothing_has_an_end,
	    NULL,
	};
	TCase *tcase;
	Suite *suite = unit_suite_within("portraits", tests, 60, &tcase);

	tcase_add_loop_test(tcase, answers_without_an_image_are_not_believed, 0, 11);
	return suite;
}

UNIT_MAIN(portraits_suite)
