#include "config.h"

#include "core/items.h"
#include "core_test.h"
#include "json/json_read.h"
#include "pair.h"

#include <stdlib.h>

/* Two gateways on one store: writes to the same at the same time. */

/* ---- creates ---- */

START_TEST(an_equal_create_at_another_gateway_joins)
{
	struct pair_ask *a, *b;
	char *one, *two;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_DO_HOLD);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	b = pair_create(pair_second, PAIR_ANN, NULL);
	pair_pass(1000);
	ck_assert(!a->done && !b->done);
	little_release(pair_bluejay);
	pair_want(a, 201);
	pair_want(b, 201);
	one = pair_id_of(a);
	two = pair_id_of(b);
	ck_assert_str_eq(one, two);
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	ck_assert_uint_eq(little_asked(pair_bluejay, "POST"), 1);
	pair_want(pair_create(pair_second, PAIR_ANN, NULL), 409);
	free(one);
	free(two);
	pair_end();
}
END_TEST

START_TEST(another_body_under_a_name_that_is_on_its_way_waits_and_gets_409)
{
	struct pair_ask *a, *b;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_DO_HOLD);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	b = pair_create(pair_second, "{\"name\":\"Ann\",\"systemPrompt\":\"other\"}", NULL);
	pair_pass(1000);
	ck_assert(!b->done);
	little_release(pair_bluejay);
	pair_want(a, 201);
	pair_want(b, 409);
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	pair_end();
}
END_TEST

START_TEST(another_body_under_a_name_whose_create_is_unknown_gets_503)
{
	struct pair_ask *a, *b;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_LOSE);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	b = pair_create(pair_second, "{\"name\":\"Ann\",\"systemPrompt\":\"other\"}", NULL);
	pair_want(b, 503);
	ck_assert(b->result.retry_after > 0);
	ck_assert(pair_holds(b, "with another body is not settled yet"));
	pair_want(a, 201); /* proven absent and sent again */
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	pair_end();
}
END_TEST

START_TEST(a_key_is_answered_by_another_gateway)
{
	struct pair_ask *a, *b, *c;
	char *one, *two;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_DO_HOLD);
	a = pair_create(pair_first, PAIR_ANN, "k1");
	b = pair_create(pair_second, PAIR_ANN, "k1");
	c = pair_create(pair_second, "{\"name\":\"Bob\"}", "k1");
	pair_want(c, 422);
	little_release(pair_bluejay);
	pair_want(a, 201);
	pair_want(b, 201);
	one = pair_id_of(a);
	two = pair_id_of(b);
	ck_assert_str_eq(one, two);
	pair_want(pair_create(pair_second, PAIR_ANN, "k1"), 201);
	pair_want(pair_create(pair_second, "{\"name\":\"Bob\"}", "k1"), 422);
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	free(one);
	free(two);
	pair_end();
}
END_TEST

START_TEST(what_nobody_was_told_of_is_handed_out_once)
{
	struct pair_ask *a, *b;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_DO_HOLD);
	pair_create(pair_first, PAIR_ANN, NULL);
	pair_forget(); /* its client leaves */
	little_release(pair_bluejay);
	pair_pass(3000);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	b = pair_create(pair_second, PAIR_ANN, NULL);
	pair_pass(3000);
	ck_assert(a->done && b->done);
	ck_assert_int_eq(a->result.status + b->result.status, 201 + 409);
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	pair_end();
}
END_TEST

START_TEST(what_nobody_waits_for_any_more_is_there_for_the_next)
{
	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_DO_HOLD);
	pair_create(pair_first, PAIR_ANN, NULL);
	pair_forget(); /* its client leaves */
	little_release(pair_bluejay);
	pair_pass(3000);
	little_fate(pair_bluejay, "GET", LITTLE_HOLD);
	pair_create(pair_second, PAIR_ANN, NULL);
	ck_assert_uint_eq(little_held(pair_bluejay), 1); /* it is looked at before it is handed out */
	pair_forget();                                   /* this one leaves, too */
	little_release(pair_bluejay);
	pair_settle();
	pair_want(pair_create(pair_second, PAIR_ANN, NULL), 201);
	ck_assert_uint_eq(little_count(pair_bluejay), 1);
	pair_end();
}
END_TEST

START_TEST(what_a_listing_shows_before_it_is_sent_again_is_not_made_twice)
{
	struct creation *c;
	struct json_object *item = NULL;
	struct pair_ask *a;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_LOSE);
	a = pair_create(pair_first, PAIR_ANN, NULL);
	c = pair_first->creations;
	ck_assert(creation_is_unsettled(c));
	/* Shown at last, but not yet in the declared shape. */
	json_read("{\"id\":\"00000000-0000-4000-8000-000000000099\"}", 45, &item, NULL);
	ck_assert_ptr_nonnull(item);
	claim_keep(&c->claim, item, 0);
	json_object_put(item);
	ck_assert(creation_peer_resend(c));
	pair_settle();
	ck_assert_uint_eq(little_asked(pair_bluejay, "POST"), 1);
	ck_assert(creation_is_unsettled(c));
	pair_want(a, 502); /* it is not there after all */
	ck_assert_uint_eq(little_asked(pair_bluejay, "POST"), 1);
	pair_end();
}
END_TEST

/* ---- updates ---- */

START_TEST(an_update_waits_for_one_of_another_gateway)
{
	struct pair_ask *a, *b;
	char *id;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	little_fate(pair_bluejay, "PUT", LITTLE_DO_HOLD);
	a = pair_update(pair_first, id, "{\"systemPrompt\":\"wild\",\"headers\":{\"a\":\"b\"}}");
	b = pair_update(pair_second, id, "{\"description\":\"d\"}");
	pair_pass(1000);
	ck_assert(!b->done);
	little_release(pair_bluejay);
	pair_want(a, 200);
	pair_want(b, 200);
	ck_assert(pair_holds(b, "wild") && pair_holds(b, "\"a\":\"b\"") && pair_holds(b, "\"d\""));
	free(id);
	pair_end();
}
END_TEST

START_TEST(fields_kept_here_are_not_lost_between_gateways)
{
	struct pair_ask *a, *b;
	struct json_object *x = NULL, *y = NULL;
	struct project pa, pb;
	char *id;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	pa = pair_project(pair_first, "shop");
	pb = pair_project(pair_second, "shop");
	json_read("{\"headers\":{\"a\":\"b\"}}", 21, &x, NULL);
	json_read("{\"imageUrl\":\"u\"}", 16, &y, NULL);
	for (unsigned i = 0; i < 5; i++) { /* both at the same moment */
		a = pair_next();
		b = pair_next();
		a->work = item_update(pair_first, &pa, id, x, pair_on_result, a);
		b->work = item_update(pair_second, &pb, id, y, pair_on_result, b);
		pair_want(a, 200);
		pair_want(b, 200);
		pair_forget();
		a = pair_get(pair_first, id, true);
		pair_want(a, 200);
		ck_assert_msg(pair_holds(a, "\"a\":\"b\"") && pair_holds(a, "\"imageUrl\":\"u\""), "%s",
		    a->result.body);
		pair_forget();
		pair_want(pair_update(pair_first, id, "{\"headers\":{},\"imageUrl\":\"\"}"), 200);
		pair_forget();
	}
	json_object_put(x);
	json_object_put(y);
	free(id);
	pair_end();
}
END_TEST

START_TEST(fields_kept_here_outlast_a_change_that_was_read_before_them)
{
	struct pair_ask *a, *b;
	char *id;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	a = pair_update_and_sleep(id, "{\"systemPrompt\":\"wild\"}", CHANGE_FINDING);
	b = pair_update(pair_second, id, "{\"headers\":{\"a\":\"b\"}}");
	pair_want(b, 200);
	pair_frozen = false;
	pair_want(a, 200);
	ck_assert_msg(pair_holds(a, "wild") && pair_holds(a, "\"a\":\"b\""), "%s", a->result.body);
	a = pair_get(pair_second, id, true);
	pair_want(a, 200);
	ck_assert_msg(pair_holds(a, "wild") && pair_holds(a, "\"a\":\"b\""), "%s", a->result.body);
	ck_assert_uint_eq(little_asked(pair_bluejay, "PUT"), 1);
	free(id);
	pair_end();
}
END_TEST

START_TEST(a_change_that_others_come_before_again_and_again_loses_nothing)
{
	char *id, body[64];
	struct pair_ask *a, *b;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	little_fate(pair_bluejay, "GET", LITTLE_HOLD);
	b = pair_update(pair_second, id, "{\"imageUrl\":\"u\"}"); /* has read the record; reads the item */
	for (unsigned i = 0; i < 8; i++) {
		ck_assert_uint_eq(little_held(pair_bluejay), 1);
		snprintf(body, sizeof body, "{\"systemPrompt\":\"turn %u\",\"headers\":{\"n\":\"%u\"}}", i, i);
		pair_want(pair_update(pair_first, id, body), 200);
		if (i < 7)
			little_fate(pair_bluejay, "GET", LITTLE_HOLD);
		little_release(pair_bluejay);
		pair_settle();
	}
	pair_want(b, 200);
	a = pair_get(pair_first, id, true);
	pair_want(a, 200);
	ck_assert_msg(pair_holds(a, "turn 7") && pair_holds(a, "\"n\":\"7\"") &&
	    pair_holds(a, "\"imageUrl\":\"u\""), "%s", a->result.body);
	free(id);
	pair_end();
}
END_TEST

/* Tests of writes beside another gateway. */
Suite *
peers_write_suite(void)
{
	const TTest *const tests[] = {
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
	    NULL,
	};

	return unit_suite("core: writes beside another gateway", tests);
}
