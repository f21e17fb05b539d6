#include "config.h"

#include "core/shelf.h"
#include "base/mem.h"
#include "core/gateway_impl.h"
#include "json/json_read.h"

#include <stdlib.h>
#include <string.h>

#define SHELF_GRAVES 4096 /* deleted items remembered against answers that were overtaken */

TAILQ_HEAD(shelf_order, shelf_entry);

struct shelf_grave {
	char *key;
	TAILQ_ENTRY(shelf_grave) link;
	UT_hash_handle hh;
};

struct shelf {
	struct shelf_entry *entries;
	struct shelf_order order; /* least recently used first */
	size_t bytes, max;
	struct shelf_grave *graves;
	TAILQ_HEAD(, shelf_grave) grave_order; /* oldest first */
	void (*outdate)(void *arg, const char *upstream_id); /* NULL: nobody has copies */
	void *outdate_arg;
};

/* Makes an empty shelf. */
struct shelf *
shelf_new(size_t max_bytes)
{
	struct shelf *s = mem_zero(1, sizeof *s);

	TAILQ_INIT(&s->order);
	TAILQ_INIT(&s->grave_order);
	s->max = max_bytes;
	return s;
}

/* Frees one entry that nothing points to. */
static void
shelf_entry_free(struct shelf_entry *e)
{
	store_record_clear(&e->record);
	free(e->key);
	free(e->body);
	free(e->text);
	free(e);
}

/* Takes an entry off the shelf; a pinned one lives until it is unpinned. */
static void
shelf_remove(struct shelf_entry *e)
{
	struct shelf *s = e->shelf;

	HASH_DEL(s->entries, e);
	TAILQ_REMOVE(&s->order, e, link);
	s->bytes -= e->cost;
	e->dead = true;
	if (e->pins == 0)
		shelf_entry_free(e);
}

/* Forgets a deleted item. */
static void
shelf_dig_up(struct shelf *s, struct shelf_grave *g)
{
	TAILQ_REMOVE(&s->grave_order, g, link);
	HASH_DEL(s->graves, g);
	free(g->key);
	free(g);
}

/* Frees the shelf. */
void
shelf_free(struct shelf *s)
{
	struct shelf_entry *e;

	if (s == NULL)
		return;
	while (!TAILQ_EMPTY(&s->grave_order))
		shelf_dig_up(s, TAILQ_FIRST(&s->grave_order));
	while ((e = TAILQ_FIRST(&s->order)) != NULL)
		shelf_remove(e);
	free(s);
}

/* Length of a string that may be NULL. */
static size_t
shelf_length(const char *s)
{
	return s == NULL ? 0 : strlen(s);
}

/* Makes room: what was not used for longest goes, but for one. */
static void
shelf_shrink(struct shelf *s, const struct shelf_entry *but)
{
	struct shelf_entry *old, *next;

	for (old = TAILQ_FIRST(&s->order); old != NULL && s->bytes > s->max; old = next) {
		next = TAILQ_NEXT(old, link);
		if (old->pins == 0 && old != but)
			shelf_remove(old);
	}
}

/* Sets the bound. */
void
shelf_resize(struct shelf *s, size_t max_bytes)
{
	s->max = max_bytes;
	shelf_shrink(s, NULL);
}

/* Counts an entry's bytes anew and makes room for it. */
static void
shelf_account(struct shelf_entry *e)
{
	struct shelf *s = e->shelf;
	size_t cost;

	if (e->dead)
		return;
	cost = sizeof *e + 2 * strlen(e->key) + shelf_length(e->record.kept) +
	    shelf_length(e->record.absent) + shelf_length(e->record.content) + e->body_len +
	    e->text_len;
	s->bytes += cost - e->cost;
	e->cost = cost;
	shelf_shrink(s, e);
}

/* Finds an entry and marks it as used. */
struct shelf_entry *
shelf_find(struct shelf *s, const char *scope, const char *local_id)
{
	char *key = gateway_key(scope, local_id);
	struct shelf_entry *e;

	HASH_FIND_STR(s->entries, key, e);
	free(key);
	if (e != NULL) {
		TAILQ_REMOVE(&s->order, e, link);
		TAILQ_INSERT_TAIL(&s->order, e, link);
	}
	return e;
}

/* Copies of an item are outdated. */
static void
shelf_outdate(const struct shelf *s, const char *upstream_id)
{
	if (s->outdate != NULL)
		s->outdate(s->outdate_arg, upstream_id);
}

/* Has that be known elsewhere. */
void
shelf_watch(struct shelf *s, void (*outdate)(void *arg, const char *upstream_id), void *arg)
{
	s->outdate = outdate;
	s->outdate_arg = arg;
}

/* Forgets the ready-made answer. */
static void
shelf_forget_body(struct shelf_entry *e)
{
	if (e->body != NULL && e->record.upstream_id != NULL)
		shelf_outdate(e->shelf, e->record.upstream_id);
	free(e->body);
	e->body = NULL;
	e->body_len = 0;
	e->etag[0] = '\0';
	e->known = false;
	free(e->text);
	e->text = NULL;
	e->text_len = 0;
}

/* Puts a record. */
struct shelf_entry *
shelf_put(struct shelf *s, struct store_record *record)
{
	struct shelf_entry *e = shelf_find(s, record->scope, record->local_id);

	if (e == NULL) {
		if (shelf_is_buried(s, record->scope, record->local_id)) {
			store_record_clear(record);
			return NULL;
		}
		e = mem_zero(1, sizeof *e);
		e->shelf = s;
		e->key = gateway_key(record->scope, record->local_id);
		HASH_ADD_KEYPTR(hh, s->entries, e->key, strlen(e->key), e);
		TAILQ_INSERT_TAIL(&s->order, e, link);
	} else if (e->record.version >= record->version) {
		store_record_clear(record); /* nothing newer: what is here was seen later */
		return e;
	} else {
		shelf_forget_body(e);
		store_record_clear(&e->record);
		e->fetched = 0;
	}
	store_record_take(&e->record, record);
	shelf_account(e);
	return e;
}

/* Puts a record after a write. */
struct shelf_entry *
shelf_written(struct shelf *s, struct store_record *record, uint64_t sequence)
{
	struct shelf_entry *e;

	/* should the upstream give an id again */
	shelf_unbury(s, record->scope, record->local_id, record->upstream_id);
	e = shelf_put(s, record);
	shelf_outdate(s, e->record.upstream_id);
	e->written_sequence = sequence;
	e->fetched = 0;
	e->generation++;
	return e;
}

/* Gives another scope's entry what a write through this one's made of the item. */
static void
shelf_share_with(struct shelf_entry *e, const struct shelf_entry *by, uint64_t sequence)
{
	free(e->record.content);
	e->record.content = mem_string(by->record.content);
	e->record.content_ms = by->record.content_ms;
	shelf_forget_body(e);
	if (by->replaced_count > 0) {
		e->replaced[e->replaced_count++ % SHELF_REPLACED] =
		    by->replaced[(by->replaced_count - 1) % SHELF_REPLACED];
		e->replaced_at = by->replaced_at;
	}
	e->written_sequence = sequence;
	e->fetched = 0;
	e->generation++;
}

/* Tells the other scopes of a write. */
void
shelf_share(struct shelf *s, const struct shelf_entry *by, uint64_t sequence)
{
	struct shelf_entry *e;

	TAILQ_FOREACH(e, &s->order, link)
		if (e != by && strcmp(e->record.upstream_id, by->record.upstream_id) == 0)
			shelf_share_with(e, by, sequence);
}

/* Keeps an entry in memory. */
void
shelf_pin(struct shelf_entry *e)
{
	e->pins++;
}

/* Lets it go again. */
void
shelf_unpin(struct shelf_entry *e)
{
	if (--e->pins == 0 && e->dead)
		shelf_entry_free(e);
}

/* Drops an item that is gone. */
void
shelf_drop(struct shelf *s, const char *scope, const char *local_id)
{
	struct shelf_entry *e = shelf_find(s, scope, local_id);

	if (e != NULL) {
		e->generation++;
		shelf_remove(e);
	}
}

/* Drops what another gateway wrote. */
void
shelf_forget(struct shelf *s, const char *scope, const char *local_id, const char *upstream_id)
{
	struct shelf_entry *e = shelf_find(s, scope, local_id);

	shelf_outdate(s, upstream_id);
	if (e != NULL)
		shelf_remove(e);
}

/* Drops it wherever it is. */
void
shelf_forget_shared(struct shelf *s, const char *upstream_id)
{
	struct shelf_entry *e, *next;

	for (e = TAILQ_FIRST(&s->order); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		if (strcmp(e->record.upstream_id, upstream_id) == 0)
			shelf_remove(e);
	}
}

/* Drops what belongs to another scope by now. */
void
shelf_drop_scope(struct shelf *s, const char *scope)
{
	struct shelf_entry *e, *next;

	for (e = TAILQ_FIRST(&s->order); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		if (strcmp(e->record.scope, scope) == 0) {
			shelf_outdate(s, e->record.upstream_id);
			shelf_remove(e);
		}
	}
}

/* Goes through a scope. */
void
shelf_walk(struct shelf *s, const char *scope, void (*fn)(void *arg, struct shelf_entry *), void *arg)
{
	struct shelf_entry *e;

	TAILQ_FOREACH(e, &s->order, link)
		if (strcmp(e->record.scope, scope) == 0)
			fn(arg, e);
}

/* Remembers one id of a dead item. */
static void
shelf_dig(struct shelf *s, const char *scope, const char *id)
{
	struct shelf_grave *g;

	if (shelf_is_buried(s, scope, id))
		return;
	g = mem_zero(1, sizeof *g);
	g->key = gateway_key(scope, id);
	HASH_ADD_KEYPTR(hh, s->graves, g->key, strlen(g->key), g);
	TAILQ_INSERT_TAIL(&s->grave_order, g, link);
	if (HASH_COUNT(s->graves) > SHELF_GRAVES)
		shelf_dig_up(s, TAILQ_FIRST(&s->grave_order));
}

/* Drops an item that was deleted. */
void
shelf_bury(struct shelf *s, const char *scope, const char *local_id, const char *upstream_id)
{
	shelf_drop(s, scope, local_id);
	shelf_outdate(s, upstream_id);
	shelf_dig(s, scope, local_id);
	if (strcmp(upstream_id, local_id) != 0)
		shelf_dig(s, scope, upstream_id);
}

/* Buries an item in every scope that has it in memory. */
void
shelf_bury_shared(struct shelf *s, const char *upstream_id)
{
	struct shelf_entry *e, *next;

	for (e = TAILQ_FIRST(&s->order); e != NULL; e = next) {
		char *scope, *local_id;

		next = TAILQ_NEXT(e, link);
		if (strcmp(e->record.upstream_id, upstream_id) != 0)
			continue;
		scope = mem_string(e->record.scope); /* the entry goes */
		local_id = mem_string(e->record.local_id);
		shelf_bury(s, scope, local_id, upstream_id);
		free(scope);
		free(local_id);
	}
}

/* Finds the grave of an id. */
static struct shelf_grave *
shelf_grave(struct shelf *s, const char *scope, const char *id)
{
	char *key = gateway_key(scope, id);
	struct shelf_grave *g;

	HASH_FIND_STR(s->graves, key, g);
	free(key);
	return g;
}

/* Whether an item is dead. */
bool
shelf_is_buried(struct shelf *s, const char *scope, const char *id)
{
	return shelf_grave(s, scope, id) != NULL;
}

/* Takes an item back. */
void
shelf_unbury(struct shelf *s, const char *scope, const char *local_id, const char *upstream_id)
{
	struct shelf_grave *g = shelf_grave(s, scope, local_id);

	if (g != NULL)
		shelf_dig_up(s, g);
	g = shelf_grave(s, scope, upstream_id);
	if (g != NULL)
		shelf_dig_up(s, g);
}

/* Whether the answer is made. */
bool
shelf_ready(const struct shelf_entry *e, const struct project *p)
{
	return e->body != NULL && e->made_by == p->generation;
}

/* Whether a text is the record's content. */
static bool
shelf_is_content(const struct shelf_entry *e, const char *text, size_t len)
{
	return e->record.content != NULL && strlen(e->record.content) == len &&
	    memcmp(e->record.content, text, len) == 0;
}

/* Notes a text. */
void
shelf_know(struct shelf_entry *e, const char *text, size_t len)
{
	free(e->text);
	e->text = NULL;
	e->text_len = 0;
	if (!shelf_is_content(e, text, len)) {
		e->text = mem_copy(text, len);
		e->text_len = len;
	}
	e->known = true;
	shelf_account(e);
}

/* Compares a text. */
bool
shelf_knows(const struct shelf_entry *e, const struct project *p, const char *text, size_t len)
{
	if (!e->known || !shelf_ready(e, p))
		return false;
	if (e->text == NULL)
		return shelf_is_content(e, text, len);
	return e->text_len == len && memcmp(e->text, text, len) == 0;
}

/* Makes the ready-made answer of what was seen. */
int
shelf_show_seen(struct shelf_entry *e, struct sight *sight, struct fail *fail)
{
	size_t len;
	char *body = sight_local(sight, &e->record, &len, fail);

	if (body == NULL)
		return -1;
	shelf_forget_body(e);
	e->body = body;
	e->body_len = len;
	e->made_by = sight->project->generation;
	result_etag(e->body, e->body_len, e->etag);
	shelf_account(e);
	return 0;
}

/* Takes the record's content for what was seen; false when there is none. */
static bool
shelf_recall(const struct shelf_entry *e, const struct project *p, struct sight *sight)
{
	const char *content = e->record.content;
	struct json_object *tree = NULL;

	if (content == NULL)
		return false;
	if (sight_copy(sight, p, content, strlen(content)))
		return true;
	json_read(content, strlen(content), &tree, NULL);
	sight_take(sight, p, tree);
	return tree != NULL;
}

/* Makes the ready-made answer. */
int
shelf_show(struct shelf_entry *e, const struct project *p, struct json_object *upstream,
    struct fail *fail)
{
	struct sight sight;
	int rc;

	if (upstream != NULL)
		sight_take(&sight, p, json_object_get(upstream));
	else if (shelf_ready(e, p))
		return 0;
	else if (!shelf_recall(e, p, &sight))
		return fail_set(fail, "its content was never seen");
	rc = shelf_show_seen(e, &sight, fail);
	sight_clear(&sight);
	return rc;
}

/* Makes a copy. */
struct shelf_entry *
shelf_copy(const struct shelf_entry *e)
{
	struct shelf_entry *copy = mem_zero(1, sizeof *copy);

	copy->key = mem_string(e->key);
	store_record_copy(&copy->record, &e->record);
	copy->body = mem_copy(e->body, e->body_len);
	copy->body_len = e->body_len;
	copy->made_by = e->made_by;
	memcpy(copy->etag, e->etag, sizeof copy->etag);
	copy->known = e->known;
	if (e->text != NULL)
		copy->text = mem_copy(e->text, e->text_len);
	copy->text_len = e->text_len;
	copy->fetched = e->fetched;
	copy->noted_ms = e->record.content_ms;
	return copy;
}

/* Frees one that no shelf has. */
void
shelf_copy_free(struct shelf_entry *copy)
{
	if (copy != NULL)
		shelf_entry_free(copy);
}

/* Puts a copy. */
void
shelf_put_copy(struct shelf *s, struct shelf_entry *copy)
{
	struct shelf_entry *old;

	HASH_FIND_STR(s->entries, copy->key, old);
	if (old != NULL)
		shelf_remove(old);
	copy->shelf = s;
	HASH_ADD_KEYPTR(hh, s->entries, copy->key, strlen(copy->key), copy);
	TAILQ_INSERT_TAIL(&s->order, copy, link);
	shelf_account(copy);
}

/* Bytes of all entries. */
size_t
shelf_bytes(const struct shelf *s)
{
	return s->bytes;
}

/* Entries. */
size_t
shelf_entries(const struct shelf *s)
{
	return HASH_COUNT(s->entries);
}
