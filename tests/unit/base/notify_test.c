#include "config.h"

#include "base/notify.h"
#include "unit.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

Suite *notify_suite(void);

START_TEST(the_watchdog_is_for_this_process_and_half_its_time)
{
	ck_assert_int_eq(notify_watchdog_ms(NULL, NULL, 7), 0);
	ck_assert_int_eq(notify_watchdog_ms("30000000", NULL, 7), 15000);
	ck_assert_int_eq(notify_watchdog_ms("30000000", "7", 7), 15000);
	ck_assert_int_eq(notify_watchdog_ms("30000000", "8", 7), 0);
	ck_assert_int_eq(notify_watchdog_ms("0", NULL, 7), 0);
	ck_assert_int_eq(notify_watchdog_ms("-5", NULL, 7), 0);
	ck_assert_int_eq(notify_watchdog_ms("5s", NULL, 7), 0);
	ck_assert_int_eq(notify_watchdog_ms("", NULL, 7), 0);
}
END_TEST

START_TEST(an_abstract_name_is_a_socket_too)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[60], got[200];
	struct notify *n;
	ssize_t len;

	snprintf(name, sizeof name, "@persona-gateway-test-%ld", (long)getpid());
	memcpy(to.sun_path + 1, name + 1, strlen(name) - 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
	n = notify_open(name);
	ck_assert_ptr_nonnull(n);
	notify_ready(n);
	len = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
	ck_assert_int_gt(len, 0);
	got[len] = '\0';
	ck_assert_int_eq(strncmp(got, "READY=1\n", 8), 0);
	notify_free(n);
	close(fd);
}
END_TEST

START_TEST(without_a_socket_nothing_happens)
{
	static char longest[200];

	memset(longest, 'a', sizeof longest - 1);
	longest[0] = '/';
	ck_assert_ptr_null(notify_open(NULL));
	ck_assert_ptr_null(notify_open(""));
	ck_assert_ptr_null(notify_open("relative"));
	ck_assert_ptr_null(notify_open(longest));
	notify_ready(NULL);
	notify_alive(NULL);
	notify_free(NULL);
}
END_TEST

/* The suite. */
Suite *
notify_suite(void)
{
	const TTest *const tests[] = {the_watchdog_is_for_this_process_and_half_its_time,
	    an_abstract_name_is_a_socket_too, without_a_socket_nothing_happens, NULL};

	return unit_suite("notify", tests);
}
