#include "config.h"

#include "base/digest.h"
#include "cli/cmd_token.h"
#include "cli_test.h"

#include <stdio.h>
#include <string.h>

/* Runs the command to its end. */
static int
run(const char *const *args, struct buf *out, struct buf *err)
{
	struct run r;

	run_start(&r, cmd_token, args);
	return run_end(&r, out, err);
}

/* Makes a token; what follows its hash in the line for the file is `rest`. */
static void
expect_line(const char *const *args, const char *name, const char *rest, char token[64])
{
	char digest[DIGEST_HEX_SIZE], line[400];
	struct buf out = {0}, err = {0};

	ck_assert_int_eq(run(args, &out, &err), 0);
	snprintf(token, 64, "%.*s", (int)strcspn(out.data, "\n"), out.data);
	ck_assert_uint_eq(strlen(token), 4 + 43);
	ck_assert_uint_eq(strspn(token + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-_"), 43);
	ck_assert_int_eq(strncmp(token, "pgw_", 4), 0);
	digest_hex(token, strlen(token), digest);
	snprintf(line, sizeof line, "%s\n- {name: %s, token_sha256: %s%s}\n", token, name, digest, rest);
	ck_assert_str_eq(out.data, line);
	ck_assert_ptr_null(strstr(err.data, token)); /* where only the output is kept */
	buf_free(&out);
	buf_free(&err);
}

START_TEST(tokens_are_random_and_their_line_holds_the_hash)
{
	const char *plain[] = {"token", "ci", NULL};
	const char *most[] = {"token", "--read-only", "ci-2", "--projects", "shop-bot,,true,a b,7",
	    "--rate", "60", NULL};
	const char *wide[] = {"token", "null", "--passthrough", "--admin", NULL};
	char first[64], second[64];

	expect_line(plain, "ci", "", first);
	expect_line(plain, "ci", "", second);
	ck_assert_str_ne(first, second);
	expect_line(most, "ci-2", ", projects: [shop-bot, \"true\", \"a b\", \"7\"], read_only: true, "
	    "rate: {per_minute: 60}", first);
	expect_line(wide, "\"null\"", ", passthrough: true, admin: true", first);
}
END_TEST

START_TEST(token_wrong_usage_is_2_and_makes_nothing)
{
	static const char *const bad[][5] = {{"token"}, {"token", "a", "b"}, {"token", "--bogus", "a"},
	    {"token", "a b"}, {"token", "-a"}, {"token", ""}, {"token", "a", "--projects", ","},
	    {"token", "a", "--projects", "p", "--admin"}, {"token", "a", "--rate", "0"},
	    {"token", "a", "--rate", "1000001"}, {"token", "a", "--rate", "5x"},
	    {"token", "a", "--rate=1", "--rate", "2"}, {"token", "a", "--projects", ""}};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *args[6] = {NULL};
		struct buf out = {0}, err = {0};

		memcpy(args, bad[i], sizeof bad[i]);
		ck_assert_msg(run(args, &out, &err) == 2, "row %zu", i);
		ck_assert_str_eq(out.data, "");
		ck_assert_str_ne(err.data, "");
		buf_free(&out);
		buf_free(&err);
	}
}
END_TEST

/* Tests of the command `token`. */
Suite *
suite_cmd_token(void)
{
	const TTest *const tests[] = {tokens_are_random_and_their_line_holds_the_hash,
	    token_wrong_usage_is_2_and_makes_nothing, NULL};

	return unit_suite("cmd_token", tests);
}
