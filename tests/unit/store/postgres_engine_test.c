#include "config.h"

#include "postgres_rig.h"
#include "base/digest.h"
#include "base/mem.h"
#include "store/postgres_embedded.h"
#include "store/store_copy.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEMBERS 4

static struct postgres *server;

/* Starts the server that the tests of a case share. */
static void
start(void)
{
	server = postgres_new(&(struct postgres_options){.password = "geheim"});
}

/* Ends it. */
static void
stop(void)
{
	postgres_free(server);
}

/* Makes a database; its URL is the caller's. */
static char *
make(const char *database)
{
	postgres_make(server, database);
	return mem_string(postgres_url(server, NULL, database));
}

/* The same on a server of the test's own, which it may kill. */
static char *
make_own(const char *database)
{
	start();
	return make(database);
}

/* Opens what must not open; the sentence is static. */
static const char *
refused(const char *url, const char *password, const char *binding)
{
	static struct fail f;
	struct store_options o = {.url = url, .password = password, .binding = binding};
	struct store *s = store_open(&o, &f);

	ck_assert_msg(s == NULL, "%s was opened", url);
	ck_assert_msg(strstr(f.text, "geheim") == NULL && strstr(f.text, "falsch") == NULL, "%s", f.text);
	return f.text;
}

/* Fails the test unless a sentence has these words. */
static void
assert_says(const char *sentence, const char *words)
{
	ck_assert_msg(strstr(sentence, words) != NULL, "%s", sentence);
}

/* The number of a database's schema. */
static int
schema_of(const char *database)
{
	return postgres_count(server, database, "SELECT value::int FROM meta WHERE name = 'schema'");
}

/* Writes another one into it. */
static void
set_schema(const char *database, int schema)
{
	free(postgres_sql(server, database, "UPDATE meta SET value = '%d' WHERE name = 'schema'",
	    schema));
}

START_TEST(what_cannot_be_used_is_refused_with_a_sentence)
{
	char *url = make("refused"), *wrong, *other = make("other");
	struct rig r;
	int newest;

	assert_says(refused("mysql://x", NULL, NULL), "store.url cannot be read");
	assert_says(refused("postgresql://a:geh%geheim@h/d", NULL, NULL), "store.url cannot be read");
	assert_says(refused("postgresql://no-such-host.invalid/d", NULL, NULL), "no address");
	wrong = mem_format("postgresql://gateway:falsch@127.0.0.1:%d/refused", postgres_port(server));
	assert_says(refused(wrong, NULL, NULL), "password authentication failed");
	free(wrong);
	assert_says(refused(url, "falsch", NULL), "password authentication failed");
	assert_says(refused("postgresql://gateway@127.0.0.1:1/d", NULL, NULL), "cannot be reached");
	wrong = mem_format("postgresql://gateway:geheim@127.0.0.1:%d/nowhere", postgres_port(server));
	assert_says(refused(wrong, NULL, NULL), "\"nowhere\" does not exist");
	free(wrong);
	free(postgres_sql(server, "other", "CREATE TABLE thing (n int)"));
	assert_says(refused(other, NULL, NULL), "a database of its own");
	ck_assert_int_eq(postgres_count(server, "other", "SELECT count(*) FROM pg_tables"
	    " WHERE schemaname = 'public'"), 1);

	rig_open(&r, url);
	rig_close(&r);
	assert_says(refused(url, NULL, "https://elsewhere.example"), "--rebind");
	newest = schema_of("refused");
	set_schema("refused", 99);
	assert_says(refused(url, NULL, NULL), "newer persona-gateway");
	set_schema("refused", newest);
	free(postgres_sql(server, "refused", "REASSIGN OWNED BY gateway TO CURRENT_USER"));
	assert_says(refused(url, NULL, NULL), "make it the owner");
	free(url);
	free(other);
}
END_TEST

START_TEST(a_password_that_stands_wrong_is_not_shown)
{
	/* each as a password is that was not written as %xx, or stands in another place */
	static const char *const urls[] = {"postgresql://a:pa/geheim@127.0.0.1/d", "postgresql://a:pa@geheim@127.0.0.1/d",
	    "postgresql://a:geheim/d", "postgresql://a:1/x/geheim", "postgres://127.0.0.1:geheim/d",
	    "postgresql://a:/geheim@127.0.0.1/d", "postgresql://127.0.0.1,127.0.0.2:geheim/d"};
	static const char *const options[] = {"sslmode", "target_session_attrs", "channel_binding", "hostaddr",
	    "service", "connect_timeout", "ssl_min_protocol_version", "gssencmode"};

	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		assert_says(refused(urls[i], NULL, NULL), "store.url cannot be read");
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		char *url = mem_format("postgresql://gateway@127.0.0.1:1/d?%s=geheim", options[i]);

		assert_says(refused(url, NULL, NULL), "PostgreSQL");
		free(url);
	}
}
END_TEST

/* Opens and closes a store. */
static void *
open_once(void *arg)
{
	struct store_options o = {.url = arg};
	struct fail f;
	struct store *s = store_open(&o, &f);

	if (s != NULL)
		store_close(s);
	return s;
}

START_TEST(several_start_at_once_on_an_empty_database)
{
	char *url = make("empty");
	pthread_t threads[MEMBERS];
	void *opened;

	for (int k = 0; k < MEMBERS; k++)
		pthread_create(&threads[k], NULL, open_once, url);
	for (int k = 0; k < MEMBERS; k++) {
		pthread_join(threads[k], &opened);
		ck_assert_ptr_nonnull(opened);
	}
	ck_assert_int_eq(postgres_count(server, "empty", "SELECT count(*) FROM meta"
	    " WHERE name = 'schema'"), 1);
	free(url);
}
END_TEST

START_TEST(an_earlier_schema_is_brought_up)
{
	char *url = make("earlier");
	struct rig r;
	int newest;

	rig_open(&r, url);
	ck_assert_int_eq(rig_begin(&r, "i0", "Ada"), STORE_OK);
	rig_close(&r);
	newest = schema_of("earlier");
	free(postgres_sql(server, "earlier", "DROP FUNCTION intents_left"));
	set_schema("earlier", 1);
	rig_open(&r, url);
	ck_assert_int_eq(schema_of("earlier"), newest);
	ck_assert_int_eq(RIG_CALL(&r, store_intents_left, INT64_MAX, 9), STORE_OK);
	ck_assert_uint_eq(r.intents, 1);
	rig_close(&r);
	free(url);
}
END_TEST

START_TEST(what_makes_a_schema_stays_as_it_was)
{
	/* Databases have these functions: what they lack comes in a file of its own. */
	static const struct {
		const unsigned char *bytes;
		const size_t *len;
		const char *digest;
	} files[] = {
	    {postgres_tables_sql, &postgres_tables_sql_len, "83c9e426489c6142"},
	    {postgres_answer_sql, &postgres_answer_sql_len, "de2ecd20b460653a"},
	    {postgres_name_sql, &postgres_name_sql_len, "7d9077ef6da737ca"},
	    {postgres_member_sql, &postgres_member_sql_len, "dc23bfe4c0bd5b08"},
	    {postgres_create_sql, &postgres_create_sql_len, "95a46190b732cbd4"},
	    {postgres_change_sql, &postgres_change_sql_len, "e30582aeca0f4906"},
	    {postgres_seen_sql, &postgres_seen_sql_len, "66830ddc49d17375"},
	    {postgres_image_sql, &postgres_image_sql_len, "d48077f431e9a9e8"},
	    {postgres_twin_sql, &postgres_twin_sql_len, "c2becf1748c4e030"},
	    {postgres_upkeep_sql, &postgres_upkeep_sql_len, "ac3af8fed9174ad8"},
	    {postgres_left_sql, &postgres_left_sql_len, "1f04705e8c0ff8bd"},
	};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char digest[DIGEST_HEX_SIZE];

		digest_hex(files[i].bytes, *files[i].len, digest);
		digest[16] = '\0';
		ck_assert_str_eq(digest, files[i].digest);
	}
}
END_TEST

START_TEST(the_schema_may_have_any_name)
{
	char *url = make("named");
	struct rig r;

	free(postgres_sql(server, "named", "CREATE SCHEMA \"My store\" AUTHORIZATION gateway"));
	free(postgres_sql(server, "named", "ALTER DATABASE named SET search_path = \"My store\""));
	for (int k = 0; k < 2; k++) {
		rig_open(&r, url);
		ck_assert_int_eq(rig_begin(&r, k == 0 ? "i0" : "i1", k == 0 ? "Ada" : "Bob"), STORE_OK);
		rig_close(&r);
	}
	free(url);
}
END_TEST

START_TEST(members_share_names_and_are_told)
{
	char *url = make("shared");
	struct store_stats stats;
	struct rig a, b;
	int64_t asked;

	rig_open(&a, url);
	rig_open(&b, url);
	while (store_current_at(b.port) == 0 || store_lease_until(b.port) == 0 ||
	    store_current_at(a.port) == 0 || store_lease_until(a.port) == 0)
		rig_turn(&a, &b);
	b.told[0] = '\0';
	ck_assert_int_eq(rig_begin(&a, "i1", "Ada"), STORE_OK);
	ck_assert_int_eq(rig_begin(&b, "i2", "Ada"), STORE_UNSETTLED_SAME);
	ck_assert(!b.held);
	ck_assert(!b.orphaned);
	ck_assert_int_eq(RIG_CALL(&b, store_intent_take, "i1"), STORE_HELD);
	ck_assert_int_eq(RIG_CALL(&b, store_intent_drop, "i1"), STORE_NONE);
	ck_assert_int_eq(rig_settle(&a, "i1", "p1"), STORE_OK);
	ck_assert_int_eq(rig_begin(&b, "i2", "Ada"), STORE_NAME_TAKEN);
	asked = loop_now(b.loop);
	while (store_current_at(b.port) < asked)
		rig_turn(&b, &a);
	ck_assert_str_eq(b.told, "i1 p1 i1 ");
	b.told[0] = '\0';
	store_outdate(a.port, rig_done, &a);
	ck_assert_int_eq(rig_wait(&a, a.done + 1), STORE_OK);
	asked = loop_now(b.loop);
	while (store_current_at(b.port) < asked)
		rig_turn(&b, &a);
	ck_assert_str_eq(b.told, "lost ");
	/* how many there are is known with the next renewal of the lease */
	for (store_stats(b.store, &stats); stats.members != 2; store_stats(b.store, &stats))
		rig_turn(&b, &a);
	ck_assert_uint_eq(stats.reconnects, 0);
	rig_close(&a);
	while (stats.members != 1) {
		rig_turn(&b, NULL);
		store_stats(b.store, &stats);
	}
	rig_close(&b);
	free(url);
}
END_TEST

START_TEST(what_a_member_left_is_taken_and_its_word_is_void)
{
	char *url = make("taken");
	struct rig a, b;

	rig_open(&a, url);
	rig_open(&b, url);
	while (store_lease_until(b.port) == 0 || store_lease_until(a.port) == 0)
		rig_turn(&a, &b);
	ck_assert(store_lease_until(a.port) <= loop_now(a.loop) + STORE_LEASE_MS);
	ck_assert_int_eq(rig_begin(&a, "i1", "Ada"), STORE_OK);
	ck_assert_int_eq(rig_begin(&a, "i2", "Bob"), STORE_OK);
	free(postgres_sql(server, "taken", "UPDATE member SET lease_until = now() - interval '1 s'"
	    " WHERE id = (SELECT member FROM intent WHERE id = 'i1')"));
	ck_assert_int_eq(RIG_CALL(&b, store_intent_take, "i1"), STORE_OK);
	ck_assert(b.held);
	ck_assert_int_eq(b.fence, 2);
	ck_assert_int_eq(rig_settle(&a, "i1", "p1"), STORE_NONE);
	ck_assert_int_eq(rig_settle(&b, "i1", "p1"), STORE_OK);
	/* what nobody took is still its own; who leaves leaves all */
	ck_assert_int_eq(RIG_CALL(&a, store_intent_mark, "i2", STORE_UNKNOWN, 2), STORE_OK);
	rig_close(&a);
	ck_assert_int_eq(RIG_CALL(&b, store_intent_take, "i2"), STORE_OK);
	rig_close(&b);
	free(url);
}
END_TEST

START_TEST(what_nobody_works_on_is_told_some_at_a_time)
{
	char *url = make("forsaken");
	struct rig a, b;

	rig_open(&a, url);
	rig_open(&b, url);
	while (store_lease_until(b.port) == 0 || store_lease_until(a.port) == 0)
		rig_turn(&a, &b);
	ck_assert_int_eq(rig_begin(&a, "i1", "Ada"), STORE_OK);
	ck_assert_int_eq(rig_begin(&a, "i2", "Bob"), STORE_OK);
	ck_assert_int_eq(rig_begin(&b, "i3", "Cy"), STORE_OK);
	ck_assert_int_eq(RIG_CALL(&b, store_intent_mark, "i3", STORE_UNKNOWN, 200), STORE_OK);
	ck_assert_int_eq(RIG_CALL(&b, store_intents_left, 200, 9), STORE_OK);
	ck_assert_uint_eq(b.intents, 0);
	ck_assert_int_eq(RIG_CALL(&b, store_intents_left, 201, 9), STORE_OK); /* its own */
	ck_assert_uint_eq(b.intents, 1);
	ck_assert(b.held);
	rig_close(&a);
	ck_assert_int_eq(RIG_CALL(&b, store_intents_left, 0, 9), STORE_OK);
	ck_assert_uint_eq(b.intents, 2);
	ck_assert(!b.held && b.orphaned);
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(RIG_CALL(&b, store_intents_left, 201, 1), STORE_OK);
		ck_assert_uint_eq(b.intents, 1);
		ck_assert(!b.held); /* its own are last */
	}
	ck_assert_int_eq(RIG_CALL(&b, store_intent_take, "i1"), STORE_OK);
	ck_assert_int_eq(RIG_CALL(&b, store_intent_mark, "i2", STORE_OPERATOR, 1), STORE_NONE);
	ck_assert_int_eq(RIG_CALL(&b, store_intent_take, "i2"), STORE_OK);
	ck_assert_int_eq(RIG_CALL(&b, store_intent_mark, "i2", STORE_OPERATOR, 1), STORE_OK);
	ck_assert_int_eq(RIG_CALL(&b, store_intents_left, INT64_MAX, 9), STORE_OK);
	ck_assert_uint_eq(b.intents, 2); /* those of its own that do not wait for an operator */
	rig_close(&b);
	free(url);
}
END_TEST

START_TEST(a_write_whose_answer_was_lost_is_done_once)
{
	struct relay *relay = relay_new(postgres_port(server));
	char *url, *direct = make("lost");
	struct store_record record = {.scope = mem_string("agent:1"), .local_id = mem_string("p2"),
	    .upstream_id = mem_string("u2")};
	struct rig r;

	url = mem_format("postgresql://gateway:geheim@127.0.0.1:%d/lost", relay_port(relay));
	rig_open(&r, url);
	ck_assert_int_eq(rig_begin(&r, "i1", "Ada"), STORE_OK);
	relay_deafen(relay);
	rig_ask(&r, "i2", "Bob");
	loop_turn(r.loop, false);
	while (postgres_count(server, "lost", "SELECT count(*) FROM intent WHERE id = 'i2'") == 0)
		rig_turn(&r, NULL);
	relay_cut(relay);
	/* the second begin was done; asked for again, it says so, and not that Bob is taken */
	ck_assert_int_eq(rig_wait(&r, 2), STORE_OK);
	ck_assert_int_eq(postgres_count(server, "lost", "SELECT count(*) FROM intent"), 2);
	/* the same with an answer that brings something along: the same record, of the same try */
	relay_deafen(relay);
	store_create_settle(r.port, "i2", &record, NULL, rig_done, &r);
	loop_turn(r.loop, false);
	while (postgres_count(server, "lost", "SELECT count(*) FROM persona") == 0)
		rig_turn(&r, NULL);
	relay_cut(relay);
	ck_assert_int_eq(rig_wait(&r, 3), STORE_OK);
	ck_assert_str_eq(r.text, "p2");
	ck_assert_int_eq(postgres_count(server, "lost", "SELECT count(*) FROM persona"), 1);
	store_record_clear(&record);
	rig_close(&r);
	relay_free(relay);
	free(url);
	free(direct);
}
END_TEST

START_TEST(without_the_database_calls_are_refused_and_it_comes_back)
{
	char *url = make_own("away");
	struct rig r;
	int64_t asked;

	rig_open(&r, url);
	ck_assert_int_eq(rig_begin(&r, "i1", "Ada"), STORE_OK);
	postgres_kill(server);
	asked = loop_now(r.loop);
	rig_ask(&r, "i2", "Bob");
	store_get(r.port, "agent:1", "p1", rig_done, &r);
	rig_wait(&r, 2);
	ck_assert_int_eq(r.status, STORE_UNAVAILABLE);
	ck_assert_str_ne(r.text, "");
	ck_assert_int_le(loop_now(r.loop) - asked, 4000);
	postgres_start(server);
	/* what was under way may have been sent: it is waited for longer, and is true either way */
	rig_wait(&r, 3);
	while (RIG_CALL(&r, store_probe, 5) == STORE_UNAVAILABLE)
		rig_turn(&r, NULL);
	ck_assert_int_eq(RIG_CALL(&r, store_intent_drop, "i1"), STORE_OK);
	rig_close(&r);
	stop();
	free(url);
}
END_TEST

START_TEST(restarts_in_the_middle_lose_and_double_nothing)
{
	char *url = make_own("restarts"), id[16], name[16];
	struct rig r;
	int made = 0;

	rig_open(&r, url);
	for (int k = 0; k < 60; k++) {
		snprintf(id, sizeof id, "i%d", k);
		snprintf(name, sizeof name, "n%d", k);
		rig_ask(&r, id, name);
		loop_turn(r.loop, false);
		if (k % 20 == 10) {
			postgres_kill(server);
			postgres_start(server);
		}
		ck_assert_msg(rig_wait(&r, (unsigned)k + 1) == STORE_OK, "%d: %d %s", k, r.status, r.text);
		made++;
	}
	ck_assert_int_eq(postgres_count(server, "restarts", "SELECT count(*) FROM intent"), made);
	rig_close(&r);
	stop();
	free(url);
}
END_TEST

START_TEST(tls_is_for_the_host_that_the_certificate_names)
{
	struct rig r;
	struct fail f;
	char *url;
	struct store_options o = {0};

	server = postgres_new(&(struct postgres_options){.password = "geheim", .tls = true});
	postgres_make(server, "tls");
	url = mem_format("postgresql://gateway:geheim@127.0.0.1:%d/tls?sslmode=verify-full&sslrootcert=%s",
	    postgres_port(server), postgres_certificate(server));
	rig_open(&r, url);
	ck_assert_int_eq(rig_begin(&r, "i1", "Ada"), STORE_OK);
	rig_close(&r);
	free(url);
	url = mem_format("postgresql://gateway:geheim@127.0.0.1:%d/tls?sslmode=disable",
	    postgres_port(server));
	o.url = url;
	ck_assert_ptr_null(store_open(&o, &f));
	assert_says(f.text, "cannot be reached");
	free(url);
	stop();
}
END_TEST

START_TEST(a_fail_over_loses_nothing_that_was_acknowledged)
{
	struct postgres *standby;
	char id[16], name[16], *url;
	struct rig r;
	bool fine[60];

	server = postgres_new(&(struct postgres_options){.password = "geheim"});
	postgres_make(server, "over");
	standby = postgres_standby(server, true);
	url = mem_string(postgres_url(server, standby, "over"));
	rig_open(&r, url);
	for (int k = 0; k < 60; k++) {
		snprintf(id, sizeof id, "i%d", k);
		snprintf(name, sizeof name, "n%d", k);
		rig_ask(&r, id, name);
		loop_turn(r.loop, false);
		if (k == 30) {
			postgres_kill(server);
			postgres_promote(standby);
			postgres_alone(standby);
		}
		fine[k] = rig_wait(&r, (unsigned)k + 1) == STORE_OK;
		ck_assert_msg(fine[k], "%d: %d %s", k, r.status, r.text);
	}
	ck_assert_int_eq(postgres_count(standby, "over", "SELECT count(*) FROM intent"), 60);
	rig_close(&r);
	postgres_free(standby);
	stop();
	free(url);
}
END_TEST

START_TEST(what_cannot_be_prepared_is_not_done)
{
	char *url = make("prepared");
	struct store_record record = {.scope = (char *)(uintptr_t)"agent:1"};
	struct rig r;

	rig_open(&r, url);
	free(postgres_sql(server, "prepared", "ALTER FUNCTION hide RENAME TO gone;"
	    " ALTER FUNCTION get RENAME TO went"));
	ck_assert_int_eq(RIG_CALL(&r, store_hide, "agent:1", "p1", 1), STORE_UNAVAILABLE);
	assert_says(r.text, "does not exist");
	ck_assert_int_eq(RIG_CALL(&r, store_get, "agent:1", "p1"), STORE_UNAVAILABLE);
	assert_says(r.text, "does not exist");
	/* and what comes after it is */
	ck_assert_int_eq(RIG_CALL(&r, store_refresh, &record, 1), STORE_OK);
	ck_assert_int_eq(RIG_CALL(&r, store_list, "agent:1"), STORE_OK);
	rig_close(&r);
	free(url);
}
END_TEST

START_TEST(what_the_server_has_forgotten_is_prepared_anew)
{
	char *url = make("forgotten");
	struct rig r;

	rig_open(&r, url);
	ck_assert_int_eq(rig_begin(&r, "i1", "Ada"), STORE_OK);
	ck_assert_int_eq(RIG_CALL(&r, store_get, "agent:1", "p1"), STORE_NONE);
	free(postgres_sql(server, "forgotten", "CREATE OR REPLACE FUNCTION scopes(counted boolean) RETURNS"
	    " SETOF answer LANGUAGE plpgsql AS $$BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN NEXT say('ok');"
	    " END$$; CREATE OR REPLACE FUNCTION probe(now_ms bigint) RETURNS"
	    " SETOF answer LANGUAGE plpgsql AS $$BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN NEXT say('ok');"
	    " END$$"));
	ck_assert_int_eq(RIG_CALL(&r, store_scopes, false), STORE_OK);
	ck_assert_int_eq(RIG_CALL(&r, store_get, "agent:1", "p1"), STORE_NONE);
	ck_assert_int_eq(RIG_CALL(&r, store_probe, 1), STORE_OK);
	ck_assert_int_eq(rig_begin(&r, "i2", "Bob"), STORE_OK);
	ck_assert_int_eq(postgres_count(server, "forgotten", "SELECT count(*) FROM intent"), 2);
	rig_close(&r);
	free(url);
}
END_TEST

START_TEST(a_connection_that_cannot_be_made_leaves_those_that_are)
{
	char *url = make("descriptors");
	struct rlimit limit;
	struct rig r;

	rig_open(&r, url);
	ck_assert_int_eq(RIG_CALL(&r, store_get, "agent:1", "p1"), STORE_NONE);
	while (store_lease_until(r.port) == 0)
		rig_turn(&r, NULL);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)dup(STDERR_FILENO); /* the lowest that is free */
	ck_assert_int_eq(close((int)limit.rlim_cur), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	/* the second and the third would have one of their own */
	for (int k = 0; k < 3; k++)
		store_get(r.port, "agent:1", "p1", rig_done, &r);
	ck_assert_int_eq(rig_wait(&r, 4), STORE_NONE);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	rig_close(&r);
	free(url);
}
END_TEST

START_TEST(what_is_kept_is_utf_8_whatever_the_user_is_set_to)
{
	char *url, *plain = make("encoded");
	struct rig r;

	free(postgres_sql(server, "encoded", "ALTER DATABASE encoded SET client_encoding = 'LATIN1'"));
	url = mem_format("%s?client_encoding=LATIN1", plain);
	for (int k = 0; k < 2; k++) {
		rig_open(&r, k == 0 ? plain : url);
		ck_assert_int_eq(rig_begin(&r, k == 0 ? "i0" : "i1", k == 0 ? "\xc3\xa9" : "\xc3\xa8"), STORE_OK);
		rig_close(&r);
	}
	ck_assert_int_eq(postgres_count(server, "encoded", "SELECT sum(length(name)) FROM intent"), 2);
	free(url);
	free(plain);
}
END_TEST

/* Has a scope as a gateway that has stopped in the middle of a write, until it may go on. */
static void *
hold_scope(void *database)
{
	free(postgres_sql(server, database, "DO $$BEGIN"
	    " PERFORM pg_advisory_lock(1346852697, hashtext('agent:1'));"
	    " WHILE NOT EXISTS (SELECT FROM meta WHERE name = 'go') LOOP PERFORM pg_sleep(0.01); END LOOP;"
	    " END$$"));
	return NULL;
}

START_TEST(a_write_does_not_wait_for_a_gateway_that_stopped_in_the_middle)
{
	char *url = make("stopped");
	pthread_t thread;
	struct rig r;
	int64_t asked;

	rig_open(&r, url);
	ck_assert_int_eq(rig_begin(&r, "i1", "Ada"), STORE_OK);
	ck_assert_int_eq(pthread_create(&thread, NULL, hold_scope, (char *)(uintptr_t)"stopped"), 0);
	while (postgres_count(server, "stopped", "SELECT count(*) FROM pg_locks"
	    " WHERE classid = 1346852697 AND objsubid = 2 AND granted") == 0)
		rig_turn(&r, NULL);
	asked = loop_now(r.loop);
	ck_assert_int_eq(rig_begin(&r, "i2", "Bob"), STORE_UNAVAILABLE);
	assert_says(r.text, "lock timeout");
	ck_assert_int_le(loop_now(r.loop) - asked, 10000); /* one time-out is 3 s */
	free(postgres_sql(server, "stopped", "INSERT INTO meta VALUES ('go', '')"));
	pthread_join(thread, NULL);
	ck_assert_int_eq(rig_begin(&r, "i2", "Bob"), STORE_OK);
	rig_close(&r);
	free(url);
}
END_TEST

START_TEST(a_connection_that_does_not_last_is_made_again_with_pauses)
{
	char *url = make("pauses");
	struct store_stats stats;
	struct rig r;
	int64_t end;

	rig_open(&r, url);
	/* what keeps the lease is refused, as by a full disk, and then the connection is given up */
	free(postgres_sql(server, "pauses", "ALTER FUNCTION renew RENAME TO gone"));
	for (end = loop_now(r.loop) + 1500; loop_now(r.loop) < end;)
		rig_turn(&r, NULL);
	store_stats(r.store, &stats);
	ck_assert_uint_ge(stats.reconnects, 1);
	ck_assert_uint_le(stats.reconnects, 12);
	ck_assert_int_eq(store_lease_until(r.port), 0);
	free(postgres_sql(server, "pauses", "ALTER FUNCTION gone RENAME TO renew"));
	while (store_lease_until(r.port) == 0)
		rig_turn(&r, NULL);
	rig_close(&r);
	free(url);
}
END_TEST

START_TEST(a_copy_goes_to_the_host_that_takes_writes)
{
	char folder[] = "/tmp/store-test-XXXXXX", *url, *place, *path;
	struct postgres *standby;
	struct store_copied copied;
	struct store_copy_options o = {0};
	struct fail f;
	struct rig r;

	server = postgres_new(&(struct postgres_options){.password = "geheim"});
	url = make("copied");
	standby = postgres_standby(server, false);
	rig_open(&r, url);
	ck_assert_int_eq(rig_begin(&r, "i1", "Ada"), STORE_OK);
	rig_close(&r);
	free(url);
	url = mem_format("postgresql://gateway@127.0.0.1:%d,127.0.0.1:%d/copied",
	    postgres_port(standby), postgres_port(server));
	setenv("PGPASSWORD", "geheim", 1);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	place = mem_format("sqlite:%s", folder);
	o.from = url;
	o.to = place;
	ck_assert_msg(store_copy(&o, &copied, &f) == 0, "%s", f.text);
	path = mem_format("rm -r %s", folder);
	ck_assert_int_eq(system(path), 0);
	free(path);
	free(place);
	free(url);
	postgres_free(standby);
	stop();
}
END_TEST

/* What the members of the race change: a few personas of few names, in two scopes. */
#define RACE_NAMES 4
#define RACE_IDS 6
#define RACE_STEPS 250

struct racer {
	const char *url;
	unsigned seed;
	int unavailable;
	pthread_t thread;
};

/* A number below n. */
static int
race_pick(struct racer *r, int n)
{
	r->seed = r->seed * 1664525u + 1013904223u;
	return (int)((r->seed >> 16) % (unsigned)n);
}

/* Makes one call, about something that others change, too. */
static void
race_step(struct racer *racer, struct rig *r, int k)
{
	char id[32], name[8], local[8];
	const char *scope = race_pick(racer, 3) == 0 ? "agent:2" : "agent:1";
	struct store_record record = {.scope = (char *)(uintptr_t)scope, .local_id = local,
	    .upstream_id = local, .name = name, .content = id, .created_ms = 1, .content_ms = k};
	struct store_intent i = {.id = id, .scope = (char *)(uintptr_t)scope, .local_id = local,
	    .upstream_id = local, .name = name, .fingerprint = name, .sent = name};
	struct store_create create = {.intent = &i};

	snprintf(id, sizeof id, "%x-%d", racer->seed, k);
	snprintf(name, sizeof name, "n%d", race_pick(racer, RACE_NAMES));
	snprintf(local, sizeof local, "p%d", race_pick(racer, RACE_IDS));
	switch (race_pick(racer, 7)) {
	case 0:
	case 1:
		i.local_id = i.upstream_id = NULL;
		if (RIG_CALL(r, store_create_begin, &create) == STORE_OK &&
		    RIG_CALL(r, store_create_settle, id, &record, NULL) != STORE_OK)
			RIG_CALL(r, store_intent_drop, id);
		break;
	case 2:
	case 3:
		i.operation = STORE_UPDATE;
		if (RIG_CALL(r, store_update_begin, &i) == STORE_OK)
			RIG_CALL(r, store_update_settle, id, &record);
		break;
	case 4:
		i.operation = STORE_DELETE;
		if (RIG_CALL(r, store_delete_begin, &i) == STORE_OK)
			RIG_CALL(r, store_delete_settle, id, k);
		break;
	case 5:
		RIG_CALL(r, store_hide, scope, local, k);
		break;
	default:
		RIG_CALL(r, store_adopt, scope, &record, 1, k);
		RIG_CALL(r, store_purge, k, k);
	}
	racer->unavailable += r->status == STORE_UNAVAILABLE;
}

/* A member. */
static void *
race_run(void *arg)
{
	struct racer *racer = arg;
	struct rig r;

	rig_open(&r, racer->url);
	for (int k = 1; k <= RACE_STEPS; k++)
		race_step(racer, &r, k);
	rig_close(&r);
	return NULL;
}

START_TEST(members_that_change_the_same_things_leave_them_sound)
{
	static const char *const unsound[] = {
	    "hold h WHERE persona IS NOT NULL AND NOT EXISTS (SELECT FROM persona p WHERE p.seq ="
	    " h.persona AND p.scope = h.scope AND p.name = h.name AND hidden_ms IS NULL)",
	    "persona p WHERE hidden_ms IS NULL AND NOT EXISTS (SELECT FROM hold h"
	    " WHERE h.scope = p.scope AND h.name = p.name)",
	    "hold WHERE intent IS NOT NULL",
	    "intent",
	};
	char *url = make("race");
	struct racer racers[MEMBERS];

	for (int k = 0; k < MEMBERS; k++) {
		racers[k] = (struct racer){.url = url, .seed = (unsigned)k + 1};
		pthread_create(&racers[k].thread, NULL, race_run, &racers[k]);
	}
	for (int k = 0; k < MEMBERS; k++) {
		pthread_join(racers[k].thread, NULL);
		ck_assert_int_eq(racers[k].unavailable, 0);
	}
	for (size_t k = 0; k < sizeof unsound / sizeof unsound[0]; k++)
		ck_assert_msg(postgres_count(server, "race", "SELECT count(*) FROM %s", unsound[k]) == 0,
		    "%s", unsound[k]);
	free(url);
}
END_TEST

/* The engine. */
static Suite *
engine_suite(void)
{
	Suite *suite = suite_create("store postgres");
	TCase *tcase = tcase_create("store postgres");

	tcase_set_timeout(tcase, 120);
	tcase_add_unchecked_fixture(tcase, start, stop);
	tcase_add_test(tcase, what_cannot_be_used_is_refused_with_a_sentence);
	tcase_add_test(tcase, a_password_that_stands_wrong_is_not_shown);
	tcase_add_test(tcase, several_start_at_once_on_an_empty_database);
	tcase_add_test(tcase, an_earlier_schema_is_brought_up);
	tcase_add_test(tcase, what_makes_a_schema_stays_as_it_was);
	tcase_add_test(tcase, the_schema_may_have_any_name);
	tcase_add_test(tcase, members_share_names_and_are_told);
	tcase_add_test(tcase, what_a_member_left_is_taken_and_its_word_is_void);
	tcase_add_test(tcase, what_nobody_works_on_is_told_some_at_a_time);
	tcase_add_test(tcase, members_that_change_the_same_things_leave_them_sound);
	tcase_add_test(tcase, a_write_whose_answer_was_lost_is_done_once);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("store postgres sessions");
	tcase_set_timeout(tcase, 30);
	tcase_add_unchecked_fixture(tcase, start, stop);
	tcase_add_test(tcase, what_cannot_be_prepared_is_not_done);
	tcase_add_test(tcase, what_the_server_has_forgotten_is_prepared_anew);
	tcase_add_test(tcase, a_connection_that_cannot_be_made_leaves_those_that_are);
	tcase_add_test(tcase, what_is_kept_is_utf_8_whatever_the_user_is_set_to);
	tcase_add_test(tcase, a_write_does_not_wait_for_a_gateway_that_stopped_in_the_middle);
	tcase_add_test(tcase, a_connection_that_does_not_last_is_made_again_with_pauses);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("store postgres killed");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, without_the_database_calls_are_refused_and_it_comes_back);
	tcase_add_test(tcase, tls_is_for_the_host_that_the_certificate_names);
	tcase_add_test(tcase, a_copy_goes_to_the_host_that_takes_writes);
	tcase_add_test(tcase, a_fail_over_loses_nothing_that_was_acknowledged);
	tcase_add_test(tcase, restarts_in_the_middle_lose_and_double_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN_IF(postgres_possible(), engine_suite)
