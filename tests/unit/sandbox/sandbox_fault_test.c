#include "config.h"

#include "sandbox_test.h"

#include <string.h>

#define RUN 4000

/* Plans a run of requests. */
static void
plan_run(const char *profile, uint64_t seed, struct sandbox_plan plans[RUN])
{
	struct sandbox_faults f;

	ck_assert(sandbox_faults_choose(&f, profile, seed));
	for (int i = 0; i < RUN; i++)
		sandbox_faults_next(&f, "GET", true, &plans[i]);
}

/* Counts the kinds of fault in a run. */
static void
count_run(const struct sandbox_plan plans[RUN], int counts[SANDBOX_FAULTS])
{
	memset(counts, 0, SANDBOX_FAULTS * sizeof *counts);
	for (int i = 0; i < RUN; i++)
		counts[plans[i].fault]++;
}

static struct sandbox_plan one[RUN], two[RUN];

START_TEST(every_profile_has_its_name_and_repeats_by_its_seed)
{
	const struct sandbox_profile *p = sandbox_profiles();
	struct sandbox_faults f;

	for (; p->name != NULL; p++) {
		ck_assert(sandbox_faults_choose(&f, p->name, 1));
		ck_assert_str_eq(sandbox_faults_name(&f), p->name);
		ck_assert_uint_gt(strlen(p->help), 10);
		plan_run(p->name, 42, one);
		plan_run(p->name, 42, two);
		ck_assert_mem_eq(one, two, sizeof one);
	}
	ck_assert(sandbox_faults_choose(&f, NULL, 1));
	ck_assert_str_eq(sandbox_faults_name(&f), "none");
	ck_assert(!sandbox_faults_choose(&f, "nonsense", 1));
	plan_run("chaos", 42, one);
	plan_run("chaos", 43, two);
	ck_assert_mem_ne(one, two, sizeof one);
}
END_TEST

START_TEST(a_profile_has_only_its_own_fault_in_a_third_of_the_requests)
{
	static const struct {
		const char *name;
		enum sandbox_fault fault;
	} singles[] = {
		{"rate-limit", SANDBOX_FAULT_RATE_LIMIT},
		{"errors-before", SANDBOX_FAULT_ERROR_BEFORE},
		{"errors-after", SANDBOX_FAULT_ERROR_AFTER},
		{"reset-before", SANDBOX_FAULT_RESET_BEFORE},
		{"reset-after", SANDBOX_FAULT_RESET_AFTER},
		{"stale-connection", SANDBOX_FAULT_STALE},
		{"truncated", SANDBOX_FAULT_TRUNCATED},
		{"wrong-length", SANDBOX_FAULT_WRONG_LENGTH},
		{"garbage", SANDBOX_FAULT_GARBAGE},
		{"drip", SANDBOX_FAULT_DRIP},
		{"slow-after", SANDBOX_FAULT_SLOW_AFTER},
	};
	int counts[SANDBOX_FAULTS];

	for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
		plan_run(singles[i].name, 7, one);
		count_run(one, counts);
		ck_assert_int_eq(counts[SANDBOX_FAULT_NONE] + counts[singles[i].fault], RUN);
		ck_assert_int_gt(counts[singles[i].fault], RUN * 28 / 100);
		ck_assert_int_lt(counts[singles[i].fault], RUN * 38 / 100);
		for (int n = 0; n < RUN; n++)
			ck_assert(one[n].delay_ms == 0 && one[n].lag_ms == 0);
	}
	plan_run("errors", 7, one);
	count_run(one, counts);
	ck_assert_int_gt(counts[SANDBOX_FAULT_ERROR_BEFORE], RUN * 12 / 100);
	ck_assert_int_gt(counts[SANDBOX_FAULT_ERROR_AFTER], RUN * 12 / 100);
}
END_TEST

START_TEST(chaos_has_every_fault_and_short_waits)
{
	int counts[SANDBOX_FAULTS];

	for (int lag = 0; lag < 2; lag++) {
		plan_run(lag ? "chaos" : "chaos-no-lag", 11, one);
		count_run(one, counts);
		for (int i = 0; i < SANDBOX_FAULTS; i++)
			ck_assert_msg(counts[i] > 0, "%s",
			    sandbox_fault_name((enum sandbox_fault)i));
		ck_assert_int_gt(counts[SANDBOX_FAULT_NONE], RUN / 2);
		for (int i = 0; i < RUN; i++) {
			ck_assert_int_le(one[i].delay_ms, 20);
			ck_assert_int_le(one[i].hold_ms, 400);
			ck_assert(lag ? one[i].lag_ms >= 300 && one[i].lag_ms <= 2000 :
			                one[i].lag_ms == 0);
		}
	}
}
END_TEST

START_TEST(latencies_stay_in_their_range)
{
	bool early = false, late = false;

	plan_run("latency", 3, one);
	for (int i = 0; i < RUN; i++)
		ck_assert_int_eq(one[i].delay_ms, 50);
	plan_run("jitter", 3, one);
	for (int i = 0; i < RUN; i++) {
		ck_assert(one[i].delay_ms >= 0 && one[i].delay_ms <= 200);
		early = early || one[i].delay_ms < 20;
		late = late || one[i].delay_ms > 180;
	}
	ck_assert(early && late);
}
END_TEST

START_TEST(restrictions_hold)
{
	struct sandbox_plan plan;
	struct sandbox_faults f;
	int hits = 0;

	ck_assert(sandbox_faults_choose(&f, "reset-after", 1));
	f.percent = 100;
	f.count = 2;
	strcpy(f.method, "POST");
	for (int i = 0; i < 10; i++) {
		sandbox_faults_next(&f, "GET", true, &plan);
		ck_assert_int_eq(plan.fault, SANDBOX_FAULT_NONE);
		sandbox_faults_next(&f, "POST", true, &plan);
		ck_assert_int_eq(plan.fault,
		    i < 2 ? SANDBOX_FAULT_RESET_AFTER : SANDBOX_FAULT_NONE);
	}
	ck_assert(sandbox_faults_choose(&f, "chaos", 1));
	f.percent = 0;
	for (int i = 0; i < RUN; i++) {
		sandbox_faults_next(&f, "GET", true, &plan);
		hits += plan.fault != SANDBOX_FAULT_NONE;
	}
	ck_assert_int_eq(hits, 0);
	ck_assert(sandbox_faults_choose(&f, "stale-connection", 1));
	f.percent = 100;
	f.count = 1;
	sandbox_faults_next(&f, "GET", false, &plan);
	ck_assert_int_eq(plan.fault, SANDBOX_FAULT_NONE);
	sandbox_faults_next(&f, "GET", true, &plan);
	ck_assert_int_eq(plan.fault, SANDBOX_FAULT_STALE);
	ck_assert(sandbox_faults_choose(&f, "slow-after", 1));
	f.percent = 100;
	f.delay_ms = 1500;
	sandbox_faults_next(&f, "GET", true, &plan);
	ck_assert_int_eq(plan.hold_ms, 1500);
	ck_assert_int_eq(plan.delay_ms, 0);
	ck_assert(sandbox_faults_choose(&f, "latency", 1));
	f.delay_ms = 7;
	sandbox_faults_next(&f, "GET", true, &plan);
	ck_assert_int_eq(plan.delay_ms, 7);
}
END_TEST

/* The tests. */
Suite *
suite_fault(void)
{
	const TTest *const tests[] = {
		every_profile_has_its_name_and_repeats_by_its_seed,
		a_profile_has_only_its_own_fault_in_a_third_of_the_requests,
		chaos_has_every_fault_and_short_waits,
		latencies_stay_in_their_range,
		restrictions_hold,
		NULL,
	};

	return unit_suite("sandbox fault plans", tests);
}
