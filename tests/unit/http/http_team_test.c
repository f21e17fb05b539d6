#include "config.h"

#include "http/http_conn.h"
#include "http/http_team.h"
#include "http_rig.h"

#include <string.h>

START_TEST(a_new_connection_goes_where_the_fewest_are)
{
	struct http_team *t = http_team_new(NULL, NULL);
	unsigned got[4] = {0};

	ck_assert_uint_eq(http_team_add(t, NULL, NULL), 1);
	ck_assert_uint_eq(http_team_add(t, NULL, NULL), 2);
	ck_assert_uint_eq(http_team_add(t, NULL, NULL), 3);
	for (int i = 0; i < 32; i++)
		got[http_team_take(t)]++;
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(got[i], 8);
	http_team_leave(t, 2);
	http_team_leave(t, 2);
	http_team_leave(t, 1);
	ck_assert_uint_eq(http_team_open(t), 29);
	ck_assert_uint_eq(http_team_take(t), 2);
	got[1] = got[2] = 0;
	got[http_team_take(t)]++;
	got[http_team_take(t)]++;
	ck_assert_uint_eq(got[1], 1);
	ck_assert_uint_eq(got[2], 1);
	http_team_unref(t);
}
END_TEST

START_TEST(the_first_hears_of_closed_connections_while_it_waits)
{
	struct http_team *t = http_team_new(NULL, NULL);

	http_team_add(t, NULL, NULL);
	http_team_take(t);
	http_team_take(t);
	http_team_take(t);
	ck_assert(!http_team_leave(t, 1));
	http_team_wait(t, true);
	ck_assert(http_team_leave(t, 0));
	http_team_wait(t, false);
	ck_assert(!http_team_leave(t, 0));
	ck_assert_uint_eq(http_team_open(t), 0);
	http_team_unref(t);
}
END_TEST

/* Counts connections of a server. */
static unsigned
open_of(const struct http_server *s)
{
	struct http_server_counts n;

	http_server_counts(s, &n);
	return n.open;
}

START_TEST(connections_and_their_limit_are_shared)
{
	struct http_server *helper;
	struct client c[5];
	struct rig rig = {0};

	rig.config.limits = HTTP_LIMITS_DEFAULT;
	rig.config.limits.connections = 4;
	rig_start(&rig);
	helper = http_server_new(rig.loop, &rig.config);
	http_server_help(rig.server, helper);
	for (int i = 0; i < 5; i++)
		client_open(&c[i], &rig);
	rig_turn(&rig);
	ck_assert_uint_eq(open_of(rig.server), 2);
	ck_assert_uint_eq(open_of(helper), 2); /* the fifth waits */
	client_close(&c[1]);
	client_close(&c[0]);
	rig_turn(&rig);
	ck_assert_uint_eq(open_of(rig.server) + open_of(helper), 3);
	for (int i = 2; i < 5; i++)
		client_close(&c[i]);
	rig_turn(&rig);
	ck_assert_uint_eq(open_of(rig.server) + open_of(helper), 0);
	http_server_free(helper);
	rig_stop(&rig);
}
END_TEST

/* Two looks in a row. */
static void
plan_twice(struct http_team *t, const unsigned *busy)
{
	unsigned to;

	http_team_plan(t, busy);
	for (unsigned i = 0; i < t->count; i++)
		ck_assert(!http_team_give(t, i, &to)); /* once may be chance */
	http_team_plan(t, busy);
}

START_TEST(the_busiest_gives_connections_to_the_one_that_is_least_busy)
{
	static const struct {
		unsigned busy[3]; /* thousandths of a processor */
		unsigned from, to, count;
	} rows[] = {
	    {{600, 400, 300}, 0, 2, 2}, /* of 16, half of those that would make them equal */
	    {{100, 0, 900}, 2, 1, 4},
	    {{300, 310, 0}, 1, 2, 4},
	    {{420, 400, 410}, 0, 0, 0}, /* so small a difference is none */
	    {{6, 3, 3}, 0, 0, 0},
	    {{900, 900, 860}, 0, 0, 0},
	    {{0, 0, 0}, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct http_team *t = http_team_new(NULL, NULL);
		unsigned gone[3] = {0}, to = 9;

		http_team_add(t, NULL, NULL);
		http_team_add(t, NULL, NULL);
		for (int n = 0; n < 48; n++)
			http_team_take(t);
		plan_twice(t, rows[i].busy);
		for (unsigned from = 0; from < 3; from++)
			while (http_team_give(t, from, &to)) {
				ck_assert_uint_eq(to, rows[i].to);
				gone[from]++;
			}
		for (unsigned from = 0; from < 3; from++)
			ck_assert_msg(gone[from] == (from == rows[i].from ? rows[i].count : 0), "row %zu: %u gives %u",
			    i, from, gone[from]);
		ck_assert_uint_eq(http_team_open(t), 48 + rows[i].count); /* until they have left */
		plan_twice(t, rows[i].busy);
		http_team_end(t);
		ck_assert(!http_team_give(t, rows[i].from, &to));
		http_team_unref(t);
	}
}
END_TEST

/* One request on each connection; all must be answered. */
static void
ask_all(struct client *c, unsigned count, unsigned before)
{
	for (unsigned i = 0; i < count; i++) {
		client_says(&c[i], "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
		ck_assert_uint_eq(client_answers(&c[i]), before + 1);
		ck_assert_int_eq(client_status(&c[i], before), 200);
		ck_assert_int_eq(strncmp(client_body(&c[i], before), "abc", 3), 0);
		ck_assert(!c[i].closed);
	}
}

START_TEST(a_connection_moves_between_two_requests)
{
	static const unsigned busy[] = {800, 0};
	struct http_server *helper;
	struct http_server_counts n;
	struct http_team *team;
	struct client c[8];
	struct rig rig = {.secure = _i == 1};

	rig_start(&rig);
	helper = http_server_new(rig.loop, &rig.config);
	http_server_help(rig.server, helper);
	team = ((struct http_hub *)rig.server)->team;
	for (int i = 0; i < 8; i++)
		client_open(&c[i], &rig);
	plan_twice(team, busy);
	ck_assert_uint_eq(open_of(rig.server), 4); /* none moves before it was used */
	ask_all(c, 8, 0);
	rig_turn(&rig);
	ck_assert_uint_eq(open_of(rig.server), 3);
	ck_assert_uint_eq(open_of(helper), 5);
	ck_assert_uint_eq(team->servers[0].open, 3);
	ck_assert_uint_eq(team->servers[1].open, 5);
	client_says(&c[0], "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nab");
	plan_twice(team, busy);
	rig_turn(&rig);
	ck_assert_uint_eq(open_of(helper), 5); /* half a request stays where it is */
	client_says(&c[0], "c");
	ck_assert_uint_eq(client_answers(&c[0]), 2);
	plan_twice(team, (const unsigned[]){0, 0});
	ask_all(c + 1, 7, 1);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.accepted, 4);
	for (int i = 0; i < 8; i++)
		client_close(&c[i]);
	rig_turn(&rig);
	ck_assert_uint_eq(open_of(rig.server) + open_of(helper), 0);
	ck_assert_uint_eq(http_team_open(team), 0);
	http_server_free(helper);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_connection_that_is_on_its_way_ends_with_its_server)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
	static const unsigned busy[] = {800, 0};
	struct loop *other = loop_new();
	struct http_server *helper;
	struct client c[4];
	struct rig rig = {0};

	rig_start(&rig);
	helper = http_server_new(other, &rig.config);
	http_server_help(rig.server, helper);
	for (int i = 0; i < 4; i++)
		client_open(&c[i], &rig);
	loop_deliver(other);
	plan_twice(((struct http_hub *)rig.server)->team, busy);
	client_put(&c[0], request, sizeof request - 1);
	rig_turn(&rig);
	ck_assert_uint_eq(open_of(rig.server), 1);
	ck_assert_uint_eq(open_of(helper), 2);
	http_server_free(helper);
	loop_deliver(other);
	client_read(&c[0]);
	ck_assert_int_eq(client_status(&c[0], 0), 200);
	ck_assert(c[0].closed);
	ck_assert(!c[0].reset);
	for (int i = 0; i < 4; i++)
		client_close(&c[i]);
	rig_stop(&rig);
	loop_free(other);
}
END_TEST

/* The tests. */
Suite *
http_team_suite(void)
{
	const TTest *const tests[] = {a_new_connection_goes_where_the_fewest_are,
	    the_first_hears_of_closed_connections_while_it_waits,
	    connections_and_their_limit_are_shared,
	    the_busiest_gives_connections_to_the_one_that_is_least_busy,
	    a_connection_that_is_on_its_way_ends_with_its_server, NULL};
	Suite *suite = unit_suite("http team", tests);
	TCase *moving = tcase_create("moving");

	tcase_add_loop_test(moving, a_connection_moves_between_two_requests, 0, 2);
	suite_add_tcase(suite, moving);
	return suite;
}
