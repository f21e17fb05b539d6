#include "config.h"

#include "harness.h"
#include "http_corpus.h"
#include "unit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * What two parsers could read differently, against the real program: every row of the
 * parser's own matrix, sent whole and in single bytes, with a create behind it that a
 * second reading would carry out. None may be.
 */

#define STRICT_MAX 20000 /* bytes of a case with what is put around it */
#define STRICT_SLOW 1000 /* longer ones are not sent in single bytes */
#define PERSONAS "/api/projects/demo/personas"
#define LAST "GET /api/projects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static const char smuggled[] = "POST " PERSONAS " HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: application/json\r\nContent-Length: 19\r\n\r\n{\"name\":\"smuggled\"}";

static struct program gateway;

/* Starts a gateway over its sandbox. */
static void
start(void)
{
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", NULL};

	program_start(&gateway, args);
}

/* Ends it when nothing was smuggled. */
static void
stop(void)
{
	struct reply *r = ask(gateway.port, "GET", PERSONAS, NULL, NULL);

	ck_assert_int_eq(r->status, 200);
	ck_assert_ptr_null(strstr(r->body, "smuggled"));
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* Connects; what is sent goes out at once. */
static int
connect_at_once(void)
{
	int one = 1, fd = raw_connect(gateway.port);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

/* Puts a text in place of the first of another; returns the new length. */
static size_t
replace(char *bytes, size_t len, const char *what, const char *by)
{
	char *at = memmem(bytes, len, what, strlen(what));
	size_t before = at != NULL ? (size_t)(at - bytes) : 0;

	if (at == NULL)
		return len;
	ck_assert_uint_lt(len + strlen(by), STRICT_MAX);
	memmove(at + strlen(by), at + strlen(what), len - before - strlen(what));
	memcpy(at, by, strlen(by));
	return len + strlen(by) - strlen(what);
}

/* What is sent for a case: the matrix asks a service that echoes, so its requests go to the
 * personas instead; then what follows. A client that said that it would send no more is
 * held to it: the gateway may close before it could read on. */
static size_t
compose(const struct http_case *k, char out[STRICT_MAX])
{
	const char *rest = !k->closed ? LAST : k->status >= 400 ? smuggled : "";
	size_t len = k->len;

	memcpy(out, k->bytes, len);
	len = replace(out, len, "POST /echo HTTP/1.1\r\n",
	    "POST " PERSONAS " HTTP/1.1\r\nContent-Type: application/json\r\n");
	memcpy(out + len, rest, strlen(rest));
	return len + strlen(rest);
}

/* Reads until the gateway ends the connection, which it must do well; counts answers. */
static unsigned
read_all(int fd, const char *name, char *text, size_t size)
{
	struct timeval patience = {20, 0};
	unsigned answers = 0;
	size_t len = 0;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	while (len + 1 < size && (n = recv(fd, text + len, size - 1 - len, 0)) != 0) {
		ck_assert_msg(n > 0, "%s: not ended well after \"%.*s\"", name, (int)len, text);
		len += (size_t)n;
	}
	text[len] = '\0';
	for (const char *p = text; (p = strstr(p, "HTTP/1.1 ")) != NULL; p++)
		answers += p[9] >= '1' && p[9] <= '5';
	return answers;
}

/* Plays a case, a number of bytes at a time. */
static void
play(const struct http_case *k, const char *bytes, size_t len, size_t step)
{
	unsigned answers, want = k->closed && k->requests == 0 ? 1 : k->requests;
	int fd = connect_at_once(), status = 0;
	static char text[65536];

	for (size_t at = 0; at < len; at += step)
		raw_send(fd, bytes + at, step < len - at ? step : len - at);
	answers = read_all(fd, k->name, text, sizeof text);
	sscanf(text, "HTTP/1.1 %d", &status);
	if (!k->closed || strcmp(k->name, "pipelined, second bad") == 0)
		want++; /* the last request, or the refusal of the second */
	ck_assert_msg(answers == want, "%s: %u answers instead of %u: %s", k->name, answers, want, text);
	ck_assert_msg(k->status < 400 ? status < 500 : status == k->status, "%s: %d: %s", k->name,
	    status, text);
	ck_assert_msg(strstr(text, "\r\nConnection: close\r\n") != NULL, "%s: %s", k->name, text);
	close(fd);
}

/* Whether a case means something to the real program: not those that are cut off, and not
 * those for the matrix's other services. */
static bool
suits(const struct http_case *k)
{
	static const char *const others[] = {"/skip ", "/stream ", "/short ", "/none "};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (memmem(k->bytes, k->len, others[i], strlen(others[i])) != NULL)
			return false;
	return k->status != 0;
}

START_TEST(every_row_of_the_matrix)
{
	char bytes[STRICT_MAX];
	unsigned refused = 0, taken = 0;

	start();
	for (const struct http_case *k = http_corpus; k->name != NULL; k++) {
		size_t len = suits(k) ? compose(k, bytes) : 0;

		if (len == 0)
			continue;
		play(k, bytes, len, len);
		if (len < STRICT_SLOW && strcmp(k->name, "pipelined after close") != 0)
			play(k, bytes, len, 1);
		refused += k->status >= 400;
		taken += k->status < 400;
	}
	ck_assert_uint_gt(refused, 200);
	ck_assert_uint_gt(taken, 30);
	stop();
}
END_TEST

/* A body is a body, also when nobody wants it: whatever the answer is, and whenever it comes. */
START_TEST(no_body_becomes_a_request)
{
	static const char *const heads[] = {
	    "POST /nowhere HTTP/1.1\r\nHost: localhost\r\n",
	    "PATCH " PERSONAS " HTTP/1.1\r\nHost: localhost\r\n",
	    "GET " PERSONAS " HTTP/1.1\r\nHost: localhost\r\n",
	    "HEAD " PERSONAS " HTTP/1.1\r\nHost: localhost\r\n",
	    "DELETE " PERSONAS "/x HTTP/1.1\r\nHost: localhost\r\n",
	    "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n",
	    "POST " PERSONAS " HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n",
	    "POST " PERSONAS " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n",
	    "POST " PERSONAS " HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n",
	};
	size_t body = sizeof smuggled - 1;
	char bytes[STRICT_MAX], text[STRICT_MAX];

	start();
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		for (int chunked = 0; chunked < 2; chunked++) {
			int fd = connect_at_once();
			unsigned answers;
			int len;

			if (chunked)
				len = snprintf(bytes, sizeof bytes, "%sTransfer-Encoding: chunked\r\n\r\n"
				    "%zx\r\n%s\r\n0\r\n\r\n" LAST, heads[i], body, smuggled);
			else
				len = snprintf(bytes, sizeof bytes, "%sContent-Length: %zu\r\n\r\n%s" LAST,
				    heads[i], body, smuggled);
			raw_send(fd, bytes, (size_t)len);
			answers = read_all(fd, heads[i], text, sizeof text);
			ck_assert_msg(answers == 1 || answers == 2, "%s: %s", heads[i], text);
			close(fd);
		}
	}
	stop();
}
END_TEST

/* Paths that one program would resolve and another would not. */
START_TEST(paths_are_not_resolved)
{
	static const struct {
		const char *path;
		int status;
	} cases[] = {
	    {PERSONAS, 200},
	    {"/api/projects/de%6do/personas", 200}, /* the same by RFC 3986, 6.2.2.2 */
	    {"/api/projects/../projects/demo/personas", 400},
	    {"/./api/projects/demo/personas", 400},
	    {PERSONAS "/..", 400},
	    {PERSONAS "/%2e%2e", 400},
	    {PERSONAS "/%2E.", 400},
	    {PERSONAS "/x/%2e%2e/y", 400},
	    {"/api/projects/%2e/personas", 400},
	    {PERSONAS "/a%00b", 400},
	    {PERSONAS "/%", 400},
	    {PERSONAS "/%4", 400},
	    {PERSONAS "/%zz", 400},
	    {PERSONAS "/%252e%252e", 404},
	    {PERSONAS "/a%2fb", 404},
	    {PERSONAS "/a%5c..%5cb", 404},
	    {PERSONAS "/%c0%ae%c0%ae", 404},
	    {PERSONAS "/a%0d%0aX:%20y", 404},
	    {PERSONAS "/..;/x", 404},
	    {PERSONAS ";x=y", 404},
	    {PERSONAS "%2f", 404},
	    {PERSONAS "/", 404},
	    {"/api/projects/demo%2fpersonas", 404},
	    {"//api/projects/demo/personas", 404},
	    {"/api//projects/demo/personas", 404},
	    {"/API/projects/demo/personas", 404},
	};

	start();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reply *r = ask(gateway.port, "GET", cases[i].path, NULL, NULL);

		ck_assert_msg(r->status == cases[i].status, "%s: %d", cases[i].path, r->status);
	}
	stop();
}
END_TEST

/* The suite. */
static Suite *
strict_suite(void)
{
	const TTest *const tests[] = {every_row_of_the_matrix, no_body_becomes_a_request,
	    paths_are_not_resolved, NULL};

	return unit_suite("strict", tests);
}

UNIT_MAIN(strict_suite)
