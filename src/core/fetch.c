#include "config.h"

#include "core/fetch.h"
#include "base/digest.h"
#include "base/mem.h"
#include "core/connector.h"
#include "core/crew.h"
#include "core/epoch.h"
#include "core/follow.h"
#include "core/drift.h"
#include "core/gone.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

struct fetch_wait {
	struct fetch *fetch;
	fetch_fn fn;
	void *arg;
	TAILQ_ENTRY(fetch_wait) link;
};

struct fetch {
	struct gateway *gw;
	struct snapshot *snap;
	struct project project; /* of the first waiter */
	char *key;
	struct shelf_entry *entry; /* pinned */
	struct upstream_call *call;
	uint64_t sequence;
	unsigned generation; /* of the entry when the call started */
	bool listed;         /* in gw->fetches, to be joined */
	bool claimed;        /* in the whole crew */
	TAILQ_HEAD(, fetch_wait) waiters;
	UT_hash_handle hh;
};

/* Whether a write past the gateway may have changed it since. */
bool
fetch_outdated(const struct gateway *gw, const struct shelf_entry *e)
{
	return gw->bypassed > e->seen_sequence && gw->bypassed > e->written_sequence;
}

/* Whether the ready-made answer is young enough. */
bool
fetch_fresh(const struct gateway *gw, const struct project *p, const struct shelf_entry *e)
{
	return shelf_ready(e, p) && e->fetched != 0 && !fetch_outdated(gw, e) &&
	    loop_now(gw->loop) - e->fetched < gw->snap->config->bluejay.cache_fresh;
}

/* Nobody can join this fetch any more. */
static void
fetch_unlist(struct fetch *f)
{
	if (f->listed)
		HASH_DEL(f->gw->fetches, f);
	f->listed = false;
}

/* Frees a fetch without waiters. */
static void
fetch_free(struct fetch *f)
{
	fetch_unlist(f);
	if (f->claimed)
		crew_release(f->gw, f->entry->record.upstream_id);
	if (f->call != NULL)
		upstream_cancel(f->call);
	shelf_unpin(f->entry);
	snapshot_unref(f->snap);
	free(f->key);
	free(f);
}

/* Reads an object from text; NULL when there is none. */
static struct json_object *
fetch_parse(const char *text)
{
	struct json_object *o = NULL;

	if (text != NULL)
		json_read(text, strlen(text), &o, NULL);
	return o;
}

/* Drops the fillers that the upstream no longer shows; true when any went. */
static bool
fetch_update_absent(const struct project *p, struct store_record *r, struct json_object *upstream)
{
	struct json_object *absent = fetch_parse(r->absent), *left;
	bool changed = false;

	if (absent == NULL)
		return false;
	left = mapping_absent_left(p->mapping, upstream, absent, &changed);
	if (changed) {
		free(r->absent);
		r->absent = left == NULL ? NULL : json_print(left, NULL);
	}
	json_object_put(left);
	json_object_put(absent);
	return changed;
}

/* What an item tells here; NULL when it does not have the declared shape. */
static struct json_object *
fetch_view(const struct project *p, struct json_object *upstream)
{
	struct json_object *local = NULL;

	if (upstream != NULL)
		mapping_answer_make(p->mapping, upstream, "", NULL, NULL, 0, &local, NULL);
	return local;
}

/* Whether an item, printed, is the record's content: most often it is, and printing is
 * cheaper than parsing. */
static bool
fetch_prints_same(const struct store_record *r, struct json_object *upstream)
{
	char *text;
	bool same;

	if (r->content == NULL)
		return false;
	text = json_print(upstream, NULL);
	same = strcmp(text, r->content) == 0;
	free(text);
	return same;
}

/* Whether the record's content tells the same: members that the mapping does not know
 * may differ, such as one that changes with every read. */
static bool
fetch_is_same(const struct project *p, const struct store_record *r, struct json_object *upstream)
{
	struct json_object *old, *was, *is;
	bool same;

	if (fetch_prints_same(r, upstream))
		return true;
	old = fetch_parse(r->content);
	same = old != NULL && json_equal(old, upstream);
	if (old != NULL && !same) {
		was = fetch_view(p, old);
		is = fetch_view(p, upstream);
		same = was != NULL && is != NULL && json_equal(was, is);
		json_object_put(was);
		json_object_put(is);
	}
	json_object_put(old);
	return same;
}

/* Whether an upstream item is the record's and has the declared shape. A name does
 * not get lost. */
bool
fetch_fits(struct gateway *gw, const struct project *p, const struct store_record *r,
    struct json_object *upstream)
{
	const char *id = resource_id(p->resource, upstream);
	struct json_object *local = NULL;
	struct fail fail;
	bool fits = false;

	if (id == NULL || strcmp(id, r->upstream_id) != 0)
		fail_set(&fail, "the id is another one");
	else if (resource_is_labelled(p->resource) && (r->name[0] != '\0' || !p->resource->unique) &&
	    resource_label(p->resource, p->mapping, upstream) == NULL)
		fail_set(&fail, "the %s is missing", p->resource->name);
	else
		fits = mapping_answer_make(p->mapping, upstream, r->local_id, NULL, NULL, 0, &local,
		           &fail) == 0;
	json_object_put(local);
	if (!fits)
		log_warn(gw->log, "an upstream answer does not have the declared shape",
		    LOG_S("id", r->upstream_id), LOG_S("why", fail.text));
	return fits;
}

/* Writes new content into the record. */
static void
fetch_update_record(struct gateway *gw, const struct project *p, struct store_record *r,
    struct json_object *upstream)
{
	const char *name = resource_unique_name(p->resource, p->mapping, upstream);

	if (r->content != NULL) {
		int64_t now = loop_wall(gw->loop);

		r->updated_ms = now > r->updated_ms ? now : r->updated_ms + 1;
		r->unclaimed = false;
	}
	free(r->content);
	r->content = json_print(upstream, NULL);
	if (name != NULL && (r->name == NULL || strcmp(name, r->name) != 0)) {
		free(r->name);
		r->name = mem_string(name);
	}
}

/* A short form of what an item tells; 0 when it does not have the declared shape. */
static uint64_t
fetch_print(const struct project *p, struct json_object *upstream)
{
	struct json_object *local = fetch_view(p, upstream);
	char hex[DIGEST_HEX_SIZE], *text;
	size_t len;

	if (local == NULL)
		return 0;
	text = json_print(local, &len);
	digest_hex(text, len, hex);
	free(text);
	json_object_put(local);
	hex[16] = '\0';
	return strtoull(hex, NULL, 16);
}

/* Remembers what a write has replaced. */
void
fetch_replaced(struct gateway *gw, const struct project *p, struct shelf_entry *e,
    const char *content)
{
	struct json_object *old = fetch_parse(content);

	e->replaced[e->replaced_count++ % SHELF_REPLACED] = fetch_print(p, old);
	e->replaced_at = loop_now(gw->loop);
	json_object_put(old);
}

/* Whether a listing is late. */
bool
fetch_is_late(struct gateway *gw, const struct project *p, const struct shelf_entry *e,
    struct json_object *upstream)
{
	uint64_t print;

	if (e->replaced_count == 0 || !shelf_ready(e, p) ||
	    loop_now(gw->loop) - e->replaced_at >= gw->snap->config->bluejay.settle_grace ||
	    (print = fetch_print(p, upstream)) == 0)
		return false;
	for (unsigned i = 0; i < SHELF_REPLACED; i++)
		if (e->replaced[i] == print)
			return true;
	return false;
}

/* Whether a write came after a read began, so that the read tells nothing. */
static bool
fetch_is_overtaken(const struct gateway *gw, const struct shelf_entry *e, uint64_t sequence)
{
	return e->written_sequence > sequence ||
	    (gw->bypassed > sequence && e->seen_sequence > sequence);
}

/* Notes that an item was seen. The store learns the age too, so that that of a stale
 * answer survives a restart. */
static void
fetch_note(struct gateway *gw, struct shelf_entry *e, uint64_t sequence, bool changed)
{
	struct store_record *r = &e->record;
	int64_t wall = loop_wall(gw->loop), stale = gw->snap->config->bluejay.cache_stale;
	bool aged = stale > 0 && wall - r->content_ms > stale / 4;

	e->fetched = loop_now(gw->loop);
	e->seen_sequence = sequence;
	r->content_ms = wall;
	if (changed || aged)
		follow_refresh(gw, e);
	if (changed)
		epoch_touch(gw, r->scope);
}

/* Notes what would give what is ready. */
void
fetch_seen_again(struct gateway *gw, struct shelf_entry *e, uint64_t sequence)
{
	if (fetch_is_overtaken(gw, e, sequence))
		return;
	gone_disproved(gw, e->record.scope, &e->record, NULL);
	fetch_note(gw, e, sequence, false);
}

/* Takes in an upstream item. */
int
fetch_seen(struct gateway *gw, const struct project *p, struct shelf_entry *e,
    struct json_object *upstream, uint64_t sequence)
{
	struct store_record *r = &e->record;
	bool changed;

	if (fetch_is_overtaken(gw, e, sequence))
		return shelf_show(e, p, NULL, NULL);
	changed = !fetch_is_same(p, r, upstream);
	if ((changed || !shelf_ready(e, p)) && !fetch_fits(gw, p, r, upstream))
		return -1;
	gone_disproved(gw, r->scope, r, upstream);
	if (changed)
		fetch_update_record(gw, p, r, upstream);
	changed = fetch_update_absent(p, r, upstream) || changed;
	if ((changed || !shelf_ready(e, p)) && shelf_show(e, p, upstream, NULL) != 0)
		return -1;
	fetch_note(gw, e, sequence, changed);
	return 0;
}

/* Tells every waiter and frees the fetch. */
static void
fetch_finish(struct fetch *f, struct fetch_outcome *out)
{
	struct fetch_wait *w;

	fetch_unlist(f);
	f->call = NULL;
	out->entry = f->entry;
	while ((w = TAILQ_FIRST(&f->waiters)) != NULL) {
		TAILQ_REMOVE(&f->waiters, w, link);
		w->fetch = NULL;
		w->fn(w->arg, out);
		free(w);
	}
	fetch_free(f);
}

/* Judges an answer whose status is 200. */
static void
fetch_take_body(struct fetch *f, const struct upstream_answer *a, struct fetch_outcome *out,
    struct result *trouble)
{
	struct shelf_entry *e = f->entry;
	struct json_object *item;
	bool alike;

	if (shelf_knows(e, &f->project, a->body, a->body_len)) {
		drift_alike(f->gw->drift, &f->project, 1);
		fetch_seen_again(f->gw, e, f->sequence);
		out->status = FETCH_OK;
		return;
	}
	item = gateway_read_item(f->gw, &f->project, a, &alike);
	if (item != NULL && fetch_seen(f->gw, &f->project, e, item, f->sequence) == 0) {
		if (alike && e->seen_sequence == f->sequence)
			shelf_know(e, a->body, a->body_len);
		out->status = FETCH_OK;
	} else {
		gateway_trouble(trouble, a, &f->project);
		out->down = true;
	}
	json_object_put(item);
}

/* Judges an answer by a helper's copy: it is what the copy was made from, byte for byte, or
 * the owner's business. */
static void
fetch_take_alike(struct fetch *f, const struct upstream_answer *a, struct fetch_outcome *out)
{
	struct shelf_entry *e = f->entry;

	out->status = FETCH_OTHER;
	if (a->status != 200 || !shelf_knows(e, &f->project, a->body, a->body_len) ||
	    !crew_is_current(f->gw, e))
		return;
	out->status = FETCH_OK;
	e->fetched = loop_now(f->gw->loop);
	e->record.content_ms = loop_wall(f->gw->loop);
}

/* The upstream has answered. */
static void
fetch_on_answer(void *arg, const struct upstream_answer *a)
{
	struct fetch *f = arg;
	struct fetch_outcome out = {.status = FETCH_FAILED};
	struct result trouble;

	result_init(&trouble);
	gateway_saw_answer(f->gw, a);
	fetch_unlist(f);
	if (crew_owner(f->gw) != NULL && a->outcome == UPSTREAM_ANSWER &&
	    (a->status == 200 || a->status == 404)) {
		fetch_take_alike(f, a, &out);
	} else if (f->entry->dead && f->entry->generation != f->generation) {
		out.status = FETCH_GONE; /* deleted here meanwhile */
	} else if (a->outcome == UPSTREAM_ANSWER && a->status == 200) {
		fetch_take_body(f, a, &out, &trouble);
	} else if (a->outcome == UPSTREAM_ANSWER && a->status == 404) {
		if (f->entry->generation != f->generation || gone_report(f->gw, f->entry)) {
			out.status = FETCH_GONE;
		} else {
			gone_trouble(&trouble, f->project.resource);
			out.doubted = true;
		}
	} else {
		gateway_trouble(&trouble, a, &f->project);
		out.down = result_upstream_is_down(a);
	}
	out.trouble = &trouble;
	fetch_finish(f, &out);
	result_clear(&trouble);
}

/* Starts a call. */
static struct fetch *
fetch_new(struct gateway *gw, const struct project *p, struct shelf_entry *e)
{
	struct fetch *f = mem_zero(1, sizeof *f), *old;
	struct upstream_request q;
	char *path = project_path(p, &p->resource->read, e->record.upstream_id);

	f->gw = gw;
	f->snap = snapshot_ref(p->snap);
	f->key = mem_string(e->key);
	f->entry = e;
	f->generation = e->generation;
	f->project = *p;
	f->sequence = ++gw->sequence;
	TAILQ_INIT(&f->waiters);
	shelf_pin(e);
	HASH_FIND_STR(gw->fetches, f->key, old);
	if (old != NULL)
		fetch_unlist(old);
	HASH_ADD_KEYPTR(hh, gw->fetches, f->key, strlen(f->key), f);
	f->listed = true;
	f->claimed = crew_claim(gw, e->record.upstream_id);
	gateway_request(gw, p, &q, "GET", path);
	f->call = connector_start(gw, p, &q, e->record.kept, fetch_on_answer, f);
	free(path);
	return f;
}

/* Waits for a read. */
struct fetch_wait *
fetch_want(struct gateway *gw, const struct project *p, struct shelf_entry *e, bool join,
    fetch_fn fn, void *arg)
{
	struct fetch_wait *w = mem_zero(1, sizeof *w);
	struct fetch *f = NULL;

	if (join)
		HASH_FIND_STR(gw->fetches, e->key, f);
	if (f != NULL && f->generation == e->generation && f->entry == e &&
	    f->sequence > gw->bypassed && project_same_snapshot(p, &f->project) &&
	    project_same_key(p, f->project.api_key))
		gw->cache_joined++;
	else
		f = fetch_new(gw, p, e);
	w->fetch = f;
	w->fn = fn;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&f->waiters, w, link);
	return w;
}

/* Stops waiting; the last one ends the call, unless it has ended and its waiters
 * are just being told. */
void
fetch_leave(struct fetch_wait *w)
{
	struct fetch *f = w->fetch;

	TAILQ_REMOVE(&f->waiters, w, link);
	free(w);
	if (TAILQ_EMPTY(&f->waiters) && f->call != NULL)
		fetch_free(f);
}
