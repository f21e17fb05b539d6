#include "config.h"

#include "base/digest.h"
#include "bulk_rig.h"
#include "localtool.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TOKEN "pgw_secret-of-the-test"

/* The local tool's URL of a project; static, two at a time. */
static const char *
tool(const char *project)
{
	static char urls[2][128];
	static unsigned at;
	char *url = urls[at++ % 2];

	snprintf(url, sizeof urls[0], "http://127.0.0.1:%d/api/projects/%s", localtool_port(), project);
	return url;
}

START_TEST(the_local_tool_is_a_source_and_a_target)
{
	localtool_start();
	stage_open(NULL, NULL);
	localtool_make("a", "{\"name\":\"persona 0\",\"description\":\"number 0\",\"headers\":{\"A\":\"1\"}}");
	localtool_make("a", "{\"name\":\"persona 1\",\"description\":\"number 1\",\"systemPrompt\":\"\"}");
	bulk_expect(0, "2 created", "import --from %s --to %s --project demo", tool("a"), bulk_url());
	bulk_audit(2);
	bulk_expect(0, "2 the same", "diff %s %s --project demo", tool("a"), bulk_url());
	bulk_expect(0, "2 personas of ", "export --from %s --to %s", tool("a"), bulk_path("t.jsonl"));
	bulk_expect(0, "2 unchanged", "import --from %s --to %s --project demo", bulk_path("t.jsonl"), bulk_url());
	bulk_expect(0, "2 created", "import --from %s --project demo --to %s", bulk_url(), tool("b"));
	bulk_expect(0, "2 the same", "diff %s %s", tool("a"), tool("b"));
	bulk_expect(1, "answers 500", "export --from %s --patience 0s", tool("none"));
	stage_close();
	localtool_stop();
}
END_TEST

/* Replaces every occurrence of a text in a line of 2,048 bytes. */
static void
replace(char *line, const char *from, const char *to)
{
	char rest[2048], *at = line;

	while ((at = strstr(at, from)) != NULL) {
		snprintf(rest, sizeof rest, "%s", at + strlen(from));
		snprintf(at, 2048 - (size_t)(at - line), "%s%s", to, rest);
		at += strlen(to);
	}
}

START_TEST(the_commands_of_the_document_work)
{
	FILE *in = fopen(TEST_SRCDIR "/docs/bulk.md", "r");
	char line[2048];
	int ran = 0;

	ck_assert_ptr_nonnull(in);
	localtool_start();
	stage_open(NULL, NULL);
	localtool_make("a", "{\"name\":\"persona 0\",\"description\":\"number 0\"}");
	while (fgets(line, sizeof line, in) != NULL) {
		if (strncmp(line, "persona-gateway ", 16) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		replace(line, "http://127.0.0.1:3100/api/projects/demo", tool("a"));
		replace(line, "http://127.0.0.1:3000", bulk_url());
		replace(line, "shop-bot", "demo");
		replace(line, "move.journal", bulk_path("move.journal"));
		replace(line, "personas.jsonl", bulk_path("personas.jsonl"));
		bulk_expect(0, NULL, "%s", line + 16);
		ran++;
	}
	fclose(in);
	ck_assert_int_eq(ran, 4);
	bulk_audit(1);
	stage_close();
	localtool_stop();
}
END_TEST

START_TEST(one_without_a_name_in_bluejay_stops_nothing)
{
	const char *from = bulk_source("named.jsonl", 0, 1), *out = bulk_path("nameless.jsonl");
	char body[128];

	stage_open(NULL, NULL);
	snprintf(body, sizeof body, "{\"name\":\"\",\"description\":\"of the dashboard\",\"goal\":\"g\","
	    "\"agent_id\":%d}", STAGE_AGENT);
	ck_assert_int_eq(stage_bluejay("POST", "/v1/create-customer-persona", body)->status, 200);
	bulk_expect(0, "2 created", "import --from %s --to %s --project demo", from, bulk_url());
	bulk_expect(0, "3 personas of ", "export --from %s --project demo --to %s", bulk_url(), out);
	ck_assert_int_eq(bulk_lines(out, "of the dashboard"), 1);
	bulk_expect(1, "only in TO: \"\"\n2 the same, 0 different, 0 only in FROM, 1 only in TO",
	    "diff %s %s --project demo", from, bulk_url());
	bulk_expect(1, "a persona has no name\n3 personas: 2 unchanged, 1 failed",
	    "import --from %s --to %s --project demo", out, bulk_url());
	stage_close();
}
END_TEST

START_TEST(a_server_without_idempotency_keys_gets_nothing_twice)
{
	const char *from = bulk_source("keys.jsonl", 0, 29);

	localtool_start();
	for (int i = 0; i < 3; i++) {
		localtool_rule("POST", "/api/projects/a/personas", 1, LOCALTOOL_DO_CUT, 0);
		localtool_rule("POST", "/api/projects/a/personas", 1, LOCALTOOL_CUT, 0);
		localtool_rule("POST", "/api/projects/a/personas", 1, LOCALTOOL_ANSWER, 503);
	}
	localtool_rule("GET", "/api/projects/a/personas", 2, LOCALTOOL_CUT, 0);
	bulk_expect(0, "30 personas: 30 created", "import --from %s --to %s --jobs 4", from, tool("a"));
	ck_assert_uint_eq(localtool_personas("a", NULL), 30);
	bulk_expect(0, "30 the same", "diff %s %s", from, tool("a"));
	localtool_stop();
}
END_TEST

START_TEST(a_token_comes_by_file_or_environment_and_shows_nowhere)
{
	const char *from = bulk_source("token.jsonl", 0, 9);
	char hex[DIGEST_HEX_SIZE], clients[512];
	char token[256];

	digest_hex(TOKEN, strlen(TOKEN), hex);
	snprintf(clients, sizeof clients, "clients:\n  - {name: bulk, token_sha256: %s, projects: [demo], "
	    "rate: {per_minute: 200}}\n", hex);
	snprintf(token, sizeof token, "%s", scratch_file("token", "%s\n", TOKEN));
	stage_open(NULL, clients);
	bulk_expect(1, "answers 401", "import --from %s --to %s --project demo", from, bulk_url());
	bulk_expect(0, "10 created", "import --from %s --to %s --project demo --token-file %s", from, bulk_url(),
	    token);
	bulk_expect(0, "10 unchanged", "--version >/dev/null; PERSONA_GATEWAY_TOKEN=%s %s import --from %s --to %s "
	    "--project demo", TOKEN, program_path(), from, bulk_url());
	bulk_expect(0, "10 unchanged", "--version >/dev/null; PERSONA_GATEWAY_FROM_TOKEN=%s %s import --from %s "
	    "--to %s --project demo --token-file %s", TOKEN, program_path(), bulk_url(), bulk_url(), token);
	bulk_expect(1, "answers 404: Project not found", "export --from %s --project plain --token-file %s", bulk_url(), token);
	ck_assert_int_eq(chmod(token, 0644), 0);
	bulk_expect(0, "warning: other users may read the token file ", "export --from %s --project demo --token-file %s",
	    bulk_url(), token);
	ck_assert_int_eq(chmod(token, 0600), 0);
	ck_assert_ptr_null(strstr(bulk_run("export --from %s --project demo --token-file %s", bulk_url(),
	    token)->text, "warning"));
	bulk_expect(1, "cannot read ", "export --from %s --project demo --token-file /none", bulk_url());
	bulk_expect(1, "holds a character", "--version >/dev/null; PERSONA_GATEWAY_TOKEN='a b' %s export --from %s "
	    "--project demo", program_path(), bulk_url());
	bulk_audit(10);
	stage_close();
}
END_TEST

START_TEST(a_rate_is_minded)
{
	const char *from = bulk_source("rate.jsonl", 0, 104);
	char hex[DIGEST_HEX_SIZE], clients[512], token[256];
	int64_t begun;

	digest_hex(TOKEN, strlen(TOKEN), hex);
	snprintf(clients, sizeof clients,
	    "clients:\n  - {name: bulk, token_sha256: %s, rate: {per_minute: 100}}\n", hex);
	snprintf(token, sizeof token, "%s", scratch_file("token", "%s\n", TOKEN));
	stage_open(NULL, clients);
	begun = harness_now();
	bulk_expect(0, "105 personas: 105 created", "import --from %s --to %s --project demo --token-file %s", from,
	    bulk_url(), token);
	ck_assert_int_ge(harness_now() - begun, 2000); /* the last ones had to wait */
	bulk_audit(105);
	stage_close();
}
END_TEST

/* The suite. */
Suite *
bulk_server_suite(void)
{
	const TTest *const tests[] = {the_local_tool_is_a_source_and_a_target,
	    the_commands_of_the_document_work, one_without_a_name_in_bluejay_stops_nothing,
	    a_server_without_idempotency_keys_gets_nothing_twice,
	    a_token_comes_by_file_or_environment_and_shows_nowhere, a_rate_is_minded, NULL};

	return unit_suite("bulk and servers", tests);
}
