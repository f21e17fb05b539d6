#include "config.h"

#include "store/store_port.h"
#include "base/mem.h"
#include "store/store_engine.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STORE_PORT_CHANGES 4096 /* waiting for the loop; more count as a lost feed */

struct store {
	struct store_engine *engine;
	atomic_uint lapsed, deaf; /* tests: a bit for each member */
	pthread_mutex_t lock;     /* guards the rest */
	LIST_HEAD(, store_port) ports;
};

/*
 * A port has a mailbox and a descriptor of its own instead of posting letters
 * to the loop: a letter cannot be taken back, so one that is on its way while
 * the port closes would point to freed memory or leak with the loop.
 */
struct store_port {
	struct store *store;
	struct loop *loop;
	unsigned member;
	void *lane; /* the engine's */
	LIST_ENTRY(store_port) link;
	int wake_fd;
	struct event wake;
	struct store_calls ready; /* being called back, on the loop */
	pthread_mutex_t lock;     /* guards the rest */
	struct store_calls done;  /* finished, waiting for the loop */
	store_watch_fn watch;     /* NULL: nobody wants to know */
	void *watch_arg;
	struct store_change *changes; /* to be told */
	size_t change_count;
	bool lost;          /* tell that some were lost */
	int64_t deaf_since; /* tests: on the loop's clock */
	size_t refs;              /* the owner, a delivery, a waking, each call */
	bool woken;
	bool closed;
};

/* Opens the store on its engine. */
struct store *
store_open(const struct store_options *options, struct fail *f)
{
	struct store_engine *engine = options->url != NULL ? postgres_engine_open(options, f)
	    : sqlite_engine_open(options, f);
	struct store *s;

	if (engine == NULL)
		return NULL;
	s = mem_zero(1, sizeof *s);
	s->engine = engine;
	LIST_INIT(&s->ports);
	pthread_mutex_init(&s->lock, NULL);
	engine->store = s;
	return s;
}

/* Closes the store after its last write. */
void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	s->engine->close(s->engine);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* Copies the counters. */
void
store_stats(struct store *s, struct store_stats *out)
{
	s->engine->stats(s->engine, out);
}

/* Frees changes that were told, or never will be. */
static void
store_changes_free(struct store_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(changes[i].scope);
		free(changes[i].local_id);
		free(changes[i].upstream_id);
		free(changes[i].intent_id);
	}
	free(changes);
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
	store_changes_free(p->changes, p->change_count);
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

/* Unlocks a port whose mailbox got something, waking the loop once a batch. */
static void
store_port_unlock(struct store_port *p)
{
	bool wake = !p->woken;
	uint64_t one = 1;

	p->woken = true;
	if (wake)
		p->refs++; /* what is in the mailbox may be gone before the loop is woken */
	pthread_mutex_unlock(&p->lock);
	if (!wake)
		return;
	while (write(p->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
	store_port_unref(p);
}

/* Puts a finished call into its port's mailbox. */
void
store_call_done(struct store_call *c)
{
	struct store_port *p = c->port;

	pthread_mutex_lock(&p->lock);
	if (p->closed) {
		pthread_mutex_unlock(&p->lock);
		store_call_free(c);
		return;
	}
	STAILQ_INSERT_TAIL(&p->done, c, link);
	store_port_unlock(p);
}

/* Tells a port of a change. */
void
store_port_tell(struct store_port *p, const struct store_change *change)
{
	pthread_mutex_lock(&p->lock);
	if (p->closed || p->watch == NULL) {
		pthread_mutex_unlock(&p->lock);
		return;
	}
	if (change == NULL || p->lost || p->change_count == STORE_PORT_CHANGES) {
		store_changes_free(p->changes, p->change_count);
		p->changes = NULL;
		p->change_count = 0;
		p->lost = true;
	} else {
		p->changes = store_grow(p->changes, p->change_count, sizeof *p->changes);
		p->changes[p->change_count++] = (struct store_change){
		    .kind = change->kind,
		    .scope = mem_string(change->scope),
		    .local_id = mem_string(change->local_id),
		    .upstream_id = mem_string(change->upstream_id),
		    .intent_id = mem_string(change->intent_id),
		};
	}
	store_port_unlock(p);
}

/* Tells every member but one. */
void
store_tell(struct store *s, unsigned but, const struct store_change *change)
{
	unsigned deaf = atomic_load(&s->deaf);
	struct store_port *p;

	pthread_mutex_lock(&s->lock);
	LIST_FOREACH(p, &s->ports, link)
		if (p->member != but && (deaf >> p->member & 1) == 0)
			store_port_tell(p, change);
	pthread_mutex_unlock(&s->lock);
}

/* Tells the watcher what has changed. */
void
store_port_flush(struct store_port *p)
{
	struct store_change *changes;
	size_t count;
	bool lost;

	pthread_mutex_lock(&p->lock);
	changes = p->changes;
	count = p->change_count;
	lost = p->lost;
	p->changes = NULL;
	p->change_count = 0;
	p->lost = false;
	pthread_mutex_unlock(&p->lock);
	if ((lost || count > 0) && p->watch != NULL)
		p->watch(p->watch_arg, changes, count);
	store_changes_free(changes, count);
}

/* Tells what has changed and calls back what is finished; a callback may cancel
 * others or close the port. */
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
	store_port_flush(p);
	while ((c = STAILQ_FIRST(&p->ready)) != NULL) {
		STAILQ_REMOVE_HEAD(&p->ready, link);
		if (!c->cancelled && c->done != NULL)
			c->done(c->arg, &c->reply);
		store_call_free(c);
	}
	store_port_unref(p);
}

/* Opens a port of a member. */
static struct store_port *
store_port_make(struct store *s, struct loop *l, unsigned member)
{
	struct store_port *p;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return NULL;
	p = mem_zero(1, sizeof *p);
	p->store = s;
	p->loop = l;
	p->member = member;
	p->wake_fd = fd;
	p->refs = 1;
	pthread_mutex_init(&p->lock, NULL);
	STAILQ_INIT(&p->done);
	STAILQ_INIT(&p->ready);
	event_assign(&p->wake, loop_base(l), fd, EV_READ | EV_PERSIST, store_port_deliver, p);
	event_add(&p->wake, NULL);
	pthread_mutex_lock(&s->lock);
	LIST_INSERT_HEAD(&s->ports, p, link);
	pthread_mutex_unlock(&s->lock);
	if (s->engine->port_open != NULL)
		p->lane = s->engine->port_open(s->engine, p, l);
	return p;
}

/* Binds the store to a loop. */
struct store_port *
store_port_open(struct store *s, struct loop *l)
{
	return store_port_make(s, l, 0);
}

/* Binds a store in memory to a loop, for another member. */
struct store_port *
store_port_open_as(struct store *s, struct loop *l, unsigned member)
{
	if (member >= STORE_MEMBERS_MAX || s->engine->member == NULL ||
	    !s->engine->member(s->engine))
		return NULL;
	return store_port_make(s, l, member);
}

/* Unbinds; the engine still does what was asked. */
void
store_port_close(struct store_port *p)
{
	struct store_calls rest = STAILQ_HEAD_INITIALIZER(rest);

	if (p == NULL)
		return;
	if (p->lane != NULL)
		p->store->engine->port_close(p->store->engine, p->lane);
	pthread_mutex_lock(&p->store->lock);
	LIST_REMOVE(p, link);
	pthread_mutex_unlock(&p->store->lock);
	event_del(&p->wake);
	pthread_mutex_lock(&p->lock);
	p->closed = true;
	p->watch = NULL;
	STAILQ_CONCAT(&rest, &p->ready);
	STAILQ_CONCAT(&rest, &p->done);
	pthread_mutex_unlock(&p->lock);
	store_calls_free(&rest);
	store_port_unref(p);
}

/* Has changes told. */
void
store_watch(struct store_port *p, store_watch_fn fn, void *arg)
{
	pthread_mutex_lock(&p->lock);
	p->watch = fn;
	p->watch_arg = arg;
	pthread_mutex_unlock(&p->lock);
}

/* Until when what this member holds is its own. */
int64_t
store_lease_until(struct store_port *p)
{
	struct store_engine *e = p->store->engine;

	if (store_member_lapsed(p->store, p->member))
		return 0;
	return e->lease_until != NULL ? e->lease_until(e) : INT64_MAX;
}

/* How far the feed has come. */
int64_t
store_current_at(struct store_port *p)
{
	struct store_engine *e = p->store->engine;

	if (atomic_load(&p->store->deaf) >> p->member & 1)
		return p->deaf_since;
	return e->current_at != NULL ? e->current_at(e) : INT64_MAX;
}

/* Whether a test has a lease run out. */
bool
store_member_lapsed(const struct store *s, unsigned member)
{
	return atomic_load(&s->lapsed) >> member & 1;
}

/* Has a lease run out, or renews it. */
void
store_port_lapse(struct store_port *p, bool lapsed)
{
	if (lapsed)
		atomic_fetch_or(&p->store->lapsed, 1u << p->member);
	else
		atomic_fetch_and(&p->store->lapsed, ~(1u << p->member));
}

/* Stops a feed, or starts it again. */
void
store_port_deafen(struct store_port *p, bool deaf)
{
	if (deaf) {
		p->deaf_since = loop_now(p->loop);
		atomic_fetch_or(&p->store->deaf, 1u << p->member);
	} else {
		atomic_fetch_and(&p->store->deaf, ~(1u << p->member));
		store_port_tell(p, NULL);
	}
}

/* What the engine keeps for a port. */
void *
store_port_lane(const struct store_port *p)
{
	return p->lane;
}

/* Whose port it is. */
unsigned
store_port_member(const struct store_port *p)
{
	return p->member;
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
	    op == STORE_OP_PAGE || op == STORE_OP_INTENTS || op == STORE_OP_INTENTS_LEFT ||
	    op == STORE_OP_INTENT_COUNTS || op == STORE_OP_SCOPES || op == STORE_OP_IMAGE_GET ||
	    op == STORE_OP_IMAGE_LIST ||
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
