#include "config.h"

#include "upstream/rate.h"

#define RATE_BURST_PART 6 /* of the budget may be used at once */

/* Fills the bucket. */
void
rate_init(struct rate *r, unsigned per_minute, int64_t now)
{
	r->burst = per_minute / RATE_BURST_PART;
	if (r->burst == 0 && per_minute > 0)
		r->burst = 1;
	r->refill = per_minute > 0 ? per_minute + 1 - r->burst : 0;
	r->level = (int64_t)r->burst * RATE_TOKEN;
	r->at = now;
}

/* What the bucket holds now. */
static int64_t
rate_level(const struct rate *r, int64_t now)
{
	int64_t top = (int64_t)r->burst * RATE_TOKEN;
	int64_t passed = now > r->at ? now - r->at : 0;

	if (passed >= (top - r->level) / r->refill + 1)
		return top;
	return r->level + passed * r->refill;
}

/* Milliseconds until a token is there. */
int64_t
rate_wait(const struct rate *r, int64_t now)
{
	int64_t missing;

	if (r->burst == 0)
		return 0;
	missing = RATE_TOKEN - rate_level(r, now);
	return missing <= 0 ? 0 : (missing + r->refill - 1) / r->refill;
}

/* Takes a token. */
void
rate_take(struct rate *r, int64_t now)
{
	if (r->burst == 0)
		return;
	r->level = rate_level(r, now) - RATE_TOKEN;
	if (now > r->at)
		r->at = now;
}
