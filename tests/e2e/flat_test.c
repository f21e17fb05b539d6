#include "config.h"

#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A hundred thousand requests leave nothing in memory: the bytes that the program has in use
 * at rest are the same before and after, but for some pieces; each kind of request comes a
 * thousand times, updates a hundred times. A longer run with creates, deletes and pictures is
 * `make soak`. Sanitizers have a heap of
 * their own, so a build with them only runs the requests, and fewer.
 */

#if defined(WITH_ASAN) || defined(WITH_FUZZING)
#define MEASURED 0
#define ROUND 2000
#else
#define MEASURED 1
#define ROUND 100000
#endif

#define WARM 10000
#define UPDATES 100
#define PERSONAS 8
#define BATCH 20 /* requests that are sent at once */
#define MAY_GROW 1024
#define TEXT_MAX (BATCH * 512)
#define ANSWER_MAX (1 << 20)
#define JSON "Content-Type: application/json\r\n"

static char *ids[PERSONAS];
static unsigned long asked;
static char answers[ANSWER_MAX + 1];

/* Writes an update. */
static int
write_update(char *out, size_t room, unsigned long n)
{
	char body[64];
	int len = snprintf(body, sizeof body, "{\"description\":\"now %08lu\"}", n);

	return snprintf(out, room, "PUT " STAGE_DEMO "/%s HTTP/1.1\r\nHost: localhost\r\n" JSON
	    "Content-Length: %d\r\n\r\n%s", ids[n % PERSONAS], len, body);
}

/* Writes one request; returns its length. What is asked for depends on the number alone. */
static int
write_request(char *out, size_t room, unsigned long n)
{
	if (n % 1000 == 7) /* few: each waits for the disk */
		return write_update(out, room, n);
	switch (n % 100) {
	case 17:
		return snprintf(out, room, "POST " STAGE_DEMO " HTTP/1.1\r\nHost: localhost\r\n" JSON
		    "Content-Length: 9\r\n\r\n{\"name\":0");
	case 27:
		return snprintf(out, room, "GET " STAGE_DEMO " HTTP/1.1\r\nHost: localhost\r\n\r\n");
	case 37:
		return snprintf(out, room, "GET /nowhere/%08lu HTTP/1.1\r\nHost: localhost\r\n\r\n", n);
	case 47:
		return snprintf(out, room, "GET /api/projects/none-%08lu/personas HTTP/1.1\r\nHost: localhost\r\n\r\n",
		    n);
	case 57:
		return snprintf(out, room, "GET " STAGE_DEMO "/nobody-%08lu HTTP/1.1\r\nHost: localhost\r\n\r\n", n);
	case 67:
		return snprintf(out, room, "GET /api/projects HTTP/1.1\r\nHost: localhost\r\n\r\n");
	}
	return snprintf(out, room, "GET " STAGE_DEMO "/%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
	    ids[n % PERSONAS], n % 10 == 3 ? "Cache-Control: no-cache\r\n" : "");
}

/* The length of the first answer in a text; 0 while it is not whole. */
static size_t
answer_len(const char *text, size_t len)
{
	const char *end = strstr(text, "\r\n\r\n"), *field = strcasestr(text, "\r\nContent-Length: ");
	size_t whole;

	if (end == NULL)
		return 0;
	ck_assert_msg(field != NULL && field < end && strncmp(text, "HTTP/1.1 ", 9) == 0, "%.200s", text);
	ck_assert_msg(text[9] == '2' || text[9] == '4', "%.200s", text);
	whole = (size_t)(end + 4 - text) + strtoul(field + 18, NULL, 10);
	return whole <= len ? whole : 0;
}

/* Takes so many answers. */
static void
take_answers(int fd, unsigned count)
{
	size_t len = 0, at = 0, one;
	ssize_t n;

	while (count > 0) {
		n = recv(fd, answers + len, ANSWER_MAX - len, 0);
		ck_assert_int_gt(n, 0);
		len += (size_t)n;
		answers[len] = '\0';
		for (; count > 0 && (one = answer_len(answers + at, len - at)) > 0; count--)
			at += one;
		memmove(answers, answers + at, len - at + 1);
		len -= at;
		at = 0;
	}
	ck_assert_uint_eq(len, 0);
}

/* Has a client leave with half of its body. */
static void
leave(void)
{
	static const char half[] = "POST " STAGE_DEMO " HTTP/1.1\r\nHost: localhost\r\n" JSON
	    "Content-Length: 100\r\n\r\n{\"name\":";
	int fd = raw_connect(stage_gateway.port);

	raw_send(fd, half, sizeof half - 1);
	close(fd);
}

/* Makes requests on one connection, some at once. */
static void
make_requests(unsigned long count, int (*write)(char *, size_t, unsigned long))
{
	unsigned long end = asked + count;
	char text[TEXT_MAX];
	int fd = raw_connect(stage_gateway.port);

	while (asked < end) {
		size_t len = 0;

		for (unsigned i = 0; i < BATCH; i++)
			len += (size_t)write(text + len, sizeof text - len, asked++);
		ck_assert_uint_lt(len, sizeof text);
		raw_send(fd, text, len);
		take_answers(fd, BATCH);
		if (asked % 1000 == 0)
			leave();
	}
	close(fd);
}

/* The bytes that the gateway has in use. */
static long
live(void)
{
	static const char line[] = "\npersona_gateway_memory_bytes{kind=\"live\"} ";
	struct reply *r = ask(stage_gateway.admin_port, "GET", "/metrics", NULL, NULL);
	const char *at = strstr(r->body, line);

	ck_assert_ptr_nonnull(at);
	return atol(at + sizeof line - 1);
}

/* The same at rest: the store lets go of its pages in a quiet moment, and connections end. */
static long
live_at_rest(void)
{
	long before, now = live();

	do {
		before = now;
		for (int i = 0; i < 20; i++)
			harness_breathe();
		now = live();
	} while (now < before);
	return now;
}

START_TEST(requests_leave_nothing_in_memory)
{
	char body[64];
	long before;

	/* Else each thread keeps some freed pieces of each size, and they count as in use. */
	setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
	stage_open("  cache: {fresh: 1h}\n", NULL);
	for (int i = 0; i < PERSONAS; i++) {
		snprintf(body, sizeof body, "{\"name\":\"n%d\",\"description\":\"now 00000000\"}", i);
		ids[i] = create(STAGE_DEMO, body);
	}
	make_requests(UPDATES, write_update); /* the store's threads take what they need once */
	make_requests(MEASURED ? WARM : ROUND, write_request);
	before = live_at_rest();
	make_requests(ROUND, write_request);
	if (MEASURED) {
		EVENTUALLY(live() <= before + MAY_GROW);
		printf("%ld bytes in use after %d requests, %+ld after %d more\n", before, WARM,
		    live() - before, ROUND);
	}
	for (int i = 0; i < PERSONAS; i++)
		free(ids[i]);
	stage_close();
}
END_TEST

/* The suite. */
static Suite *
flat_suite(void)
{
	const TTest *const tests[] = {requests_leave_nothing_in_memory, NULL};

	return unit_suite("flat", tests);
}

UNIT_MAIN(flat_suite)
