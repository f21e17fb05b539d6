#include "config.h"

#include "http_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

START_TEST(addresses)
{
	static const char *const bad[] = {"", "localhost:80", "127.0.0.1", "127.0.0.1:",
	    "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "::1:80", "[::1]",
	    "[127.0.0.1]:80", "unix:", "unix:relative", ":80", NULL};
	struct rig rig = {0};
	const char *again;
	struct fail f;

	rig_start_at(&rig, "127.0.0.1:0");
	ck_assert_int_eq(strncmp(rig.address, "http://127.0.0.1:", 17), 0);
	ck_assert_int_gt(atoi(rig.address + 17), 0);
	if (http_server_listen(rig.server, "[::1]:0", &f) == 0) /* not every machine has it */
		ck_assert_int_eq(strncmp(http_server_url(rig.server, 1), "http://[::1]:", 13), 0);
	for (int i = 0; bad[i] != NULL; i++) {
		f.text[0] = '\0';
		ck_assert_msg(http_server_listen(rig.server, bad[i], &f) == -1, "%s", bad[i]);
		ck_assert_str_ne(f.text, "");
	}
	again = rig.address + 7;
	ck_assert_int_eq(http_server_listen(rig.server, again, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.text, again));
	ck_assert_ptr_null(http_server_url(rig.server, 2));
	rig_stop(&rig);
}
END_TEST

START_TEST(ipv6_clients_are_served)
{
	struct rig rig = {0};
	struct http_server *probe;
	int can;

	rig_start_at(&rig, "127.0.0.1:0");
	probe = http_server_new(rig.loop, &rig.config);
	can = http_server_listen(probe, "[::1]:0", NULL);
	http_server_free(probe);
	rig_stop(&rig);
	if (can != 0)
		return;
	memset(&rig, 0, sizeof rig);
	rig_start_at(&rig, "[::1]:0");
	ck_assert_int_eq(strncmp(rig.address, "http://[::1]:", 13), 0);
	rig_stop(&rig);
}
END_TEST

/* Binds a local socket that nobody listens on any more. */
static void
leave_stale(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
	close(fd);
}

START_TEST(a_stale_socket_file_is_replaced)
{
	struct rig rig = {0};
	struct client c;
	char path[96];

	rig_start(&rig);
	snprintf(path, sizeof path, "%s/s", rig.dir);
	http_server_free(rig.server);
	ck_assert_int_ne(access(path, F_OK), 0);
	leave_stale(path);
	rig.server = http_server_new(rig.loop, &rig.config);
	ck_assert_int_eq(http_server_listen(rig.server, rig.address, NULL), 0);
	client_open(&c, &rig);
	client_says(&c, GET("/"));
	ck_assert_int_eq(client_status(&c, 0), 200);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_socket_in_use_and_other_files_are_left_alone)
{
	struct http_server *other;
	struct rig rig = {0};
	char path[128], address[160];
	struct stat st;
	struct fail f;
	int fd;

	rig_start(&rig);
	other = http_server_new(rig.loop, &rig.config);
	ck_assert_int_eq(http_server_listen(other, rig.address, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.text, "another program"));
	snprintf(path, sizeof path, "%s/file", rig.dir);
	snprintf(address, sizeof address, "unix:%s", path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(http_server_listen(other, address, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.text, "not a socket"));
	ck_assert_int_eq(stat(path, &st), 0);
	unlink(path);
	http_server_free(other);
	ck_assert_int_eq(stat(rig.address + 5, &st), 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_socket_file_has_its_mode_whatever_the_mask)
{
	static const unsigned modes[] = {0600, 0660, 0666};
	static const mode_t masks[] = {0, 022, 077, 0177};

	for (size_t i = 0; i < 12; i++) {
		struct rig rig = {.config.socket_mode = modes[i % 3]};
		mode_t before = umask(masks[i / 3]);
		struct stat st;

		rig_start(&rig);
		umask(before);
		ck_assert_int_eq(stat(rig.address + 5, &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, modes[i % 3]);
		rig_stop(&rig);
	}
}
END_TEST

START_TEST(a_socket_file_of_a_successor_is_left_alone)
{
	struct http_server *next;
	struct rig rig = {0};
	struct stat st;

	rig_start(&rig);
	unlink(rig.address + 5);
	next = http_server_new(rig.loop, &rig.config);
	ck_assert_int_eq(http_server_listen(next, rig.address, NULL), 0);
	http_server_free(rig.server);
	ck_assert_int_eq(stat(rig.address + 5, &st), 0);
	rig.server = next;
	rig_stop(&rig);
}
END_TEST

START_TEST(at_the_limit_new_connections_wait)
{
	struct http_server_counts n;
	struct rig rig = {0};
	struct client c[4];

	rig.config.limits = HTTP_LIMITS_DEFAULT;
	rig.config.limits.connections = 2;
	rig_start(&rig);
	for (int i = 0; i < 4; i++) {
		client_open(&c[i], &rig);
		client_says(&c[i], GET("/"));
	}
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 2);
	ck_assert_uint_eq(client_answers(&c[1]), 1);
	ck_assert_uint_eq(client_answers(&c[2]), 0);
	client_close(&c[0]);
	client_read(&c[2]);
	ck_assert_uint_eq(client_answers(&c[2]), 1);
	ck_assert_uint_eq(client_answers(&c[3]), 0);
	client_close(&c[1]);
	client_close(&c[2]);
	client_read(&c[3]);
	ck_assert_uint_eq(client_answers(&c[3]), 1);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 1);
	ck_assert_uint_eq(n.accepted, 4);
	client_close(&c[3]);
	rig_stop(&rig);
}
END_TEST

START_TEST(without_descriptors_accepting_rests)
{
	struct http_server_counts n;
	struct rlimit old, low;
	struct rig rig = {0};
	struct client c;
	int next;

	rig_start(&rig);
	memset(&c, 0, sizeof c);
	client_open(&c, &rig); /* the highest descriptors so far */
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 1);
	client_close(&c);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	next = dup(0);
	close(next);
	low = old;
	low.rlim_cur = (rlim_t)next + 1; /* enough for the client's own socket */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	client_open(&c, &rig);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 0);
	ck_assert_int_eq(
	    event_base_get_num_events(loop_base(rig.loop), EVENT_BASE_COUNT_ACTIVE), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	rig_turn(&rig);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 0); /* resting, not spinning */
	loop_fake_advance(rig.loop, 100);
	client_says(&c, GET("/"));
	ck_assert_int_eq(client_status(&c, 0), 200);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* The server has nothing left. */
static void
on_drained(void *arg)
{
	struct rig *rig = arg;

	rig->drained++;
}

START_TEST(a_drain_lets_running_exchanges_end)
{
	struct client idle, held, partial;
	struct rig rig = {0};

	rig_start(&rig);
	client_open(&idle, &rig);
	client_says(&idle, GET("/"));
	client_open(&held, &rig);
	client_open(&partial, &rig);
	client_says(&held, GET("/hold"));
	client_says(&partial, "GET / HTTP/1.1\r\n");
	http_server_drain(rig.server, 5000, on_drained, &rig);
	client_read(&idle);
	ck_assert(idle.closed);
	ck_assert_int_ne(access(rig.address + 5, F_OK), 0);
	client_says(&partial, "Host: localhost\r\n\r\n");
	ck_assert_int_eq(client_status(&partial, 0), 200);
	ck_assert(client_has(&partial, 0, "\r\nConnection: close\r\n"));
	ck_assert(partial.closed);
	client_close(&partial);
	loop_fake_advance(rig.loop, 4000);
	ck_assert_uint_eq(rig.drained, 0);
	http_answer(rig.held, 200, NULL, "x", 1);
	client_read(&held);
	ck_assert(client_has(&held, 0, "\r\nConnection: close\r\n"));
	ck_assert(held.closed);
	client_close(&held);
	loop_fake_advance(rig.loop, 0);
	ck_assert_uint_eq(rig.drained, 1);
	loop_fake_advance(rig.loop, 60000);
	ck_assert_uint_eq(rig.drained, 1);
	ck_assert_uint_eq(rig.gone, 0);
	client_close(&idle);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_drain_serves_what_has_come_and_waits_a_second_for_a_first_request)
{
	struct client waiting, late, silent;
	struct rig rig = {0};

	rig_start(&rig);
	client_open(&waiting, &rig);
	client_says(&waiting, GET("/"));
	client_open(&late, &rig);
	client_open(&silent, &rig);
	/* Not client_says(): nobody reads it before the drain. */
	ck_assert_int_eq(send(waiting.fd, GET("/"), strlen(GET("/")), MSG_NOSIGNAL), strlen(GET("/")));
	http_server_drain(rig.server, 5000, on_drained, &rig);
	client_read(&waiting);
	ck_assert_int_eq(client_status(&waiting, 1), 200);
	ck_assert(client_has(&waiting, 1, "\r\nConnection: close\r\n"));
	client_close(&waiting);
	loop_fake_advance(rig.loop, 999);
	client_says(&late, GET("/"));
	ck_assert_int_eq(client_status(&late, 0), 200);
	ck_assert(late.closed);
	client_close(&late);
	client_read(&silent);
	ck_assert(!silent.closed);
	loop_fake_advance(rig.loop, 1);
	client_read(&silent);
	ck_assert(silent.closed);
	client_close(&silent);
	loop_fake_advance(rig.loop, 0);
	ck_assert_uint_eq(rig.drained, 1);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_drain_ends_connections_whose_answer_promised_more)
{
	static char big[4 << 20];
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	c.deaf = true;
	http_answer(rig.held, 200, NULL, big, sizeof big);
	rig_turn(&rig);
	http_server_drain(rig.server, 5000, on_drained, &rig);
	c.deaf = false;
	client_read(&c);
	ck_assert_uint_gt(c.got.len, sizeof big);
	ck_assert(!client_has(&c, 0, "Connection: close"));
	ck_assert(c.closed && !c.reset);
	client_close(&c);
	loop_fake_advance(rig.loop, 0);
	ck_assert_uint_eq(rig.drained, 1);
	ck_assert_uint_eq(rig.sent, 1);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_drain_waits_for_a_body_that_is_dropped)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, "POST /skip HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc");
	ck_assert_int_eq(client_status(&c, 0), 404);
	http_server_drain(rig.server, 5000, on_drained, &rig);
	client_read(&c);
	ck_assert(!c.closed);
	client_says(&c, "def");
	ck_assert(c.closed && !c.reset);
	client_close(&c);
	loop_fake_advance(rig.loop, 0);
	ck_assert_uint_eq(rig.drained, 1);
	rig_stop(&rig);
}
END_TEST

/* Begins the drain while further requests of the same client wait. */
static void
serve_draining(struct rig *rig, struct http_exchange *ex)
{
	if (http_exchange_request(ex)->serial == 3)
		http_server_drain(rig->server, 5000, on_drained, rig);
	http_answer(ex, 200, NULL, "x", 1);
}

START_TEST(a_drain_may_begin_inside_the_service)
{
	struct rig rig = {.service = serve_draining};
	struct client c, idle;

	rig_start(&rig);
	client_open(&c, &rig);
	client_open(&idle, &rig);
	client_says(&idle, GET("/"));
	client_says(&c, GET("/") GET("/") GET("/") GET("/"));
	ck_assert_uint_eq(client_answers(&c), 3);
	ck_assert(client_has(&c, 2, "\r\nConnection: close\r\n"));
	ck_assert(c.closed && !c.reset);
	client_read(&idle);
	ck_assert(idle.closed);
	client_close(&c);
	client_close(&idle);
	loop_fake_advance(rig.loop, 0);
	ck_assert_uint_eq(rig.drained, 1);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_drain_cuts_what_lasts_too_long)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	http_server_drain(rig.server, 5000, on_drained, &rig);
	loop_fake_advance(rig.loop, 4999);
	ck_assert_uint_eq(rig.gone + rig.drained, 0);
	loop_fake_advance(rig.loop, 1);
	ck_assert_uint_eq(rig.gone, 1);
	ck_assert_uint_eq(rig.drained, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* Frees the server in the callback. */
static void
on_drained_free(void *arg)
{
	struct rig *rig = arg;

	http_server_free(rig->server);
	rig->server = NULL;
	rig->drained++;
}

START_TEST(a_server_without_connections_drains_at_once_but_later)
{
	struct rig rig = {0};

	rig_start(&rig);
	http_server_drain(rig.server, 5000, on_drained_free, &rig);
	ck_assert_uint_eq(rig.drained, 0);
	loop_fake_advance(rig.loop, 0);
	ck_assert_uint_eq(rig.drained, 1);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_listen_suite(void)
{
	const TTest *const tests[] = {addresses, ipv6_clients_are_served,
	    a_stale_socket_file_is_replaced, a_socket_in_use_and_other_files_are_left_alone,
	    a_socket_file_has_its_mode_whatever_the_mask, a_socket_file_of_a_successor_is_left_alone, at_the_limit_new_connections_wait,
	    without_descriptors_accepting_rests, a_drain_lets_running_exchanges_end,
	    a_drain_serves_what_has_come_and_waits_a_second_for_a_first_request,
	    a_drain_ends_connections_whose_answer_promised_more,
	    a_drain_waits_for_a_body_that_is_dropped, a_drain_may_begin_inside_the_service,
	    a_drain_cuts_what_lasts_too_long,
	    a_server_without_connections_drains_at_once_but_later, NULL};

	return unit_suite("http listen", tests);
}
