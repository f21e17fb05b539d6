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
	work_done_fn done;
	void *arg;
};

/* Ends what it waits for and frees it. */
static void
projects_free(struct projects_work *w)
{
	if (w->store != NULL)
		store_cancel(w->store);
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

/* Writes the list. */
static char *
projects_print(const struct project_rows *rows, size_t *len)
{
	struct buf b;

	buf_init(&b, PROJECTS_MAX);
	buf_addc(&b, '[');
	for (size_t i = 0; i < rows->count; i++) {
		const struct project_row *r = &rows->items[i];

		buf_adds(&b, i > 0 ? ",{\"id\":" : "{\"id\":");
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
	project_rows_make(w->gw->snap, reply, &rows);
	if (reply->status != STORE_OK && rows.others) {
		gateway_read_trouble(&r);
	} else {
		body = projects_print(&rows, &len);
		result_body(&r, 200, body, len);
		result_etag(body, len, r.etag);
	}
	project_rows_free(&rows);
	w->done(w->arg, &r);
	result_clear(&r);
}

/* Lists the projects. */
struct work *
projects_list(struct gateway *gw, work_done_fn done, void *arg)
{
	struct projects_work *w = mem_zero(1, sizeof *w);

	w->work.ops = &projects_ops;
	w->gw = gw;
	w->done = done;
	w->arg = arg;
	w->store = store_scopes(gw->store, projects_on_scopes, w);
	return &w->work;
}
