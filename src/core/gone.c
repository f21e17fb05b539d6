#include "config.h"

#include "core/gone.h"
#include "base/mem.h"
#include "core/epoch.h"
#include "core/twin.h"
#include "json/json_read.h"

#include <stdlib.h>
#include <string.h>

#define GONE_SUSPICIOUS 3 /* 404s in a row, without proof: is it the key? */

/* What is known of a scope's key, which stays for as long as the process. */
struct gone_scope {
	char *scope;
	char *organisation; /* that it sees; NULL: not known */
	bool proven;        /* it has shown an item from before this process */
	unsigned streak;    /* items not found while there was no proof */
	struct store_record hidden[GONE_SUSPICIOUS]; /* of them, until that looks wrong */
	UT_hash_handle hh;
};

/* What is known of a scope's key. */
static struct gone_scope *
gone_of(struct gateway *gw, const char *scope)
{
	struct gone_scope *g;

	HASH_FIND_STR(gw->gone_scopes, scope, g);
	if (g != NULL)
		return g;
	g = mem_zero(1, sizeof *g);
	g->scope = mem_string(scope);
	HASH_ADD_KEYPTR(hh, gw->gone_scopes, g->scope, strlen(g->scope), g);
	return g;
}

/* Ends a streak. */
static void
gone_forget(struct gone_scope *g)
{
	for (unsigned i = 0; i < GONE_SUSPICIOUS; i++)
		store_record_clear(&g->hidden[i]);
	g->streak = 0;
}

/* Whether a record's content was last seen before this process began. */
static bool
gone_is_older(const struct gateway *gw, const struct store_record *r)
{
	return r->content_ms < gw->started_wall;
}

/* The key has shown or made an item. */
void
gone_disproved(struct gateway *gw, const char *scope, const struct store_record *before,
    const char *organisation)
{
	struct gone_scope *g = gone_of(gw, scope);

	if (before != NULL && !g->proven && gone_is_older(gw, before)) {
		g->proven = true;
		gone_forget(g);
	}
	if (organisation != NULL &&
	    (g->organisation == NULL || strcmp(g->organisation, organisation) != 0)) {
		free(g->organisation);
		g->organisation = mem_string(organisation);
	}
}

/* Whether an item belongs to an organisation. */
static bool
gone_belongs(const struct store_record *r, const char *organisation)
{
	struct json_object *content = NULL;
	const char *own = NULL;
	bool same;

	if (organisation == NULL || r->content == NULL)
		return false;
	if (json_read(r->content, strlen(r->content), &content, NULL))
		own = resource_organisation(content);
	same = own != NULL && strcmp(own, organisation) == 0;
	json_object_put(content);
	return same;
}

/* Whether there is proof that the key would see an item if it were there. */
static bool
gone_is_certain(struct gateway *gw, const struct gone_scope *g, const struct store_record *r)
{
	return g->proven || !gone_is_older(gw, r) || gone_belongs(r, g->organisation);
}

/* Puts back what was hidden by mistake. */
static void
gone_restore(struct gateway *gw, struct gone_scope *g)
{
	log_error(gw->log,
	    "several known ids are not found upstream; is this another account's key? "
	    "nothing is hidden until one is found again",
	    LOG_S("scope", g->scope), LOG_I("in_a_row", g->streak));
	for (unsigned i = 0; i < GONE_SUSPICIOUS; i++) {
		if (g->hidden[i].scope == NULL)
			continue;
		shelf_unbury(gw->shelf, g->scope, g->hidden[i].local_id, g->hidden[i].upstream_id);
		store_adopt(gw->store, g->scope, &g->hidden[i], 1, 0, NULL, NULL);
	}
}

/* One is hidden: its twin goes. */
static void
gone_on_hidden(void *arg, struct store_reply *reply)
{
	(void)reply;
	twin_seek(arg);
}

/* Hides an item. */
static void
gone_hide(struct gateway *gw, const struct store_record *r)
{
	log_info(gw->log, "a known id is gone upstream", LOG_S("scope", r->scope),
	    LOG_S("id", r->upstream_id));
	store_hide(gw->store, r->scope, r->local_id, loop_wall(gw->loop), gone_on_hidden, gw);
	epoch_touch(gw, r->scope);
	shelf_bury(gw->shelf, r->scope, r->local_id, r->upstream_id);
}

/* A known item is gone upstream. */
bool
gone_report(struct gateway *gw, struct shelf_entry *e)
{
	const struct store_record *r = &e->record;
	struct gone_scope *g = gone_of(gw, r->scope);

	if (gone_is_certain(gw, g, r)) {
		gone_forget(g);
		gone_hide(gw, r);
		return true;
	}
	g->streak++;
	if (g->streak == GONE_SUSPICIOUS)
		gone_restore(gw, g);
	if (g->streak >= GONE_SUSPICIOUS)
		return false;
	store_record_copy(&g->hidden[g->streak - 1], r);
	gone_hide(gw, r);
	return true;
}

/* What a client is told while the key is suspected. */
void
gone_trouble(struct result *r, const struct resource *resource)
{
	result_error(r, 502,
	    "Bluejay does not find several %s that are known here; is this another account's key?",
	    resource->plural);
}

/* Whether something hidden may be there all the same. */
bool
gone_doubts(struct gateway *gw, const char *scope)
{
	return gone_of(gw, scope)->streak > 0;
}

/* Whether a key is suspected. */
bool
gone_suspects(const struct gateway *gw)
{
	const struct gone_scope *g;

	for (g = gw->gone_scopes; g != NULL; g = g->hh.next)
		if (g->streak >= GONE_SUSPICIOUS)
			return true;
	return false;
}

/* Frees everything. */
void
gone_free_all(struct gateway *gw)
{
	struct gone_scope *g, *next;

	HASH_ITER(hh, gw->gone_scopes, g, next) {
		HASH_DEL(gw->gone_scopes, g);
		gone_forget(g);
		free(g->organisation);
		free(g->scope);
		free(g);
	}
}
