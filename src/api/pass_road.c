#include "config.h"

#include "api/pass_road.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Takes one more reference. */
struct pass_road *
pass_road_ref(struct pass_road *r)
{
	r->refs++;
	return r;
}

/* Gives a way back; the last one closes it. */
void
pass_road_unref(struct pass_road *r)
{
	if (r == NULL || --r->refs > 0)
		return;
	relay_free(r->relay);
	free((char *)r->config.url);
	mem_wipe_free((char *)r->config.proxy);
	free((char *)r->config.ca_file);
	free(r);
}

/* Opens a way; NULL with a sentence. */
struct pass_road *
pass_road_open(struct loop *loop, const struct relay_config *rc, struct fail *fail)
{
	struct relay *relay = relay_new(loop, rc, fail);
	struct pass_road *r;

	if (relay == NULL)
		return NULL;
	r = mem_zero(1, sizeof *r);
	r->refs = 1;
	r->relay = relay;
	r->config = *rc;
	r->config.url = mem_string(rc->url);
	r->config.proxy = mem_string(rc->proxy);
	r->config.ca_file = mem_string(rc->ca_file);
	return r;
}

/* Whether two texts, each of which may be NULL, are the same. */
static bool
pass_road_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Whether a way is as it is to be. */
bool
pass_road_is(const struct pass_road *r, const struct relay_config *rc)
{
	return r != NULL && strcmp(r->config.url, rc->url) == 0 &&
	    pass_road_same_text(r->config.proxy, rc->proxy) &&
	    pass_road_same_text(r->config.ca_file, rc->ca_file) &&
	    r->config.connect_ms == rc->connect_ms && r->config.idle_ms == rc->idle_ms;
}
