#include "config.h"

#include "core/projects.h"
#include "base/mem.h"
#include "core/gateway_impl.h"
#include "core/project_rows.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define PROJECTS_MAX ((size_t)16 << 20) /* bytes of a list */

struct projects_work {
	struct work work;
	struct store_call *store;
	struct gateway *gw;
	struct snapshot *snap;
	const char *const *only; /* in it */
	work_done_fn done;
	void *arg;
};

/* Ends what it waits for and frees it. */
static void
projects_free(struct projects_work *w)
{
	if (w->store != NULL)
		store_cancel(w->store);
	snapshot_unref(w->snap);
	free(w);
}

/* The client is gone. */
static void
projects_cancel(struct work *w)
{
	projects_free((struct projects_work *)w);
}

/* The client was told. */
static void
projects_told(struct work *w, bool sent)
{
	projects_free((struct projects_work *)w);
}

static const struct work_ops projects_ops = {projects_cancel, projects_told};

/* Whether a list of ids (NULL: every one) has this id. */
static bool
projects_among(const char *const *only, const char *id)
{
	for (; only != NULL && *only != NULL; only++)
		if (strcmp(*only, id) == 0)
			return true;
	return only == NULL;
}

/* Writes the list. */
static char *
projects_print(const struct project_rows *rows, const char *const *only, size_t *len)
{
	struct buf b;

	buf_init(&b, PROJECTS_MAX);
	buf_addc(&b, '[');
	for (size_t i = 0; i < rows->count; i++) {
		const struct project_row *r = &rows->items[i];

		if (!projects_among(only, r->id))
			continue;
		buf_adds(&b, b.len > 1 ? ",{\"id\":" : "{\"id\":");
		json_add_string(&b, r->id, strlen(r->id));
		buf_adds(&b, ",\"name\":");
		json_add_string(&b, r->name, strlen(r->name));
		buf_addc(&b, '}');
	}
	buf_addc(&b, ']');
	return buf_take(&b, len);
}

/* The store has said what it knows. Without it the file alone is the answer, if
 * nothing else is admitted. */
static void
projects_on_scopes(void *arg, struct store_reply *reply)
{
	struct projects_work *w = arg;
	struct project_rows rows;
	struct result r;
	char *body;
	size_t len;

	w->store = NULL;
	project_rows_make(w->snap, reply, &rows);
	if (reply->status != STORE_OK && rows.others) {
		gateway_read_trouble(&r);
	} else {
		body = projects_print(&rows, w->only, &len);
		result_body(&r, 200, body, len);
		result_etag(body, len, r.etag);
	}
	project_rows_free(&rows);
	w->done(w->arg, &r);
	result_clear(&r);
}

/* Lists the projects. */
struct work *
projects_list(struct gateway *gw, const char *const *only, work_done_fn done, void *arg)
{
	struct projects_work *w = mem_zero(1, sizeof *w);

	w->work.ops = &projects_ops;
	w->gw = gw;
	w->snap = snapshot_ref(gw->snap);
	w->only = only;
	w->done = done;
	w->arg = arg;
	w->store = store_scopes(gw->store, false, projects_on_scopes, w);
	return &w->work;
}
