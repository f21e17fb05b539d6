#include "config.h"

#include "core_test.h"
#include "core/keyring.h"
#include "core/serial.h"
#include "core/settle.h"

#include <string.h>

START_TEST(settling_looks_early_then_at_the_end_of_the_grace_time)
{
	struct settle s;
	int64_t now = 1000, first;
	unsigned looks = 0;

	settle_start(&s, now, 15000);
	first = settle_delay(&s, now);
	ck_assert_int_le(first, 500);
	now += first;
	while (!settle_absent(&s, now) && looks++ < 100)
		now += settle_delay(&s, now);
	ck_assert_int_ge(now, 1000 + 15000);
	ck_assert_int_le(now, 1000 + 15000 + 20);
	ck_assert_uint_ge(s.counted, SETTLE_LOOKS);
}
END_TEST

START_TEST(absence_needs_three_looks_however_late)
{
	struct settle s;

	settle_start(&s, 0, 100);
	ck_assert(!settle_absent(&s, 5000));
	ck_assert(!settle_absent(&s, 6000));
	ck_assert(settle_absent(&s, 7000));
}
END_TEST

START_TEST(waits_between_looks_are_bounded)
{
	struct settle s;

	settle_start(&s, 0, 15000);
	for (int i = 0; i < 100; i++) {
		int64_t delay = settle_delay(&s, 1000000 + i);

		ck_assert_int_ge(delay, 1);
		ck_assert_int_le(delay, 60000);
	}
	settle_start(&s, 0, 0);
	ck_assert_int_ge(settle_delay(&s, 0), 1);
}
END_TEST

static char order[32];
static char a[] = "a", b[] = "b", c[] = "c";

/* Notes whose turn came. */
static void
granted(void *arg)
{
	strncat(order, arg, sizeof order - strlen(order) - 1);
}

START_TEST(writes_to_one_key_go_one_after_another)
{
	struct loop *l = loop_new_fake(0);
	struct serial *s = serial_new(l);
	struct serial_ticket *one, *two, *three, *other;

	order[0] = '\0';
	one = serial_enter(s, "k", granted, a);
	two = serial_enter(s, "k", granted, b);
	three = serial_enter(s, "k", granted, c);
	ck_assert_str_eq(order, ""); /* never inside the call */
	loop_fake_advance(l, 0);
	ck_assert_str_eq(order, "a");
	serial_leave(two); /* gives up while waiting */
	serial_leave(one);
	loop_fake_advance(l, 0);
	ck_assert_str_eq(order, "ac");
	other = serial_enter(s, "other", granted, b);
	loop_fake_advance(l, 0);
	ck_assert_str_eq(order, "acb");
	serial_leave(three);
	serial_leave(other);
	serial_free(s);
	loop_free(l);
}
END_TEST

START_TEST(a_key_that_worked_is_known_as_long_as_it_is_in_force)
{
	struct config_project projects[] = {{.api_key = (char *)"p", .earlier_key = (char *)"q"}};
	struct config first = {.bluejay = {.api_key = (char *)"a"}, .projects = projects,
	    .project_count = 1};
	struct config second = {.bluejay = {.api_key = (char *)"b", .earlier_key = (char *)"a"},
	    .images = {.api_key = (char *)"i", .earlier_key = (char *)"a"}};
	struct config third = {.bluejay = {.api_key = (char *)"b"}};
	struct keyring ring = {NULL, 0};

	keyring_accept(&ring, "a");
	ck_assert(!keyring_has_worked(&ring, "a"));
	keyring_take(&ring, &first);
	keyring_accept(&ring, "a");
	keyring_accept(&ring, "q");
	keyring_accept(&ring, "other");
	keyring_accept(&ring, NULL);
	ck_assert(keyring_has_worked(&ring, "a"));
	ck_assert(keyring_has_worked(&ring, "q"));
	ck_assert(!keyring_has_worked(&ring, "p"));
	ck_assert(!keyring_has_worked(&ring, "other"));
	keyring_take(&ring, &second);
	ck_assert(keyring_has_worked(&ring, "a"));
	ck_assert(!keyring_has_worked(&ring, "q"));
	ck_assert(!keyring_has_worked(&ring, "b"));
	keyring_accept(&ring, "i");
	ck_assert(keyring_has_worked(&ring, "i"));
	keyring_take(&ring, &third);
	keyring_take(&ring, &first);
	ck_assert(!keyring_has_worked(&ring, "a"));
	keyring_free(&ring);
}
END_TEST

/* Tests of what needs no other room. */
Suite *
pure_suite(void)
{
	const TTest *const tests[] = {
	    settling_looks_early_then_at_the_end_of_the_grace_time,
	    absence_needs_three_looks_however_late,
	    waits_between_looks_are_bounded,
	    writes_to_one_key_go_one_after_another,
	    a_key_that_worked_is_known_as_long_as_it_is_in_force,
	    NULL,
	};

	return unit_suite("core: settle, serial, keyring", tests);
}
