#include "config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * What docs/operations.md, docs/runbook.md and docs/security.md say is done: every
 * command of theirs runs here, in their order, or is on the list of those that cannot;
 * alerts and metrics that they name exist, and so do the tests.
 */
#define DOCS TEST_SRCDIR "/docs/"
#define LINE 512

/* What needs root, systemd or files of a machine, or what is shown elsewhere. */
static const char *const elsewhere[] = {
    "apt-get ", "cd ", "./autogen.sh", "make install", "install ", "systemctl edit ", "systemctl enable ",
    "curl -H 'Authorization: Bearer pgw_", /* a name and a certificate: clients_test.c */
    "persona-gateway intents adopt ", "persona-gateway intents forget ", /* reliability_operator_test.c */
};

/* What a command of the documents names, and what it is called here. */
struct word {
	const char *from, *to;
};

static char admin_url[64], data[256], backups[256];

/* Reads a whole file; the caller frees. */
static char *
read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	struct buf b;
	char piece[4096];
	size_t n;

	ck_assert_msg(in != NULL, "%s cannot be read", path);
	buf_init(&b, 0);
	while ((n = fread(piece, 1, sizeof piece, in)) > 0)
		buf_add(&b, piece, n);
	fclose(in);
	buf_addc(&b, '\0');
	return buf_take(&b, NULL);
}

/* Replaces every occurrence; the caller frees. */
static char *
replaced(const char *text, const struct word *w)
{
	const char *at;
	struct buf b;

	buf_init(&b, 0);
	for (; (at = strstr(text, w->from)) != NULL; text = at + strlen(w->from)) {
		buf_add(&b, text, (size_t)(at - text));
		buf_adds(&b, w->to);
	}
	buf_adds(&b, text);
	return buf_take(&b, NULL);
}

/* A command as it is run here; the caller frees. */
static char *
here(const char *command)
{
	const struct word words[] = {
	    {"/var/lib/persona-gateway", data}, {"/etc/persona-gateway/persona-gateway.yaml", "gateway.yaml"},
	    {"/backup", backups}, {"http://127.0.0.1:3001", admin_url},
	    {"runuser -u persona-gateway -- ", ""}, {"intents list", "intents --admin ADMIN list"},
	    {"explain --request", "explain --admin ADMIN --request"}, {"ADMIN", admin_url},
	};
	char *text = mem_string(command);

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		char *next = replaced(text, &words[i]);

		free(text);
		text = next;
	}
	return text;
}

/* The gateway runs: notes where, and makes the request that is explained. */
static void
started(void)
{
	snprintf(admin_url, sizeof admin_url, "http://127.0.0.1:%d", stage_gateway.admin_port);
	ck_assert_int_eq(call_with("GET", STAGE_DEMO,
	    "X-Request-Id: 5f0c9a52-8f0e-4c39-9d0a-2f4f9b1c0b11\r\n", NULL)->status, 200);
}

/* Whether a command ends with another one. */
static bool
ends_with(const char *command, const char *last)
{
	size_t len = strlen(command), n = strlen(last);

	return len >= n && strcmp(command + len - n, last) == 0;
}

/* Runs a command, which must do it; what systemd would do to the gateway is done to it. */
static void
run(const char *command)
{
	char *text, *out;

	if (ends_with(command, "systemctl stop persona-gateway")) {
		ck_assert_int_eq(program_stop(&stage_gateway), 0);
		return;
	}
	if (ends_with(command, "systemctl start persona-gateway")) {
		stage_start_gateway();
		started();
		return;
	}
	text = here(command);
	out = shell("cd %s && PATH=%s/bin:$PATH && { %s\n} 2>&1; echo \"exit code $?\"", scratch_dir(),
	    scratch_dir(), text);
	ck_assert_msg(strstr(out, "exit code 0\n") != NULL, "%s: %s", text, out);
	free(text);
	free(out);
}

/* Whether a command is on the list, and does nothing that is done here. */
static bool
is_elsewhere(const char *command)
{
	if (ends_with(command, "systemctl start persona-gateway"))
		return false;
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
		if (strncmp(command, elsewhere[i], strlen(elsewhere[i])) == 0)
			return true;
	return false;
}

/* Takes the line at *p without its end, joined with those that a backslash continues. */
static void
take_line(const char **p, char line[LINE])
{
	size_t len = 0;

	do {
		size_t n = strcspn(*p, "\n");

		ck_assert_uint_lt(len + n, LINE);
		if (len > 0)
			line[len - 1] = ' '; /* the backslash */
		memcpy(line + len, *p, n);
		len += n;
		*p += n + ((*p)[n] == '\n');
	} while (len > 0 && line[len - 1] == '\\');
	line[len] = '\0';
}

/* Runs what a document shows; returns how much that was. */
static int
run_all(const char *name)
{
	char *path = mem_format(DOCS "%s", name), *text = read_file(path), line[LINE], *command;
	bool console = false, script = false;
	int count = 0;

	for (const char *p = text; *p != '\0';) {
		take_line(&p, line);
		if (strncmp(line, "```", 3) == 0) {
			console = !console && !script && strcmp(line, "```console") == 0;
			script = !console && !script && strcmp(line, "```sh") == 0;
			continue;
		}
		if (!(console && (line[0] == '$' || line[0] == '#') && line[1] == ' ') && !script)
			continue;
		command = console ? line + 2 : line;
		if (*command == '\0' || is_elsewhere(command))
			continue;
		run(command);
		count++;
	}
	free(path);
	free(text);
	return count;
}

/* Opens a stage with a file in its folder that the documents' commands can use. */
static void
open_stage(void)
{
	char path[300];

	stage_open(NULL, "recording: {requests: 10}\n");
	free(create(STAGE_DEMO, "{\"name\":\"Ann\"}"));
	started();
	snprintf(data, sizeof data, "%s", stage_data());
	snprintf(backups, sizeof backups, "%s/backups", scratch_dir());
	ck_assert_int_eq(mkdir(backups, 0700), 0);
	snprintf(path, sizeof path, "%s/bin", scratch_dir());
	ck_assert_int_eq(mkdir(path, 0700), 0);
	free(shell("ln -s \"$(realpath %s)\" %s/persona-gateway", program_path(), path));
}

START_TEST(what_the_documents_show_is_what_works)
{
	open_stage();
	ck_assert_int_gt(run_all("operations.md"), 8);
	ck_assert_int_gt(run_all("runbook.md"), 3);
	ck_assert_int_gt(run_all("security.md"), 0);
	/* and the gateway that was restored and started again serves */
	ck_assert_int_eq(call("GET", STAGE_DEMO, NULL)->status, 200);
	stage_close();
}
END_TEST

/* Whether a text has a line that is exactly this. */
static bool
has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = text; (p = strstr(p, line)) != NULL; p += len)
		if ((p == text || p[-1] == '\n') && p[len] == '\n')
			return true;
	return false;
}

START_TEST(each_alert_has_its_page_and_each_page_its_alert)
{
	char *alerts = read_file(TEST_SRCDIR "/conf/prometheus-alerts.yaml");
	char *book = read_file(DOCS "runbook.md"), line[LINE];
	const char *p;
	int count = 0;

	for (p = alerts; (p = strstr(p, "- alert: ")) != NULL; count++) {
		p += 9;
		snprintf(line, sizeof line, "### %.*s", (int)strcspn(p, "\n"), p);
		ck_assert_msg(has_line(book, line), "docs/runbook.md does not have \"%s\"", line);
	}
	ck_assert_int_gt(count, 10);
	for (p = book; (p = strstr(p, "\n### ")) != NULL; count--) {
		p += 5;
		snprintf(line, sizeof line, "      - alert: %.*s", (int)strcspn(p, "\n"), p);
		ck_assert_msg(has_line(alerts, line), "there is no alert %.*s", (int)strcspn(p, "\n"), p);
	}
	ck_assert_int_eq(count, 0);
	free(alerts);
	free(book);
}
END_TEST

START_TEST(each_metric_that_is_named_exists)
{
	static const char *const documents[] = {"operations.md", "runbook.md", "security.md", "reliability.md"};
	char family[LINE];
	struct reply *r;

	stage_open(NULL, NULL);
	r = ask(stage_gateway.admin_port, "GET", "/metrics", NULL, NULL);
	for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
		char *path = mem_format(DOCS "%s", documents[i]), *text = read_file(path);

		for (const char *p = text; (p = strstr(p, "`persona_gateway_")) != NULL; p++) {
			int len = (int)strspn(p + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");

			snprintf(family, sizeof family, "\n# TYPE %.*s ", len, p + 1);
			ck_assert_msg(strstr(r->body, family) != NULL, "%s names %.*s, which there is not",
			    documents[i], len, p + 1);
		}
		free(path);
		free(text);
	}
	stage_close();
}
END_TEST

/* Takes the next word between backquotes; false at the end of the line. */
static bool
take_word(const char **p, char word[LINE])
{
	const char *start = *p + strcspn(*p, "`\n"), *end;

	if (*start != '`')
		return false;
	end = start + 1 + strcspn(start + 1, "`\n");
	ck_assert_int_eq(*end, '`');
	snprintf(word, LINE, "%.*s", (int)(end - start - 1), start + 1);
	*p = end + 1;
	return true;
}

/* Looks for the tests that one row of the table names; returns how many there are. */
static int
find_tests(const char *cell)
{
	char names[8][LINE], word[LINE];
	int count = 0, found = 0;

	while (take_word(&cell, word)) {
		char *path, *text;

		if (strncmp(word, "tests/", 6) != 0) {
			ck_assert_int_lt(count, 8);
			strcpy(names[count++], word);
			continue;
		}
		path = mem_format(TEST_SRCDIR "/%s", word);
		text = read_file(path);
		for (int i = 0; i < count; i++) {
			char *start = mem_format("START_TEST(%s)", names[i]);

			ck_assert_msg(strstr(text, start) != NULL, "%s has no test %s", word, names[i]);
			free(start);
		}
		found += count;
		count = 0;
		free(path);
		free(text);
	}
	ck_assert_msg(count == 0, "no file is named for %s", names[0]);
	return found;
}

START_TEST(each_promise_has_its_test)
{
	char *text = read_file(DOCS "security.md");
	const char *p = strstr(text, "| promise | shown by |\n");
	int tests = 0, rows = 0;

	ck_assert_ptr_nonnull(p);
	p = strchr(strchr(p, '\n') + 1, '\n') + 1;
	for (; *p == '|'; p = strchr(p, '\n') + 1, rows++) {
		const char *cell = strstr(p + 1, " | ");
		int n;

		ck_assert(cell != NULL && cell < strchr(p, '\n'));
		n = find_tests(cell);
		ck_assert_msg(n > 0, "no test: %.*s", (int)strcspn(p, "\n"), p);
		tests += n;
	}
	ck_assert_int_gt(rows, 15);
	ck_assert_int_gt(tests, rows);
	free(text);
}
END_TEST

/* The suite. */
static Suite *
docs_suite(void)
{
	const TTest *const tests[] = {what_the_documents_show_is_what_works,
	    each_alert_has_its_page_and_each_page_its_alert, each_metric_that_is_named_exists,
	    each_promise_has_its_test, NULL};

	return unit_suite("documents", tests);
}

UNIT_MAIN(docs_suite)
