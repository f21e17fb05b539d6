#include "config.h"

#include "upstream/retry.h"
#include "base/timestamp.h"

#include <ctype.h>

#define RETRY_AFTER_MAX (INT64_C(365) * 86400 * 1000)

/* Whether the upstream says that the same request may succeed soon. */
static bool
retry_status(int status)
{
	return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* Whether another try is allowed. */
bool
retry_allowed(enum upstream_repeat repeat, const struct retry_try *t)
{
	if (t->outcome == UPSTREAM_ANSWER)
		return t->status == 429 || (repeat == UPSTREAM_SAFE && retry_status(t->status));
	if (t->outcome != UPSTREAM_NO_CONNECT && t->outcome != UPSTREAM_TIMEOUT &&
	    t->outcome != UPSTREAM_BROKEN)
		return false;
	if (t->hopeless || t->whole_time)
		return false;
	return repeat == UPSTREAM_SAFE || t->nothing_sent;
}

/* The next number of a splitmix64 sequence. */
uint64_t
retry_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Exponential back-off with full jitter. */
int64_t
retry_backoff(unsigned tries, uint64_t *random)
{
	int64_t bound = RETRY_BASE_MS;

	for (; tries > 1 && bound < RETRY_CAP_MS; tries--)
		bound *= 2;
	if (bound > RETRY_CAP_MS)
		bound = RETRY_CAP_MS;
	return (int64_t)(retry_random(random) % (uint64_t)(bound + 1));
}

/* Reads a Retry-After field. */
int64_t
retry_after_read(const char *value, int64_t wall)
{
	int64_t ms = 0, when;
	const char *p = value;

	if (isdigit((unsigned char)*p)) {
		for (; isdigit((unsigned char)*p); p++)
			if (ms < RETRY_AFTER_MAX)
				ms = ms * 10 + (*p - '0') * 1000;
		if (*p != '\0')
			return -1;
	} else {
		if (!timestamp_parse_http(value, &when))
			return -1;
		ms = when > wall ? when - wall : 0;
	}
	return ms < RETRY_AFTER_MAX ? ms : RETRY_AFTER_MAX;
}

/* How long to wait before the next try. */
int64_t
retry_wait(int64_t retry_after, int64_t backoff, int64_t left)
{
	if (retry_after >= left)
		return -1;
	if (retry_after >= 0)
		return retry_after + backoff < left ? retry_after + backoff : retry_after;
	return backoff < left ? backoff : -1;
}
