#include "config.h"

#include "core/settle.h"

#define SETTLE_MIN_MS 20
#define SETTLE_MAX_MS 10000

/* Begins with an outcome that has just become unknown. */
void
settle_start(struct settle *s, int64_t now, int64_t grace)
{
	s->since = now;
	s->grace = grace;
	s->looks = s->counted = 0;
}

/* Time until the next look. */
int64_t
settle_delay(struct settle *s, int64_t now)
{
	int64_t delay = (s->grace / 64 + 1) << (s->looks < 16 ? s->looks : 16);
	int64_t left = s->since + s->grace - now;

	s->looks++;
	if (delay > s->grace)
		delay = s->grace;
	if (delay > SETTLE_MAX_MS)
		delay = SETTLE_MAX_MS;
	if (left > 0 && delay > left)
		delay = left;
	return delay < SETTLE_MIN_MS ? SETTLE_MIN_MS : delay;
}

/* Counts a look that did not show it. */
bool
settle_absent(struct settle *s, int64_t now)
{
	s->counted++;
	return s->counted >= SETTLE_LOOKS && now - s->since >= s->grace;
}
