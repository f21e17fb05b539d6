#include "config.h"

#include "api/admin_reload.h"
#include "base/mem.h"

#include <stdlib.h>

/* One request that waits for the configuration to be read again. */
struct admin_reload {
	struct http_exchange *ex;
	bool begun; /* the reading that answers it has begun */
	struct api *api;
	TAILQ_ENTRY(admin_reload) link;
};

/* The exchange is over. */
static void
admin_reload_on_end(void *arg, enum http_end end)
{
	struct admin_reload *w = arg;

	if (w->api != NULL)
		TAILQ_REMOVE(&w->api->reloads, w, link);
	free(w);
}

/* The whole request is here. */
static void
admin_reload_on_body(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	struct admin_reload *w = arg;

	w->api->reload(w->api->reload_arg);
}

/* Takes a request. */
void
admin_reload(struct api *api, struct http_exchange *ex)
{
	struct admin_reload *w;

	if (api->reload == NULL) {
		api_answer_error(ex, 404, "Nothing can be loaded again here");
		return;
	}
	w = mem_zero(1, sizeof *w);
	w->api = api;
	w->ex = ex;
	TAILQ_INSERT_TAIL(&api->reloads, w, link);
	http_exchange_on_end(ex, admin_reload_on_end, w);
	http_exchange_collect(ex, 0, admin_reload_on_body, w);
}

/* Names who reads the configuration. */
void
api_on_reload(struct api *api, loop_fn reload, void *arg)
{
	api->reload = reload;
	api->reload_arg = arg;
}

/* The file is being read: those who asked so far get the outcome. */
void
api_reload_begin(struct api *api)
{
	struct admin_reload *w;

	TAILQ_FOREACH(w, &api->reloads, link)
		w->begun = true;
}

/* It is in force, or is not. */
void
api_reload_end(struct api *api, int status, const char *body, size_t len)
{
	struct admin_reload *w, *next;

	api->reload_refused_last = status != 200;
	if (status == 200)
		api->reloads_taken++;
	else
		api->reloads_refused++;
	for (w = TAILQ_FIRST(&api->reloads); w != NULL; w = next) {
		next = TAILQ_NEXT(w, link);
		if (!w->begun)
			continue;
		TAILQ_REMOVE(&api->reloads, w, link);
		w->api = NULL;
		api_answer_json(w->ex, status, body, len);
	}
}
