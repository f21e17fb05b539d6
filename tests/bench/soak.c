#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * Mixed traffic to a gateway for a time and for a number of requests, whichever lasts
 * longer: lists, reads, creates, updates, deletes, pictures, conditional reads, refusals of
 * every kind, and clients that leave in the middle. Says in ten parts how much memory of its
 * own the gateway has at most, and how much of it is in use (live) in a moment of rest, as
 * its metrics tell. Fails when the last part has more of either than the first had.
 * soak.sh starts what it talks to. Usage: soak PORT ADMIN-PORT SECONDS REQUESTS
 */

#define CONNECTIONS 16
#define KEPT 64      /* personas that live for a while */
#define DELETED 4200 /* first of all: the gateway remembers so many deletions for a while */
#define ID_SIZE 64
#define PARTS 10
#define LOOK_EVERY 20   /* turns of the traffic */
#define REST_MS 500     /* the store lets go of its pages when it is idle */
#define LIVE_KB 8       /* what the last part may have more than the first */
#define OWN_KB 256
#define ANSWER_MAX 400000
#define PICTURE 100000
#define JSON "Content-Type: application/json\r\n"
#define PERSONAS "/api/projects/demo/personas"
#define IMAGES "/api/projects/demo/images"

static int port;
static int fds[CONNECTIONS];
static char ids[KEPT][ID_SIZE];
static char answer[ANSWER_MAX + 1];
static size_t answer_len;
static char picture[PICTURE * 2];
static unsigned long requests, unexpected;
static unsigned turn;

/* Ends the program. */
static void
die(const char *what)
{
	fprintf(stderr, "soak: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Seconds of a clock that only runs forward. */
static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Connects. */
static int
dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval patience = {30, 0};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return fd;
}

/* Sends everything. */
static void
push(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

/* Where the body of the answer begins, when its head is there; NULL before. */
static char *
body_of_answer(void)
{
	char *end = strstr(answer, "\r\n\r\n");

	return end != NULL ? end + 4 : NULL;
}

/* Reads one answer into `answer`; returns its status, 0 when the connection ended. */
static int
pull(int fd, bool head)
{
	const char *length;
	size_t want = 0;
	char *body;

	answer_len = 0;
	answer[0] = '\0';
	do {
		ssize_t n = recv(fd, answer + answer_len, ANSWER_MAX - answer_len, 0);

		if (n <= 0)
			return 0;
		answer_len += (size_t)n;
		answer[answer_len] = '\0';
		body = body_of_answer();
		if (body == NULL)
			continue;
		length = strcasestr(answer, "\r\nContent-Length: ");
		want = (size_t)(body - answer);
		if (!head && length != NULL && length < body)
			want += strtoul(length + 18, NULL, 10);
	} while (body == NULL || answer_len < want);
	return atoi(answer + 9);
}

/* One request on the next of the connections; opens it again when it was closed. */
static int
ask(const char *method, const char *path, const char *fields, const char *body, size_t len)
{
	int *fd = &fds[turn++ % CONNECTIONS], status;
	char head[1024];
	int n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s"
	    "Content-Length: %zu\r\n\r\n", method, path, fields, len);

	push(*fd, head, (size_t)n);
	push(*fd, body, len);
	status = pull(*fd, strcmp(method, "HEAD") == 0);
	requests++;
	if (status == 0 || strcasestr(answer, "\r\nConnection: close\r\n") != NULL) {
		close(*fd);
		*fd = dial();
	}
	return status;
}

/* Counts an answer that should be another one. */
static void
expect(int got, int want, const char *what)
{
	if (got == want)
		return;
	if (unexpected++ < 10)
		fprintf(stderr, "soak: %s: %d instead of %d: %.300s\n", what, got, want, answer);
}

/* Copies the id out of an answer; false when there is none. */
static bool
take_id(char out[ID_SIZE])
{
	char *body = body_of_answer(), *at = body != NULL ? strstr(body, "\"id\":\"") : NULL;

	return at != NULL && sscanf(at + 6, "%63[^\"]", out) == 1;
}

/* Puts a new persona in place of one of those that are kept, which is deleted. */
static void
renew(unsigned n)
{
	char *id = ids[n % KEPT], path[200], body[200];

	if (id[0] != '\0') {
		snprintf(path, sizeof path, PERSONAS "/%s", id);
		expect(ask("DELETE", path, "", "", 0), 204, "delete");
		expect(ask("GET", path, "", "", 0), 404, "read of what was deleted");
		id[0] = '\0';
	}
	snprintf(body, sizeof body, "{\"name\":\"soak %u\",\"systemPrompt\":\"You are %u.\",\"headers\":{\"A\":\"%u\"}}",
	    n, n, n);
	expect(ask("POST", PERSONAS, JSON, body, strlen(body)), 201, "create");
	if (!take_id(id))
		id[0] = '\0';
	expect(ask("POST", PERSONAS, JSON, body, strlen(body)), 409, "create again");
}

/* Reads and changes one of those that are kept. */
static void
use(unsigned n)
{
	const char *id = ids[n * 7 % KEPT];
	char path[200], body[100];

	if (id[0] == '\0')
		return;
	snprintf(path, sizeof path, PERSONAS "/%s", id);
	for (int i = 0; i < 40; i++)
		expect(ask("GET", path, i % 10 == 9 ? "Cache-Control: no-cache\r\n" : "", "", 0), 200, "read");
	expect(ask("HEAD", path, "", "", 0), 200, "head");
	snprintf(body, sizeof body, "{\"description\":\"now %u\"}", n);
	expect(ask("PUT", path, JSON, body, strlen(body)), 200, "update");
	expect(ask("GET", PERSONAS, "", "", 0), 200, "list");
	expect(ask("GET", "/api/projects", "", "", 0), 200, "projects");
}

/* What is refused, and what is not HTTP. */
static void
misuse(unsigned n)
{
	char path[100], head[200];
	int fd;

	expect(ask("POST", PERSONAS, JSON, "{\"name\":", 8), 400, "half of a JSON text");
	expect(ask("POST", PERSONAS, JSON, "{}", 2), 400, "create without a name");
	expect(ask("POST", PERSONAS, "", "{}", 2), 415, "create without a type");
	snprintf(path, sizeof path, "/nowhere/%u", n);
	expect(ask("GET", path, "", "", 0), 404, "no route");
	snprintf(path, sizeof path, "/api/projects/none-%u/personas", n);
	expect(ask("GET", path, "", "", 0), 404, "no project");
	snprintf(path, sizeof path, PERSONAS "/nobody-%u", n);
	expect(ask("GET", path, "", "", 0), 404, "no persona");
	fd = dial();
	push(fd, "GET / HTTP/9.9\r\n\r\n", 18);
	expect(pull(fd, false), 505, "another version");
	close(fd);
	fd = dial(); /* leaves with half of a body, or before its answer */
	push(fd, head, (size_t)snprintf(head, sizeof head, "POST " PERSONAS " HTTP/1.1\r\nHost: localhost\r\n" JSON
	    "Content-Length: %d\r\n\r\n{\"name\":\"x\"", n % 2 == 0 ? 100 : 11));
	close(fd);
	requests += 2;
}

/* Stores a picture, gets it whole and in part, and deletes it. */
static void
draw(void)
{
	char id[ID_SIZE] = "", path[200];

	expect(ask("POST", IMAGES, JSON, picture, strlen(picture)), 201, "upload");
	if (!take_id(id))
		return;
	snprintf(path, sizeof path, IMAGES "/%s", id);
	expect(ask("GET", path, "", "", 0), 200, "picture");
	expect(ask("GET", path, "Range: bytes=100-199\r\n", "", 0), 206, "part of a picture");
	expect(ask("GET", IMAGES "?role=soak", "", "", 0), 200, "pictures");
	expect(ask("DELETE", path, "", "", 0), 204, "delete of a picture");
}

/* Makes the body of an upload: the base64 of a PNG's first bytes, and then of zeros. */
static void
prepare(void)
{
	char *p = picture + sprintf(picture, "{\"role\":\"soak\",\"imageBase64\":\"iVBORw0KGgoAAAANSUhEUg");

	memset(p, 'A', PICTURE + 2); /* with the 22 above a multiple of 4 */
	p += PICTURE + 2;
	strcpy(p, "\"}");
	for (int i = 0; i < CONNECTIONS; i++)
		fds[i] = dial();
}

/* What a part saw of the gateway's memory, in KiB. */
struct part {
	long live, own; /* the last, the most */
};

/* A number of kilobytes out of the metrics in `answer`. */
static long
metric(const char *kind)
{
	char line[80], *at;

	snprintf(line, sizeof line, "\npersona_gateway_memory_bytes{kind=\"%s\"} ", kind);
	at = strstr(answer, line);
	if (at == NULL)
		die("the metrics do not tell the memory");
	return atol(at + strlen(line)) / 1024;
}

/* Looks at the gateway's memory. */
static void
look(struct part *p, int admin)
{
	static const char get[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	int mine = port, fd;
	long own;

	port = admin;
	fd = dial();
	port = mine;
	push(fd, get, sizeof get - 1);
	expect(pull(fd, false), 200, "metrics");
	close(fd);
	p->live = metric("live");
	own = metric("anonymous");
	p->own = own > p->own ? own : p->own;
}

/* One turn of the traffic. */
static void
take_turn(unsigned n)
{
	if (n % 16 == 0)
		renew(n / 16);
	use(n);
	if (n % 4 == 0)
		misuse(n);
	if (n % 50 == 0)
		draw();
}

/* Whether a number has grown by no more than it may; says so. */
static bool
is_flat(const char *what, long first, long last, long most)
{
	bool flat = last - first <= most;

	printf("%s: %ld KiB in the first part, %ld in the last, %+ld: %s (up to %ld)\n", what, first, last,
	    last - first, flat ? "flat" : "GROWN", most);
	return flat;
}

/* Goes on for as long as it should. */
int
main(int argc, char **argv)
{
	struct part parts[PARTS] = {{0, 0}};
	double begun, seconds;
	unsigned long least;
	int admin, shown = 0;
	bool flat;

	if (argc != 5) {
		fprintf(stderr, "usage: soak PORT ADMIN-PORT SECONDS REQUESTS\n");
		return 2;
	}
	port = atoi(argv[1]);
	admin = atoi(argv[2]);
	seconds = atof(argv[3]);
	least = strtoul(argv[4], NULL, 10);
	prepare();
	for (unsigned n = 0; n < DELETED; n++)
		renew(n);
	begun = now();
	for (unsigned n = DELETED * 16; shown < PARTS; n++) {
		double part = (now() - begun) / seconds, done = (double)requests / (double)least;

		take_turn(n);
		if (n % LOOK_EVERY == 0)
			look(&parts[shown], admin);
		part = part < done ? part : done;
		while (shown < PARTS && part * PARTS >= shown + 1) {
			usleep(REST_MS * 1000);
			look(&parts[shown], admin);
			printf("%6.0f s %9lu requests: live %5ld KiB at rest, own memory %5ld KiB at most\n",
			    now() - begun, requests, parts[shown].live, parts[shown].own);
			fflush(stdout);
			shown++;
		}
	}
	flat = is_flat("live", parts[0].live, parts[PARTS - 1].live, LIVE_KB);
	flat = is_flat("own memory", parts[0].own, parts[PARTS - 1].own, OWN_KB) && flat;
	printf("%lu answers were not as expected\n", unexpected);
	return !flat || unexpected > 0;
}
