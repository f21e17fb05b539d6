#include "config.h"

#include "base/mem.h"
#include "core/bypass.h"
#include "core/change_impl.h"
#include "core/create_impl.h"
#include "core/gateway_impl.h"
#include "core/items.h"
#include "core/intents.h"
#include "core/peers.h"
#include "core/resource_read.h"
#include "core_test.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "little_bluejay.h"
#include "store/store_member.h"

#include <stdio.h>
#include <string.h>

#define WALL INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define ASKS 16

/*
 * Two gateways on one store in memory, each a member of it with a loop of its own, and one
 * Bluejay; clocks that only the test moves. The first one's loop can be frozen, as a process
 * is by SIGSTOP.
 */

/* One request and what came of it. */
struct ask {
	struct work *work;
	bool done;
	struct result result;
};

static struct loop *loop, *first_loop;
static bool frozen;
static struct little_bluejay *bluejay;
static struct store *store;
static struct store_port *witness;
static struct snapshot *snap;
static struct gateway *first, *second;
static struct ask asks[ASKS];
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
		loop_fake_advance(loop, ms);
		if (!frozen) /* what it slept through comes at once */
			loop_fake_advance(first_loop, loop_now(loop) - loop_now(first_loop));
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
static void
settle(void)
{
	for (unsigned quiet = 0; quiet < 3; quiet++) {
		uint64_t before;
		bool seen = false;

		turn(0);
		before = answered();
		store_get(witness, "nowhere", "nothing", on_witness, &seen);
		while (!seen)
			loop_turn(loop, true);
		turn(0);
		if (answered() != before + 1)
			quiet = 0;
	}
}

/* Lets time pass. */
static void
pass(int64_t ms)
{
	int64_t step = ms > 1000 ? 20 : 5, until = loop_now(loop) + ms;

	settle();
	while (loop_now(loop) < until) {
		turn(until - loop_now(loop) < step ? until - loop_now(loop) : step);
		settle();
	}
}

/* Makes a gateway. */
static struct gateway *
gateway(unsigned member)
{
	struct gateway_options o = {.loop = member == 0 ? first_loop : loop, .store = store, .snapshot = snap,
	    .upstream_url = little_url(bluejay), .shared = true, .member = member};
	struct fail fail;
	struct gateway *gw = gateway_new(&o, &fail);

	ck_assert_msg(gw != NULL, "%s", fail.text);
	return gw;
}

/* Opens everything. */
static void
begin(void)
{
	static const char text[] = "bluejay: {api_key: k}\n"
	    "projects:\n  shop: {agent_id: 7}\n  bare: {}\n";
	struct config_source source = {.file = "gateway.yaml", .text = text,
	    .text_len = sizeof text - 1};
	struct store_options so = {.binding = "here"};
	struct diag_list diags = {0};
	struct fail fail;

	loop = loop_new_fake(WALL);
	first_loop = loop_new_fake(WALL);
	frozen = false;
	bluejay = little_new(loop);
	snap = snapshot_load(&source, &diags);
	diag_print(&diags, stderr);
	ck_assert_ptr_nonnull(snap);
	store = store_open(&so, &fail);
	ck_assert_ptr_nonnull(store);
	memset(asks, 0, sizeof asks);
	asked = ready = 0;
	witness = store_port_open(store, loop);
	second = gateway(1);
	first = gateway(0);
	gateway_start(first, on_ready, NULL);
	gateway_start(second, on_ready, NULL);
	settle();
	ck_assert_uint_eq(ready, 2);
}

/* Forgets the requests of before. */
static void
forget(void)
{
	for (unsigned i = 0; i < asked; i++) {
		if (asks[i].work != NULL && asks[i].done)
			work_told(asks[i].work, true);
		else if (asks[i].work != NULL)
			work_cancel(asks[i].work);
		result_clear(&asks[i].result);
	}
	asked = 0;
	settle();
}

/* Ends one of them, as a process that is killed does. */
static void
kill_gateway(struct gateway **gw)
{
	store_port_lapse((*gw)->store, true);
	gateway_free(*gw);
	*gw = NULL;
}

/* Closes everything. */
static void
end(void)
{
	forget();
	gateway_free(first);
	gateway_free(second);
	store_port_close(witness);
	store_close(store);
	snapshot_unref(snap);
	little_free(bluejay);
	loop_free(first_loop);
	loop_free(loop);
}

/* A request has its result. */
static void
on_result(void *arg, struct result *r)
{
	struct ask *a = arg;

	ck_assert(!a->done);
	a->done = true;
	result_copy(&a->result, r);
}

/* The next request. */
static struct ask *
next(void)
{
	struct ask *a = &asks[asked++];

	ck_assert_uint_le(asked, ASKS);
	memset(a, 0, sizeof *a);
	result_init(&a->result);
	return a;
}

/* A project of a gateway. */
static struct project
project(const struct gateway *gw, const char *id)
{
	struct project p;

	ck_assert(snapshot_project(gateway_snapshot((struct gateway *)(uintptr_t)gw), id,
	    resource_built_in("personas"), &p));
	return p;
}

/* Asks for a create, with a key or without one (NULL). */
static struct ask *
create(struct gateway *gw, const char *body, const char *key)
{
	struct project p = project(gw, "shop");
	struct item_create in = {.raw = body, .raw_len = strlen(body), .idempotency_key = key};
	struct ask *a = next();

	ck_assert(json_read(body, strlen(body), &in.body, NULL));
	a->work = item_create(gw, &p, &in, on_result, a);
	json_object_put(in.body);
	settle();
	return a;
}

/* Asks for an update. */
static struct ask *
update(struct gateway *gw, const char *id, const char *body)
{
	struct project p = project(gw, "shop");
	struct json_object *o = NULL;
	struct ask *a = next();

	ck_assert(json_read(body, strlen(body), &o, NULL));
	a->work = item_update(gw, &p, id, o, on_result, a);
	json_object_put(o);
	settle();
	return a;
}

/* Asks for a delete. */
static struct ask *
delete(struct gateway *gw, const char *id)
{
	struct project p = project(gw, "shop");
	struct ask *a = next();

	a->work = item_delete(gw, &p, id, on_result, a);
	settle();
	return a;
}

/* Asks for one. */
static struct ask *
get(struct gateway *gw, const char *id, bool no_cache)
{
	struct project p = project(gw, "shop");
	struct ask *a = next();

	a->work = item_get(gw, &p, id, no_cache, on_result, a);
	settle();
	return a;
}

/* Asks for all. */
static struct ask *
list(struct gateway *gw)
{
	struct project p = project(gw, "shop");
	struct ask *a = next();

	a->work = item_list(gw, &p, false, on_result, a);
	settle();
	return a;
}

/* Waits for a result. */
static const struct result *
want(struct ask *a, int status)
{
	for (unsigned i = 0; !a->done && i < 60000; i += 20)
		pass(20);
	ck_assert(a->done);
	if (a->work != NULL)
		work_told(a->work, true);
	a->work = NULL;
	settle();
	ck_assert_msg(a->result.status == status, "%d, not %d: %s", a->result.status, status,
	    a->result.body != NULL ? a->result.body : "");
	return &a->result;
}

/* Whether a result's body holds a text. */
static bool
holds(const struct ask *a, const char *text)
{
	return a->result.body != NULL && strstr(a->result.body, text) != NULL;
}

/* The id in a result. */
static char *
id_of(const struct ask *a)
{
	struct json_object *o = NULL;
	char *id;

	ck_assert(json_read(a->result.body, a->result.len, &o, NULL));
	id = mem_string(json_get_string(o, "id"));
	json_object_put(o);
	return id;
}

/* Makes a persona through a gateway; the caller frees the id. */
static char *
made(struct gateway *gw, const char *body)
{
	struct ask *a = create(gw, body, NULL);
	char *id;

	want(a, 201);
	id = id_of(a);
	forget();
	return id;
}

#define ANN "{\"name\":\"Ann\",\"systemPrompt\":\"calm\"}"

/* ---- reads ---- */

START_TEST(a_write_through_one_is_seen_through_the_other)
{
	char *id;
	struct ask *a;

	begin();
	id = made(first, ANN);
	a = get(second, id, false);
	want(a, 200);
	ck_assert(holds(a, "calm"));
	ck_assert(second->cache_hits == 0);
	a = get(second, id, false); /* from memory now */
	want(a, 200);
	ck_assert(second->cache_hits == 1);
	want(update(first, id, "{\"systemPrompt\":\"wild\",\"headers\":{\"a\":\"b\"}}"), 200);
	a = get(second, id, false);
	want(a, 200);
	ck_assert_msg(holds(a, "wild") && holds(a, "\"a\":\"b\""), "%s", a->result.body);
	a = list(second);
	want(a, 200);
	ck_assert(holds(a, "wild"));
	want(delete(first, id), 204);
	want(get(second, id, false), 404);
	a = list(second);
	want(a, 200);
	ck_assert_str_eq(a->result.body, "[]");
	free(id);
	end();
}
END_TEST

START_TEST(nothing_in_memory_is_believed_while_the_feed_is_behind)
{
	struct result now;
	struct project p;
	char *id;
	struct ask *a;

	begin();
	p = project(second, "shop");
	id = made(first, ANN);
	want(get(second, id, false), 200);
	store_port_deafen(second->store, true);
	want(update(first, id, "{\"headers\":{\"a\":\"new\"}}"), 200);
	a = get(second, id, false); /* within the time that is promised */
	want(a, 200);
	ck_assert(!holds(a, "new"));
	ck_assert(item_get_now(second, &p, id, &now));
	result_clear(&now);
	pass(STORE_CURRENT_MS + 1);
	ck_assert(!item_get_now(second, &p, id, &now));
	a = get(second, id, false);
	want(a, 200);
	ck_assert(holds(a, "new"));
	ck_assert_str_eq(a->result.cache, "miss");
	free(id);
	end();
}
END_TEST

START_TEST(no_cache_asks_the_store_whatever_the_feed_says)
{
	char *id;
	struct ask *a;

	begin();
	id = made(first, ANN);
	want(get(second, id, false), 200);
	store_port_deafen(second->store, true);
	want(update(first, id, "{\"headers\":{\"a\":\"new\"}}"), 200);
	a = get(second, id, true);
	want(a, 200);
	ck_assert(holds(a, "new"));
	free(id);
	end();
}
END_TEST

START_TEST(a_lost_feed_outdates_everything)
{
	char *id;
	struct ask *a;

	begin();
	id = made(first, ANN);
	want(get(second, id, false), 200);
	store_port_deafen(second->store, true);
	want(update(first, id, "{\"headers\":{\"a\":\"new\"}}"), 200);
	store_port_deafen(second->store, false);
	settle();
	a = get(second, id, false);
	want(a, 200);
	ck_assert(holds(a, "new"));
	free(id);
	end();
}
END_TEST

START_TEST(a_silent_store_leaves_reads_of_what_is_known)
{
	char *id;
	struct ask *a;

	begin();
	id = made(first, ANN);
	want(get(first, id, false), 200);
	want(list(first), 200);
	store_port_deafen(first->store, true);
	pass(4000);
	little_change(bluejay, id, "changed there");
	a = get(first, id, false); /* whose it is memory knows, what it holds Bluejay does */
	want(a, 200);
	ck_assert(holds(a, "changed there"));
	ck_assert_str_eq(a->result.cache, "stale");
	ck_assert_int_eq(a->result.age, 4);
	a = list(first);
	want(a, 200);
	ck_assert_str_eq(a->result.cache, "stale");
	a = get(first, id, true); /* the store is asked */
	want(a, 200);
	ck_assert_str_eq(a->result.cache, "miss");
	free(id);
	end();
}
END_TEST

START_TEST(a_write_past_one_outdates_what_the_other_remembers)
{
	char *id;
	struct ask *a;

	begin();
	id = made(first, ANN);
	want(get(second, id, false), 200);
	little_change(bluejay, id, "changed there");
	bypass_written(first);
	settle();
	a = get(second, id, false);
	want(a, 200);
	ck_assert(holds(a, "changed there"));
	free(id);
	end();
}
END_TEST

/* ---- listings ---- */

START_TEST(a_late_listing_undoes_nothing_that_another_wrote)
{
	char *id;
	struct ask *a;

	begin();
	id = made(first, ANN);
	want(list(second), 200);
	little_lag(bluejay, true);
	want(update(first, id, "{\"name\":\"Ann B\",\"systemPrompt\":\"wild\"}"), 200);
	pass(3000);
	a = list(second);
	want(a, 200);
	ck_assert_msg(holds(a, "wild") && holds(a, "Ann B"), "%s", a->result.body);
	a = get(first, id, true);
	want(a, 200);
	ck_assert(holds(a, "wild"));
	want(create(first, "{\"name\":\"Ann B\"}", NULL), 409); /* the name was not given back */
	want(delete(first, id), 204);
	a = list(second);
	want(a, 200);
	ck_assert_str_eq(a->result.body, "[]");
	free(id);
	end();
}
END_TEST

START_TEST(what_another_is_creating_is_not_adopted)
{
	char *id;
	struct ask *a, *b;

	begin();
	little_fate(bluejay, "POST", LITTLE_DO_HOLD);
	a = create(first, "{\"name\":\"Ann\",\"headers\":{\"a\":\"b\"}}", NULL);
	b = list(second);
	want(b, 200);
	ck_assert_str_eq(b->result.body, "[]");
	little_release(bluejay);
	want(a, 201);
	b = list(second);
	want(b, 200);
	ck_assert(holds(b, "\"a\":\"b\"")); /* the create's own record */
	ck_assert(!holds(b, "description"));
	id = id_of(a);
	want(get(second, id, false), 200);
	free(id);
	end();
}
END_TEST

START_TEST(what_was_made_elsewhere_is_adopted_once)
{
	struct ask *a, *b;
	struct project pa, pb;

	begin();
	little_make(bluejay, "Zoe");
	pa = project(first, "shop");
	pb = project(second, "shop");
	a = next();
	b = next();
	a->work = item_list(first, &pa, false, on_result, a);
	b->work = item_list(second, &pb, false, on_result, b);
	want(a, 200);
	want(b, 200);
	a = list(first);
	b = list(second);
	want(a, 200);
	want(b, 200);
	ck_assert(holds(a, "Zoe"));
	ck_assert_str_eq(a->result.body, b->result.body);
	ck_assert_ptr_null(strstr(strstr(a->result.body, "Zoe") + 3, "Zoe"));
	end();
}
END_TEST

/* ---- creates ---- */

START_TEST(an_equal_create_at_another_gateway_joins)
{
	struct ask *a, *b;
	char *one, *two;

	begin();
	little_fate(bluejay, "POST", LITTLE_DO_HOLD);
	a = create(first, ANN, NULL);
	b = create(second, ANN, NULL);
	pass(1000);
	ck_assert(!a->done && !b->done);
	little_release(bluejay);
	want(a, 201);
	want(b, 201);
	one = id_of(a);
	two = id_of(b);
	ck_assert_str_eq(one, two);
	ck_assert_uint_eq(little_count(bluejay), 1);
	ck_assert_uint_eq(little_asked(bluejay, "POST"), 1);
	want(create(second, ANN, NULL), 409);
	free(one);
	free(two);
	end();
}
END_TEST

START_TEST(another_body_under_a_name_that_is_on_its_way_waits_and_gets_409)
{
	struct ask *a, *b;

	begin();
	little_fate(bluejay, "POST", LITTLE_DO_HOLD);
	a = create(first, ANN, NULL);
	b = create(second, "{\"name\":\"Ann\",\"systemPrompt\":\"other\"}", NULL);
	pass(1000);
	ck_assert(!b->done);
	little_release(bluejay);
	want(a, 201);
	want(b, 409);
	ck_assert_uint_eq(little_count(bluejay), 1);
	end();
}
END_TEST

START_TEST(another_body_under_a_name_whose_create_is_unknown_gets_503)
{
	struct ask *a, *b;

	begin();
	little_fate(bluejay, "POST", LITTLE_LOSE);
	a = create(first, ANN, NULL);
	b = create(second, "{\"name\":\"Ann\",\"systemPrompt\":\"other\"}", NULL);
	want(b, 503);
	ck_assert(b->result.retry_after > 0);
	ck_assert(holds(b, "with another body is not settled yet"));
	want(a, 201); /* proven absent and sent again */
	ck_assert_uint_eq(little_count(bluejay), 1);
	end();
}
END_TEST

START_TEST(a_key_is_answered_by_another_gateway)
{
	struct ask *a, *b, *c;
	char *one, *two;

	begin();
	little_fate(bluejay, "POST", LITTLE_DO_HOLD);
	a = create(first, ANN, "k1");
	b = create(second, ANN, "k1");
	c = create(second, "{\"name\":\"Bob\"}", "k1");
	want(c, 422);
	little_release(bluejay);
	want(a, 201);
	want(b, 201);
	one = id_of(a);
	two = id_of(b);
	ck_assert_str_eq(one, two);
	want(create(second, ANN, "k1"), 201);
	want(create(second, "{\"name\":\"Bob\"}", "k1"), 422);
	ck_assert_uint_eq(little_count(bluejay), 1);
	free(one);
	free(two);
	end();
}
END_TEST

START_TEST(what_nobody_was_told_of_is_handed_out_once)
{
	struct ask *a, *b;

	begin();
	little_fate(bluejay, "POST", LITTLE_DO_HOLD);
	create(first, ANN, NULL);
	forget(); /* its client leaves */
	little_release(bluejay);
	pass(3000);
	a = create(first, ANN, NULL);
	b = create(second, ANN, NULL);
	pass(3000);
	ck_assert(a->done && b->done);
	ck_assert_int_eq(a->result.status + b->result.status, 201 + 409);
	ck_assert_uint_eq(little_count(bluejay), 1);
	end();
}
END_TEST

START_TEST(what_nobody_waits_for_any_more_is_there_for_the_next)
{
	begin();
	little_fate(bluejay, "POST", LITTLE_DO_HOLD);
	create(first, ANN, NULL);
	forget(); /* its client leaves */
	little_release(bluejay);
	pass(3000);
	little_fate(bluejay, "GET", LITTLE_HOLD);
	create(second, ANN, NULL);
	ck_assert_uint_eq(little_held(bluejay), 1); /* it is looked at before it is handed out */
	forget();                                   /* this one leaves, too */
	little_release(bluejay);
	settle();
	want(create(second, ANN, NULL), 201);
	ck_assert_uint_eq(little_count(bluejay), 1);
	end();
}
END_TEST

START_TEST(what_a_listing_shows_before_it_is_sent_again_is_not_made_twice)
{
	struct creation *c;
	struct json_object *item = NULL;
	struct ask *a;

	begin();
	little_fate(bluejay, "POST", LITTLE_LOSE);
	a = create(first, ANN, NULL);
	c = first->creations;
	ck_assert(creation_is_unsettled(c));
	/* Shown at last, but not yet in the declared shape. */
	json_read("{\"id\":\"00000000-0000-4000-8000-000000000099\"}", 45, &item, NULL);
	ck_assert_ptr_nonnull(item);
	claim_keep(&c->claim, item, 0);
	json_object_put(item);
	ck_assert(creation_peer_resend(c));
	settle();
	ck_assert_uint_eq(little_asked(bluejay, "POST"), 1);
	ck_assert(creation_is_unsettled(c));
	want(a, 502); /* it is not there after all */
	ck_assert_uint_eq(little_asked(bluejay, "POST"), 1);
	end();
}
END_TEST

/* ---- updates ---- */

START_TEST(an_update_waits_for_one_of_another_gateway)
{
	struct ask *a, *b;
	char *id;

	begin();
	id = made(first, ANN);
	little_fate(bluejay, "PUT", LITTLE_DO_HOLD);
	a = update(first, id, "{\"systemPrompt\":\"wild\",\"headers\":{\"a\":\"b\"}}");
	b = update(second, id, "{\"description\":\"d\"}");
	pass(1000);
	ck_assert(!b->done);
	little_release(bluejay);
	want(a, 200);
	want(b, 200);
	ck_assert(holds(b, "wild") && holds(b, "\"a\":\"b\"") && holds(b, "\"d\""));
	free(id);
	end();
}
END_TEST

START_TEST(fields_kept_here_are_not_lost_between_gateways)
{
	struct ask *a, *b;
	struct json_object *x = NULL, *y = NULL;
	struct project pa, pb;
	char *id;

	begin();
	id = made(first, ANN);
	pa = project(first, "shop");
	pb = project(second, "shop");
	json_read("{\"headers\":{\"a\":\"b\"}}", 21, &x, NULL);
	json_read("{\"imageUrl\":\"u\"}", 16, &y, NULL);
	for (unsigned i = 0; i < 5; i++) { /* both at the same moment */
		a = next();
		b = next();
		a->work = item_update(first, &pa, id, x, on_result, a);
		b->work = item_update(second, &pb, id, y, on_result, b);
		want(a, 200);
		want(b, 200);
		forget();
		a = get(first, id, true);
		want(a, 200);
		ck_assert_msg(holds(a, "\"a\":\"b\"") && holds(a, "\"imageUrl\":\"u\""), "%s",
		    a->result.body);
		forget();
		want(update(first, id, "{\"headers\":{},\"imageUrl\":\"\"}"), 200);
		forget();
	}
	json_object_put(x);
	json_object_put(y);
	free(id);
	end();
}
END_TEST

/* Keeps the store so busy that who asks it in a state of a change has no answer at once. */
static void
occupy(enum change_state state)
{
	static bool seen;

	for (unsigned i = 0; i < 300; i++) {
		if (state == CHANGE_FINDING)
			store_get(witness, "nowhere", "nothing", on_witness, &seen);
		else
			store_intent_mark(witness, "nothing", STORE_UNKNOWN, WALL, NULL, NULL);
	}
}

/* Asks the first gateway for an update and has it sleep in a state of it, in which it has asked
 * the store; the answer is read when it wakes up. */
static struct ask *
update_and_sleep(const char *id, const char *text, enum change_state state)
{
	struct project p = project(first, "shop");
	struct json_object *body = NULL;
	struct ask *a;

	ck_assert(json_read(text, strlen(text), &body, NULL));
	for (;;) {
		const struct change *c;

		a = next();
		a->work = item_update(first, &p, id, body, on_result, a);
		c = TAILQ_FIRST(&first->changes);
		occupy(state);
		while (c->state < state)
			loop_fake_advance(first_loop, 0);
		if (c->state == state)
			break;
		want(a, 200); /* the answer was there all the same */
		forget();
	}
	frozen = true;
	settle();
	json_object_put(body);
	return a;
}

START_TEST(fields_kept_here_outlast_a_change_that_was_read_before_them)
{
	struct ask *a, *b;
	char *id;

	begin();
	id = made(first, ANN);
	a = update_and_sleep(id, "{\"systemPrompt\":\"wild\"}", CHANGE_FINDING);
	b = update(second, id, "{\"headers\":{\"a\":\"b\"}}");
	want(b, 200);
	frozen = false;
	want(a, 200);
	ck_assert_msg(holds(a, "wild") && holds(a, "\"a\":\"b\""), "%s", a->result.body);
	a = get(second, id, true);
	want(a, 200);
	ck_assert_msg(holds(a, "wild") && holds(a, "\"a\":\"b\""), "%s", a->result.body);
	ck_assert_uint_eq(little_asked(bluejay, "PUT"), 1);
	free(id);
	end();
}
END_TEST

START_TEST(a_change_that_others_come_before_again_and_again_loses_nothing)
{
	char *id, body[64];
	struct ask *a, *b;

	begin();
	id = made(first, ANN);
	little_fate(bluejay, "GET", LITTLE_HOLD);
	b = update(second, id, "{\"imageUrl\":\"u\"}"); /* has read the record, and reads the item */
	for (unsigned i = 0; i < 8; i++) {
		ck_assert_uint_eq(little_held(bluejay), 1);
		snprintf(body, sizeof body, "{\"systemPrompt\":\"turn %u\",\"headers\":{\"n\":\"%u\"}}", i, i);
		want(update(first, id, body), 200);
		if (i < 7)
			little_fate(bluejay, "GET", LITTLE_HOLD);
		little_release(bluejay);
		settle();
	}
	want(b, 200);
	a = get(first, id, true);
	want(a, 200);
	ck_assert_msg(holds(a, "turn 7") && holds(a, "\"n\":\"7\"") && holds(a, "\"imageUrl\":\"u\""),
	    "%s", a->result.body);
	free(id);
	end();
}
END_TEST

/* ---- leases ---- */

START_TEST(what_a_dead_gateway_left_is_taken_over)
{
	struct ask *a, *b;
	char *id;

	begin();
	id = made(first, "{\"name\":\"Bob\"}");
	little_fate(bluejay, "POST", LITTLE_DO_HOLD);
	little_fate(bluejay, "PUT", LITTLE_DO_HOLD);
	create(first, ANN, NULL);
	update(first, id, "{\"systemPrompt\":\"wild\"}");
	forget();
	kill_gateway(&first);
	b = create(second, ANN, NULL); /* equal: gets what the dead one made */
	a = update(second, id, "{\"description\":\"d\"}");
	want(b, 201);
	want(a, 200);
	ck_assert(holds(a, "wild"));
	ck_assert_uint_eq(little_named(bluejay, "Ann"), 1);
	ck_assert_uint_eq(little_asked(bluejay, "POST"), 2);
	ck_assert_uint_eq(second->peers != NULL, 1);
	free(id);
	end();
}
END_TEST

START_TEST(what_a_living_gateway_holds_is_left_to_it)
{
	struct peers_counts counts;
	struct ask *a;

	begin();
	little_fate(bluejay, "POST", LITTLE_HOLD);
	a = create(first, ANN, NULL);
	pass(12000);
	peers_counts(second, &counts);
	ck_assert_uint_eq(counts.taken, 0);
	little_release(bluejay);
	want(a, 201);
	end();
}
END_TEST

START_TEST(a_write_is_cut_when_the_lease_ends)
{
	struct ask *a;

	begin();
	little_fate(bluejay, "POST", LITTLE_DO_HOLD);
	a = create(first, ANN, NULL);
	store_port_lapse(first->store, true);
	ck_assert(gateway_busy(first));
	pass(1100);
	ck_assert(!gateway_busy(first)); /* it is not awaited any more */
	want(a, 201); /* it is looked for, by one of them or both */
	ck_assert_uint_eq(little_asked(bluejay, "POST"), 1);
	ck_assert_uint_eq(little_count(bluejay), 1);
	want(create(second, ANN, NULL), 409);
	end();
}
END_TEST

/* The first gateway sleeps, and wakes up when its lease is long over. */
static void
sleep_long(int64_t ms)
{
	frozen = true;
	store_port_lapse(first->store, true);
	pass(ms);
}

static void
wake_up(void)
{
	store_port_lapse(first->store, false);
	frozen = false;
	pass(100);
}

START_TEST(one_that_wakes_up_hands_out_what_the_other_has_recorded)
{
	struct peers_counts counts;
	struct ask *a;

	begin();
	little_fate(bluejay, "POST", LITTLE_DO_HOLD);
	a = create(first, ANN, NULL);
	sleep_long(10000);
	peers_counts(second, &counts);
	ck_assert_uint_eq(counts.taken, 1);
	little_release(bluejay);
	wake_up();
	want(a, 201);
	peers_counts(first, &counts);
	ck_assert_uint_eq(counts.lost, 1);
	ck_assert_uint_eq(little_count(bluejay), 1);
	ck_assert_uint_eq(little_asked(bluejay, "POST"), 1);
	end();
}
END_TEST

START_TEST(one_that_wakes_up_records_what_was_given_up_and_made_after_all)
{
	struct ask *a;
	char *id;

	begin();
	little_fate(bluejay, "POST", LITTLE_HOLD); /* done only when it is let go */
	a = create(first, ANN, NULL);
	sleep_long(25000); /* the other one has proven it absent */
	little_release(bluejay);
	wake_up();
	want(a, 201);
	id = id_of(a);
	want(get(second, id, false), 200);
	ck_assert_uint_eq(little_count(bluejay), 1);
	free(id);
	end();
}
END_TEST

START_TEST(one_that_wakes_up_leaves_no_duplicate)
{
	struct ask *a, *b;
	char *id, *made_id;

	begin();
	little_fate(bluejay, "POST", LITTLE_HOLD);
	a = create(first, ANN, NULL);
	sleep_long(25000);
	b = create(second, "{\"name\":\"Ann\",\"systemPrompt\":\"another\"}", NULL);
	want(b, 201); /* the name was free */
	made_id = id_of(b);
	little_release(bluejay); /* a second Ann */
	ck_assert_uint_eq(little_named(bluejay, "Ann"), 2);
	wake_up();
	want(a, 409);
	pass(1000);
	ck_assert_uint_eq(little_named(bluejay, "Ann"), 1);
	a = list(second);
	want(a, 200);
	id = strstr(a->result.body, "\"id\"");
	ck_assert_ptr_nonnull(id);
	ck_assert_ptr_null(strstr(id + 1, "\"id\""));
	ck_assert(holds(a, made_id));
	free(made_id);
	end();
}
END_TEST

START_TEST(a_client_that_waited_through_all_of_it_gets_an_honest_answer)
{
	struct ask *a;

	begin();
	little_fate(bluejay, "POST", LITTLE_HOLD);
	a = create(first, ANN, NULL);
	sleep_long(40000);
	little_release(bluejay);
	wake_up();
	ck_assert(a->done && (a->result.status == 504 || a->result.status == 201)); /* its time is over */
	want(a, a->result.status);
	pass(20000);
	ck_assert_uint_eq(little_count(bluejay), 1);
	want(create(second, ANN, NULL), a->result.status == 201 ? 409 : 201);
	ck_assert_uint_eq(little_count(bluejay), 1);
	end();
}
END_TEST

START_TEST(an_update_that_comes_too_late_is_what_bluejay_says)
{
	struct ask *a, *b;
	char *id;

	begin();
	id = made(first, ANN);
	little_fate(bluejay, "PUT", LITTLE_HOLD);
	a = update(first, id, "{\"systemPrompt\":\"wild\"}");
	sleep_long(25000); /* the other one has seen that it did not happen */
	b = update(second, id, "{\"description\":\"by the other\"}");
	want(b, 200);
	little_release(bluejay);
	wake_up();
	want(a, 200);
	ck_assert(holds(a, "wild") && holds(a, "by the other"));
	b = get(second, id, true);
	want(b, 200);
	ck_assert(holds(b, "wild") && holds(b, "by the other"));
	free(id);
	end();
}
END_TEST

START_TEST(a_change_of_kept_fields_that_comes_too_late_is_made_anew)
{
	struct ask *a;
	char *id;

	begin();
	id = made(first, ANN);
	a = update_and_sleep(id, "{\"headers\":{\"a\":\"b\"}}", CHANGE_BEGINNING);
	sleep_long(25000); /* the other one has taken the intent, and given it up */
	wake_up();
	want(a, 200);
	ck_assert(holds(a, "\"a\":\"b\""));
	free(id);
	end();
}
END_TEST

START_TEST(what_a_gateway_lost_sight_of_is_gone_on_with)
{
	struct store_intent in = {.operation = STORE_UPDATE, .state = STORE_PENDING};
	struct peers_counts counts;
	struct project p;
	char *id;

	begin();
	id = made(first, ANN);
	p = project(first, "shop");
	in.id = (char *)(uintptr_t)"lost";
	in.scope = p.scope;
	in.project = (char *)(uintptr_t)"shop";
	in.local_id = in.upstream_id = id;
	in.sent = (char *)(uintptr_t)"{\"system_prompt\":\"wild\"}";
	in.created_ms = in.touched_ms = loop_wall(loop);
	store_update_begin(first->store, &in, NULL, NULL);
	want(update(second, id, "{\"description\":\"d\"}"), 503);
	pass(80000); /* since then */
	want(update(second, id, "{\"description\":\"d\"}"), 200);
	peers_counts(first, &counts);
	ck_assert_uint_eq(counts.taken, 0);
	peers_counts(second, &counts);
	ck_assert_uint_eq(counts.taken, 0);
	free(id);
	end();
}
END_TEST

START_TEST(without_a_lease_nothing_is_sent)
{
	struct ask *a;

	begin();
	store_port_lapse(first->store, true);
	a = create(first, ANN, NULL);
	want(a, 503);
	ck_assert(a->result.retry_after > 0);
	ck_assert_uint_eq(little_asked(bluejay, "POST"), 0);
	want(create(second, ANN, NULL), 201);
	end();
}
END_TEST

/* Tests of two gateways on one store. */
Suite *
peers_suite(void)
{
	const TTest *const tests[] = {
	    a_write_through_one_is_seen_through_the_other,
	    nothing_in_memory_is_believed_while_the_feed_is_behind,
	    no_cache_asks_the_store_whatever_the_feed_says,
	    a_lost_feed_outdates_everything,
	    a_silent_store_leaves_reads_of_what_is_known,
	    a_write_past_one_outdates_what_the_other_remembers,
	    a_late_listing_undoes_nothing_that_another_wrote,
	    what_another_is_creating_is_not_adopted,
	    what_was_made_elsewhere_is_adopted_once,
	    an_equal_create_at_another_gateway_joins,
	    another_body_under_a_name_that_is_on_its_way_waits_and_gets_409,
	    another_body_under_a_name_whose_create_is_unknown_gets_503,
	    a_key_is_answered_by_another_gateway,
	    what_nobody_was_told_of_is_handed_out_once,
	    what_nobody_waits_for_any_more_is_there_for_the_next,
	    what_a_listing_shows_before_it_is_sent_again_is_not_made_twice,
	    an_update_waits_for_one_of_another_gateway,
	    fields_kept_here_are_not_lost_between_gateways,
	    fields_kept_here_outlast_a_change_that_was_read_before_them,
	    a_change_that_others_come_before_again_and_again_loses_nothing,
	    what_a_dead_gateway_left_is_taken_over,
	    what_a_living_gateway_holds_is_left_to_it,
	    a_write_is_cut_when_the_lease_ends,
	    one_that_wakes_up_hands_out_what_the_other_has_recorded,
	    one_that_wakes_up_records_what_was_given_up_and_made_after_all,
	    one_that_wakes_up_leaves_no_duplicate,
	    a_client_that_waited_through_all_of_it_gets_an_honest_answer,
	    an_update_that_comes_too_late_is_what_bluejay_says,
	    a_change_of_kept_fields_that_comes_too_late_is_made_anew,
	    what_a_gateway_lost_sight_of_is_gone_on_with,
	    without_a_lease_nothing_is_sent,
	    NULL,
	};

	return unit_suite("core: several gateways on one store", tests);
}
