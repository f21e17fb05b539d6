#include "config.h"

#include "store/store_twin.h"
#include "base/mem.h"
#include "store/store_call.h"

#include <stdlib.h>
#include <string.h>

/* Copies a twin; what *to held before is not freed. */
void
store_twin_copy(struct store_twin *to, const struct store_twin *from)
{
	*to = *from;
	to->project = mem_string(from->project);
	to->twin_id = mem_string(from->twin_id);
	to->scope = mem_string(from->scope);
	to->local_id = mem_string(from->local_id);
	to->name = mem_string(from->name);
	to->digest = mem_string(from->digest);
}

/* Frees the strings. */
void
store_twin_clear(struct store_twin *t)
{
	free(t->project);
	free(t->twin_id);
	free(t->scope);
	free(t->local_id);
	free(t->name);
	free(t->digest);
	memset(t, 0, sizeof *t);
}

/* Reads what is known under a persona's id. */
struct store_call *
store_twin_look(struct store_port *p, const char *scope, const char *local_id, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_TWIN_LOOK, done, arg);

	c->scope = mem_string(scope);
	c->id = mem_string(local_id);
	return store_submit(c);
}

/* Reads whose twin this is. */
struct store_call *
store_twin_owner(struct store_port *p, const char *project, const char *twin_id, const char *scope,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_TWIN_OWNER, done, arg);

	c->text = mem_string(project);
	c->id = mem_string(twin_id);
	c->scope = mem_string(scope);
	return store_submit(c);
}

/* Notes the twin of a create. */
struct store_call *
store_twin_note(struct store_port *p, const char *intent_id, const char *twin_id, bool found,
    int64_t now_ms, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_TWIN_NOTE, done, arg);

	c->id = mem_string(intent_id);
	c->twin.twin_id = mem_string(twin_id);
	c->twin.found = found;
	c->now_ms = now_ms;
	return store_submit(c);
}

/* Writes what is known of a twin. */
struct store_call *
store_twin_put(struct store_port *p, const struct store_twin *t, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_TWIN_PUT, done, arg);

	store_twin_copy(&c->twin, t);
	return store_submit(c);
}

/* Forgets a twin. */
struct store_call *
store_twin_drop(struct store_port *p, const char *scope, const char *local_id, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_TWIN_DROP, done, arg);

	c->scope = mem_string(scope);
	c->id = mem_string(local_id);
	return store_submit(c);
}

/* Reads a page. */
struct store_call *
store_twin_page(struct store_port *p, enum store_twin_pages kind, int64_t after, size_t max,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_TWIN_PAGE, done, arg);

	c->pages = kind;
	c->since_ms = after;
	c->max = max;
	return store_submit(c);
}
