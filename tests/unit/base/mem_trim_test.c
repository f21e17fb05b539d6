#include "config.h"

#include "base/mem.h"
#include "base/mem_trim.h"
#include "unit.h"

#include <string.h>

Suite *mem_trim_suite(void);

#define PIECES 4000
#define PIECE 10000

#if defined(WITH_ASAN) || defined(WITH_FUZZING)
#define MEASURED 0
#else
#define MEASURED 1
#endif

/* Takes memory in which little pieces that stay lie between large ones that go. */
static void
burst(char *stays[PIECES])
{
	static char *goes[PIECES];

	for (int i = 0; i < PIECES; i++) {
		goes[i] = mem_alloc(PIECE);
		memset(goes[i], 1, PIECE);
		stays[i] = mem_zero(1, 100);
	}
	for (int i = 0; i < PIECES; i++)
		free(goes[i]);
}

START_TEST(memory_is_given_back_in_a_quiet_moment)
{
	struct loop *loop = loop_new_fake(0);
	static char *stays[PIECES];
	size_t before = mem_trim_held(), after;
	struct mem_trim t;

	burst(stays);
	mem_trim_start(&t, loop);
	loop_fake_advance(loop, MEM_TRIM_LOOK_MS - 1);
	if (MEASURED)
		ck_assert_uint_gt(mem_trim_held(), before + PIECES * PIECE / 10 * 9);
	loop_fake_advance(loop, 1);
	after = mem_trim_held();
	if (MEASURED)
		ck_assert_uint_lt(after, before + PIECES * PIECE / 2); /* two of five pages hold what stays */
	mem_trim_stop(&t);
	loop_free(loop);
	for (int i = 0; i < PIECES; i++)
		free(stays[i]);
}
END_TEST

START_TEST(a_busy_process_keeps_its_memory)
{
	struct loop *loop = loop_new_fake(0);
	static char *stays[PIECES];
	size_t before = mem_trim_held();
	struct mem_trim t = {.cpu_us = 0};

	mem_trim_stop(&t); /* of one that was never started */
	burst(stays);
	mem_trim_start(&t, loop);
	t.cpu_us -= MEM_TRIM_LOOK_MS * 1000; /* as if it had worked all the time */
	loop_fake_advance(loop, MEM_TRIM_LOOK_MS);
	if (MEASURED)
		ck_assert_uint_gt(mem_trim_held(), before + PIECES * PIECE / 10 * 9);
	mem_trim_stop(&t);
	loop_free(loop);
	for (int i = 0; i < PIECES; i++)
		free(stays[i]);
}
END_TEST

/* The suite. */
Suite *
mem_trim_suite(void)
{
	const TTest *const tests[] = {memory_is_given_back_in_a_quiet_moment,
	    a_busy_process_keeps_its_memory, NULL};

	return unit_suite("mem trim", tests);
}
