#include "config.h"

#include "pair.h"
#include "base/mem.h"
#include "core/resource_read.h"
#include "core_test.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "store/store_member.h"

#include <stdio.h>
#include <string.h>

#define PAIR_WALL INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define PAIR_ASKS 16
#define PAIR_OCCUPY 300 /* calls */

struct loop *pair_loop;
bool pair_frozen;
struct little_bluejay *pair_bluejay;
struct gateway *pair_first, *pair_second;
static struct loop *first_loop;
static struct store *store;
static struct store_port *witness;
static struct snapshot *snap;
static struct pair_ask asks[PAIR_ASKS];
static unsigned asked, ready;

/* A gateway is ready. */
static void
on_ready(void *arg, bool ok)
{
	ck_assert(ok);
	ready++;
}

/* Lets time pass, without waiting for anything else. */
static void
turn(int64_t ms)
{
	for (unsigned i = 0; i < 10; i++, ms = 0) {
		loop_fake_advance(pair_loop, ms);
		if (!pair_frozen) /* what it slept through comes at once */
			loop_fake_advance(first_loop, loop_now(pair_loop) - loop_now(first_loop));
	}
}

/* The store has answered the witness, and so all that was asked before. */
static void
on_witness(void *arg, struct store_reply *reply)
{
	*(bool *)arg = true;
}

/* How many calls the store has answered. */
static uint64_t
answered(void)
{
	struct store_stats stats;

	store_stats(store, &stats);
	return stats.reads + stats.writes;
}

/* Lets everything happen that needs no time: until the store has nothing to answer but
 * the witness, some times in a row since it counts a little later, and the sockets are
 * quiet. */
void
pair_settle(void)
{
	for (unsigned quiet = 0; quiet < 3; quiet++) {
		uint64_t before;
		bool seen = false;

		turn(0);
		before = answered();
		store_get(witness, "nowhere", "nothing", on_witness, &seen);
		while (!seen)
			loop_turn(pair_loop, true);
		turn(0);
		if (answered() != before + 1)
			quiet = 0;
	}
}

/* Lets time pass. */
void
pair_pass(int64_t ms)
{
	int64_t step = ms > 1000 ? 20 : 5, until = loop_now(pair_loop) + ms;

	pair_settle();
	while (loop_now(pair_loop) < until) {
		turn(until - loop_now(pair_loop) < step ? until - loop_now(pair_loop) : step);
		pair_settle();
	}
}

/* Makes a gateway. */
static struct gateway *
gateway(unsigned member)
{
	struct gateway_options o = {.loop = member == 0 ? first_loop : pair_loop, .store = store,
	    .snapshot = snap, .upstream_url = little_url(pair_bluejay), .shared = true,
	    .member = member};
	struct fail fail;
	struct gateway *gw = gateway_new(&o, &fail);

	ck_assert_msg(gw != NULL, "%s", fail.text);
	return gw;
}

/* Opens everything. */
void
pair_begin(void)
{
	static const char text[] = "bluejay: {api_key: k}\n"
	    "projects:\n  shop: {agent_id: 7}\n  bare: {}\n";
	struct config_source source = {.file = "gateway.yaml", .text = text,
	    .text_len = sizeof text - 1};
	struct store_options so = {.binding = "here"};
	struct diag_list diags = {0};
	struct fail fail;

	pair_loop = loop_new_fake(PAIR_WALL);
	first_loop = loop_new_fake(PAIR_WALL);
	pair_frozen = false;
	pair_bluejay = little_new(pair_loop);
	snap = snapshot_load(&source, &diags);
	diag_print(&diags, stderr);
	ck_assert_ptr_nonnull(snap);
	store = store_open(&so, &fail);
	ck_assert_ptr_nonnull(store);
	memset(asks, 0, sizeof asks);
	asked = ready = 0;
	witness = store_port_open(store, pair_loop);
	pair_second = gateway(1);
	pair_first = gateway(0);
	gateway_start(pair_first, on_ready, NULL);
	gateway_start(pair_second, on_ready, NULL);
	pair_settle();
	ck_assert_uint_eq(ready, 2);
}

/* Forgets the requests of before. */
void
pair_forget(void)
{
	for (unsigned i = 0; i < asked; i++) {
		if (asks[i].work != NULL && asks[i].done)
			work_told(asks[i].work, true);
		else if (asks[i].work != NULL)
			work_cancel(asks[i].work);
		result_clear(&asks[i].result);
	}
	asked = 0;
	pair_settle();
}

/* Ends one of them, as a process that is killed does. */
void
pair_kill(struct gateway **gw)
{
	store_port_lapse((*gw)->store, true);
	gateway_free(*gw);
	*gw = NULL;
}

/* Closes everything. */
void
pair_end(void)
{
	pair_forget();
	gateway_free(pair_first);
	gateway_free(pair_second);
	store_port_close(witness);
	store_close(store);
	snapshot_unref(snap);
	little_free(pair_bluejay);
	loop_free(first_loop);
	loop_free(pair_loop);
}

/* A request has its result. */
void
pair_on_result(void *arg, struct result *r)
{
	struct pair_ask *a = arg;

	ck_assert(!a->done);
	a->done = true;
	result_copy(&a->result, r);
}

/* The next request. */
struct pair_ask *
pair_next(void)
{
	struct pair_ask *a = &asks[asked++];

	ck_assert_uint_le(asked, PAIR_ASKS);
	memset(a, 0, sizeof *a);
	result_init(&a->result);
	return a;
}

/* A project of a gateway. */
struct project
pair_project(const struct gateway *gw, const char *id)
{
	struct project p;

	ck_assert(snapshot_project(gateway_snapshot((struct gateway *)(uintptr_t)gw), id,
	    resource_built_in("personas"), &p));
	return p;
}

/* Asks for a create, with a key or without one (NULL). */
struct pair_ask *
pair_create(struct gateway *gw, const char *body, const char *key)
{
	struct project p = pair_project(gw, "shop");
	struct item_create in = {.raw = body, .raw_len = strlen(body), .idempotency_key = key};
	struct pair_ask *a = pair_next();

	ck_assert(json_read(body, strlen(body), &in.body, NULL));
	a->work = item_create(gw, &p, &in, pair_on_result, a);
	json_object_put(in.body);
	pair_settle();
	return a;
}

/* Asks for an update. */
struct pair_ask *
pair_update(struct gateway *gw, const char *id, const char *body)
{
	struct project p = pair_project(gw, "shop");
	struct json_object *o = NULL;
	struct pair_ask *a = pair_next();

	ck_assert(json_read(body, strlen(body), &o, NULL));
	a->work = item_update(gw, &p, id, o, pair_on_result, a);
	json_object_put(o);
	pair_settle();
	return a;
}

/* Asks for a delete. */
struct pair_ask *
pair_delete(struct gateway *gw, const char *id)
{
	struct project p = pair_project(gw, "shop");
	struct pair_ask *a = pair_next();

	a->work = item_delete(gw, &p, id, pair_on_result, a);
	pair_settle();
	return a;
}

/* Asks for one. */
struct pair_ask *
pair_get(struct gateway *gw, const char *id, bool no_cache)
{
	struct project p = pair_project(gw, "shop");
	struct pair_ask *a = pair_next();

	a->work = item_get(gw, &p, id, no_cache, pair_on_result, a);
	pair_settle();
	return a;
}

/* Asks for all. */
struct pair_ask *
pair_list(struct gateway *gw)
{
	struct project p = pair_project(gw, "shop");
	struct pair_ask *a = pair_next();

	a->work = item_list(gw, &p, false, pair_on_result, a);
	pair_settle();
	return a;
}

/* Waits for a result. */
const struct result *
pair_want(struct pair_ask *a, int status)
{
	for (unsigned i = 0; !a->done && i < 60000; i += 20)
		pair_pass(20);
	ck_assert(a->done);
	if (a->work != NULL)
		work_told(a->work, true);
	a->work = NULL;
	pair_settle();
	ck_assert_msg(a->result.status == status, "%d, not %d: %s", a->result.status, status,
	    a->result.body != NULL ? a->result.body : "");
	return &a->result;
}

/* Whether a result's body holds a text. */
bool
pair_holds(const struct pair_ask *a, const char *text)
{
	return a->result.body != NULL && strstr(a->result.body, text) != NULL;
}

/* The id in a result. */
char *
pair_id_of(const struct pair_ask *a)
{
	struct json_object *o = NULL;
	char *id;

	ck_assert(json_read(a->result.body, a->result.len, &o, NULL));
	id = mem_string(json_get_string(o, "id"));
	json_object_put(o);
	return id;
}

/* Makes a persona through a gateway; the caller frees the id. */
char *
pair_made(struct gateway *gw, const char *body)
{
	struct pair_ask *a = pair_create(gw, body, NULL);
	char *id;

	pair_want(a, 201);
	id = pair_id_of(a);
	pair_forget();
	return id;
}

/* The first gateway sleeps, and its lease runs out. */
void
pair_sleep(int64_t ms)
{
	pair_frozen = true;
	store_port_lapse(pair_first->store, true);
	pair_pass(ms);
}

/* It wakes up. */
void
pair_wake(void)
{
	store_port_lapse(pair_first->store, false);
	pair_frozen = false;
	pair_pass(100);
}

/* Keeps the store so busy that who asks it in a state of a change has no answer at once. */
static void
occupy(enum change_state state)
{
	static bool seen;

	for (unsigned i = 0; i < PAIR_OCCUPY; i++) {
		if (state == CHANGE_FINDING)
			store_get(witness, "nowhere", "nothing", on_witness, &seen);
		else
			store_intent_mark(witness, "nothing", STORE_UNKNOWN, PAIR_WALL, NULL, NULL);
	}
}

/* Freezes the first gateway in the middle of a change. */
bool
pair_freeze(const struct change *c, enum change_state state, bool late)
{
	while (c->late != late || c->state < state) {
		occupy(state);
		loop_fake_advance(first_loop, loop_now(pair_loop) - loop_now(first_loop));
	}
	pair_frozen = c->state == state;
	pair_settle();
	return pair_frozen;
}

/* Asks for an update whose gateway sleeps in the middle. */
struct pair_ask *
pair_update_and_sleep(const char *id, const char *text, enum change_state state)
{
	struct project p = pair_project(pair_first, "shop");
	struct json_object *body = NULL;
	struct pair_ask *a;

	ck_assert(json_read(text, strlen(text), &body, NULL));
	for (;;) {
		a = pair_next();
		a->work = item_update(pair_first, &p, id, body, pair_on_result, a);
		if (pair_freeze(TAILQ_FIRST(&pair_first->changes), state, false))
			break;
		pair_want(a, 200); /* the answer was there all the same */
		pair_forget();
	}
	json_object_put(body);
	return a;
}
