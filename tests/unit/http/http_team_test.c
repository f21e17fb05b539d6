#include "config.h"

#include "http/http_team.h"
#include "http_rig.h"

#include <stdlib.h>

START_TEST(a_new_connection_goes_where_the_fewest_are)
{
	struct http_team *t = http_team_new();
	unsigned got[4] = {0};

	ck_assert_uint_eq(http_team_add(t), 1);
	ck_assert_uint_eq(http_team_add(t), 2);
	ck_assert_uint_eq(http_team_add(t), 3);
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
	free(t);
}
END_TEST

START_TEST(the_first_hears_of_closed_connections_while_it_waits)
{
	struct http_team *t = http_team_new();

	http_team_add(t);
	http_team_take(t);
	http_team_take(t);
	http_team_take(t);
	ck_assert(!http_team_leave(t, 1));
	http_team_wait(t, true);
	ck_assert(http_team_leave(t, 0));
	http_team_wait(t, false);
	ck_assert(!http_team_leave(t, 0));
	ck_assert_uint_eq(http_team_open(t), 0);
	free(t);
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

/* The tests. */
Suite *
http_team_suite(void)
{
	const TTest *const tests[] = {a_new_connection_goes_where_the_fewest_are,
	    the_first_hears_of_closed_connections_while_it_waits,
	    connections_and_their_limit_are_shared, NULL};

	return unit_suite("http team", tests);
}
