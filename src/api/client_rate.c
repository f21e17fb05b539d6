#include "config.h"

#include "api/client_rate.h"

/* Takes one request. */
bool
client_rate_take(struct client_rate *r, int64_t per_minute, int64_t now,
    struct client_rate_left *left)
{
	int64_t most = per_minute * CLIENT_RATE_PART, passed = now > r->at ? now - r->at : 0;
	int64_t over;
	bool taken;

	if (passed >= CLIENT_RATE_PART || r->used <= passed * per_minute)
		r->used = 0;
	else
		r->used -= passed * per_minute;
	r->at = now;
	over = r->used + CLIENT_RATE_PART - most;
	taken = over <= 0;
	if (taken)
		r->used += CLIENT_RATE_PART;
	left->requests = taken ? (most - r->used) / CLIENT_RATE_PART : 0;
	left->reset_s = ((taken ? r->used : over) + per_minute * 1000 - 1) / (per_minute * 1000);
	return taken;
}
