#include "config.h"

#include "store/store.h"
#include "base/mem.h"
#include "store/store_call.h"
#include "store/store_engine.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct store {
	struct store_engine *engine;
};

/*
 * A port has a mailbox and a descriptor of its own instead of posting letters
 * to the loop: a letter cannot be taken back, so one that is on its way while
 * the port closes would point to freed memory or leak with the loop.
 */
struct store_port {
	struct store *store;
	int wake_fd;
	struct event wake;
	struct store_calls ready; /* being called back, on the loop */
	pthread_mutex_t lock;     /* guards the rest */
	struct store_calls done;  /* finished, waiting for the loop */
	size_t refs;              /* the owner, a delivery, a waking, each call */
	bool woken;
	bool closed;
};

/* Opens the store on its engine. */
struct store *
store_open(const struct store_options *options, struct fail *f)
{
	struct store_engine *engine = sqlite_engine_open(options, f);
	struct store *s;

	if (engine == NULL)
		return NULL;
	s = mem_zero(1, sizeof *s);
	s->engine = engine;
	return s;
}

/* Closes the store after its last write. */
void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	s->engine->close(s->engine);
	free(s);
}

/* Copies the counters. */
void
store_stats(struct store *s, struct store_stats *out)
{
	s->engine->stats(s->engine, out);
}

/* Drops one reference; the last one frees the port. */
static void
store_port_unref(struct store_port *p)
{
	bool last;

	pthread_mutex_lock(&p->lock);
	last = --p->refs == 0;
	pthread_mutex_unlock(&p->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&p->lock);
	close(p->wake_fd);
	free(p);
}

/* Frees a call, its arguments and its reply. */
static void
store_call_free(struct store_call *c)
{
	struct store_port *p = c->port;

	free(c->scope);
	free(c->id);
	free(c->text);
	for (size_t i = 0; i < c->record_count; i++)
		store_record_clear(&c->records[i]);
	free(c->records);
	store_intent_clear(&c->intent);
	store_image_clear(&c->image);
	store_twin_clear(&c->twin);
	free(c->bytes);
	store_reply_clear(&c->reply);
	free(c);
	store_port_unref(p);
}

/* Frees every call of a list. */
static void
store_calls_free(struct store_calls *list)
{
	struct store_call *c;

	while ((c = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, link);
		store_call_free(c);
	}
}

/* Puts a finished call into its port's mailbox, waking the loop once a batch. */
void
store_call_done(struct store_call *c)
{
	struct store_port *p = c->port;
	uint64_t one = 1;
	bool wake;

	pthread_mutex_lock(&p->lock);
	if (p->closed) {
		pthread_mutex_unlock(&p->lock);
		store_call_free(c);
		return;
	}
	STAILQ_INSERT_TAIL(&p->done, c, link);
	wake = !p->woken;
	p->woken = true;
	if (wake)
		p->refs++; /* the call may be gone before the loop is woken */
	pthread_mutex_unlock(&p->lock);
	if (!wake)
		return;
	while (write(p->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
	store_port_unref(p);
}

/* Calls back what is finished; a callback may cancel others or close the port. */
static void
store_port_deliver(evutil_socket_t fd, short what, void *arg)
{
	struct store_port *p = arg;
	struct store_call *c;
	uint64_t n;

	while (read(fd, &n, sizeof n) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&p->lock);
	p->woken = false;
	p->refs++;
	STAILQ_CONCAT(&p->ready, &p->done);
	pthread_mutex_unlock(&p->lock);
	while ((c = STAILQ_FIRST(&p->ready)) != NULL) {
		STAILQ_REMOVE_HEAD(&p->ready, link);
		if (!c->cancelled && c->done != NULL)
			c->done(c->arg, &c->reply);
		store_call_free(c);
	}
	store_port_unref(p);
}

/* Binds the store to a loop. */
struct store_port *
store_port_open(struct store *s, struct loop *l)
{
	struct store_port *p;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return NULL;
	p = mem_zero(1, sizeof *p);
	p->store = s;
	p->wake_fd = fd;
	p->refs = 1;
	pthread_mutex_init(&p->lock, NULL);
	STAILQ_INIT(&p->done);
	STAILQ_INIT(&p->ready);
	event_assign(&p->wake, loop_base(l), fd, EV_READ | EV_PERSIST, store_port_deliver, p);
	event_add(&p->wake, NULL);
	return p;
}

/* Unbinds; the engine still does what was asked. */
void
store_port_close(struct store_port *p)
{
	struct store_calls rest = STAILQ_HEAD_INITIALIZER(rest);

	if (p == NULL)
		return;
	event_del(&p->wake);
	pthread_mutex_lock(&p->lock);
	p->closed = true;
	STAILQ_CONCAT(&rest, &p->ready);
	STAILQ_CONCAT(&rest, &p->done);
	pthread_mutex_unlock(&p->lock);
	store_calls_free(&rest);
	store_port_unref(p);
}

/* Makes sure that a call is not called back. */
void
store_cancel(struct store_call *c)
{
	c->cancelled = true;
}

/* True for operations that change nothing. */
bool
store_call_reads(enum store_op op)
{
	return op == STORE_OP_GET || op == STORE_OP_LIST || op == STORE_OP_ELSEWHERE ||
	    op == STORE_OP_PAGE || op == STORE_OP_INTENTS || op == STORE_OP_INTENT_COUNTS ||
	    op == STORE_OP_SCOPES || op == STORE_OP_IMAGE_GET || op == STORE_OP_IMAGE_LIST ||
	    (op >= STORE_OP_TWIN_LOOK && op <= STORE_OP_TWIN_PAGE);
}

/* Makes a call; its arguments follow. */
struct store_call *
store_call_new(struct store_port *p, enum store_op op, store_done_fn done, void *arg)
{
	struct store_call *c = mem_zero(1, sizeof *c);

	pthread_mutex_lock(&p->lock);
	p->refs++;
	pthread_mutex_unlock(&p->lock);
	c->port = p;
	c->op = op;
	c->done = done;
	c->arg = arg;
	return c;
}

/* Gives a call to the engine. */
struct store_call *
store_submit(struct store_call *c)
{
	struct store_engine *e = c->port->store->engine;

	e->submit(e, c);
	return c;
}

/* Copies records into a call. */
static void
store_call_records(struct store_call *c, const struct store_record *records, size_t count)
{
	c->records = mem_zero(count, sizeof *c->records);
	c->record_count = count;
	for (size_t i = 0; i < count; i++)
		store_record_copy(&c->records[i], &records[i]);
}

/* Reads one persona. */
struct store_call *
store_get(struct store_port *p, const char *scope, const char *local_id, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_GET, done, arg);

	c->scope = mem_string(scope);
	c->id = mem_string(local_id);
	return store_submit(c);
}

/* Reads the personas of a scope. */
struct store_call *
store_list(struct store_port *p, const char *scope, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_LIST, done, arg);

	c->scope = mem_string(scope);
	return store_submit(c);
}

/* Reads what other scopes know. */
struct store_call *
store_elsewhere(struct store_port *p, const char *prefix, const char *scope, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_ELSEWHERE, done, arg);

	c->text = mem_string(prefix);
	c->scope = mem_string(scope);
	return store_submit(c);
}

/* Reads the first personas of a scope. */
struct store_call *
store_page(struct store_port *p, const char *scope, size_t max, size_t bytes, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_PAGE, done, arg);

	c->scope = mem_string(scope);
	c->max = max;
	c->len = bytes;
	return store_submit(c);
}

/* Reads all intents. */
struct store_call *
store_intents(struct store_port *p, store_done_fn done, void *arg)
{
	return store_submit(store_call_new(p, STORE_OP_INTENTS, done, arg));
}

/* Counts the intents. */
struct store_call *
store_intent_counts(struct store_port *p, store_done_fn done, void *arg)
{
	return store_submit(store_call_new(p, STORE_OP_INTENT_COUNTS, done, arg));
}

/* Reads which scopes there are. */
struct store_call *
store_scopes(struct store_port *p, bool counted, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_SCOPES, done, arg);

	c->counted = counted;
	return store_submit(c);
}

/* Records the intent of a create. */
struct store_call *
store_create_begin(struct store_port *p, const struct store_create *create, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_CREATE_BEGIN, done, arg);

	store_intent_copy(&c->intent, create->intent);
	c->now_ms = create->now_ms;
	c->key_expires_ms = create->key_expires_ms;
	c->since_ms = create->unclaimed_since_ms;
	return store_submit(c);
}

/* Turns the intent of a create into a record. */
struct store_call *
store_create_settle(struct store_port *p, const char *intent_id, const struct store_record *record,
    const char *answer, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_CREATE_SETTLE, done, arg);

	c->id = mem_string(intent_id);
	c->text = mem_string(answer);
	store_call_records(c, record, 1);
	return store_submit(c);
}

/* Notes that the creator knows. */
struct store_call *
store_claim(struct store_port *p, const char *scope, const char *local_id, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_CLAIM, done, arg);

	c->scope = mem_string(scope);
	c->id = mem_string(local_id);
	return store_submit(c);
}

/* Records the intent of an update. */
struct store_call *
store_update_begin(struct store_port *p, const struct store_intent *intent, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_UPDATE_BEGIN, done, arg);

	store_intent_copy(&c->intent, intent);
	return store_submit(c);
}

/* Writes what an update did. */
struct store_call *
store_update_settle(struct store_port *p, const char *intent_id, const struct store_record *record,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_UPDATE_SETTLE, done, arg);

	c->id = mem_string(intent_id);
	store_call_records(c, record, 1);
	return store_submit(c);
}

/* Records the intent of a delete. */
struct store_call *
store_delete_begin(struct store_port *p, const struct store_intent *intent, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_DELETE_BEGIN, done, arg);

	store_intent_copy(&c->intent, intent);
	return store_submit(c);
}

/* Removes what was deleted. */
struct store_call *
store_delete_settle(struct store_port *p, const char *intent_id, int64_t now_ms,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_DELETE_SETTLE, done, arg);

	c->id = mem_string(intent_id);
	c->now_ms = now_ms;
	return store_submit(c);
}

/* Moves an intent to a state. */
struct store_call *
store_intent_mark(struct store_port *p, const char *intent_id, enum store_intent_state state,
    int64_t now_ms, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_INTENT_MARK, done, arg);

	c->id = mem_string(intent_id);
	c->state = state;
	c->now_ms = now_ms;
	return store_submit(c);
}

/* Forgets an intent. */
struct store_call *
store_intent_drop(struct store_port *p, const char *intent_id, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_INTENT_DROP, done, arg);

	c->id = mem_string(intent_id);
	return store_submit(c);
}

/* Adopts what a listing showed. */
struct store_call *
store_adopt(struct store_port *p, const char *scope, const struct store_record *records,
    size_t count, int64_t listed_ms, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_ADOPT, done, arg);

	c->scope = mem_string(scope);
	c->now_ms = listed_ms;
	store_call_records(c, records, count);
	return store_submit(c);
}

/* Writes what reads saw. */
struct store_call *
store_refresh(struct store_port *p, const struct store_record *records, size_t count,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_REFRESH, done, arg);

	store_call_records(c, records, count);
	return store_submit(c);
}

/* Hides a persona that the upstream does not know. */
struct store_call *
store_hide(struct store_port *p, const char *scope, const char *local_id, int64_t now_ms,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_HIDE, done, arg);

	c->scope = mem_string(scope);
	c->id = mem_string(local_id);
	c->now_ms = now_ms;
	return store_submit(c);
}

/* Moves everything of a scope. */
struct store_call *
store_join_scopes(struct store_port *p, const char *from, const char *to, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_JOIN_SCOPES, done, arg);

	c->scope = mem_string(from);
	c->text = mem_string(to);
	return store_submit(c);
}

/* Forgets what is old. */
struct store_call *
store_purge(struct store_port *p, int64_t now_ms, int64_t older_than_ms, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_PURGE, done, arg);

	c->now_ms = now_ms;
	c->since_ms = older_than_ms;
	return store_submit(c);
}

/* Writes something that nobody reads. */
struct store_call *
store_probe(struct store_port *p, int64_t now_ms, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_PROBE, done, arg);

	c->now_ms = now_ms;
	return store_submit(c);
}
