#include "config.h"

#include "harness.h"
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Sockets that a service manager holds: this program plays it. Clients that come while no
 * gateway runs wait in the kernel and are served by the next.
 */

#define GET "GET /api/projects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
#define SOCKETS_RESTARTS 5

/* A listening socket on a free port of IPv4's loopback. */
static int
listen_v4(int *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(fd, SOMAXCONN), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

/* The same for IPv6; -1 where there is none. */
static int
listen_v6(void)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&in6, sizeof in6) != 0) {
		close(fd);
		return -1;
	}
	ck_assert(fd < 0 || listen(fd, SOMAXCONN) == 0);
	return fd;
}

/* A listening local socket. */
static int
listen_local(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
	ck_assert_int_eq(listen(fd, SOMAXCONN), 0);
	return fd;
}

/* Starts a gateway whose own addresses are free ports. */
static void
start(struct program *p)
{
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL};

	program_start(p, args);
}

/* The status of an answer on a connection that has sent its request. */
static int
status_of(int fd)
{
	struct reply r;

	raw_reply(fd, false, &r);
	free(r.body);
	close(fd);
	return r.status;
}

START_TEST(inherited_sockets_take_the_place_of_addresses)
{
	char path[100], url[128], *said;
	int port, admin, fds[4];
	struct program p;
	size_t n = 0;

	snprintf(path, sizeof path, "%.80s/http", scratch_dir());
	fds[n++] = listen_v4(&port);
	fds[n++] = listen_local(path);
	fds[n++] = listen_v4(&admin);
	fds[n] = listen_v6();
	n += fds[n] >= 0;
	program_hand_over(fds, n, n == 4 ? "http:http:admin:persona-gateway.socket" : "http:http:admin");
	start(&p);
	snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
	ck_assert_str_eq(p.url[0], url);
	snprintf(url, sizeof url, "unix:%s", path);
	ck_assert_str_eq(p.url[1], url);
	ck_assert_int_eq(p.admin_port, admin);
	ck_assert_int_eq(ask(port, "GET", "/api/projects", NULL, NULL)->status, 200);
	ck_assert_int_eq(ask(admin, "GET", "/healthz", NULL, NULL)->status, 200);
	said = shell("curl -s -m 10 -o /dev/null -w '%%{http_code}' --unix-socket '%s' "
	             "http://localhost/api/projects", path);
	ck_assert_str_eq(said, "200");
	free(said);
	if (n == 4) {
		ck_assert_int_eq(strncmp(p.url[2], "http://[::1]:", 13), 0);
		said = shell("curl -s -g -m 10 -o /dev/null -w '%%{http_code}' '%s/api/projects'", p.url[2]);
		ck_assert_str_eq(said, "200");
		free(said);
	}
	ck_assert_int_eq(program_stop(&p), 0);
	ck_assert_int_eq(access(path, F_OK), 0); /* the manager's */
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}
END_TEST

START_TEST(one_of_the_two_addresses_may_be_inherited_alone)
{
	struct program p;
	int port, fd = listen_v4(&port);

	program_hand_over(&fd, 1, NULL); /* without names it is for clients */
	start(&p);
	ck_assert_int_eq(p.port, port);
	ck_assert_int_ne(p.admin_port, port);
	ck_assert_int_eq(ask(p.admin_port, "GET", "/healthz", NULL, NULL)->status, 200);
	ck_assert_int_eq(program_stop(&p), 0);
	program_hand_over(&fd, 1, "admin");
	start(&p);
	ck_assert_int_eq(p.admin_port, port);
	ck_assert_int_eq(ask(port, "GET", "/healthz", NULL, NULL)->status, 200);
	ck_assert_int_eq(ask(p.port, "GET", "/api/projects", NULL, NULL)->status, 200);
	ck_assert_int_eq(program_stop(&p), 0);
	close(fd);
}
END_TEST

/* The flags of an open descriptor of the program, as the kernel shows them. */
static long
descriptor_flags(const struct program *p, int fd)
{
	char *said = shell("sed -n 's/^flags:[[:space:]]*//p' /proc/%d/fdinfo/%d", (int)p->pid, fd);
	long flags = strtol(said, NULL, 8);

	free(said);
	return flags;
}

START_TEST(they_do_not_block_and_are_closed_on_exec)
{
	struct program p;
	int port, fd = listen_v4(&port);

	program_hand_over(&fd, 1, "http");
	start(&p);
	ck_assert_int_ne(descriptor_flags(&p, 3) & O_CLOEXEC, 0);
	ck_assert_int_ne(descriptor_flags(&p, 3) & O_NONBLOCK, 0);
	ck_assert_int_eq(program_stop(&p), 0);
	close(fd);
}
END_TEST

START_TEST(sockets_of_another_process_are_left_alone)
{
	struct program p;
	int port, fd = listen_v4(&port);

	setenv("LISTEN_PID", "1", 1);
	program_hand_over(&fd, 1, "http");
	start(&p);
	ck_assert_int_ne(p.port, port);
	ck_assert_int_eq(ask(p.port, "GET", "/api/projects", NULL, NULL)->status, 200);
	ck_assert_int_eq(program_stop(&p), 0);
	unsetenv("LISTEN_PID");
	close(fd);
}
END_TEST

START_TEST(what_is_no_listening_socket_is_refused)
{
	const char *const args[] = {"serve", "--sandbox", NULL};
	int port, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), two[2];
	struct program p;
	char *log;

	program_hand_over(&fd, 1, "http");
	ck_assert_int_eq(program_fails(&p, args), 1);
	log = program_log(&p);
	ck_assert_str_eq(log, "persona-gateway: descriptor 3 of the service manager is no listening "
	    "stream socket; a socket unit needs ListenStream= and Accept=no\n");
	free(log);
	close(fd);
	two[0] = listen_v4(&port);
	two[1] = listen_v4(&port);
	program_hand_over(two, 2, "admin:admin");
	ck_assert_int_eq(program_fails(&p, args), 1);
	log = program_log(&p);
	ck_assert_ptr_nonnull(strstr(log, "two sockets named \"admin\""));
	free(log);
	close(two[0]);
	close(two[1]);
}
END_TEST

START_TEST(a_client_that_comes_while_nothing_runs_is_served_by_the_next)
{
	struct program p;
	int port, between, fd = listen_v4(&port);

	program_hand_over(&fd, 1, "http");
	start(&p);
	ck_assert_int_eq(ask(port, "GET", "/api/projects", NULL, NULL)->status, 200);
	ck_assert_int_eq(program_stop(&p), 0);
	between = raw_connect(port);
	raw_send(between, GET, sizeof GET - 1);
	start(&p);
	ck_assert_int_eq(status_of(between), 200);
	ck_assert_int_eq(program_stop(&p), 0);
	close(fd);
}
END_TEST

/* In a process of its own: a new connection for each request, until told to stop. */
static void
keep_asking(int port, volatile int *counts)
{
	while (!counts[0]) {
		int fd = raw_connect(port);

		raw_send(fd, GET, sizeof GET - 1);
		counts[status_of(fd) == 200 ? 1 : 2]++;
	}
}

START_TEST(restarts_lose_no_connection_of_a_steady_stream)
{
	int port, status, fd = listen_v4(&port);
	volatile int *counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct program p;
	pid_t pid;

	ck_assert(counts != MAP_FAILED);
	program_hand_over(&fd, 1, "http");
	start(&p);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		keep_asking(port, counts);
		_exit(0);
	}
	for (int i = 0; i < SOCKETS_RESTARTS; i++) {
		int before = counts[1];

		while (counts[1] < before + 20 && counts[2] == 0)
			ck_assert_int_eq(ask(port, "GET", "/api/projects", NULL, NULL)->status, 200);
		ck_assert_int_eq(program_stop(&p), 0);
		start(&p);
	}
	counts[0] = 1;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(counts[2], 0);
	ck_assert_int_ge(counts[1], 20 * SOCKETS_RESTARTS);
	ck_assert_int_eq(program_stop(&p), 0);
	munmap((void *)counts, 4096);
	close(fd);
}
END_TEST

START_TEST(a_reload_keeps_them_whatever_the_file_says_of_listen)
{
	const char *file = scratch_file("c.yaml", "listen: 127.0.0.1:1\nadmin_listen: 127.0.0.1:0\n");
	const char *const args[] = {"serve", "--sandbox", "--config", file, NULL};
	struct program p;
	int port, fd = listen_v4(&port);

	program_hand_over(&fd, 1, "http");
	program_start(&p, args);
	ck_assert_int_eq(p.port, port);
	scratch_file("c.yaml", "listen: 127.0.0.1:2\nadmin_listen: 127.0.0.1:0\n");
	ck_assert_str_eq(ask(p.admin_port, "POST", "/reload", NULL, "{}")->body,
	    "{\"reloaded\":true,\"restartNeeded\":[],\"warnings\":[]}");
	ck_assert_int_eq(ask(port, "GET", "/api/projects", NULL, NULL)->status, 200);
	ck_assert_int_eq(program_stop(&p), 0);
	close(fd);
}
END_TEST

/* The suite. */
static Suite *
sockets_suite(void)
{
	const TTest *const tests[] = {inherited_sockets_take_the_place_of_addresses,
	    one_of_the_two_addresses_may_be_inherited_alone,
	    they_do_not_block_and_are_closed_on_exec,
	    sockets_of_another_process_are_left_alone, what_is_no_listening_socket_is_refused,
	    a_client_that_comes_while_nothing_runs_is_served_by_the_next,
	    restarts_lose_no_connection_of_a_steady_stream,
	    a_reload_keeps_them_whatever_the_file_says_of_listen, NULL};

	return unit_suite("sockets", tests);
}

UNIT_MAIN(sockets_suite)
