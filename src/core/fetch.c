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
#include "core/peers.h"
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
	struct snapshot_hold *snap;
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
	return shelf_ready(e, p) && e->fetched != 0 && !e->behind && !fetch_outdated(gw, e) &&
	    loop_now(gw->loop) - e->fetched < gw->snap->config->bluejay.cache_fresh && peers_told(gw);
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
	snapshot_hold_drop(f->snap);
	free(f->key);
	free(f);
}

/* Drops the fillers that the upstream no longer shows; true when any went. */
static bool
fetch_update_absent(struct store_record *r, struct sight *sight)
{
	char *left = NULL;

	if (sight_absent_holds(sight, r->absent, &left))
		return false;
	free(r->absent);
	r->absent = left;
	return true;
}

/* Whether what was seen tells anything that the entry does not. */
bool
fetch_differs(const struct shelf_entry *e, struct sight *sight)
{
	return e->record.content != NULL && !sight_tells(sight, e->record.content);
}

/* Whether what was seen is the record's item and has the declared shape. A name does not
 * get lost. */
static bool
fetch_fits_seen(struct gateway *gw, const struct store_record *r, struct sight *sight)
{
	const struct resource *resource = sight->project->resource;
	const char *id = sight_id(sight);
	struct fail fail;
	bool fits = false;

	if (id == NULL || strcmp(id, r->upstream_id) != 0)
		fail_set(&fail, "the id is another one");
	else if (resource_is_labelled(resource) && (r->name[0] != '\0' || !resource->unique) &&
	    sight_label(sight) == NULL)
		fail_set(&fail, "the %s is missing", resource->name);
	else
		fits = sight_is_read(sight, r->local_id, &fail);
	if (!fits)
		log_warn(gw->log, "an upstream answer does not have the declared shape",
		    LOG_S("id", r->upstream_id), LOG_S("why", fail.text));
	return fits;
}

/* The same for a tree. */
bool
fetch_fits(struct gateway *gw, const struct project *p, const struct store_record *r,
    struct json_object *upstream)
{
	struct sight sight;
	bool fits;

	sight_take(&sight, p, json_object_get(upstream));
	fits = fetch_fits_seen(gw, r, &sight);
	sight_clear(&sight);
	return fits;
}

/* Writes new content into the record. */
static void
fetch_update_record(struct gateway *gw, struct store_record *r, struct sight *sight)
{
	const char *name = sight_unique_name(sight);

	if (r->content != NULL) {
		int64_t now = loop_wall(gw->loop);

		r->updated_ms = now > r->updated_ms ? now : r->updated_ms + 1;
		r->unclaimed = false;
	}
	free(r->content);
	r->content = sight_print(sight);
	if (name != NULL && (r->name == NULL || strcmp(name, r->name) != 0)) {
		free(r->name);
		r->name = mem_string(name);
	}
}

/* A short form of what an item tells; 0 when it does not have the declared shape. */
static uint64_t
fetch_print(const struct project *p, struct json_object *upstream)
{
	struct json_object *local = NULL;
	char hex[DIGEST_HEX_SIZE], *text;
	size_t len;

	if (upstream == NULL ||
	    mapping_answer_make(p->mapping, upstream, "", NULL, NULL, 0, &local, NULL) != 0)
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
	struct json_object *old = NULL;

	if (content != NULL)
		json_read(content, strlen(content), &old, NULL);
	e->replaced[e->replaced_count++ % SHELF_REPLACED] = fetch_print(p, old);
	e->replaced_at = loop_now(gw->loop);
	json_object_put(old);
}

/* Whether a listing is late. */
bool
fetch_is_late(struct gateway *gw, const struct project *p, const struct shelf_entry *e,
    struct sight *sight)
{
	uint64_t print;

	if (e->replaced_count == 0 || !shelf_ready(e, p) ||
	    loop_now(gw->loop) - e->replaced_at >= gw->snap->config->bluejay.settle_grace ||
	    (print = fetch_print(p, sight_tree(sight))) == 0)
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
		epoch_see(gw, r->scope);
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
fetch_seen(struct gateway *gw, struct shelf_entry *e, struct sight *sight, uint64_t sequence)
{
	const struct project *p = sight->project;
	struct store_record *r = &e->record;
	bool changed;

	if (fetch_is_overtaken(gw, e, sequence))
		return shelf_show(e, p, NULL, NULL);
	changed = !sight_tells(sight, r->content);
	if ((changed || !shelf_ready(e, p)) && !fetch_fits_seen(gw, r, sight))
		return -1;
	gone_disproved(gw, r->scope, r, sight_organisation(sight));
	if (changed)
		fetch_update_record(gw, r, sight);
	changed = fetch_update_absent(r, sight) || changed;
	if ((changed || !shelf_ready(e, p)) && shelf_show_seen(e, sight, NULL) != 0)
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
	struct sight sight;

	if (shelf_knows(e, &f->project, a->body, a->body_len)) {
		drift_alike(f->gw->drift, &f->project, 1);
		fetch_seen_again(f->gw, e, f->sequence);
		out->status = FETCH_OK;
		return;
	}
	if (!gateway_see_item(f->gw, &f->project, a, &sight)) {
		gateway_trouble(trouble, a, &f->project);
		out->down = true;
		return;
	}
	if (fetch_seen(f->gw, e, &sight, f->sequence) == 0) {
		if (sight.alike && e->seen_sequence == f->sequence)
			shelf_know(e, a->body, a->body_len);
		out->status = FETCH_OK;
	} else {
		gateway_trouble(trouble, a, &f->project);
		out->down = true;
	}
	sight_clear(&sight);
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
	f->snap = gateway_hold(gw, p->snap);
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
	    f->sequence > gw->bypassed && peers_told(gw) && project_same_snapshot(p, &f->project) &&
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
