#include "config.h"

#include "sandbox/sandbox_state.h"
#include "base/mem.h"
#include "sandbox/sandbox_journal.h"
#include "sandbox/sandbox_record.h"

#include <stdlib.h>
#include <string.h>

#define SANDBOX_STATE_BUDGET ((size_t)512 << 20) /* bytes of all items */
#define SANDBOX_STATE_SWEEP_MS 2000              /* how often deleted items are freed */

/* Items that are listed together: the communities, or one agent's personas. */
struct sandbox_group {
	struct sandbox_group_key {
		int64_t agent_id;
		enum sandbox_group_kind { GROUP_AGENT, GROUP_NO_AGENT, GROUP_COMMUNITIES } kind;
		int padding; /* keys are compared as bytes */
	} key;
	struct sandbox_items items; /* linked by peers; deleted ones too until they are swept */
	UT_hash_handle hh;
};

struct sandbox_state {
	struct loop *loop;
	struct log *log;
	struct sandbox_journal *journal;
	char org[UUID_SIZE];
	int64_t last_us;
	uint64_t deleted;
	size_t bytes, budget;
	struct sandbox_items all, ghosts;
	struct sandbox_item *by_id;
	struct sandbox_group *groups;
	struct loop_timer sweep;
};

/* Finds or makes the group that an item is listed with. */
static struct sandbox_group *
sandbox_state_group(struct sandbox_state *s, const struct sandbox_item *item)
{
	const struct sandbox_persona *p = (const struct sandbox_persona *)item;
	struct sandbox_group_key key;
	struct sandbox_group *g;

	memset(&key, 0, sizeof key);
	if (item->kind == SANDBOX_COMMUNITY) {
		key.kind = GROUP_COMMUNITIES;
	} else if (p->has_agent) {
		key.kind = GROUP_AGENT;
		key.agent_id = p->agent_id;
	} else {
		key.kind = GROUP_NO_AGENT;
	}
	HASH_FIND(hh, s->groups, &key, sizeof key, g);
	if (g == NULL) {
		g = mem_zero(1, sizeof *g);
		g->key = key;
		TAILQ_INIT(&g->items);
		HASH_ADD(hh, s->groups, key, sizeof g->key, g);
	}
	return g;
}

/* Takes an item out of its group, and frees the group with its last item. */
static void
sandbox_state_ungroup(struct sandbox_state *s, struct sandbox_item *item)
{
	struct sandbox_group *g = item->group;

	TAILQ_REMOVE(&g->items, item, peers);
	if (TAILQ_EMPTY(&g->items)) {
		HASH_DEL(s->groups, g);
		free(g);
	}
}

/* Puts an item into every table. */
static void
sandbox_state_link(struct sandbox_state *s, struct sandbox_item *item)
{
	item->group = sandbox_state_group(s, item);
	TAILQ_INSERT_TAIL(&s->all, item, all);
	TAILQ_INSERT_TAIL(&item->group->items, item, peers);
	HASH_ADD(hh, s->by_id, id, UUID_SIZE - 1, item);
	s->bytes += item->bytes;
}

/* Puts an item in the place of an older form of it, which is freed. */
static void
sandbox_state_swap(struct sandbox_state *s, struct sandbox_item *old, struct sandbox_item *item)
{
	item->group = old->group;
	item->shown_at = old->shown_at;
	item->created_us = old->created_us;
	TAILQ_INSERT_AFTER(&s->all, old, item, all);
	TAILQ_REMOVE(&s->all, old, all);
	TAILQ_INSERT_AFTER(&old->group->items, old, item, peers);
	TAILQ_REMOVE(&old->group->items, old, peers);
	HASH_DEL(s->by_id, old);
	HASH_ADD(hh, s->by_id, id, UUID_SIZE - 1, item);
	s->bytes += item->bytes - old->bytes;
	free(old);
}

/* Takes an item out of the tables; while a listing still shows it, it stays in its group. */
static void
sandbox_state_unlink(struct sandbox_state *s, struct sandbox_item *item, int64_t lag_ms)
{
	TAILQ_REMOVE(&s->all, item, all);
	HASH_DEL(s->by_id, item);
	if (item->kind == SANDBOX_PERSONA)
		s->deleted++;
	if (lag_ms <= 0) {
		sandbox_state_ungroup(s, item);
		s->bytes -= item->bytes;
		free(item);
		return;
	}
	item->gone_at = loop_now(s->loop) + lag_ms;
	TAILQ_INSERT_TAIL(&s->ghosts, item, all);
	if (!s->sweep.armed)
		loop_timer_set(&s->sweep, SANDBOX_STATE_SWEEP_MS);
}

/* Frees deleted items that no listing shows any more; all of them when asked. */
static void
sandbox_state_sweep(struct sandbox_state *s, bool everything)
{
	struct sandbox_item *item, *next;
	int64_t now = loop_now(s->loop);

	for (item = TAILQ_FIRST(&s->ghosts); item != NULL; item = next) {
		next = TAILQ_NEXT(item, all);
		if (!everything && item->gone_at > now)
			continue;
		TAILQ_REMOVE(&s->ghosts, item, all);
		sandbox_state_ungroup(s, item);
		s->bytes -= item->bytes;
		free(item);
	}
}

/* The timer of the sweep. */
static void
sandbox_state_on_sweep(void *arg)
{
	struct sandbox_state *s = arg;

	sandbox_state_sweep(s, false);
	if (!TAILQ_EMPTY(&s->ghosts))
		loop_timer_set(&s->sweep, SANDBOX_STATE_SWEEP_MS);
}

/* Forgets every item and the count of deleted ones. */
static void
sandbox_state_empty(struct sandbox_state *s)
{
	struct sandbox_item *item;

	while ((item = TAILQ_FIRST(&s->all)) != NULL)
		sandbox_state_unlink(s, item, 0);
	sandbox_state_sweep(s, true);
	loop_timer_cancel(&s->sweep);
	s->deleted = 0;
}

/* Takes one line of the journal into the memory. */
static int
sandbox_state_replay(void *arg, const char *line, size_t len, uint64_t number, struct fail *fail)
{
	struct sandbox_state *s = arg;
	struct sandbox_item *old = NULL;
	struct sandbox_record r;

	if (sandbox_record_read(line, len, &r) != 0 ||
	    (number == 1) != (r.kind == SANDBOX_RECORD_HEAD)) {
		free(r.item);
		return fail_set(fail, "line %llu is not one of a sandbox journal",
		    (unsigned long long)number);
	}
	switch (r.kind) {
	case SANDBOX_RECORD_HEAD:
		memcpy(s->org, r.id, UUID_SIZE);
		s->last_us = r.last_us;
		s->deleted = (uint64_t)r.deleted;
		break;
	case SANDBOX_RECORD_ITEM:
		if (r.item->created_us > s->last_us)
			s->last_us = r.item->created_us;
		HASH_FIND(hh, s->by_id, r.item->id, UUID_SIZE - 1, old);
		if (old == NULL)
			sandbox_state_link(s, r.item);
		else
			sandbox_state_swap(s, old, r.item);
		break;
	case SANDBOX_RECORD_DELETE:
		HASH_FIND(hh, s->by_id, r.id, UUID_SIZE - 1, old);
		if (old != NULL)
			sandbox_state_unlink(s, old, 0);
		break;
	case SANDBOX_RECORD_RESET:
		sandbox_state_empty(s);
		break;
	}
	return 0;
}

/* Writes what is there now as the lines of a new journal. */
static void
sandbox_state_fill(void *arg, struct sandbox_journal *j)
{
	struct sandbox_state *s = arg;
	struct sandbox_item *item;
	struct buf line;

	buf_init(&line, 0);
	sandbox_record_head(&line, s->org, s->last_us, s->deleted);
	sandbox_journal_line(j, line.data, line.len);
	TAILQ_FOREACH(item, &s->all, all) {
		buf_clear(&line);
		sandbox_record_item(&line, item);
		sandbox_journal_line(j, line.data, line.len);
	}
	buf_free(&line);
}

/* Opens, reads and compacts the journal. */
static int
sandbox_state_load(struct sandbox_state *s, const char *path, struct fail *fail)
{
	struct fail why;

	s->journal = sandbox_journal_open(path, fail);
	if (s->journal == NULL)
		return -1;
	if (sandbox_journal_read(s->journal, sandbox_state_replay, s, &why) != 0)
		return fail_set(fail, "cannot take up the journal %s: %s", path, why.text);
	return sandbox_journal_rewrite(s->journal, sandbox_state_fill, s, fail);
}

/* Makes the state. */
struct sandbox_state *
sandbox_state_open(struct loop *l, const char *journal, struct log *log, struct fail *fail)
{
	struct sandbox_state *s = mem_zero(1, sizeof *s);

	s->loop = l;
	s->log = log;
	s->budget = SANDBOX_STATE_BUDGET;
	TAILQ_INIT(&s->all);
	TAILQ_INIT(&s->ghosts);
	loop_timer_init(&s->sweep, l, sandbox_state_on_sweep, s);
	uuid_make(s->org);
	if (journal != NULL && sandbox_state_load(s, journal, fail) != 0) {
		sandbox_state_free(s);
		return NULL;
	}
	return s;
}

/* Frees the state and closes its journal. */
void
sandbox_state_free(struct sandbox_state *s)
{
	if (s == NULL)
		return;
	sandbox_state_empty(s);
	sandbox_journal_close(s->journal);
	free(s);
}

/* Writes the line of a change that is about to happen. */
static enum sandbox_saved
sandbox_state_note(struct sandbox_state *s, struct buf *line)
{
	bool written = true;

	if (s->journal != NULL)
		written = !line->full && sandbox_journal_append(s->journal, line->data, line->len);
	buf_free(line);
	if (!written)
		log_plain(s->log, LOG_LEVEL_ERROR, "sandbox journal cannot be written");
	return written ? SANDBOX_SAVED : SANDBOX_UNWRITTEN;
}

/* After a change: writes the journal anew when most of it is history. */
static void
sandbox_state_compact(struct sandbox_state *s)
{
	struct fail why;

	if (s->journal == NULL || !sandbox_journal_is_long(s->journal))
		return;
	if (sandbox_journal_rewrite(s->journal, sandbox_state_fill, s, &why) != 0)
		log_warn(s->log, "sandbox journal not compacted", LOG_S("why", why.text));
}

/* Gives an item a creation time that no other has. */
static void
sandbox_state_date(struct sandbox_state *s, struct sandbox_item *item)
{
	int64_t us = loop_wall(s->loop) * 1000 + 1; /* never a whole millisecond by habit */

	if (us <= s->last_us)
		us = s->last_us + 1;
	item->created_us = us;
	s->last_us = us;
}

/* Saves an item. */
enum sandbox_saved
sandbox_state_put(struct sandbox_state *s, struct sandbox_item *item, int64_t lag_ms)
{
	enum sandbox_saved saved = SANDBOX_FULL;
	struct sandbox_item *old;
	struct buf line;

	if (s->bytes >= s->budget || item->bytes > s->budget - s->bytes)
		goto refused;
	HASH_FIND(hh, s->by_id, item->id, UUID_SIZE - 1, old);
	if (old == NULL && item->created_us == 0)
		sandbox_state_date(s, item);
	else if (old != NULL)
		item->created_us = old->created_us;
	buf_init(&line, 0);
	if (s->journal != NULL)
		sandbox_record_item(&line, item);
	saved = sandbox_state_note(s, &line);
	if (saved != SANDBOX_SAVED)
		goto refused;
	item->shown_at = loop_now(s->loop) + lag_ms;
	if (old == NULL)
		sandbox_state_link(s, item);
	else
		sandbox_state_swap(s, old, item);
	sandbox_state_compact(s);
	return SANDBOX_SAVED;
refused:
	free(item);
	return saved;
}

/* Deletes an item. */
enum sandbox_saved
sandbox_state_delete(struct sandbox_state *s, struct sandbox_item *item, int64_t lag_ms)
{
	enum sandbox_saved saved;
	struct buf line;

	buf_init(&line, 0);
	sandbox_record_delete(&line, item->id);
	saved = sandbox_state_note(s, &line);
	if (saved == SANDBOX_SAVED) {
		sandbox_state_unlink(s, item, lag_ms);
		sandbox_state_compact(s);
	}
	return saved;
}

/* Deletes everything. */
enum sandbox_saved
sandbox_state_reset(struct sandbox_state *s)
{
	enum sandbox_saved saved;
	struct buf line;

	buf_init(&line, 0);
	sandbox_record_reset(&line);
	saved = sandbox_state_note(s, &line);
	if (saved == SANDBOX_SAVED) {
		sandbox_state_empty(s);
		sandbox_state_compact(s);
	}
	return saved;
}

/* Finds an item. */
struct sandbox_item *
sandbox_state_find(struct sandbox_state *s, enum sandbox_kind kind, const char *id)
{
	struct sandbox_item *item;

	HASH_FIND(hh, s->by_id, id, UUID_SIZE - 1, item);
	return item != NULL && item->kind == kind ? item : NULL;
}

/* Gives what a listing of a group shows now. */
static void
sandbox_state_list(struct sandbox_state *s, const struct sandbox_group_key *key,
    sandbox_each_fn each, void *arg)
{
	int64_t now = loop_now(s->loop);
	const struct sandbox_item *item;
	struct sandbox_group *g;

	HASH_FIND(hh, s->groups, key, sizeof *key, g);
	if (g == NULL)
		return;
	TAILQ_FOREACH(item, &g->items, peers)
		if (item->shown_at <= now && (item->gone_at == 0 || item->gone_at > now))
			each(arg, item);
}

/* Lists an agent's personas. */
void
sandbox_state_list_agent(struct sandbox_state *s, int64_t agent_id, sandbox_each_fn each, void *arg)
{
	struct sandbox_group_key key;

	memset(&key, 0, sizeof key);
	key.kind = GROUP_AGENT;
	key.agent_id = agent_id;
	sandbox_state_list(s, &key, each, arg);
}

/* Lists the communities. */
void
sandbox_state_list_communities(struct sandbox_state *s, sandbox_each_fn each, void *arg)
{
	struct sandbox_group_key key;

	memset(&key, 0, sizeof key);
	key.kind = GROUP_COMMUNITIES;
	sandbox_state_list(s, &key, each, arg);
}

/* Walks over everything that exists. */
void
sandbox_state_walk(struct sandbox_state *s, sandbox_each_fn each, void *arg)
{
	const struct sandbox_item *item;

	TAILQ_FOREACH(item, &s->all, all)
		each(arg, item);
}

/* The organisation's id. */
const char *
sandbox_state_org(const struct sandbox_state *s)
{
	return s->org;
}

/* Counts the personas deleted. */
uint64_t
sandbox_state_deleted(const struct sandbox_state *s)
{
	return s->deleted;
}

/* Counts the memory of all items. */
size_t
sandbox_state_bytes(const struct sandbox_state *s)
{
	return s->bytes;
}

/* Sets another budget. */
void
sandbox_state_limit(struct sandbox_state *s, size_t bytes)
{
	s->budget = bytes;
}
