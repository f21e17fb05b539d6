#include "config.h"

#include "upstream/lately.h"

/* Notes and gives. */
long
lately_note(struct lately *l, long now_used, int64_t now)
{
	if (now - l->since >= LATELY_MS) {
		l->before = now - l->since < 2 * LATELY_MS ? l->most : now_used;
		l->most = now_used;
		l->since = now;
	}
	if (l->most < now_used)
		l->most = now_used;
	return l->most > l->before ? l->most : l->before;
}
