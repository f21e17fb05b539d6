#include "config.h"

#include "base/mem.h"
#include "store/store_member.h"
#include "store_fixture.h"
#include "store_suites.h"

#include <string.h>

/* Two members of one store in memory; what the second is told, as one text. */
struct pair {
	struct fixture f;
	struct store_port *first, *second;
	char told[512];
};

/* Adds what is told to the text. */
static void
pair_told(void *arg, const struct store_change *changes, size_t count)
{
	struct pair *p = arg;

	if (count == 0)
		strncat(p->told, "lost ", sizeof p->told - strlen(p->told) - 1);
	for (size_t i = 0; i < count; i++) {
		const struct store_change *c = &changes[i];
		char *text = mem_format("%s:%s ", c->kind == STORE_CHANGED_INTENT ? "intent"
		    : c->kind == STORE_CHANGED_RECORD ? "record" : "scope",
		    c->kind == STORE_CHANGED_INTENT ? c->intent_id
		    : c->kind == STORE_CHANGED_RECORD ? c->local_id : c->scope);

		strncat(p->told, text, sizeof p->told - strlen(p->told) - 1);
		free(text);
	}
}

/* Opens both. */
static void
pair_begin(struct pair *p)
{
	memset(p, 0, sizeof *p);
	fixture_begin(&p->f, FIXTURE_MEMORY);
	p->first = p->f.port;
	p->second = store_port_open_as(p->f.store, p->f.loop, 1);
	ck_assert_ptr_nonnull(p->second);
	store_watch(p->second, pair_told, p);
}

/* Makes calls go through one of the ports. */
static struct fixture *
pair_use(struct pair *p, struct store_port *port)
{
	p->f.port = port;
	return &p->f;
}

/* Closes both. */
static void
pair_end(struct pair *p)
{
	store_port_close(p->second);
	p->f.port = p->first;
	fixture_end(&p->f);
}

/* Waits until the second was told so much, in a text that it forgets. */
static void
pair_assert_told(struct pair *p, const char *text)
{
	while (strlen(p->told) < strlen(text))
		loop_turn(p->f.loop, true);
	ck_assert_str_eq(p->told, text);
	p->told[0] = '\0';
}

START_TEST(the_only_member_holds_everything_for_ever)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Ada", "print", NULL);

	fixture_begin(&f, _i);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	store_intents(f.port, fixture_done, &f);
	fixture_wait(&f, f.done + 1);
	ck_assert(f.reply.intents[0].held);
	ck_assert(!f.reply.intents[0].orphaned);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_take, "i1"), STORE_OK);
	ck_assert_str_eq(f.reply.intents[0].id, "i1");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_intent_take, "i2"), STORE_NONE);
	ck_assert_uint_eq(f.reply.intent_count, 0);
	ck_assert(store_lease_until(f.port) == INT64_MAX);
	ck_assert(store_current_at(f.port) == INT64_MAX);
	fixture_end(&f);
}
END_TEST

START_TEST(a_store_on_disk_has_one_member)
{
	struct fixture f;

	fixture_begin(&f, FIXTURE_DISK);
	ck_assert_ptr_null(store_port_open_as(f.store, f.loop, 1));
	fixture_end(&f);
}
END_TEST

START_TEST(what_another_holds_is_taken_when_its_lease_has_run_out)
{
	struct pair p;
	struct store_intent i = fixture_create("i1", "Ada", "print", NULL);

	pair_begin(&p);
	ck_assert_int_eq(fixture_create_begin(pair_use(&p, p.first), &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(pair_use(&p, p.second), store_intent_take, "i1"), STORE_HELD);
	ck_assert(!p.f.reply.intents[0].held);
	ck_assert(!p.f.reply.intents[0].orphaned);
	ck_assert_int_eq(p.f.reply.intents[0].fence, 1);

	store_port_lapse(p.first, true);
	ck_assert(store_lease_until(p.first) == 0);
	ck_assert(store_lease_until(p.second) == INT64_MAX);
	store_intents(p.second, fixture_done, &p.f);
	fixture_wait(&p.f, p.f.done + 1);
	ck_assert(p.f.reply.intents[0].orphaned);
	ck_assert_int_eq(FIXTURE_CALL(&p.f, store_intent_take, "i1"), STORE_OK);
	ck_assert(p.f.reply.intents[0].held);
	ck_assert(!p.f.reply.intents[0].orphaned);
	ck_assert_int_eq(p.f.reply.intents[0].fence, 2);

	/* the first wakes up again */
	store_port_lapse(p.first, false);
	ck_assert_int_eq(FIXTURE_CALL(pair_use(&p, p.first), store_intent_take, "i1"), STORE_HELD);
	ck_assert(!p.f.reply.intents[0].held);
	pair_end(&p);
}
END_TEST

START_TEST(what_nobody_works_on_is_told_some_at_a_time)
{
	struct pair p;
	struct store_intent a = fixture_create("i1", "Ada", "print", NULL),
	    b = fixture_create("i2", "Bob", "print", NULL), c = fixture_create("i3", "Cy", "print", NULL);

	pair_begin(&p);
	a.touched_ms = b.touched_ms = 100;
	c.touched_ms = 200;
	ck_assert_int_eq(fixture_create_begin(pair_use(&p, p.first), &a), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&p.f, &b), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(pair_use(&p, p.second), &c), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&p.f, store_intents_left, 200, 9), STORE_OK);
	ck_assert_uint_eq(p.f.reply.intent_count, 0);
	ck_assert_int_eq(FIXTURE_CALL(&p.f, store_intents_left, 201, 9), STORE_OK); /* its own */
	ck_assert_uint_eq(p.f.reply.intent_count, 1);
	ck_assert_str_eq(p.f.reply.intents[0].id, "i3");
	ck_assert(p.f.reply.intents[0].held);
	store_port_lapse(p.first, true);
	ck_assert_int_eq(FIXTURE_CALL(&p.f, store_intents_left, 0, 9), STORE_OK);
	ck_assert_uint_eq(p.f.reply.intent_count, 2);
	ck_assert(!p.f.reply.intents[0].held && p.f.reply.intents[0].orphaned);
	ck_assert_ptr_nonnull(p.f.reply.intents[0].sent);
	ck_assert_int_eq(FIXTURE_CALL(&p.f, store_intents_left, 201, 2), STORE_OK); /* its own are last */
	ck_assert_uint_eq(p.f.reply.intent_count, 2);
	ck_assert(!p.f.reply.intents[0].held && !p.f.reply.intents[1].held);
	for (const char *const *want = (const char *const[]){"i1", "i2", "i1", NULL}; *want != NULL; want++) {
		ck_assert_int_eq(FIXTURE_CALL(&p.f, store_intents_left, 0, 1), STORE_OK); /* in turns */
		ck_assert_uint_eq(p.f.reply.intent_count, 1);
		ck_assert_str_eq(p.f.reply.intents[0].id, *want);
	}
	ck_assert_int_eq(FIXTURE_CALL(pair_use(&p, p.first), store_intent_mark, "i1", STORE_OPERATOR, 1),
	    STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(pair_use(&p, p.second), store_intents_left, 0, 9), STORE_OK);
	ck_assert_uint_eq(p.f.reply.intent_count, 1);
	ck_assert_str_eq(p.f.reply.intents[0].id, "i2");
	pair_end(&p);
}
END_TEST

START_TEST(who_lost_an_intent_has_no_more_say_in_it)
{
	struct pair p;
	struct store_intent create = fixture_create("i1", "Ada", "print", NULL);
	struct store_intent update = fixture_update("i2", "p1", "Bob");
	struct store_intent delete = fixture_delete("i3", "p2");
	struct store_record r = fixture_record("p3", "Ada"), r1 = fixture_record("p1", "Bob");
	struct fixture *f;

	pair_begin(&p);
	f = pair_use(&p, p.first);
	fixture_persona(f, "p1", "one");
	fixture_persona(f, "p2", "two");
	ck_assert_int_eq(fixture_create_begin(f, &create), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_update_begin, &update), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_delete_begin, &delete), STORE_OK);
	store_port_lapse(p.first, true);
	f = pair_use(&p, p.second);
	ck_assert_int_eq(FIXTURE_CALL(f, store_intent_take, "i1"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_intent_take, "i2"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_intent_take, "i3"), STORE_OK);

	f = pair_use(&p, p.first);
	ck_assert_int_eq(FIXTURE_CALL(f, store_intent_mark, "i1", STORE_UNKNOWN, NOW_MS), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(f, store_intent_drop, "i1"), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(f, store_twin_note, "i1", "t1", false, NOW_MS), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(f, store_create_settle, "i1", &r, NULL), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(f, store_update_settle, "i2", &r1), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(f, store_delete_settle, "i3", NOW_MS), STORE_NONE);
	fixture_assert_list(f, SCOPE, "p1,p2");

	f = pair_use(&p, p.second);
	ck_assert_int_eq(FIXTURE_CALL(f, store_create_settle, "i1", &r, NULL), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_update_settle, "i2", &r1), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_delete_settle, "i3", NOW_MS), STORE_OK);
	fixture_assert_list(f, SCOPE, "p1,p3");
	pair_end(&p);
}
END_TEST

START_TEST(what_waits_for_an_operator_is_anybodys)
{
	struct pair p;
	struct store_intent i = fixture_create("i1", "Ada", "print", NULL);

	pair_begin(&p);
	ck_assert_int_eq(fixture_create_begin(pair_use(&p, p.first), &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(pair_use(&p, p.second), store_intent_drop, "i1"), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(pair_use(&p, p.first), store_intent_mark, "i1", STORE_OPERATOR,
	    NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(pair_use(&p, p.second), store_intent_drop, "i1"), STORE_OK);
	pair_end(&p);
}
END_TEST

START_TEST(a_nameless_create_waits_for_another_members_unknown_one)
{
	struct pair p;
	struct store_intent i = fixture_create("i1", NULL, "print", NULL);
	struct store_intent again = fixture_create("i2", NULL, "print", NULL);

	pair_begin(&p);
	ck_assert_int_eq(fixture_create_begin(pair_use(&p, p.first), &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&p.f, store_intent_mark, "i1", STORE_UNKNOWN, NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(pair_use(&p, p.second), &again), STORE_UNSETTLED_SAME);
	ck_assert_str_eq(p.f.reply.intents[0].id, "i1");
	ck_assert_int_eq(fixture_create_begin(pair_use(&p, p.first), &again), STORE_OK);
	pair_end(&p);
}
END_TEST

START_TEST(others_are_told_what_has_changed)
{
	struct pair p;
	struct store_record seen = fixture_record("p1", "Ada");
	struct store_intent update = fixture_update("i2", "p1", NULL), delete = fixture_delete("i3", "p1");
	struct fixture *f;

	pair_begin(&p);
	f = pair_use(&p, p.first);
	fixture_persona(f, "p1", "Ada");
	pair_assert_told(&p, "intent:made-p1 record:p1 intent:made-p1 ");

	/* nothing that a reader would notice */
	ck_assert_int_eq(FIXTURE_CALL(f, store_get, SCOPE, "p1"), STORE_OK);
	seen.version = f->reply.records[0].version;
	seen.content_ms = NOW_MS + 1;
	seen.absent = f->reply.records[0].absent;
	ck_assert_int_eq(FIXTURE_CALL(f, store_refresh, &seen, 1), STORE_OK);
	ck_assert_int_eq(f->reply.number, 1);

	ck_assert_int_eq(FIXTURE_CALL(f, store_update_begin, &update), STORE_OK);
	seen.content = TEXT("{\"goal\":\"new\"}");
	ck_assert_int_eq(FIXTURE_CALL(f, store_update_settle, "i2", &seen), STORE_OK);
	pair_assert_told(&p, "intent:i2 intent:i2 record:p1 ");
	ck_assert_int_eq(FIXTURE_CALL(f, store_delete_begin, &delete), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_delete_settle, "i3", NOW_MS), STORE_OK);
	pair_assert_told(&p, "intent:i3 intent:i3 record:p1 ");

	/* one's own changes are no news */
	fixture_persona(pair_use(&p, p.second), "p2", "Bob");
	ck_assert_int_eq(FIXTURE_CALL(pair_use(&p, p.first), store_hide, SCOPE, "p2", NOW_MS), STORE_OK);
	pair_assert_told(&p, "record:p2 ");
	pair_end(&p);
}
END_TEST

START_TEST(a_feed_that_stopped_says_so)
{
	struct pair p;
	int64_t then;

	pair_begin(&p);
	then = loop_now(p.f.loop);
	store_port_deafen(p.second, true);
	loop_fake_advance(p.f.loop, 1000);
	ck_assert(store_current_at(p.second) == then);
	ck_assert(store_current_at(p.first) == INT64_MAX);
	fixture_persona(pair_use(&p, p.first), "p1", "Ada");
	store_port_deafen(p.second, false);
	ck_assert(store_current_at(p.second) == INT64_MAX);
	pair_assert_told(&p, "lost ");
	pair_end(&p);
}
END_TEST

START_TEST(what_was_written_past_the_store_outdates_the_others)
{
	struct pair p;

	pair_begin(&p);
	store_outdate(p.first, fixture_done, &p.f);
	ck_assert_int_eq(fixture_wait(&p.f, p.f.done + 1), STORE_OK);
	pair_assert_told(&p, "lost ");
	pair_end(&p);
}
END_TEST

/* Members. */
Suite *
member_suite(void)
{
	const TTest *const every[] = {the_only_member_holds_everything_for_ever, NULL};
	Suite *suite = store_suite("store members", every);
	TCase *tcase = tcase_create("store members in memory");

	tcase_add_test(tcase, a_store_on_disk_has_one_member);
	tcase_add_test(tcase, what_another_holds_is_taken_when_its_lease_has_run_out);
	tcase_add_test(tcase, what_nobody_works_on_is_told_some_at_a_time);
	tcase_add_test(tcase, who_lost_an_intent_has_no_more_say_in_it);
	tcase_add_test(tcase, what_waits_for_an_operator_is_anybodys);
	tcase_add_test(tcase, a_nameless_create_waits_for_another_members_unknown_one);
	tcase_add_test(tcase, others_are_told_what_has_changed);
	tcase_add_test(tcase, a_feed_that_stopped_says_so);
	tcase_add_test(tcase, what_was_written_past_the_store_outdates_the_others);
	suite_add_tcase(suite, tcase);
	return suite;
}
