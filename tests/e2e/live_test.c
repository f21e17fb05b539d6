#include "config.h"

#include "bluejay.h"
#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * `check --live`: what a person is told of the real service, over a Bluejay that does
 * what a test says and over the sandbox.
 */

#define PING "/v1/ping"
#define LISTING "/v1/customer-personas-by-agent/"
#define COMMUNITIES "/v1/communities"
#define NO_COMMUNITIES "{\"communities\":[],\"total_count\":0}"
#define KEY "k3y-that-nobody-may-see"

/* Runs the check on a file; the output with the exit code at its end. The caller frees. */
static char *
run_check(const char *options, const char *file)
{
	char *out = shell("%s check --live %s --config %s 2>&1; echo \"exit $?\"", program_path(),
	    options, file);

	ck_assert_ptr_null(strstr(out, KEY));
	return out;
}

/* A file for the scripted Bluejay. */
static const char *
file_for(const char *more)
{
	return scratch_file("live.yaml",
	    "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: " KEY "\n"
	    "  timeouts: {total: 2s}\n%s", bluejay_port(), more);
}

/* Replaces every time that was taken by T, since nobody knows it. */
static void
hide_times(char *text)
{
	char *to = text;

	for (char *p = text; *p != '\0';) {
		size_t digits = *p == '(' ? strspn(p + 1, "0123456789") : 0;

		if (digits > 0 && strncmp(p + 1 + digits, " ms)", 4) == 0) {
			memcpy(to, "(T)", 3);
			to += 3;
			p += digits + 5;
		} else {
			*to++ = *p++;
		}
	}
	*to = '\0';
}

/* Runs the check and expects this output; "URL" stands for where Bluejay is. */
static void
expect(const char *file, const char *want)
{
	char *out = run_check("", file), url[64], *at, *rest;

	hide_times(out);
	snprintf(url, sizeof url, "http://127.0.0.1:%d", bluejay_port());
	while ((at = strstr(out, url)) != NULL) {
		rest = at + strlen(url);
		memcpy(at, "URL", 3);
		memmove(at + 3, rest, strlen(rest) + 1);
	}
	ck_assert_str_eq(out, want);
	free(out);
}

/* Starts a Bluejay that answers the ping. */
static void
start(void)
{
	bluejay_start();
	bluejay_rule("GET", PING, -1, BLUEJAY_ANSWER, 200, "{}");
	bluejay_rule("GET", COMMUNITIES, -1, BLUEJAY_ANSWER, 200, NO_COMMUNITIES);
}

/* A persona as declared. */
static const char *
persona(int agent)
{
	const char *id = bluejay_make(agent, "n", "d", "g");

	bluejay_member(id, "org_id", "null");
	return id;
}

START_TEST(answers_as_declared_are_told_with_gets_alone)
{
	const char *id;
	char want[1024];

	start();
	id = persona(3);
	persona(3);
	snprintf(want, sizeof want,
	    "URL with bluejay.api_key\n"
	    "  GET /v1/ping: the key is accepted (T)\n"
	    "  GET /v1/customer-personas-by-agent/3: 2 personas, as declared (T)\n"
	    "  GET /v1/customer-persona/%s: as declared (T)\n"
	    "  GET /v1/communities: no communities (T)\n"
	    "  community not asked: there is none\n"
	    "ok\nexit 0\n", id);
	expect(file_for("projects:\n  \"*\": {}\n  a: {agent_id: 3}\n  b: {agent_id: 4}\n"), want);
	ck_assert_uint_eq(bluejay_count("GET", ""), 4);
	ck_assert_uint_eq(bluejay_count("POST", "") + bluejay_count("PUT", "") +
	        bluejay_count("DELETE", ""), 0);
	bluejay_stop();
}
END_TEST

START_TEST(each_difference_is_told_in_plain_words)
{
	const char *id;
	char want[2048];

	start();
	id = persona(3);
	bluejay_member(id, "goal", "5");
	bluejay_member(id, "created_at", NULL);
	bluejay_member(id, "mood", "\"" KEY "\"");
	bluejay_member(persona(3), "goal", "6");
	snprintf(want, sizeof want,
	    "URL with bluejay.api_key\n"
	    "  GET /v1/ping: the key is accepted (T)\n"
	    "  GET /v1/customer-personas-by-agent/3: 2 personas, not as declared (T)\n"
	    "    \"created_at\" is missing; declared is a time such as 2026-01-28T10:00:00.000Z\n"
	    "    \"goal\" is an integer; declared is a string (2 times)\n"
	    "    \"mood\" is new: a string, and nobody declared it\n"
	    "  GET /v1/customer-persona/%s: not as declared (T)\n"
	    "    \"created_at\" is missing; declared is a time such as 2026-01-28T10:00:00.000Z\n"
	    "    \"goal\" is an integer; declared is a string\n"
	    "    \"mood\" is new: a string, and nobody declared it\n"
	    "  GET /v1/communities: no communities (T)\n"
	    "  community not asked: there is none\n"
	    "persona-gateway: URL is not as this configuration needs it\n"
	    "exit 1\n", id);
	expect(file_for("projects: {a: {agent_id: 3}}\n"), want);
	bluejay_stop();
}
END_TEST

/* A terminal would obey them. */
START_TEST(control_characters_of_an_answer_are_not_printed)
{
	char *out;

	start();
	bluejay_member(persona(3), "m\033[31m\n\302\233x", "1");
	out = run_check("", file_for("projects: {a: {agent_id: 3}}\n"));
	ck_assert_ptr_nonnull(strstr(out, "    \"m?[31m??x\" is new: an integer, and nobody"));
	free(out);
	bluejay_stop();
}
END_TEST

START_TEST(communities_and_their_envelope_are_compared)
{
	char *out;

	start();
	bluejay_forget();
	bluejay_rule("GET", PING, -1, BLUEJAY_ANSWER, 200, "{}");
	bluejay_rule("GET", COMMUNITIES, -1, BLUEJAY_ANSWER, 200,
	    "{\"communities\":[{\"id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\",\"title\":\"t\","
	    "\"description\":null,\"digital_human_ids\":[\"1\"],"
	    "\"created_at\":\"2026-01-28T10:00:00Z\"}],\"total_count\":\"1\",\"next\":null}");
	bluejay_rule("GET", "/v1/community/3c90c3cc-0d44-4b50-8888-8dd25736052a", -1, BLUEJAY_ANSWER,
	    200, "{}");
	out = run_check("", file_for(""));
	ck_assert_ptr_nonnull(strstr(out, "/v1/communities: 1 community, not as declared ("));
	ck_assert_ptr_nonnull(strstr(out,
	    "\"(list).total_count\" is a string; declared is an integer\n"));
	ck_assert_ptr_nonnull(strstr(out, "\"(list).next\" is new: null, and nobody declared it\n"));
	ck_assert_ptr_nonnull(strstr(out,
	    "\"digital_human_ids\" is an array; declared is a list of whole numbers\n"));
	ck_assert_ptr_nonnull(strstr(out, "\"title\" is missing; declared is a string\n"));
	ck_assert_ptr_nonnull(strstr(out, "exit 1\n"));
	free(out);
	bluejay_stop();
}
END_TEST

START_TEST(new_members_alone_are_told_and_no_failure)
{
	char *out;

	start();
	bluejay_member(persona(3), "mood", "1");
	out = run_check("", file_for("projects: {a: {agent_id: 3}}\n"));
	ck_assert_ptr_nonnull(strstr(out, "\"mood\" is new: an integer, and nobody declared it\n"));
	ck_assert_ptr_nonnull(strstr(out, "ok\nexit 0\n"));
	free(out);
	bluejay_stop();
}
END_TEST

START_TEST(a_refused_key_is_told_by_its_place_and_others_are_still_tried)
{
	start();
	bluejay_forget();
	bluejay_key("another");
	expect(file_for("projects:\n  a: {agent_id: 3}\n  \"b c\": {agent_id: 4, api_key: another}\n"
	                "  d: {agent_id: 5, api_key: another}\n"),
	    "URL with bluejay.api_key\n"
	    "  GET /v1/ping: the key is refused, status 401 (T)\n"
	    "URL with projects.b c.api_key\n"
	    "  GET /v1/ping: status 404 (T)\n"
	    "persona-gateway: URL is not as this configuration needs it\n"
	    "exit 1\n");
	bluejay_rule("GET", PING, -1, BLUEJAY_ANSWER, 200, "{}");
	bluejay_rule("GET", COMMUNITIES, -1, BLUEJAY_ANSWER, 200, NO_COMMUNITIES);
	expect(file_for("projects: {a: {agent_id: 3, api_key: another}}\n"),
	    "URL with projects.a.api_key\n"
	    "  GET /v1/ping: the key is accepted (T)\n"
	    "  GET /v1/customer-personas-by-agent/3: no personas (T)\n"
	    "  persona not asked: there is none\n"
	    "  GET /v1/communities: no communities (T)\n"
	    "  community not asked: there is none\n"
	    "ok\nexit 0\n");
	bluejay_stop();
}
END_TEST

START_TEST(without_an_agent_no_personas_are_asked_for)
{
	start();
	expect(file_for("projects: {\"*\": {}}\n"),
	    "URL with bluejay.api_key\n"
	    "  GET /v1/ping: the key is accepted (T)\n"
	    "  personas not asked: no project with an agent uses this key\n"
	    "  persona not asked: there is none\n"
	    "  GET /v1/communities: no communities (T)\n"
	    "  community not asked: there is none\n"
	    "ok\nexit 0\n");
	bluejay_stop();
}
END_TEST

START_TEST(answers_that_are_none_are_failures)
{
	const char *file;

	start();
	file = file_for("projects: {a: {agent_id: 3}}\n");
	bluejay_rule("GET", LISTING, 1, BLUEJAY_ANSWER, 200, "<html>");
	expect(file, "URL with bluejay.api_key\n"
	             "  GET /v1/ping: the key is accepted (T)\n"
	             "  GET /v1/customer-personas-by-agent/3: not what was asked for (T)\n"
	             "  persona not asked: there is none\n"
	             "  GET /v1/communities: no communities (T)\n"
	             "  community not asked: there is none\n"
	             "persona-gateway: URL is not as this configuration needs it\nexit 1\n");
	bluejay_rule("GET", LISTING, 1, BLUEJAY_ANSWER, 503, "{}");
	expect(file, "URL with bluejay.api_key\n"
	             "  GET /v1/ping: the key is accepted (T)\n"
	             "  GET /v1/customer-personas-by-agent/3: status 503 (T)\n"
	             "  persona not asked: there is none\n"
	             "  GET /v1/communities: no communities (T)\n"
	             "  community not asked: there is none\n"
	             "persona-gateway: URL is not as this configuration needs it\nexit 1\n");
	bluejay_rule("GET", LISTING, 1, BLUEJAY_ANSWER, 200, "{\"personas\":[]}");
	expect(file, "URL with bluejay.api_key\n"
	             "  GET /v1/ping: the key is accepted (T)\n"
	             "  GET /v1/customer-personas-by-agent/3: not what was asked for (T)\n"
	             "    \"(list)\" is an object; declared is an array\n"
	             "  persona not asked: there is none\n"
	             "  GET /v1/communities: no communities (T)\n"
	             "  community not asked: there is none\n"
	             "persona-gateway: URL is not as this configuration needs it\nexit 1\n");
	bluejay_rule("GET", LISTING, 1, BLUEJAY_CUT, 0, NULL);
	bluejay_rule("GET", LISTING, 1, BLUEJAY_HOLD, 0, NULL);
	expect(file, "URL with bluejay.api_key\n"
	             "  GET /v1/ping: the key is accepted (T)\n"
	             "  GET /v1/customer-personas-by-agent/3: the connection broke (T)\n"
	             "  persona not asked: there is none\n"
	             "  GET /v1/communities: no communities (T)\n"
	             "  community not asked: there is none\n"
	             "persona-gateway: URL is not as this configuration needs it\nexit 1\n");
	expect(file, "URL with bluejay.api_key\n"
	             "  GET /v1/ping: the key is accepted (T)\n"
	             "  GET /v1/customer-personas-by-agent/3: no answer in time (T)\n"
	             "  persona not asked: there is none\n"
	             "  GET /v1/communities: no communities (T)\n"
	             "  community not asked: there is none\n"
	             "persona-gateway: URL is not as this configuration needs it\nexit 1\n");
	bluejay_stop();
}
END_TEST

START_TEST(nobody_there_is_a_failure_and_mistakes_come_first)
{
	char *out;
	const char *file;

	out = run_check("", scratch_file("nobody.yaml",
	    "bluejay: {url: \"http://127.0.0.1:1\", api_key: " KEY "}\n"));
	ck_assert_ptr_nonnull(strstr(out, "GET /v1/ping: no connection ("));
	ck_assert_ptr_nonnull(strstr(out, "exit 1\n"));
	free(out);
	file = scratch_file("wrong.yaml", "lisen: 1\nbluejay: {api_key: " KEY "}\n");
	out = run_check("", file);
	ck_assert_ptr_nonnull(strstr(out, "unknown key \"lisen\""));
	ck_assert_ptr_null(strstr(out, "GET"));
	free(out);
}
END_TEST

START_TEST(the_sandbox_is_as_declared)
{
	const char *const args[] = {"sandbox", "--api-key", KEY, NULL};
	struct program sandbox;
	char *out;

	program_start(&sandbox, args);
	free(shell("curl -sS -f -H 'X-API-Key: " KEY "' -H 'Content-Type: application/json' -d "
	           "'{\"name\":\"n\",\"description\":\"\",\"goal\":\"\",\"agent_id\":3}' "
	           "http://127.0.0.1:%d/v1/create-customer-persona", sandbox.port));
	out = run_check("", scratch_file("sandbox.yaml",
	    "bluejay: {url: \"http://127.0.0.1:%d\", api_key: " KEY "}\n"
	    "projects: {a: {agent_id: 3}}\n", sandbox.port));
	ck_assert_ptr_nonnull(strstr(out, ": 1 persona, as declared ("));
	ck_assert_ptr_nonnull(strstr(out, "ok\nexit 0\n"));
	free(out);
	ck_assert_int_eq(program_stop(&sandbox), 0);
	out = shell("%s check --config a --sandbox --config b 2>&1; echo \"exit $?\"", program_path());
	ck_assert_str_eq(out, "persona-gateway: --config is given twice; keep one of them\n"
	    "try `persona-gateway check --help`\nexit 2\n");
	free(out);
	out = shell("%s check --live --sandbox 2>&1; echo \"exit $?\"", program_path());
	ck_assert_ptr_nonnull(strstr(out, "the sandbox with bluejay.api_key\n"));
	ck_assert_ptr_nonnull(strstr(out, "ok\nexit 0\n"));
	free(out);
}
END_TEST

/* Tests of the check that asks Bluejay. */
static Suite *
live_suite(void)
{
	const TTest *const tests[] = {
	    answers_as_declared_are_told_with_gets_alone,
	    each_difference_is_told_in_plain_words,
	    control_characters_of_an_answer_are_not_printed,
	    communities_and_their_envelope_are_compared,
	    new_members_alone_are_told_and_no_failure,
	    a_refused_key_is_told_by_its_place_and_others_are_still_tried,
	    without_an_agent_no_personas_are_asked_for,
	    answers_that_are_none_are_failures,
	    nobody_there_is_a_failure_and_mistakes_come_first,
	    the_sandbox_is_as_declared,
	    NULL,
	};

	return unit_suite("check --live", tests);
}

UNIT_MAIN(live_suite)
