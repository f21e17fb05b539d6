#include "config.h"

#include "harness.h"
#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * What the program tells a service manager, by datagrams to NOTIFY_SOCKET.
 */

#define NOTIFY_WAIT_MS 10000

static int manager = -1;

/* Plays the manager: a socket, and the environment that it gives. */
static void
manager_open(const char *watchdog)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(to.sun_path, sizeof to.sun_path, "%.80s/notify", scratch_dir());
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&to, sizeof to), 0);
	setenv("NOTIFY_SOCKET", to.sun_path, 1);
	unsetenv("WATCHDOG_PID");
	if (watchdog != NULL)
		setenv("WATCHDOG_USEC", watchdog, 1);
	else
		unsetenv("WATCHDOG_USEC");
}

/* The next datagram that is no sign of life; static. */
static const char *
manager_hears(void)
{
	static char text[1000];
	struct pollfd p = {.fd = manager, .events = POLLIN};
	ssize_t n;

	do {
		ck_assert_msg(poll(&p, 1, NOTIFY_WAIT_MS) == 1, "nothing was told");
		n = recv(manager, text, sizeof text - 1, 0);
		ck_assert_int_gt(n, 0);
		text[n] = '\0';
	} while (strcmp(text, "WATCHDOG=1") == 0);
	return text;
}

/* Starts the gateway. */
static void
start(struct program *p)
{
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL};

	program_start(p, args);
}

START_TEST(the_manager_hears_of_start_reload_and_stop)
{
	struct program p;

	manager_open(NULL);
	start(&p);
	ck_assert_ptr_nonnull(strstr(manager_hears(), "READY=1"));
	ck_assert_int_eq(kill(p.pid, SIGHUP), 0);
	ck_assert_ptr_nonnull(strstr(manager_hears(), "RELOADING=1\nMONOTONIC_USEC="));
	ck_assert_ptr_nonnull(strstr(manager_hears(), "READY=1"));
	program_term(&p);
	ck_assert_ptr_nonnull(strstr(manager_hears(), "STOPPING=1"));
	ck_assert_int_eq(program_wait(&p), 0);
	close(manager);
}
END_TEST

START_TEST(the_watchdog_gets_signs_of_life)
{
	struct pollfd q;
	struct program p;
	char text[1000];
	int signs = 0;

	manager_open("40000");
	start(&p);
	q = (struct pollfd){.fd = manager, .events = POLLIN};
	while (signs < 3) {
		ssize_t n;

		ck_assert_int_eq(poll(&q, 1, NOTIFY_WAIT_MS), 1);
		n = recv(manager, text, sizeof text - 1, 0);
		ck_assert_int_gt(n, 0);
		text[n] = '\0';
		signs += strcmp(text, "WATCHDOG=1") == 0;
	}
	ck_assert_int_eq(program_stop(&p), 0);
	close(manager);
}
END_TEST

START_TEST(a_manager_that_is_gone_does_no_harm)
{
	struct program p;

	manager_open("40000");
	close(manager);
	start(&p);
	ck_assert_int_eq(ask(p.port, "GET", "/api/projects", NULL, NULL)->status, 200);
	ck_assert_int_eq(program_stop(&p), 0);
}
END_TEST

/* The suite. */
static Suite *
notify_suite(void)
{
	const TTest *const tests[] = {the_manager_hears_of_start_reload_and_stop,
	    the_watchdog_gets_signs_of_life, a_manager_that_is_gone_does_no_harm, NULL};

	return unit_suite("notify", tests);
}

UNIT_MAIN(notify_suite)
