#include "config.h"

#include "base/mem.h"
#include "store_fixture.h"
#include "store_suites.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define RACE_NAMES 200

/* Notes the order of callbacks. */
struct trace {
	char text[256];
	struct store_port *port;
	struct store_call *victim;
};

/* A callback's argument: a letter for the trace. */
struct mark {
	struct trace *trace;
	char letter;
	enum store_status status;
};

/* Adds the letter to the trace. */
static void
mark_done(void *arg, struct store_reply *reply)
{
	struct mark *m = arg;
	size_t len = strlen(m->trace->text);

	m->status = reply->status;
	m->trace->text[len] = m->letter;
	m->trace->text[len + 1] = '\0';
}

/* Turns the loop until the trace has that many letters. */
static void
trace_wait(struct fixture *f, struct trace *t, size_t letters)
{
	while (strlen(t->text) < letters)
		loop_turn(f->loop, true);
}

START_TEST(writes_are_done_in_the_order_of_their_calls)
{
	struct fixture f;
	struct trace t = {.text = ""};
	struct mark m[5] = {{&t, 'a', 0}, {&t, 'b', 0}, {&t, 'c', 0}, {&t, 'd', 0}, {&t, 'e', 0}};
	struct store_intent i = fixture_create("i1", "Ada", "print", NULL);
	struct store_create create = {.intent = &i};
	struct store_intent update = fixture_update("u1", "p1", "Bea");
	struct store_record r = fixture_record("p1", "Ada"), renamed = fixture_record("p1", "Bea");

	fixture_begin(&f, _i);
	store_create_begin(f.port, &create, mark_done, &m[0]);
	store_create_settle(f.port, "i1", &r, NULL, mark_done, &m[1]);
	store_update_begin(f.port, &update, mark_done, &m[2]);
	store_update_settle(f.port, "u1", &renamed, mark_done, &m[3]);
	store_create_begin(f.port, &create, mark_done, &m[4]);
	ck_assert_str_eq(t.text, "");
	trace_wait(&f, &t, 5);
	ck_assert_str_eq(t.text, "abcde");
	for (int k = 0; k < 5; k++)
		ck_assert_int_eq(m[k].status, STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(arguments_are_copied)
{
	struct fixture f;
	char scope[] = SCOPE, id[] = "i1", name[] = "Ada", local[] = "p1", content[] = "{}";
	struct store_intent i = fixture_create(id, name, "print", NULL);
	struct store_create create = {.intent = &i};
	struct store_record r = fixture_record(local, name);

	fixture_begin(&f, _i);
	i.scope = scope;
	r.scope = scope;
	r.content = content;
	store_create_begin(f.port, &create, fixture_done, &f);
	store_create_settle(f.port, id, &r, NULL, fixture_done, &f);
	store_get(f.port, scope, local, fixture_done, &f);
	memset(scope, 'x', sizeof scope - 1);
	memset(id, 'x', sizeof id - 1);
	memset(name, 'x', sizeof name - 1);
	memset(local, 'x', sizeof local - 1);
	memset(content, 'x', sizeof content - 1);
	memset(&i, 0, sizeof i);
	memset(&r, 0, sizeof r);
	fixture_wait(&f, 3);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_OK);
	ck_assert_str_eq(f.reply.records[0].name, "Ada");
	ck_assert_str_eq(f.reply.records[0].content, "{}");
	fixture_end(&f);
}
END_TEST

/* A write's callback: reads at once. */
static void
read_again(void *arg, struct store_reply *reply)
{
	struct fixture *f = arg;

	ck_assert_int_eq(reply->status, STORE_OK);
	store_get(f->port, SCOPE, "p1", fixture_done, f);
}

START_TEST(a_read_sees_every_write_whose_callback_has_run)
{
	struct fixture f;
	char kept[32];
	struct store_record r = fixture_record("p1", "Ada");

	fixture_begin(&f, _i);
	fixture_persona(&f, "p1", "Ada");
	for (int k = 0; k < 100; k++) {
		snprintf(kept, sizeof kept, "{\"n\":%d}", k);
		r.kept = kept;
		store_update_settle(f.port, NULL, &r, read_again, &f);
		fixture_wait(&f, f.done + 1);
		ck_assert_int_eq(f.reply.status, STORE_OK);
		ck_assert_str_eq(f.reply.records[0].kept, kept);
	}
	fixture_end(&f);
}
END_TEST

/* Cancels another call. */
static void
cancel_other(void *arg, struct store_reply *reply)
{
	struct trace *t = arg;

	strcat(t->text, "!");
	store_cancel(t->victim);
}

START_TEST(a_cancelled_call_is_done_but_not_called_back)
{
	struct fixture f;
	struct trace t = {.text = ""};
	struct mark m = {&t, 'a', 0};
	struct store_intent i = fixture_create("i1", "Ada", "print", NULL);
	struct store_create create = {.intent = &i};

	fixture_begin(&f, _i);
	store_cancel(store_create_begin(f.port, &create, mark_done, &m));
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_UNSETTLED_OTHER);
	/* nobody wants to know */
	store_intent_mark(f.port, "i1", STORE_OPERATOR, NOW_MS, NULL, NULL);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(f.reply.intents[0].state, STORE_OPERATOR);
	/* by a callback that may run in the same turn */
	i = fixture_create("i2", "Bob", "print", NULL);
	store_intent_mark(f.port, "i1", STORE_UNKNOWN, NOW_MS, cancel_other, &t);
	t.victim = store_create_begin(f.port, &create, mark_done, &m);
	ck_assert_int_eq(fixture_try_name(&f, "Bob"), STORE_UNSETTLED_OTHER);
	ck_assert_str_eq(t.text, "!");
	fixture_end(&f);
}
END_TEST

START_TEST(a_port_closes_with_calls_under_way)
{
	struct fixture f;
	struct trace t = {.text = ""};
	struct mark m = {&t, 'a', 0};
	struct store_port *other;
	struct store_intent i;
	struct store_create create = {.intent = &i};
	char id[32];

	fixture_begin(&f, _i);
	for (int round = 0; round < 20; round++) {
		other = store_port_open(f.store, f.loop);
		for (int k = 0; k < 5; k++) {
			snprintf(id, sizeof id, "%d-%d", round, k);
			i = fixture_create(id, id, "print", NULL);
			store_create_begin(other, &create, mark_done, &m);
			store_get(other, SCOPE, "p1", mark_done, &m);
			store_list(other, SCOPE, mark_done, &m);
		}
		store_port_close(other);
	}
	ck_assert_int_eq(fixture_try_name(&f, "19-4"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(fixture_try_name(&f, "0-0"), STORE_UNSETTLED_OTHER);
	ck_assert_str_eq(t.text, "");
	fixture_end(&f);
}
END_TEST

/* Closes the port that calls back. */
static void
close_port(void *arg, struct store_reply *reply)
{
	struct trace *t = arg;

	strcat(t->text, "!");
	store_port_close(t->port);
}

START_TEST(a_port_closes_in_a_callback)
{
	struct fixture f;
	struct trace t = {.text = ""};
	struct mark m = {&t, 'a', 0};

	fixture_begin(&f, _i);
	t.port = store_port_open(f.store, f.loop);
	store_get(t.port, SCOPE, "p1", close_port, &t);
	for (int k = 0; k < 10; k++)
		store_get(t.port, SCOPE, "p1", mark_done, &m);
	trace_wait(&f, &t, 1);
	for (int k = 0; k < 10; k++)
		ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_NONE);
	ck_assert_str_eq(t.text, "!");
	fixture_end(&f);
}
END_TEST

START_TEST(closing_finishes_queued_writes)
{
	struct fixture f;
	struct store_intent i;
	struct store_create create = {.intent = &i};
	char id[32];

	if (_i == FIXTURE_MEMORY)
		return;
	fixture_begin(&f, _i);
	for (int k = 0; k < 700; k++) {
		snprintf(id, sizeof id, "i%d", k);
		i = fixture_create(id, id, "print", NULL);
		store_create_begin(f.port, &create, fixture_done, &f);
	}
	fixture_reopen(&f);
	ck_assert_uint_eq(f.done, 0);
	store_intents(f.port, fixture_done, &f);
	fixture_wait(&f, 1);
	ck_assert_uint_eq(f.reply.intent_count, 700);
	fixture_end(&f);
}
END_TEST

/* One of two that want the same names. */
struct racer {
	struct store *store;
	struct loop *loop;
	struct store_port *port;
	pthread_barrier_t *start;
	int me;
	int ended;
	bool begun[RACE_NAMES], won[RACE_NAMES];
};

/* One name of a racer. */
struct heat {
	struct racer *racer;
	int name;
};

/* Counts a heat that is over. */
static void
heat_over(struct heat *h)
{
	if (++h->racer->ended == RACE_NAMES)
		loop_stop(h->racer->loop);
	free(h);
}

/* The persona exists. */
static void
heat_settled(void *arg, struct store_reply *reply)
{
	struct heat *h = arg;

	h->racer->won[h->name] = reply->status == STORE_OK;
	heat_over(h);
}

/* The name is held, or not. */
static void
heat_begun(void *arg, struct store_reply *reply)
{
	struct heat *h = arg;
	struct store_record r;
	char id[32], local[32], name[32];

	if (reply->status != STORE_OK) {
		heat_over(h);
		return;
	}
	h->racer->begun[h->name] = true;
	snprintf(id, sizeof id, "%d-%d", h->racer->me, h->name);
	snprintf(local, sizeof local, "p%d-%d", h->racer->me, h->name);
	snprintf(name, sizeof name, "name %d", h->name);
	r = fixture_record(local, name);
	store_create_settle(h->racer->port, id, &r, NULL, heat_settled, h);
}

/* Runs one racer. */
static void *
race(void *arg)
{
	struct racer *me = arg;

	me->loop = loop_new();
	me->port = store_port_open(me->store, me->loop);
	pthread_barrier_wait(me->start);
	for (int k = 0; k < RACE_NAMES; k++) {
		struct heat *h = mem_zero(1, sizeof *h);
		struct store_intent i;
		struct store_create create = {.intent = &i};
		char id[32], name[32];

		h->racer = me;
		h->name = me->me == 0 ? k : RACE_NAMES - 1 - k;
		snprintf(id, sizeof id, "%d-%d", me->me, h->name);
		snprintf(name, sizeof name, "name %d", h->name);
		i = fixture_create(id, name, id, NULL);
		store_create_begin(me->port, &create, heat_begun, h);
	}
	loop_run(me->loop);
	store_port_close(me->port);
	loop_free(me->loop);
	return NULL;
}

START_TEST(of_two_that_want_a_name_one_wins)
{
	struct fixture f;
	struct racer r[2] = {{.me = 0}, {.me = 1}};
	pthread_barrier_t start;
	pthread_t threads[2];
	int wins[2] = {0, 0};

	fixture_begin(&f, _i);
	pthread_barrier_init(&start, NULL, 2);
	for (int k = 0; k < 2; k++) {
		r[k].store = f.store;
		r[k].start = &start;
		pthread_create(&threads[k], NULL, race, &r[k]);
	}
	for (int k = 0; k < 2; k++)
		pthread_join(threads[k], NULL);
	for (int n = 0; n < RACE_NAMES; n++) {
		ck_assert_int_eq(r[0].begun[n] + r[1].begun[n], 1);
		ck_assert_int_eq(r[0].won[n], r[0].begun[n]);
		ck_assert_int_eq(r[1].won[n], r[1].begun[n]);
		wins[0] += r[0].won[n];
		wins[1] += r[1].won[n];
	}
	ck_assert_int_eq(wins[0] + wins[1], RACE_NAMES);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_list, SCOPE), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, RACE_NAMES);
	pthread_barrier_destroy(&start);
	fixture_end(&f);
}
END_TEST

START_TEST(calls_are_counted)
{
	struct fixture f;
	struct store_stats s;

	fixture_begin(&f, _i);
	store_stats(f.store, &s);
	ck_assert_uint_eq(s.reads + s.writes + s.commits + s.refused + s.queued, 0);
	fixture_persona(&f, "p1", "Ada");
	FIXTURE_CALL(&f, store_get, SCOPE, "p1");
	FIXTURE_CALL(&f, store_claim, SCOPE, "p1");
	store_stats(f.store, &s);
	ck_assert_uint_eq(s.reads, 1);
	ck_assert_uint_eq(s.writes, 3);
	ck_assert_uint_eq(s.commits, 2);
	ck_assert_uint_eq(s.refused, 0);
	ck_assert_uint_eq(s.queued, 0);
	fixture_end(&f);
}
END_TEST

START_TEST(values_are_moved_and_copied_whole)
{
	struct store_record a = fixture_record("p1", "Ada"), b, c;
	struct store_intent i = fixture_create("i1", "Ada", "print", "key"), j;

	a.kept = TEXT("k");
	a.absent = TEXT("a");
	a.fingerprint = TEXT("f");
	a.version = 3;
	store_record_copy(&b, &a);
	ck_assert_ptr_ne(b.name, a.name);
	store_record_take(&c, &b);
	ck_assert_ptr_null(b.name);
	ck_assert_int_eq(b.version, 0);
	ck_assert_str_eq(c.scope, a.scope);
	ck_assert_str_eq(c.local_id, a.local_id);
	ck_assert_str_eq(c.upstream_id, a.upstream_id);
	ck_assert_str_eq(c.name, a.name);
	ck_assert_str_eq(c.kept, "k");
	ck_assert_str_eq(c.absent, "a");
	ck_assert_str_eq(c.content, a.content);
	ck_assert_str_eq(c.fingerprint, "f");
	ck_assert_int_eq(c.version, 3);
	store_record_clear(&c);
	ck_assert_ptr_null(c.name);
	store_record_clear(&c);
	store_intent_copy(&j, &i);
	ck_assert_ptr_ne(j.key, i.key);
	ck_assert_str_eq(j.key_hash, i.key_hash);
	ck_assert_str_eq(j.sent, i.sent);
	ck_assert_ptr_null(j.local_id);
	store_intent_clear(&j);
	ck_assert_ptr_null(j.key);
}
END_TEST

/* Tests of ports, calls and values. */
Suite *
port_suite(void)
{
	const TTest *const tests[] = {
	    writes_are_done_in_the_order_of_their_calls,
	    arguments_are_copied,
	    a_read_sees_every_write_whose_callback_has_run,
	    a_cancelled_call_is_done_but_not_called_back,
	    a_port_closes_with_calls_under_way,
	    a_port_closes_in_a_callback,
	    closing_finishes_queued_writes,
	    of_two_that_want_a_name_one_wins,
	    calls_are_counted,
	    values_are_moved_and_copied_whole,
	    NULL,
	};

	return store_suite("store port", tests);
}
