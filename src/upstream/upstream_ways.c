#include "config.h"

#include "upstream/upstream_ways.h"
#include "base/mem.h"
#include "upstream/upstream_settings.h"

#include <stdlib.h>
#include <string.h>

/* Opens ways. */
bool
upstream_ways_open(struct upstream_ways *w, struct loop *loop, const struct upstream_config *cfg,
    struct fail *f)
{
	memset(w, 0, sizeof *w);
	w->http1 = upstream_settings_open(loop, cfg, false, f);
	if (w->http1 == NULL || !cfg->http2)
		return w->http1 != NULL;
	w->http2 = upstream_settings_open(loop, cfg, true, f);
	if (w->http2 == NULL)
		way_free(w->http1);
	return w->http2 != NULL;
}

/* Goes other ways. */
void
upstream_ways_turn(struct upstream_ways *w, const struct upstream_ways *next)
{
	w->old = mem_resize(w->old, (w->old_count + 2) * sizeof(struct way *));
	w->old[w->old_count++] = w->http1;
	if (w->http2 != NULL)
		w->old[w->old_count++] = w->http2;
	w->http1 = next->http1;
	w->http2 = next->http2;
}

/* Begins new pools. */
void
upstream_ways_renew(struct upstream_ways *w)
{
	way_renew(w->http1);
	if (w->http2 != NULL)
		way_renew(w->http2);
}

/* Frees what is over. */
void
upstream_ways_sweep(struct upstream_ways *w)
{
	size_t left = 0;

	for (size_t i = 0; i < w->old_count; i++) {
		if (way_is_idle(w->old[i]))
			way_free(w->old[i]);
		else
			w->old[left++] = w->old[i];
	}
	w->old_count = left;
}

/* Closes everything. */
void
upstream_ways_free(struct upstream_ways *w)
{
	upstream_ways_sweep(w);
	free(w->old);
	way_free(w->http1);
	way_free(w->http2);
}

/* Chooses. */
struct way *
upstream_ways_pick(const struct upstream_ways *w, enum upstream_repeat repeat)
{
	return w->http2 != NULL && !w->no_http2 && repeat == UPSTREAM_SAFE ? w->http2 : w->http1;
}
