#include "config.h"

#include "base/mem.h"
#include "harness.h"
#include "unit.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * What a person does: the lines that README.md and quickstart show, run as they
 * stand there, and the program curl in the ways in which it differs from other
 * clients.
 */

#define README TEST_SRCDIR "/README.md"
#define QUICKSTART TEST_SRCDIR "/quickstart"
#define EXAMPLE_URL "http://127.0.0.1:3000"
#define PATH "/api/projects/demo/personas"
#define JSON "-H 'Content-Type: application/json'"
#define ANYTHING "\xe2\x80\xa6" /* the three dots of an example */

static struct program gateway;

/* Starts a gateway over its sandbox. */
static void
start(void)
{
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL};

	program_start(&gateway, args);
}

/* Ends it; it must end well. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* Reads a whole file; the caller frees. */
static char *
read_file(const char *path)
{
	return shell("cat '%s'", path);
}

/* Cuts `text` behind the first `from` and before the next `to`; the caller frees. */
static char *
part(const char *text, const char *from, const char *to)
{
	const char *begin = strstr(text, from), *end;

	ck_assert_msg(begin != NULL, "there is no \"%s\"", from);
	begin += strlen(from);
	end = strstr(begin, to);
	ck_assert_msg(end != NULL, "there is no \"%s\" after \"%s\"", to, from);
	return strndup(begin, (size_t)(end - begin));
}

/* Replaces the first `from`, if there is one; frees the text and returns a new one. */
static char *
replace(char *text, const char *from, const char *to)
{
	char *at = strstr(text, from), *out;

	if (at == NULL)
		return text;
	out = mem_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	free(text);
	return out;
}

/* Whether a text is as an example shows it: digits stand for any digits, the
 * three dots for anything. */
static bool
like(const char *example, const char *text)
{
	if (strncmp(example, ANYTHING, 3) == 0) {
		do {
			if (like(example + 3, text))
				return true;
		} while (*text++ != '\0');
		return false;
	}
	if (*example == '\0' || *text == '\0')
		return *example == *text;
	if (isdigit((unsigned char)*example) ? !isdigit((unsigned char)*text) : *example != *text)
		return false;
	return like(example + 1, text + 1);
}

/* Runs curl with the rest of a command line; the answer's status is in *status. */
static char *
curl(int *status, const char *arguments)
{
	char *out = shell("curl -sS -w '\\n%%{http_code}' %s 2>&1", arguments);
	char *last = strrchr(out, '\n');

	ck_assert_ptr_nonnull(last);
	*status = atoi(last + 1);
	*last = '\0';
	return out;
}

/* The same for one that must be answered with this status. */
static char *curl_is(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static char *
curl_is(int status, const char *fmt, ...)
{
	char *arguments = NULL, *body;
	va_list ap;
	int got;

	va_start(ap, fmt);
	ck_assert_int_ge(vasprintf(&arguments, fmt, ap), 0);
	va_end(ap);
	body = curl(&got, arguments);
	ck_assert_msg(got == status, "curl %s: %d %s", arguments, got, body);
	free(arguments);
	return body;
}

/* The value of a member in JSON text that is a string without escapes. */
static char *
member(const char *json, const char *name)
{
	char from[64];

	snprintf(from, sizeof from, "\"%s\":\"", name);
	return part(json, from, "\"");
}

START_TEST(the_lines_that_quickstart_prints_work)
{
	static const int wanted[] = {200, 201, 200, 204};
	char *text, *at, *id = mem_string("/ID");

	start();
	text = at = shell("/bin/sh -c \"$(sed -n '/^print_examples() {/,/^}/p' '%s'); print_examples %s\"",
	    QUICKSTART, gateway.url[0]);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		char *command = replace(part(at, "\n  curl ", "\n\n"), "/ID", id), *body;

		at = strstr(at, "\n  curl ") + 1;
		body = curl_is(wanted[i], "%s", command);
		if (wanted[i] == 201) {
			free(id);
			id = replace(member(body, "id"), "", "/");
		}
		free(body);
		free(command);
	}
	ck_assert_ptr_null(strstr(at, "\n  curl "));
	free(text);
	free(id);
	stop();
}
END_TEST

START_TEST(the_session_in_readme_is_what_happens)
{
	char *readme = read_file(README), *session = part(readme, "```console\n", "```\n"), *p = session;
	int calls = 0;

	start();
	while ((p = strstr(p, "$ curl ")) != NULL) {
		char *command = p + strlen("$ curl "), *shown, *body;
		int status;

		for (p = strchr(p, '\n'); p[-1] == '\\'; p = strchr(p + 1, '\n'))
			;
		command = replace(strndup(command, (size_t)(p - command)), EXAMPLE_URL, gateway.url[0]);
		shown = part(p, "\n", "\n");
		body = curl(&status, command);
		ck_assert_msg(like(shown, body), "curl %s\nshown:    %s\nanswered: %s", command, shown, body);
		free(command);
		free(shown);
		free(body);
		calls++;
	}
	ck_assert_int_eq(calls, 3);
	free(session);
	free(readme);
	stop();
}
END_TEST

START_TEST(the_file_in_readme_is_good_and_has_three_lines)
{
	char *readme = read_file(README), *yaml = part(readme, "```yaml\n", "```\n"), *out;
	const char *file = scratch_file("gateway.yaml", "%s", yaml);
	size_t lines = 0;

	for (const char *p = yaml; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	ck_assert_uint_eq(lines, 3);
	out = shell("BLUEJAY_API_KEY=k3y '%s' check --config '%s' 2>&1", program_path(), file);
	ck_assert_str_eq(out, "ok\n");
	free(out);
	out = shell("env -u BLUEJAY_API_KEY '%s' check --config '%s' 2>&1", program_path(), file);
	ck_assert_ptr_nonnull(strstr(out, "gateway.yaml:2:12: the environment variable BLUEJAY_API_KEY "));
	free(out);
	free(yaml);
	free(readme);
}
END_TEST

START_TEST(curls_own_ways_of_sending_are_understood)
{
	char *big = mem_zero(1, 200001), *id, *body;
	const char *file;

	start();
	memset(big, 'x', 200000);
	file = scratch_file("big.json", "{\"name\":\"big\",\"systemPrompt\":\"%s\"}", big);
	body = curl_is(201, "-H 'Expect: 100-continue' " JSON " --data-binary @%s %s" PATH, file,
	    gateway.url[0]);
	id = member(body, "id");
	free(body);
	body = curl_is(200, "%s" PATH "/%s", gateway.url[0], id);
	ck_assert_ptr_nonnull(strstr(body, big));
	free(body);
	file = scratch_file("put.json", "{\"systemPrompt\":\"short\"}");
	free(curl_is(200, "-H 'Transfer-Encoding: chunked' " JSON " -T %s %s" PATH "/%s", file,
	    gateway.url[0], id));
	free(curl_is(200, "--http1.0 %s" PATH "/%s", gateway.url[0], id));
	body = curl_is(200, "-I %s" PATH "/%s", gateway.url[0], id);
	ck_assert_ptr_nonnull(strstr(body, "Content-Type: application/json; charset=utf-8\r\n"));
	free(body);
	body = curl_is(415, "-d '{\"name\":\"x\"}' %s" PATH, gateway.url[0]);
	ck_assert_str_eq(body, "{\"error\":\"Unsupported Media Type: application/x-www-form-urlencoded\"}");
	free(body);
	free(curl_is(204, "-X DELETE %s" PATH "/%s", gateway.url[0], id));
	free(id);
	free(big);
	stop();
}
END_TEST

START_TEST(a_body_that_is_too_large_is_refused_before_it_is_sent)
{
	char *body;

	start();
	body = shell("head -c 3000000 /dev/zero | tr '\\0' ' ' | curl -sS -H 'Expect: 100-continue' " JSON
	    " -w '\\n%%{http_code} %%{size_upload}' --data-binary @- %s" PATH " 2>&1", gateway.url[0]);
	ck_assert_ptr_nonnull(strstr(body, "{\"error\":\""));
	ck_assert_str_eq(strrchr(body, '\n'), "\n413 0");
	free(body);
	stop();
}
END_TEST

START_TEST(one_connection_serves_many_requests)
{
	char *out;

	start();
	out = shell("curl -sS -o /dev/null -o /dev/null -o /dev/null -w '%%{http_code}:%%{num_connects} ' "
	            "%s" PATH " %s" PATH "/nobody %s" PATH " 2>&1",
	    gateway.url[0], gateway.url[0], gateway.url[0]);
	ck_assert_str_eq(out, "200:1 404:0 200:0 ");
	free(out);
	stop();
}
END_TEST

START_TEST(what_has_not_changed_is_not_sent_again)
{
	const char *tag;

	start();
	tag = scratch_file("tag", "%s", "");
	free(curl_is(200, "--etag-save %s %s" PATH, tag, gateway.url[0]));
	free(curl_is(304, "--etag-compare %s %s" PATH, tag, gateway.url[0]));
	free(curl_is(201, JSON " -d '{\"name\":\"new\"}' %s" PATH, gateway.url[0]));
	free(curl_is(200, "--etag-compare %s %s" PATH, tag, gateway.url[0]));
	stop();
}
END_TEST

START_TEST(a_local_socket_serves_too)
{
	char *address = mem_format("unix:%s/gateway.sock", scratch_dir()), *body;
	const char *const args[] = {"serve", "--sandbox", "--listen", address, "--admin-listen", "off", NULL};

	program_start(&gateway, args);
	ck_assert_str_eq(gateway.url[0], address);
	body = curl_is(200, "--unix-socket %s http://localhost" PATH, address + strlen("unix:"));
	ck_assert_str_eq(body, "[]");
	free(body);
	stop();
	ck_assert_int_ne(access(address + strlen("unix:"), F_OK), 0);
	free(address);
}
END_TEST

/* What people and curl do. */
static Suite *
curl_suite(void)
{
	const TTest *const tests[] = {the_lines_that_quickstart_prints_work,
	    the_session_in_readme_is_what_happens,
	    the_file_in_readme_is_good_and_has_three_lines,
	    curls_own_ways_of_sending_are_understood,
	    a_body_that_is_too_large_is_refused_before_it_is_sent,
	    one_connection_serves_many_requests,
	    what_has_not_changed_is_not_sent_again,
	    a_local_socket_serves_too, NULL};

	return unit_suite("curl", tests);
}

UNIT_MAIN(curl_suite)
