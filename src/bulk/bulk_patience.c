#include "config.h"

#include "bulk/bulk_patience.h"
#include "upstream/retry.h"

/* Begins. */
void
bulk_patience_init(struct bulk_patience *p, int64_t now, uint64_t seed)
{
	p->since = now;
	p->tries = 0;
	p->random = seed;
}

/* How soon: half of the back-off at least, so that a server that is away is left alone. */
int64_t
bulk_patience_wait(struct bulk_patience *p, int64_t now, int64_t retry_after, int64_t limit)
{
	int64_t wait = BULK_PATIENCE_BASE_MS;

	for (unsigned i = 0; i < p->tries && wait < BULK_PATIENCE_CAP_MS; i++)
		wait *= 2;
	if (wait > BULK_PATIENCE_CAP_MS)
		wait = BULK_PATIENCE_CAP_MS;
	p->tries++;
	wait = wait / 2 + (int64_t)(retry_random(&p->random) % (uint64_t)(wait / 2 + 1));
	if (wait < retry_after)
		wait = retry_after;
	return now + wait - p->since <= limit ? wait : -1;
}

/* Too slow, too many, or a server in trouble. */
bool
bulk_patience_status(int status)
{
	return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501);
}
