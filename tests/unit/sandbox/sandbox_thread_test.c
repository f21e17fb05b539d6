#include "config.h"

#include "sandbox_test.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Talks to a sandbox in another thread: one request, until the connection ends. */
static void
ask(const char *url, const char *method, const char *path, const char *body, struct buf *answer)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	struct timeval patience = {20, 0};
	char bytes[4096], *request;
	int port, fd;
	ssize_t n;

	ck_assert_int_eq(sscanf(url, "http://127.0.0.1:%d", &port), 1);
	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	request = mem_format("%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
			     "X-API-Key: sandbox\r\nContent-Length: %zu\r\n\r\n%s",
	    method, path, strlen(body), body);
	ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL),
	    (ssize_t)strlen(request));
	buf_clear(answer);
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		buf_add(answer, bytes, (size_t)n);
	ck_assert_int_eq(n, 0);
	close(fd);
	free(request);
}

/* True when a thread of this process has the name. */
static bool
has_thread(const char *wanted)
{
	DIR *tasks = opendir("/proc/self/task");
	char path[300], name[32];
	struct dirent *d;
	bool found = false;

	while ((d = readdir(tasks)) != NULL) {
		FILE *f;

		snprintf(path, sizeof path, "/proc/self/task/%s/comm", d->d_name);
		if (d->d_name[0] == '.' || (f = fopen(path, "r")) == NULL)
			continue;
		if (fscanf(f, "%31s", name) == 1 && strcmp(name, wanted) == 0)
			found = true;
		fclose(f);
	}
	closedir(tasks);
	return found;
}

START_TEST(it_listens_when_started_and_ends_when_stopped)
{
	struct sandbox_options o = {0};
	struct buf answer;
	struct sandbox *s;
	struct fail fail;

	buf_init(&answer, 0);
	for (int i = 0; i < 3; i++) {
		s = sandbox_start(&o, &fail);
		ck_assert_msg(s != NULL, "%s", fail.text);
		ask(sandbox_url(s), "GET", "/v1/ping", "", &answer);
		ck_assert_ptr_nonnull(strstr(answer.data, "HTTP/1.1 200 "));
		ck_assert(has_thread("sandbox"));
		sandbox_stop(s);
		for (int n = 0; n < 1000 && has_thread("sandbox"); n++)
			poll(NULL, 0, 1); /* the kernel tidies up a little after the join */
		ck_assert(!has_thread("sandbox"));
	}
	s = sandbox_start(&o, &fail);
	sandbox_stop(s); /* perhaps before its thread ran at all */
	sandbox_stop(NULL);
	buf_free(&answer);
}
END_TEST

START_TEST(the_small_stack_is_enough)
{
	struct sandbox_options o = {0};
	struct buf answer, body;
	struct sandbox *s;
	struct fail fail;

	s = sandbox_start(&o, &fail);
	ck_assert_msg(s != NULL, "%s", fail.text);
	buf_init(&answer, 0);
	buf_init(&body, 0);
	buf_adds(&body, "{\"name\":");
	for (int i = 0; i < 62; i++)
		buf_adds(&body, "[");
	for (int i = 0; i < 62; i++)
		buf_adds(&body, "]");
	buf_adds(&body, ",\"description\":\"");
	for (int i = 0; i < 100000; i++)
		buf_adds(&body, "\\u0001");
	buf_adds(&body, "\"}");
	ask(sandbox_url(s), "POST", "/v1/create-customer-persona", body.data, &answer);
	ck_assert_ptr_nonnull(strstr(answer.data, "HTTP/1.1 422 "));
	ck_assert_ptr_nonnull(strstr(answer.data, "[[[[[[[["));
	sandbox_stop(s);
	buf_free(&answer);
	buf_free(&body);
}
END_TEST

START_TEST(only_loopback_is_listened_on)
{
	static const char *const far[] = {"0.0.0.0:0", "[::]:0", "192.168.1.1:0", "1.2.3.4:80",
		"localhost:0", "example.com:0", "127.0.0.1", "", ":0", "127.0.0.1.example.com:0"};
	struct sandbox_options o = {0};
	struct sandbox *s;
	struct fail fail;

	for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
		o.listen = far[i];
		ck_assert_msg(sandbox_start(&o, &fail) == NULL, "%s", far[i]);
		ck_assert_ptr_nonnull(strstr(fail.text, "loopback"));
	}
	o.listen = "127.0.0.2:0";
	s = sandbox_start(&o, &fail);
	ck_assert_msg(s != NULL, "%s", fail.text);
	ck_assert_int_eq(strncmp(sandbox_url(s), "http://127.0.0.2:", 17), 0);
	sandbox_stop(s);
}
END_TEST

START_TEST(a_wrong_profile_or_a_used_port_is_a_sentence)
{
	struct sandbox_options o = {.faults = "nonsense"};
	struct sandbox *s;
	struct fail fail;

	ck_assert_ptr_null(sandbox_start(&o, &fail));
	ck_assert_ptr_nonnull(strstr(fail.text, "nonsense"));
	o.faults = NULL;
	s = sandbox_start(&o, &fail);
	ck_assert_ptr_nonnull(s);
	o.listen = sandbox_url(s) + strlen("http://");
	fail.text[0] = '\0';
	ck_assert_ptr_null(sandbox_start(&o, &fail));
	ck_assert_uint_gt(strlen(fail.text), 10);
	sandbox_stop(s);
}
END_TEST

START_TEST(what_was_answered_is_there_after_a_kill)
{
	char *journal = scratch_file(), url[64] = "", path[200];
	struct buf answer;
	struct fail fail;
	int fds[2];

	buf_init(&answer, 0);
	for (int round = 0; round < 5; round++) {
		struct sandbox_options o = {.journal = journal};
		pid_t child;
		int status;

		ck_assert_int_eq(pipe(fds), 0);
		child = fork();
		if (child == 0) {
			struct sandbox *s = sandbox_start(&o, &fail);

			if (s == NULL ||
			    write(fds[1], sandbox_url(s), strlen(sandbox_url(s))) < 0)
				_exit(1);
			for (;;)
				pause();
		}
		close(fds[1]);
		memset(url, 0, sizeof url);
		ck_assert_int_gt(read(fds[0], url, sizeof url - 1), 0);
		close(fds[0]);
		for (int i = 0; i < 20; i++) {
			snprintf(path, sizeof path,
			    "{\"name\":\"p-%d-%d\",\"description\":\"\",\"goal\":\"\"}", round, i);
			ask(url, "POST", "/v1/create-customer-persona", path, &answer);
			ck_assert_ptr_nonnull(strstr(answer.data, "HTTP/1.1 200 "));
		}
		ask(url, "GET", "/__sandbox/state", "", &answer);
		for (int i = 0; i < (round + 1) * 20; i++) {
			snprintf(path, sizeof path, "\"p-%d-%d\"", i / 20, i % 20);
			ck_assert_msg(strstr(answer.data, path) != NULL, "%s is lost", path);
		}
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFSIGNALED(status));
	}
	buf_free(&answer);
	scratch_remove(journal);
}
END_TEST

/* The tests. */
Suite *
suite_thread(void)
{
	const TTest *const tests[] = {
		it_listens_when_started_and_ends_when_stopped,
		the_small_stack_is_enough,
		only_loopback_is_listened_on,
		a_wrong_profile_or_a_used_port_is_a_sentence,
		what_was_answered_is_there_after_a_kill,
		NULL,
	};

	return unit_suite("sandbox thread", tests);
}
