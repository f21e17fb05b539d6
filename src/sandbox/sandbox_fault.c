#include "config.h"

#include "sandbox/sandbox_fault.h"
#include "sandbox/sandbox.h"

#include <stddef.h>
#include <string.h>

#define FAULT_SOME 333 /* of a thousand requests */

/* What a profile does; weights are of a thousand requests. */
struct sandbox_fault_profile {
	const char *name;
	int64_t delay_min, delay_max;
	int64_t lag_min, lag_max;
	int64_t hold_ms, tick_ms;
	unsigned weight[SANDBOX_FAULTS];
};

#define FAULT_MIXTURE                                                                      \
	.delay_min = 0, .delay_max = 20, .hold_ms = 400, .tick_ms = 1, .weight = {         \
		[SANDBOX_FAULT_RATE_LIMIT] = 40, [SANDBOX_FAULT_ERROR_BEFORE] = 30,        \
		[SANDBOX_FAULT_ERROR_AFTER] = 30, [SANDBOX_FAULT_RESET_BEFORE] = 30,       \
		[SANDBOX_FAULT_RESET_AFTER] = 30, [SANDBOX_FAULT_STALE] = 40,              \
		[SANDBOX_FAULT_TRUNCATED] = 20, [SANDBOX_FAULT_WRONG_LENGTH] = 20,         \
		[SANDBOX_FAULT_GARBAGE] = 20, [SANDBOX_FAULT_DRIP] = 20,                   \
		[SANDBOX_FAULT_SLOW_AFTER] = 20}

static const struct sandbox_fault_profile sandbox_fault_table[] = {
	{.name = "none"},
	{.name = "latency", .delay_min = 50, .delay_max = 50},
	{.name = "jitter", .delay_min = 0, .delay_max = 200},
	{.name = "rate-limit", .weight = {[SANDBOX_FAULT_RATE_LIMIT] = FAULT_SOME}},
	{.name = "errors",
	    .weight = {[SANDBOX_FAULT_ERROR_BEFORE] = FAULT_SOME / 2,
	        [SANDBOX_FAULT_ERROR_AFTER] = FAULT_SOME / 2}},
	{.name = "errors-before", .weight = {[SANDBOX_FAULT_ERROR_BEFORE] = FAULT_SOME}},
	{.name = "errors-after", .weight = {[SANDBOX_FAULT_ERROR_AFTER] = FAULT_SOME}},
	{.name = "reset-before", .weight = {[SANDBOX_FAULT_RESET_BEFORE] = FAULT_SOME}},
	{.name = "reset-after", .weight = {[SANDBOX_FAULT_RESET_AFTER] = FAULT_SOME}},
	{.name = "stale-connection", .weight = {[SANDBOX_FAULT_STALE] = FAULT_SOME}},
	{.name = "truncated", .weight = {[SANDBOX_FAULT_TRUNCATED] = FAULT_SOME}},
	{.name = "wrong-length",
	    .hold_ms = 2000,
	    .weight = {[SANDBOX_FAULT_WRONG_LENGTH] = FAULT_SOME}},
	{.name = "garbage", .weight = {[SANDBOX_FAULT_GARBAGE] = FAULT_SOME}},
	{.name = "drip", .tick_ms = 10, .weight = {[SANDBOX_FAULT_DRIP] = FAULT_SOME}},
	{.name = "slow-after",
	    .hold_ms = 20000,
	    .weight = {[SANDBOX_FAULT_SLOW_AFTER] = FAULT_SOME}},
	{.name = "lagging-lists", .lag_min = 300, .lag_max = 2000},
	{.name = "chaos", .lag_min = 300, .lag_max = 2000, FAULT_MIXTURE},
	{.name = "chaos-no-lag", FAULT_MIXTURE},
};

static const struct sandbox_profile sandbox_fault_help[] = {
	{"none", "every request is answered at once"},
	{"latency", "50 ms before every request"},
	{"jitter", "0 to 200 ms before every request"},
	{"rate-limit", "429 with Retry-After, in seconds or as a date; not processed"},
	{"errors", "500, 502 or 503, half before and half after processing"},
	{"errors-before", "500, 502 or 503; not processed"},
	{"errors-after", "500, 502 or 503 although processed"},
	{"reset-before", "connection reset; not processed"},
	{"reset-after", "connection reset although processed"},
	{"stale-connection", "a reused connection closes after the request; not processed"},
	{"truncated", "processed, the body cut short of its Content-Length"},
	{"wrong-length", "processed, Content-Length larger or smaller than the body"},
	{"garbage", "processed, 200 with a body that is not the JSON"},
	{"drip", "processed, the body byte by byte, at most 3 s"},
	{"slow-after", "processed at once, answered after 20 s"},
	{"lagging-lists", "listings follow creates and deletes after 0.3 to 2 s"},
	{"chaos", "all of these mixed, with short waits"},
	{"chaos-no-lag", "chaos, but listings are up to date"},
	{NULL, NULL},
};

/* Names and help of the profiles. */
const struct sandbox_profile *
sandbox_profiles(void)
{
	return sandbox_fault_help;
}

/* The name of a kind of fault. */
const char *
sandbox_fault_name(enum sandbox_fault f)
{
	static const char *const names[SANDBOX_FAULTS] = {"none", "rate-limit", "error-before",
	    "error-after", "reset-before", "reset-after", "stale-connection", "truncated",
	    "wrong-length", "garbage", "drip", "slow-after"};

	return names[f];
}

/* Starts a profile. */
bool
sandbox_faults_choose(struct sandbox_faults *f, const char *profile, uint64_t seed)
{
	if (profile == NULL)
		profile = "none";
	for (size_t i = 0; i < sizeof sandbox_fault_table / sizeof *sandbox_fault_table; i++) {
		if (strcmp(sandbox_fault_table[i].name, profile) != 0)
			continue;
		memset(f, 0, sizeof *f);
		f->profile = &sandbox_fault_table[i];
		f->seed = seed;
		f->percent = -1;
		f->count = -1;
		f->delay_ms = -1;
		return true;
	}
	return false;
}

/* The name of the profile in use. */
const char *
sandbox_faults_name(const struct sandbox_faults *f)
{
	return f->profile->name;
}

/* Mixes 64 bits so that each depends on all (the finaliser of SplitMix64). */
static uint64_t
sandbox_fault_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* A random number for one decision about one request. */
static uint64_t
sandbox_fault_random(const struct sandbox_faults *f, unsigned decision)
{
	uint64_t x = sandbox_fault_mix(f->seed + UINT64_C(0x9e3779b97f4a7c15));

	x = sandbox_fault_mix(x + f->number);
	return sandbox_fault_mix(x + decision);
}

/* A number of milliseconds from a range. */
static int64_t
sandbox_fault_between(const struct sandbox_faults *f, unsigned decision, int64_t min, int64_t max)
{
	return min + (int64_t)(sandbox_fault_random(f, decision) % (uint64_t)(max - min + 1));
}

/* Draws the kind of fault, or none. */
static enum sandbox_fault
sandbox_fault_draw(const struct sandbox_faults *f)
{
	const struct sandbox_fault_profile *p = f->profile;
	uint64_t total = 0, share, drawn;

	for (int i = 0; i < SANDBOX_FAULTS; i++)
		total += p->weight[i];
	share = f->percent >= 0 ? (uint64_t)f->percent * 10 : total;
	if (total == 0 || f->count == 0 || sandbox_fault_random(f, 1) % 1000 >= share)
		return SANDBOX_FAULT_NONE;
	drawn = sandbox_fault_random(f, 2) % total;
	for (int i = 0; i < SANDBOX_FAULTS; i++) {
		if (drawn < p->weight[i])
			return (enum sandbox_fault)i;
		drawn -= p->weight[i];
	}
	return SANDBOX_FAULT_NONE;
}

/* Plans the next request. */
void
sandbox_faults_next(struct sandbox_faults *f, const char *method, bool reused,
    struct sandbox_plan *plan)
{
	const struct sandbox_fault_profile *p = f->profile;

	memset(plan, 0, sizeof *plan);
	if (f->method[0] == '\0' || strcmp(f->method, method) == 0) {
		plan->delay_ms = sandbox_fault_between(f, 3, p->delay_min, p->delay_max);
		plan->lag_ms = sandbox_fault_between(f, 4, p->lag_min, p->lag_max);
		plan->hold_ms = p->hold_ms;
		plan->tick_ms = p->tick_ms;
		plan->detail = sandbox_fault_random(f, 5);
		plan->fault = sandbox_fault_draw(f);
		if (plan->fault == SANDBOX_FAULT_STALE && !reused)
			plan->fault = SANDBOX_FAULT_NONE;
		if (f->delay_ms >= 0) {
			plan->hold_ms = f->delay_ms;
			if (p->delay_max > 0)
				plan->delay_ms = f->delay_ms;
		}
		if (plan->fault != SANDBOX_FAULT_NONE && f->count > 0)
			f->count--;
	}
	f->number++;
}
