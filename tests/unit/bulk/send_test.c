#include "config.h"

#include "base/loop.h"
#include "base/mem.h"
#include "bulk/bulk_import.h"
#include "bulk_test.h"
#include "unit.h"
#include "upstream/fake_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PERSONA "{\"id\":\"7\",\"name\":\"x\"}"

static struct loop *loop;
static struct fake_server *server;
static struct fail f;
static struct bulk_import_state state;
static char story[4096]; /* "created x; failed y (400 no);" */
static int64_t told_at[64]; /* when */
static unsigned told;

/* An outcome. */
static void
on_told(void *arg, const struct bulk_told *t)
{
	size_t n = strlen(story);

	told_at[told++ % 64] = loop_now(loop);
	snprintf(story + n, sizeof story - n, "%s %s%s%s%s;", bulk_outcome_name(t->outcome), t->name,
	    t->why != NULL ? " (" : "", t->why != NULL ? t->why : "", t->why != NULL ? ")" : "");
}

/* The end. */
static void
on_over(void *arg)
{
	*(bool *)arg = true;
}

/* What an import is made with. */
struct how {
	const char *source, *target, *journal;
	enum bulk_policy policy;
	unsigned jobs;
	int64_t patience_ms;
};

/* Runs an import to its end, with what the server was told to say. */
static void
run(const struct how *how)
{
	const char *target = how->target != NULL ? how->target : "[]";
	struct bulk_site_config site = {.url = fake_server_url(server), .project = "p", .token = "secret",
	    .jobs = how->jobs, .patience_ms = how->patience_ms};
	bool over = false;
	struct bulk_import_config cfg = {.loop = loop, .from = text_file(how->source, strlen(how->source)),
	    .policy = how->policy, .jobs = how->jobs, .told = on_told, .over = on_over, .arg = &over};
	struct bulk_import *im;

	story[0] = '\0';
	told = 0;
	cfg.to = bulk_site_new(loop, &site, &f);
	ck_assert_msg(cfg.to != NULL, "%s", f.text);
	cfg.target = bulk_index_read(text_file(target, strlen(target)), BULK_FORM_AUTO, "name", "T", &f);
	ck_assert_ptr_nonnull(cfg.target);
	if (how->journal != NULL)
		cfg.journal = bulk_journal_open(how->journal, false, "S", "T", &f);
	im = bulk_import_start(&cfg);
	while (!over)
		loop_turn(loop, true);
	bulk_import_state(im, &state);
	bulk_import_free(im);
	bulk_journal_close(cfg.journal);
	bulk_site_free(cfg.to);
	close(cfg.from);
}

/* A field's value in a request; "" without it. Static, four at a time. */
static const char *
field(unsigned request, const char *name)
{
	static char values[4][128];
	static unsigned at;
	char *value = values[at++ % 4];
	const char *text = strstr(fake_server_request(server, request), name);

	value[0] = '\0';
	if (text != NULL)
		snprintf(value, sizeof values[0], "%.*s", (int)strcspn(text + strlen(name) + 2, "\r"),
		    text + strlen(name) + 2);
	return value;
}

/* Starts a server. */
static void
open_server(void)
{
	signal(SIGPIPE, SIG_IGN);
	loop = loop_new();
	server = fake_server_new(loop, NULL);
}

/* Ends it. */
static void
close_server(void)
{
	fake_server_free(server);
	loop_free(loop);
}

START_TEST(a_create_has_the_same_key_at_each_try)
{
	open_server();
	fake_server_answer(server, 503, NULL, "{\"error\":\"busy\"}");
	fake_server_push(server, &(struct fake_step){.then = FAKE_RESET});
	fake_server_answer(server, 201, NULL, PERSONA);
	fake_server_answer(server, 201, NULL, PERSONA);
	run(&(struct how){"{\"name\":\"x\"}\n{\"name\":\"y\"}\n", .jobs = 1, .patience_ms = 10000});
	ck_assert_str_eq(story, "created x;created y;");
	ck_assert(!state.early);
	ck_assert_uint_eq(fake_server_requests(server), 4);
	ck_assert_int_eq(strncmp(fake_server_request(server, 0), "POST /api/projects/p/personas HTTP/1.1\r\n", 40), 0);
	ck_assert_str_eq(field(0, "Authorization"), "Bearer secret");
	ck_assert_uint_ge(strlen(field(0, "Idempotency-Key")), 60);
	ck_assert_str_eq(field(0, "Idempotency-Key"), field(1, "Idempotency-Key"));
	ck_assert_str_eq(field(0, "Idempotency-Key"), field(2, "Idempotency-Key"));
	ck_assert_str_ne(field(0, "Idempotency-Key"), field(3, "Idempotency-Key"));
	close_server();
}
END_TEST

START_TEST(another_run_of_a_journal_has_the_same_keys)
{
	char journal[128];

	open_server();
	snprintf(journal, sizeof journal, "%s", scratch_path("j"));
	for (int i = 0; i < 3; i++) {
		fake_server_answer(server, 400, NULL, "{\"error\":\"no\"}");
		run(&(struct how){"{\"name\":\"x\"}\n", .journal = i < 2 ? journal : scratch_path("other"), .jobs = 1,
		    .patience_ms = 10000});
		ck_assert_str_eq(story, "failed x (400 no);");
	}
	ck_assert_str_eq(field(0, "Idempotency-Key"), field(1, "Idempotency-Key"));
	ck_assert_str_ne(field(0, "Idempotency-Key"), field(2, "Idempotency-Key"));
	scratch_remove();
	close_server();
}
END_TEST

START_TEST(what_is_repeated_in_the_source_is_not_noted_for_the_first)
{
	open_server();
	fake_server_answer(server, 400, NULL, "{\"error\":\"no\"}");
	run(&(struct how){"{\"name\":\"x\"}\n{\"name\":\"x\"}\n", .journal = scratch_path("j"), .jobs = 1,
	    .patience_ms = 10000});
	ck_assert_str_eq(story, "failed x (400 no);same x;");
	fake_server_answer(server, 201, NULL, PERSONA);
	run(&(struct how){"{\"name\":\"x\"}\n{\"name\":\"x\"}\n", .journal = scratch_path("j"), .jobs = 1,
	    .patience_ms = 10000});
	ck_assert_str_eq(story, "created x;same x;");
	scratch_remove();
	close_server();
}
END_TEST

START_TEST(an_update_names_its_persona)
{
	open_server();
	fake_server_answer(server, 200, NULL, PERSONA);
	run(&(struct how){"{\"name\":\"x\",\"description\":\"b\"}\n", "[{\"id\":\"a/b\",\"name\":\"x\"}]",
	    .policy = BULK_POLICY_UPDATE, .jobs = 1, .patience_ms = 10000});
	ck_assert_str_eq(story, "updated x;");
	ck_assert_int_eq(strncmp(fake_server_request(server, 0), "PUT /api/projects/p/personas/a%2Fb HTTP/1.1", 43), 0);
	ck_assert_str_eq(field(0, "Idempotency-Key"), "");
	ck_assert_ptr_nonnull(strstr(fake_server_request(server, 0), "{\"name\":\"x\",\"description\":\"b\"}"));
	close_server();
}
END_TEST

START_TEST(what_is_gone_or_taken_is_looked_up_again)
{
	open_server();
	fake_server_answer(server, 404, NULL, "{\"error\":\"Persona not found\"}"); /* to the update of x */
	fake_server_answer(server, 200, NULL, "[]");                               /* the listing */
	fake_server_answer(server, 201, NULL, PERSONA);
	fake_server_answer(server, 409, NULL, "{\"error\":\"exists\"}"); /* to the create of y */
	fake_server_answer(server, 200, NULL, "[{\"id\":\"8\",\"name\":\"y\",\"description\":\"c\"}]");
	fake_server_answer(server, 200, NULL, PERSONA);
	run(&(struct how){"{\"name\":\"x\",\"description\":\"b\"}\n{\"name\":\"y\",\"description\":\"b\"}\n",
	    "[{\"id\":\"7\",\"name\":\"x\"}]", .policy = BULK_POLICY_UPDATE, .jobs = 1, .patience_ms = 10000});
	ck_assert_str_eq(story, "created x;updated y;");
	ck_assert_str_eq(field(1, "Cache-Control"), "no-cache");
	ck_assert_int_eq(strncmp(fake_server_request(server, 5), "PUT /api/projects/p/personas/8 ", 31), 0);
	/* A name that is taken by what no listing shows. */
	for (int i = 0; i < 4; i++) {
		fake_server_answer(server, 409, NULL, "{\"error\":\"exists\"}");
		if (i < 3)
			fake_server_answer(server, 200, NULL, "[]");
	}
	run(&(struct how){"{\"name\":\"x\"}\n", .jobs = 1, .patience_ms = 10000});
	ck_assert_str_eq(story, "failed x (409 exists);");
	close_server();
}
END_TEST

START_TEST(a_refused_token_or_an_unknown_project_ends_it)
{
	static const int statuses[] = {401, 403, 404, 421};

	open_server();
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		char expected[64];

		fake_server_answer(server, statuses[i], NULL, "{\"error\":\"no\\nway\"}");
		run(&(struct how){"{\"name\":\"x\"}\n{\"name\":\"y\"}\n", .jobs = 1, .patience_ms = 10000});
		snprintf(expected, sizeof expected, "failed x (%d no?way);", statuses[i]);
		ck_assert_str_eq(story, expected);
		ck_assert(state.early);
		ck_assert_uint_eq(fake_server_requests(server), i + 1);
	}
	close_server();
}
END_TEST

START_TEST(one_that_cannot_be_settled_fails_alone)
{
	open_server();
	/* Two at a time: x is never settled, y at once, z only after patience with x has run out. */
	fake_server_answer(server, 503, NULL, "{\"error\":\"unsettled\"}");
	fake_server_answer(server, 201, NULL, PERSONA);
	fake_server_push(server, &(struct fake_step){.bytes = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}",
	    .after_ms = 1500});
	for (int i = 0; i < 100; i++)
		fake_server_answer(server, 503, NULL, "{\"error\":\"unsettled\"}");
	run(&(struct how){"{\"name\":\"x\"}\n{\"name\":\"y\"}\n{\"name\":\"z\"}\n{\"name\":\"y\"}\n", .jobs = 2,
	    .patience_ms = 700});
	ck_assert_str_eq(story, "created y;failed x (503 unsettled);same y;created z;");
	ck_assert(!state.early);
	close_server();
}
END_TEST

START_TEST(a_server_without_time_for_anybody_ends_it)
{
	open_server();
	for (int i = 0; i < 200; i++)
		fake_server_answer(server, 503, NULL, "{\"error\":\"busy\"}");
	run(&(struct how){"{\"name\":\"x\"}\n{\"name\":\"y\"}\n{\"name\":\"z\"}\n", .jobs = 2, .patience_ms = 500});
	ck_assert(state.early);
	ck_assert_ptr_nonnull(strstr(story, " (503 busy);"));
	ck_assert_ptr_null(strstr(story, " z "));
	ck_assert_uint_eq(state.items + state.left, 2);
	close_server();
}
END_TEST

START_TEST(a_server_that_wants_a_pause_gets_one_from_all)
{
	int64_t begun;

	open_server();
	/* y has its answer when x is told to wait; z, which comes next, must wait as well. */
	fake_server_answer(server, 429, "Retry-After: 1\r\n", "{\"error\":\"slowly\"}");
	for (int i = 0; i < 3; i++)
		fake_server_answer(server, 201, NULL, PERSONA);
	begun = loop_now(loop);
	run(&(struct how){"{\"name\":\"x\"}\n{\"name\":\"y\"}\n{\"name\":\"z\"}\n", .jobs = 2, .patience_ms = 5000});
	ck_assert_int_eq(strncmp(story, "created y;created ", 18), 0);
	ck_assert_int_ge(told_at[1] - begun, 1000);
	ck_assert_uint_eq(state.told[BULK_CREATED], 3);
	fake_server_answer(server, 429, "Retry-After: 60\r\n", "{\"error\":\"later\"}");
	run(&(struct how){"{\"name\":\"x\"}\n", .jobs = 1, .patience_ms = 5000});
	ck_assert_str_eq(story, "failed x (429 later);");
	close_server();
}
END_TEST

/* The suite. */
Suite *
send_suite(void)
{
	const TTest *const tests[] = {a_create_has_the_same_key_at_each_try,
	    another_run_of_a_journal_has_the_same_keys, what_is_repeated_in_the_source_is_not_noted_for_the_first,
	    an_update_names_its_persona, what_is_gone_or_taken_is_looked_up_again,
	    a_refused_token_or_an_unknown_project_ends_it, one_that_cannot_be_settled_fails_alone,
	    a_server_without_time_for_anybody_ends_it, a_server_that_wants_a_pause_gets_one_from_all, NULL};

	return unit_suite("send", tests);
}
