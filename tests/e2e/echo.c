#include "config.h"

#include "echo.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define ECHO_BYTES 65536
#define ECHO_SEEN 2048 /* requests whose secrets are remembered */
#define ECHO_SECRET 128

static pthread_mutex_t echo_lock = PTHREAD_MUTEX_INITIALIZER;
static const char *echo_answer = "", *echo_images = "";
static char echo_seen[ECHO_SEEN][ECHO_SECRET];
static unsigned echo_number;
static int echo_listener;

/* Reads a whole request; false when there is none. */
static bool
echo_read(int fd, char *bytes)
{
	size_t len = 0, want = 0;

	while (want == 0 || len < want) {
		ssize_t n = recv(fd, bytes + len, ECHO_BYTES - 1 - len, 0);
		const char *end, *length;

		if (n <= 0)
			return false;
		len += (size_t)n;
		bytes[len] = '\0';
		end = strstr(bytes, "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strcasestr(bytes, "\r\ncontent-length:");
		want = (size_t)(end - bytes) + 4 +
		    (length != NULL && length < end ? (size_t)atoi(length + 17) : 0);
	}
	return true;
}

/* Finds the secret of a request. */
static void
echo_find(const char *bytes, char secret[ECHO_SECRET])
{
	const char *at = strcasestr(bytes, "\r\nx-api-key: ");

	if (at != NULL)
		at += 13;
	else if ((at = strcasestr(bytes, "\r\nauthorization: bearer ")) != NULL)
		at += 24;
	snprintf(secret, ECHO_SECRET, "%.*s", at != NULL ? (int)strcspn(at, "\r\n") : 0,
	    at != NULL ? at : "");
}

/* Answers. */
static void
echo_reply(int fd, const char *answer, const char *secret)
{
	char bytes[8192];
	size_t n = 0;

	for (; *answer != '\0' && n + ECHO_SECRET < sizeof bytes; answer++) {
		if (strncmp(answer, "%K", 2) != 0) {
			bytes[n++] = *answer;
			continue;
		}
		n += (size_t)sprintf(bytes + n, "%s", secret);
		answer++;
	}
	send(fd, bytes, n, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
}

/* Serves. */
static void *
echo_run(void *arg)
{
	static char bytes[ECHO_BYTES];
	int fd;

	while ((fd = accept4(echo_listener, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == EINTR) {
		char secret[ECHO_SECRET];
		const char *answer;

		if (fd >= 0 && echo_read(fd, bytes)) {
			echo_find(bytes, secret);
			pthread_mutex_lock(&echo_lock);
			strcpy(echo_seen[echo_number++ % ECHO_SEEN], secret);
			answer = strstr(bytes, " /v1/images") != NULL ? echo_images : echo_answer;
			pthread_mutex_unlock(&echo_lock);
			echo_reply(fd, answer, secret);
		}
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* Starts it. */
int
echo_start(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;
	pthread_t thread;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	echo_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(echo_listener, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(echo_listener, 64), 0);
	ck_assert_int_eq(getsockname(echo_listener, (struct sockaddr *)&sin, &len), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, echo_run, NULL), 0);
	pthread_detach(thread);
	return ntohs(sin.sin_port);
}

/* Changes how it answers. */
void
echo_say(const char *answer, const char *images)
{
	pthread_mutex_lock(&echo_lock);
	echo_answer = answer;
	echo_images = images;
	pthread_mutex_unlock(&echo_lock);
}

/* How often a secret was shown. */
unsigned
echo_count(const char *secret)
{
	unsigned n = 0;

	pthread_mutex_lock(&echo_lock);
	for (unsigned i = 0; i < echo_number && i < ECHO_SEEN; i++)
		n += strcmp(echo_seen[i], secret) == 0;
	pthread_mutex_unlock(&echo_lock);
	return n;
}
