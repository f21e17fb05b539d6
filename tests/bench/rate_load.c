#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * Load at a steady rate, whatever the server makes of it (an open loop): request n
 * is due at n / rate, and its time runs from then, also while it waits for a free
 * connection. Requests are GETs of paths from a file in turn, with a further field if one is
 * given, or creates, each of a name of its own. They go over the free connections in turn, which are shared out to the
 * ports (PORT or PORT,PORT...). Prints requests, failures, and the 50th, 99th and 100th
 * percentile of their times in microseconds.
 */
#define RATE_CONNECTIONS 64
#define RATE_PORTS 8
#define RATE_ANSWER_MAX 16384 /* bytes of one answer */
#define RATE_REQUEST_MAX 512
#define RATE_END_S 2          /* how long the last answers are waited for */
#define RATE_NS INT64_C(1000000000)

struct rate_conn {
	int fd;
	bool busy;
	int64_t due; /* of the request that runs */
	size_t len;
	char answer[RATE_ANSWER_MAX + 1];
};

struct rate_load {
	struct rate_conn conns[RATE_CONNECTIONS];
	size_t turn; /* the connection that is looked at first */
	char **paths; /* NULL: creates */
	size_t path_count;
	const char *field; /* a line of each GET's head; NULL: none */
	const char *project;
	int64_t start, rate, total, sent, done, failed;
	uint32_t *took; /* microseconds */
};

/* Ends the program with a sentence. */
static void
rate_die(const char *what)
{
	fprintf(stderr, "rate_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Monotonic nanoseconds. */
static int64_t
rate_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * RATE_NS + ts.tv_nsec;
}

/* When a request is due. */
static int64_t
rate_due(const struct rate_load *l, int64_t n)
{
	return l->start + n * RATE_NS / l->rate;
}

/* Opens a connection. */
static int
rate_connect(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		rate_die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

/* Opens all connections, to each of the ports in turn. */
static void
rate_connect_all(struct rate_load *l, const char *list)
{
	int ports[RATE_PORTS];
	size_t count = 0;
	char *end;

	do {
		ports[count++] = (int)strtol(list, &end, 10);
		list = end + 1;
	} while (*end == ',' && count < RATE_PORTS);
	for (size_t i = 0; i < RATE_CONNECTIONS; i++)
		l->conns[i].fd = rate_connect(ports[i % count]);
}

/* Reads the paths, one a line. */
static void
rate_read_paths(struct rate_load *l, const char *file)
{
	FILE *f = fopen(file, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (f == NULL)
		rate_die(file);
	while ((len = getline(&line, &room, f)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		l->paths = realloc(l->paths, (l->path_count + 1) * sizeof *l->paths);
		if (l->paths == NULL || (l->paths[l->path_count++] = strdup(line)) == NULL)
			rate_die("memory");
	}
	free(line);
	fclose(f);
}

/* Sends the next request on a free connection. */
static void
rate_send(struct rate_load *l, struct rate_conn *c)
{
	char text[RATE_REQUEST_MAX], body[64];
	int len;

	if (l->paths != NULL) {
		len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n",
		    l->paths[(size_t)l->sent % l->path_count], l->field != NULL ? l->field : "",
		    l->field != NULL ? "\r\n" : "");
	} else {
		int size = snprintf(body, sizeof body, "{\"name\":\"n%d-%lld\"}", (int)getpid(),
		    (long long)l->sent);

		len = snprintf(text, sizeof text, "POST /api/projects/%s/personas HTTP/1.1\r\nHost: localhost\r\n"
		    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", l->project, size, body);
	}
	c->due = rate_due(l, l->sent++);
	c->len = 0;
	c->busy = true;
	if (len >= (int)sizeof text || send(c->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		rate_die("send");
}

/* Whether the answer is whole. */
static bool
rate_is_whole(struct rate_conn *c)
{
	char *end, *length;

	c->answer[c->len] = '\0';
	end = strstr(c->answer, "\r\n\r\n");
	length = strcasestr(c->answer, "\r\ncontent-length:");
	return end != NULL && length != NULL && length < end &&
	    c->len >= (size_t)(end + 4 - c->answer) + (size_t)atol(length + 17);
}

/* Takes what came. */
static void
rate_receive(struct rate_load *l, struct rate_conn *c)
{
	ssize_t n = recv(c->fd, c->answer + c->len, RATE_ANSWER_MAX - c->len, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		rate_die("the server closed a connection");
	c->len += (size_t)n;
	if (!c->busy || !rate_is_whole(c))
		return;
	c->busy = false;
	l->took[l->done++] = (uint32_t)((rate_now() - c->due) / 1000);
	l->failed += c->answer[9] != '2';
}

/* Sends what is due, as far as connections are free. */
static void
rate_send_due(struct rate_load *l)
{
	size_t first = l->turn;

	for (size_t i = 0; i < RATE_CONNECTIONS; i++) {
		struct rate_conn *c = &l->conns[(first + i) % RATE_CONNECTIONS];

		if (c->busy || l->sent == l->total || rate_due(l, l->sent) > rate_now())
			continue;
		rate_send(l, c);
		l->turn = (first + i + 1) % RATE_CONNECTIONS;
	}
}

/* Runs until all is answered. */
static void
rate_run(struct rate_load *l)
{
	struct pollfd fds[RATE_CONNECTIONS];
	int64_t end = rate_due(l, l->total) + RATE_END_S * RATE_NS;

	for (size_t i = 0; i < RATE_CONNECTIONS; i++)
		fds[i] = (struct pollfd){.fd = l->conns[i].fd, .events = POLLIN};
	while (l->done < l->total && rate_now() < end) {
		int64_t wait = l->sent < l->total ? rate_due(l, l->sent) - rate_now() : RATE_NS / 100;
		struct timespec ts = {.tv_nsec = wait < 0 || wait >= RATE_NS ? 0 : wait};

		if (ppoll(fds, RATE_CONNECTIONS, &ts, NULL) > 0)
			for (size_t i = 0; i < RATE_CONNECTIONS; i++)
				if (fds[i].revents != 0)
					rate_receive(l, &l->conns[i]);
		rate_send_due(l);
	}
	l->failed += l->total - l->done;
}

/* Orders times. */
static int
rate_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Tells the results. */
static void
rate_tell(struct rate_load *l)
{
	size_t n = (size_t)l->done;

	if (n == 0)
		rate_die("no answer came");
	qsort(l->took, n, sizeof *l->took, rate_compare);
	printf("%lld %lld %u %u %u\n", (long long)l->done, (long long)l->failed, l->took[n / 2],
	    l->took[n * 99 / 100], l->took[n - 1]);
}

/* Opens the connections, runs, tells. */
int
main(int argc, char **argv)
{
	static struct rate_load l;

	bool creates = argc == 6 && strcmp(argv[4], "create") == 0;

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: %s PORT RATE SECONDS PATHS [FIELD]\n"
		    "       %s PORT RATE SECONDS create PROJECT\n", argv[0], argv[0]);
		return 2;
	}
	l.rate = atoi(argv[2]);
	l.total = l.rate * atoi(argv[3]);
	if (creates)
		l.project = argv[5];
	else
		rate_read_paths(&l, argv[4]);
	if (!creates && argc == 6)
		l.field = argv[5];
	if (l.total <= 0 || (!creates && l.path_count == 0)) {
		fprintf(stderr, "rate_load: nothing to do\n");
		return 2;
	}
	l.took = calloc((size_t)l.total, sizeof *l.took);
	if (l.took == NULL)
		rate_die("memory");
	rate_connect_all(&l, argv[1]);
	l.start = rate_now();
	rate_run(&l);
	rate_tell(&l);
	return 0;
}
