#include "config.h"

#include "core/bypass.h"
#include "core/items.h"
#include "core_test.h"
#include "pair.h"
#include "store/store_member.h"

#include <stdlib.h>
#include <string.h>

/* Two gateways on one store: what one reads of what the other writes. */

/* ---- items ---- */

START_TEST(a_write_through_one_is_seen_through_the_other)
{
	char *id;
	struct pair_ask *a;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	a = pair_get(pair_second, id, false);
	pair_want(a, 200);
	ck_assert(pair_holds(a, "calm"));
	ck_assert(pair_second->cache_hits == 0);
	a = pair_get(pair_second, id, false); /* from memory now */
	pair_want(a, 200);
	ck_assert(pair_second->cache_hits == 1);
	pair_want(pair_update(pair_first, id,
	    "{\"systemPrompt\":\"wild\",\"headers\":{\"a\":\"b\"}}"), 200);
	a = pair_get(pair_second, id, false);
	pair_want(a, 200);
	ck_assert_msg(pair_holds(a, "wild") && pair_holds(a, "\"a\":\"b\""), "%s", a->result.body);
	a = pair_list(pair_second);
	pair_want(a, 200);
	ck_assert(pair_holds(a, "wild"));
	pair_want(pair_delete(pair_first, id), 204);
	pair_want(pair_get(pair_second, id, false), 404);
	a = pair_list(pair_second);
	pair_want(a, 200);
	ck_assert_str_eq(a->result.body, "[]");
	free(id);
	pair_end();
}
END_TEST

START_TEST(nothing_in_memory_is_believed_while_the_feed_is_behind)
{
	struct result now;
	struct project p;
	char *id;
	struct pair_ask *a;

	pair_begin();
	p = pair_project(pair_second, "shop");
	id = pair_made(pair_first, PAIR_ANN);
	pair_want(pair_get(pair_second, id, false), 200);
	store_port_deafen(pair_second->store, true);
	pair_want(pair_update(pair_first, id, "{\"headers\":{\"a\":\"new\"}}"), 200);
	a = pair_get(pair_second, id, false); /* within the time that is promised */
	pair_want(a, 200);
	ck_assert(!pair_holds(a, "new"));
	ck_assert(item_get_now(pair_second, &p, id, &now));
	result_clear(&now);
	pair_pass(STORE_CURRENT_MS + 1);
	ck_assert(!item_get_now(pair_second, &p, id, &now));
	a = pair_get(pair_second, id, false);
	pair_want(a, 200);
	ck_assert(pair_holds(a, "new"));
	ck_assert_str_eq(a->result.cache, "miss");
	free(id);
	pair_end();
}
END_TEST

START_TEST(no_cache_asks_the_store_whatever_the_feed_says)
{
	char *id;
	struct pair_ask *a;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	pair_want(pair_get(pair_second, id, false), 200);
	store_port_deafen(pair_second->store, true);
	pair_want(pair_update(pair_first, id, "{\"headers\":{\"a\":\"new\"}}"), 200);
	a = pair_get(pair_second, id, true);
	pair_want(a, 200);
	ck_assert(pair_holds(a, "new"));
	free(id);
	pair_end();
}
END_TEST

START_TEST(a_lost_feed_outdates_everything)
{
	char *id;
	struct pair_ask *a;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	pair_want(pair_get(pair_second, id, false), 200);
	store_port_deafen(pair_second->store, true);
	pair_want(pair_update(pair_first, id, "{\"headers\":{\"a\":\"new\"}}"), 200);
	store_port_deafen(pair_second->store, false);
	pair_settle();
	a = pair_get(pair_second, id, false);
	pair_want(a, 200);
	ck_assert(pair_holds(a, "new"));
	free(id);
	pair_end();
}
END_TEST

START_TEST(a_silent_store_leaves_reads_of_what_is_known)
{
	char *id;
	struct pair_ask *a;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	pair_want(pair_get(pair_first, id, false), 200);
	pair_want(pair_list(pair_first), 200);
	store_port_deafen(pair_first->store, true);
	pair_pass(4000);
	little_change(pair_bluejay, id, "changed there");
	a = pair_get(pair_first, id, false); /* whose it is memory knows, what it holds Bluejay does */
	pair_want(a, 200);
	ck_assert(pair_holds(a, "changed there"));
	ck_assert_str_eq(a->result.cache, "stale");
	ck_assert_int_eq(a->result.age, 4);
	a = pair_list(pair_first);
	pair_want(a, 200);
	ck_assert_str_eq(a->result.cache, "stale");
	a = pair_get(pair_first, id, true); /* the store is asked */
	pair_want(a, 200);
	ck_assert_str_eq(a->result.cache, "miss");
	free(id);
	pair_end();
}
END_TEST

START_TEST(a_silent_store_brings_back_no_list_of_before_a_write)
{
	struct pair_ask *a;

	pair_begin();
	free(pair_made(pair_first, PAIR_ANN));
	pair_want(pair_list(pair_first), 200);
	free(pair_made(pair_first, "{\"name\":\"Bob\"}"));
	store_port_deafen(pair_first->store, true);
	pair_pass(4000);
	a = pair_list(pair_first);
	pair_want(a, 200);
	ck_assert_str_ne(a->result.cache, "stale"); /* the store is asked, which is there in this test */
	ck_assert(pair_holds(a, "Bob"));
	pair_end();
}
END_TEST

START_TEST(a_write_past_one_outdates_what_the_other_remembers)
{
	char *id;
	struct pair_ask *a;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	pair_want(pair_get(pair_second, id, false), 200);
	little_change(pair_bluejay, id, "changed there");
	bypass_written(pair_first);
	pair_settle();
	a = pair_get(pair_second, id, false);
	pair_want(a, 200);
	ck_assert(pair_holds(a, "changed there"));
	free(id);
	pair_end();
}
END_TEST

/* ---- listings ---- */

START_TEST(a_late_listing_undoes_nothing_that_another_wrote)
{
	char *id;
	struct pair_ask *a;

	pair_begin();
	id = pair_made(pair_first, PAIR_ANN);
	pair_want(pair_list(pair_second), 200);
	little_lag(pair_bluejay, true);
	pair_want(pair_update(pair_first, id, "{\"name\":\"Ann B\",\"systemPrompt\":\"wild\"}"), 200);
	pair_pass(3000);
	a = pair_list(pair_second);
	pair_want(a, 200);
	ck_assert_msg(pair_holds(a, "wild") && pair_holds(a, "Ann B"), "%s", a->result.body);
	a = pair_get(pair_first, id, true);
	pair_want(a, 200);
	ck_assert(pair_holds(a, "wild"));
	/* The name was not given back. */
	pair_want(pair_create(pair_first, "{\"name\":\"Ann B\"}", NULL), 409);
	pair_want(pair_delete(pair_first, id), 204);
	a = pair_list(pair_second);
	pair_want(a, 200);
	ck_assert_str_eq(a->result.body, "[]");
	free(id);
	pair_end();
}
END_TEST

START_TEST(what_another_is_creating_is_not_adopted)
{
	char *id;
	struct pair_ask *a, *b;

	pair_begin();
	little_fate(pair_bluejay, "POST", LITTLE_DO_HOLD);
	a = pair_create(pair_first, "{\"name\":\"Ann\",\"headers\":{\"a\":\"b\"}}", NULL);
	b = pair_list(pair_second);
	pair_want(b, 200);
	ck_assert_str_eq(b->result.body, "[]");
	little_release(pair_bluejay);
	pair_want(a, 201);
	b = pair_list(pair_second);
	pair_want(b, 200);
	ck_assert(pair_holds(b, "\"a\":\"b\"")); /* the create's own record */
	ck_assert(!pair_holds(b, "description"));
	id = pair_id_of(a);
	pair_want(pair_get(pair_second, id, false), 200);
	free(id);
	pair_end();
}
END_TEST

START_TEST(what_was_made_elsewhere_is_adopted_once)
{
	struct pair_ask *a, *b;
	struct project pa, pb;

	pair_begin();
	little_make(pair_bluejay, "Zoe");
	pa = pair_project(pair_first, "shop");
	pb = pair_project(pair_second, "shop");
	a = pair_next();
	b = pair_next();
	a->work = item_list(pair_first, &pa, false, pair_on_result, a);
	b->work = item_list(pair_second, &pb, false, pair_on_result, b);
	pair_want(a, 200);
	pair_want(b, 200);
	a = pair_list(pair_first);
	b = pair_list(pair_second);
	pair_want(a, 200);
	pair_want(b, 200);
	ck_assert(pair_holds(a, "Zoe"));
	ck_assert_str_eq(a->result.body, b->result.body);
	ck_assert_ptr_null(strstr(strstr(a->result.body, "Zoe") + 3, "Zoe"));
	pair_end();
}
END_TEST

/* Tests of reads beside another gateway. */
Suite *
peers_suite(void)
{
	const TTest *const tests[] = {
	    a_write_through_one_is_seen_through_the_other,
	    nothing_in_memory_is_believed_while_the_feed_is_behind,
	    no_cache_asks_the_store_whatever_the_feed_says,
	    a_lost_feed_outdates_everything,
	    a_silent_store_leaves_reads_of_what_is_known,
	    a_silent_store_brings_back_no_list_of_before_a_write,
	    a_write_past_one_outdates_what_the_other_remembers,
	    a_late_listing_undoes_nothing_that_another_wrote,
	    what_another_is_creating_is_not_adopted,
	    what_was_made_elsewhere_is_adopted_once,
	    NULL,
	};

	return unit_suite("core: reads beside another gateway", tests);
}
