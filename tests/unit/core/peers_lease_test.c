#include "config.h"

#include "core_test.h"
#include "pair.h"
#include "store/store_member.h"

#include <stdint.h>
#include <stdlib.h>

/* Two gateways on one store: what becomes of the writes of one that dies or sleeps. */

START_TEST(what_a_dead_gateway_left_is_taken_over)
{
	struct pair_ask *a, *b;
	char *id;

	pair_begin();
	id = pair_made(pair_first, "{\"name\":\"Bob\"}");
	little_fate(pair_bluejay, "POST", LITTLE_DO_HOLD);
	little_fate(pair_bluejay, "PUT", LITTLE_DO_HOLD);
	pair_create(pair_first, PAIR_ANN, NULL);
	pair_update(pair_first, id, "{\"systemPrompt\":\"wild\"}");
	pair_forget();
	pair_kill(&pair_first);
	b = pair_create(pair_second, PAIR_ANN, NULL); /* equal: gets what the dead one made */
	a = pair_update(pair_second, id, "{\"description\":\"d\"}");
	pair_want(b, 201);
	pair_want(a, 200);
	ck_assert(pair_holds(a, "wild"));
	ck_assert_uint_eq(little_named(pair_bluejay, "Ann"), 1);
	ck_assert_uint_eq(little_asked(pair_bluejay, "POST"), 2);
	ck_assert_uint_eq(pair_second->peers != NULL, 1);
	free(id);
	pair_end();
}
END_TEST

START_TEST(what_a_living_gateway_holds_is_left_to_it)
{
	struct peers_counts counts;
	struct pair_ask *a;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_HOLD);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	pair_pass(12000);
	peers_counts(pair_second, &counts);
	ck_assert_uint_eq(counts.taken, 0);
	little_release(pair_bluejay);
	pair_want(a, 201);
	pair_end();
}
END_TEST

START_TEST(a_write_is_cut_when_the_lease_ends)
{
	struct pair_ask *a;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_DO_HOLD);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	store_port_lapse(pair_first->store, true);
	ck_assert(gateway_busy(pair_first));
	pair_pass(1100);
	ck_assert(!gateway_busy(pair_first)); /* it is not awaited any more */
	pair_want(a, 201); /* it is looked for, by one of them or both */
	ck_assert_uint_eq(little_asked(pair_bluejay, "POST"), 1);
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	pair_want(pair_create(pair_second, PAIR_ANN, NULL), 409);
	pair_end();
}
END_TEST

START_TEST(one_that_wakes_up_hands_out_what_the_other_has_recorded)
{
	struct peers_counts counts;
	struct pair_ask *a;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_DO_HOLD);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	pair_sleep(10000);
	peers_counts(pair_second, &counts);
	ck_assert_uint_eq(counts.taken, 1);
	little_release(pair_bluejay);
	pair_wake();
	pair_want(a, 201);
	peers_counts(pair_first, &counts);
	ck_assert_uint_eq(counts.lost, 1);
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	ck_assert_uint_eq(little_asked(pair_bluejay, "POST"), 1);
	pair_end();
}
END_TEST

START_TEST(one_that_wakes_up_records_what_was_given_up_and_made_after_all)
{
	struct pair_ask *a;
	char *id;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_HOLD); /* done only when it is let go */
	a = pair_create(pair_first, PAIR_ANN, NULL);
	pair_sleep(25000); /* the other one has proven it absent */
	little_release(pair_bluejay);
	pair_wake();
	pair_want(a, 201);
	id = pair_id_of(a);
	pair_want(pair_get(pair_second, id, false), 200);
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	free(id);
	pair_end();
}
END_TEST

START_TEST(one_that_wakes_up_leaves_no_duplicate)
{
	struct pair_ask *a, *b;
	char *id, *made_id;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_HOLD);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	pair_sleep(25000);
	b = pair_create(pair_second, "{\"name\":\"Ann\",\"systemPrompt\":\"another\"}", NULL);
	pair_want(b, 201); /* the name was free */
	made_id = pair_id_of(b);
	little_release(pair_bluejay); /* a second Ann */
	ck_assert_uint_eq(little_named(pair_bluejay, "Ann"), 2);
	pair_wake();
	pair_want(a, 409);
	pair_pass(1000);
	ck_assert_uint_eq(little_named(pair_bluejay, "Ann"), 1);
	a = pair_list(pair_second);
	pair_want(a, 200);
	id = strstr(a->result.body, "\"id\"");
	ck_assert_ptr_nonnull(id);
	ck_assert_ptr_null(strstr(id + 1, "\"id\""));
	ck_assert(pair_holds(a, made_id));
	free(made_id);
	pair_end();
}
END_TEST

START_TEST(a_client_that_waited_through_all_of_it_gets_an_honest_answer)
{
	struct pair_ask *a;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_HOLD);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	pair_sleep(40000);
	little_release(pair_bluejay);
	pair_wake();
	ck_assert(a->done && (a->result.status == 504 || a->result.status == 201)); /* its time is over */
	pair_want(a, a->result.status);
	pair_pass(20000);
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	pair_want(pair_create(pair_second, PAIR_ANN, NULL), a->result.status == 201 ? 409 : 201);
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	pair_end();
}
END_TEST

START_TEST(an_update_that_comes_too_late_is_what_bluejay_says)
{
	struct pair_ask *a, *b;
	char *id;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	little_fate(pair_bluejay, "PUT", LITTLE_HOLD);
	a = pair_update(pair_first, id, "{\"systemPrompt\":\"wild\"}");
	pair_sleep(25000); /* the other one has seen that it did not happen */
	b = pair_update(pair_second, id, "{\"description\":\"by the other\"}");
	pair_want(b, 200);
	little_release(pair_bluejay);
	pair_wake();
	pair_want(a, 200);
	ck_assert(pair_holds(a, "wild") && pair_holds(a, "by the other"));
	b = pair_get(pair_second, id, true);
	pair_want(b, 200);
	ck_assert(pair_holds(b, "wild") && pair_holds(b, "by the other"));
	free(id);
	pair_end();
}
END_TEST

START_TEST(an_update_that_comes_too_late_loses_no_kept_fields_of_others)
{
	struct pair_ask *a, *b;
	bool caught;
	char *id;

	do {
		pair_begin();
		id = pair_made(pair_first, PAIR_ANN);
		little_fate(pair_bluejay, "PUT", LITTLE_HOLD);
		a = pair_update(pair_first, id, "{\"systemPrompt\":\"wild\"}");
		pair_sleep(25000);
		little_release(pair_bluejay);
		store_port_lapse(pair_first->store, false);
		caught = pair_freeze(TAILQ_FIRST(&pair_first->changes), CHANGE_FINDING, true);
		if (!caught) {
			free(id);
			pair_end();
		}
	} while (!caught);
	/* The first one has read the item again, and not yet begun again. */
	b = pair_update(pair_second, id, "{\"headers\":{\"a\":\"b\"}}");
	pair_want(b, 200);
	pair_frozen = false;
	pair_want(a, 200);
	ck_assert_msg(pair_holds(a, "wild") && pair_holds(a, "\"a\":\"b\""), "%s", a->result.body);
	free(id);
	pair_end();
}
END_TEST

START_TEST(a_change_of_kept_fields_that_comes_too_late_is_made_anew)
{
	struct pair_ask *a;
	char *id;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	a = pair_update_and_sleep(id, "{\"headers\":{\"a\":\"b\"}}", CHANGE_BEGINNING);
	pair_sleep(25000); /* the other one has taken the intent, and given it up */
	pair_wake();
	pair_want(a, 200);
	ck_assert(pair_holds(a, "\"a\":\"b\""));
	free(id);
	pair_end();
}
END_TEST

START_TEST(what_a_gateway_lost_sight_of_is_gone_on_with)
{
	struct store_intent in = {.operation = STORE_UPDATE, .state = STORE_PENDING};
	struct peers_counts counts;
	struct project p;
	char *id;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	p = pair_project(pair_first, "shop");
	in.id = (char *)(uintptr_t)"lost";
	in.scope = p.scope;
	in.project = (char *)(uintptr_t)"shop";
	in.local_id = in.upstream_id = id;
	in.sent = (char *)(uintptr_t)"{\"system_prompt\":\"wild\"}";
	in.created_ms = in.touched_ms = loop_wall(pair_loop);
	store_update_begin(pair_first->store, &in, NULL, NULL);
	pair_want(pair_update(pair_second, id, "{\"description\":\"d\"}"), 503);
	pair_pass(80000); /* since then */
	pair_want(pair_update(pair_second, id, "{\"description\":\"d\"}"), 200);
	peers_counts(pair_first, &counts);
	ck_assert_uint_eq(counts.taken, 0);
	peers_counts(pair_second, &counts);
	ck_assert_uint_eq(counts.taken, 0);
	free(id);
	pair_end();
}
END_TEST

START_TEST(without_a_lease_nothing_is_sent)
{
	struct pair_ask *a;

	pair_begin();
	store_port_lapse(pair_first->store, true);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	pair_want(a, 503);
	ck_assert(a->result.retry_after > 0);
	ck_assert_uint_eq(little_asked(pair_bluejay, "POST"), 0);
	pair_want(pair_create(pair_second, PAIR_ANN, NULL), 201);
	pair_end();
}
END_TEST

/* Tests of what a gateway leaves to another. */
Suite *
peers_lease_suite(void)
{
	const TTest *const tests[] = {
	    what_a_dead_gateway_left_is_taken_over,
	    what_a_living_gateway_holds_is_left_to_it,
	    a_write_is_cut_when_the_lease_ends,
	    one_that_wakes_up_hands_out_what_the_other_has_recorded,
	    one_that_wakes_up_records_what_was_given_up_and_made_after_all,
	    one_that_wakes_up_leaves_no_duplicate,
	    a_client_that_waited_through_all_of_it_gets_an_honest_answer,
	    an_update_that_comes_too_late_is_what_bluejay_says,
	    an_update_that_comes_too_late_loses_no_kept_fields_of_others,
	    a_change_of_kept_fields_that_comes_too_late_is_made_anew,
	    what_a_gateway_lost_sight_of_is_gone_on_with,
	    without_a_lease_nothing_is_sent,
	    NULL,
	};

	return unit_suite("core: what a gateway leaves to another", tests);
}
