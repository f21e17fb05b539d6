#include "config.h"

#include "http_rig.h"

#include "http/http_inherit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST 200 /* where the handed over descriptors begin here */
#define SELF 4711

/* A socket on loopback; it listens if wanted. */
static int
tcp_socket(int type, bool listens)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int fd = socket(AF_INET, type, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	if (listens)
		ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

/* A local socket that listens; with an abstract name if it begins with '@'. */
static int
local_socket(const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(un.sun_path, sizeof un.sun_path, "%s", name);
	if (un.sun_path[0] == '@')
		un.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

/* Moves a descriptor to the n-th place. */
static void
hand_over(int n, int fd)
{
	ck_assert_int_eq(dup2(fd, FIRST + n), FIRST + n);
	close(fd);
}

START_TEST(sockets_come_with_names_and_addresses)
{
	struct http_inherit in = {0};
	char name[64];
	struct fail f;

	snprintf(name, sizeof name, "@persona-gateway-test-%ld", (long)getpid());
	hand_over(0, tcp_socket(SOCK_STREAM, true));
	hand_over(1, local_socket(name));
	ck_assert_int_eq(http_inherit_take(&in, "4711", "2", "http:admin", SELF, FIRST, &f), 0);
	ck_assert_uint_eq(in.count, 2);
	ck_assert_str_eq(in.sockets[0].name, "http");
	ck_assert_int_eq(strncmp(in.sockets[0].address, "127.0.0.1:", 10), 0);
	ck_assert_int_gt(atoi(in.sockets[0].address + 10), 0);
	ck_assert_str_eq(in.sockets[1].name, "admin");
	ck_assert_int_eq(strncmp(in.sockets[1].address, "unix:", 5), 0);
	ck_assert_str_eq(in.sockets[1].address + 5, name);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(in.sockets[i].fd, FIRST + i);
		ck_assert(fcntl(FIRST + i, F_GETFD) & FD_CLOEXEC);
		ck_assert(fcntl(FIRST + i, F_GETFL) & O_NONBLOCK);
	}
	in.sockets[0].fd = -1;
	http_inherit_clear(&in);
	ck_assert_int_ne(fcntl(FIRST, F_GETFD), -1); /* somebody has it */
	ck_assert_int_eq(fcntl(FIRST + 1, F_GETFD), -1);
	close(FIRST);
}
END_TEST

START_TEST(names_may_be_missing)
{
	struct http_inherit in = {0};
	struct fail f;

	hand_over(0, tcp_socket(SOCK_STREAM, true));
	ck_assert_int_eq(http_inherit_take(&in, "4711", "1", NULL, SELF, FIRST, &f), 0);
	ck_assert_uint_eq(in.count, 1);
	ck_assert_str_eq(in.sockets[0].name, "");
	http_inherit_clear(&in);
}
END_TEST

START_TEST(what_is_for_another_process_is_left_alone)
{
	static const char *const pids[] = {NULL, "", "4712", "x", "-4711", "4711x"};
	struct http_inherit in = {0};
	struct fail f;

	hand_over(0, tcp_socket(SOCK_STREAM, true));
	for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
		ck_assert_int_eq(http_inherit_take(&in, pids[i], "1", NULL, SELF, FIRST, &f), 0);
		ck_assert_uint_eq(in.count, 0);
	}
	ck_assert_int_eq(http_inherit_take(&in, "4711", NULL, NULL, SELF, FIRST, &f), 0);
	ck_assert_int_eq(http_inherit_take(&in, "4711", "0", NULL, SELF, FIRST, &f), 0);
	ck_assert_uint_eq(in.count, 0);
	ck_assert_int_eq(fcntl(FIRST, F_GETFD) & FD_CLOEXEC, 0);
	close(FIRST);
}
END_TEST

/* Fails unless the values are refused with a sentence that has these words. */
static void
refused(const char *fds, const char *names, const char *words)
{
	struct http_inherit in = {0};
	struct fail f;

	ck_assert_int_eq(http_inherit_take(&in, "4711", fds, names, SELF, FIRST, &f), -1);
	ck_assert_msg(strstr(f.text, words) != NULL, "%s", f.text);
	http_inherit_clear(&in);
}

START_TEST(what_cannot_be_right_is_refused)
{
	refused("x", NULL, "not x");
	refused("65", NULL, "up to 64");
	refused("99999999999999999999", NULL, "up to 64");
	hand_over(0, tcp_socket(SOCK_STREAM, true));
	refused("1", "http:admin", "2 names for 1 sockets");
	hand_over(0, tcp_socket(SOCK_STREAM, false));
	refused("1", NULL, "descriptor 200");
	hand_over(0, tcp_socket(SOCK_DGRAM, false));
	refused("1", NULL, "no listening stream socket");
	close(FIRST);
	refused("1", NULL, "no listening stream socket");
}
END_TEST

START_TEST(a_server_serves_an_inherited_socket_and_leaves_its_file)
{
	struct http_inherit in = {0};
	struct rig rig = {0};
	struct client c;
	char path[80], address[96];
	struct fail f;

	rig_start(&rig);
	http_server_free(rig.server);
	snprintf(path, sizeof path, "%.60s/inherited", rig.dir);
	snprintf(address, sizeof address, "unix:%s", path);
	hand_over(0, local_socket(path));
	ck_assert_int_eq(http_inherit_take(&in, "4711", "1", "http", SELF, FIRST, &f), 0);
	ck_assert_str_eq(in.sockets[0].address, address);
	rig.server = http_server_new(rig.loop, &rig.config);
	http_server_adopt(rig.server, in.sockets[0].fd, false);
	in.sockets[0].fd = -1;
	http_inherit_clear(&in);
	ck_assert_str_eq(http_server_url(rig.server, 0), address);
	snprintf(rig.address, sizeof rig.address, "%s", address);
	client_open(&c, &rig);
	client_says(&c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert_int_eq(client_status(&c, 0), 200);
	client_close(&c);
	http_server_free(rig.server);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(fcntl(FIRST, F_GETFD), -1);
	rig.server = NULL;
	unlink(path);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_inherit_suite(void)
{
	const TTest *const tests[] = {sockets_come_with_names_and_addresses, names_may_be_missing,
	    what_is_for_another_process_is_left_alone, what_cannot_be_right_is_refused,
	    a_server_serves_an_inherited_socket_and_leaves_its_file, NULL};

	return unit_suite("http_inherit", tests);
}
