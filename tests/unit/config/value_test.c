#include "config.h"

#include "config_test.h"

#include "base/mem.h"
#include "config/config_address.h"
#include "config/config_file.h"
#include "config/config_secret.h"
#include "config/config_value.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct config_key duration = {
    .type = CONFIG_DURATION, .min = 10, .max = 2 * 3600 * 1000};
static const struct config_key size = {.type = CONFIG_SIZE, .min = 0, .max = 1 << 26};
static const struct config_key count = {.type = CONFIG_INT, .min = 1, .max = 10};
static const struct config_key id = {.type = CONFIG_INT, .min = 1, .max = INT64_MAX};

/* Reads a number; the sentence, or the number in its own notation. */
static const char *
number(const struct config_key *key, const char *text)
{
	static struct fail fail;
	int64_t out;
	char *shown;

	if (config_value_number(key, text, true, &out, &fail) != 0)
		return fail.text;
	shown = config_value_format(key->type, out);
	snprintf(fail.text, sizeof fail.text, "%s", shown);
	free(shown);
	return fail.text;
}

START_TEST(durations_have_units)
{
	static const char *const cases[][2] = {{"250ms", "250ms"}, {"5s", "5s"}, {"120s", "2m"},
	    {"60m", "1h"}, {"90s", "90s"}, {"1500ms", "1500ms"},
	    {"0", "must be from 10ms to 2h, not 0"}, {"9ms", "must be from 10ms to 2h, not 9ms"},
	    {"3h", "must be from 10ms to 2h, not 3h"},
	    {"99999999999999999999h", "must be from 10ms to 2h, not 99999999999999999999h"},
	    {"9223372036854775807s", "must be from 10ms to 2h, not 9223372036854775807s"},
	    {"18446744073709552s", "must be from 10ms to 2h, not 18446744073709552s"},
	    {"5", "needs a unit: write 5s or 5ms"}, {"5000", "needs a unit: write 5000ms"},
	    {"5sec", "must be a duration such as 250ms, 5s, 2m or 1h, not \"5sec\": write 5s"},
	    {"5 s", "must be a duration such as 250ms, 5s, 2m or 1h, not \"5 s\": write 5s"},
	    {"5 MIN", "must be a duration such as 250ms, 5s, 2m or 1h, not \"5 MIN\": write 5m"},
	    {"1.5s", "must be a duration such as 250ms, 5s, 2m or 1h, not \"1.5s\""},
	    {"-5s", "must be a duration such as 250ms, 5s, 2m or 1h, not \"-5s\""},
	    {"s", "must be a duration such as 250ms, 5s, 2m or 1h, not \"s\""},
	    {"1MiB", "must be a duration such as 250ms, 5s, 2m or 1h, not \"1MiB\""}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_str_eq(number(&duration, cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(sizes_have_units)
{
	static const char *const cases[][2] = {{"512B", "512B"}, {"64KiB", "64KiB"},
	    {"1024KiB", "1MiB"}, {"0", "0B"}, {"0B", "0B"}, {"64MiB", "64MiB"},
	    {"65MiB", "must be from 0B to 64MiB, not 65MiB"},
	    {"99999999999GiB", "must be from 0B to 64MiB, not 99999999999GiB"},
	    {"1MB", "must be a size such as 64KiB or 1MiB, not \"1MB\": write 1MiB"},
	    {"16k", "must be a size such as 64KiB or 1MiB, not \"16k\": write 16KiB"},
	    {"1mib", "must be a size such as 64KiB or 1MiB, not \"1mib\": write 1MiB"},
	    {"1 MiB", "must be a size such as 64KiB or 1MiB, not \"1 MiB\": write 1MiB"},
	    {"1s", "must be a size such as 64KiB or 1MiB, not \"1s\""},
	    {"12", "needs a unit: write 12MiB or 12KiB"}, {"65536", "needs a unit: write 65536B"},
	    {"lots", "must be a size such as 64KiB or 1MiB, not \"lots\""}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_str_eq(number(&size, cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(whole_numbers_have_ranges)
{
	static const char *const cases[][2] = {{"1", "1"}, {"10", "10"}, {"0x0a", "10"},
	    {"0", "must be from 1 to 10, not 0"}, {"11", "must be from 1 to 10, not 11"},
	    {"-1", "must be from 1 to 10, not -1"}, {"3.0", "must be a whole number, not \"3.0\""},
	    {"3s", "must be a whole number, not \"3s\""},
	    {"99999999999999999999", "must be a whole number, not \"99999999999999999999\""}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_str_eq(number(&count, cases[i][0]), cases[i][1]);
	ck_assert_str_eq(number(&id, "9223372036854775807"), "9223372036854775807");
	ck_assert_str_eq(number(&id, "0"), "must be 1 or more, not 0");
}
END_TEST

START_TEST(what_the_environment_gave_is_not_repeated)
{
	static const char *const texts[] = {"s3cret", "5", "5sec", "99h", "0"};
	struct fail fail;
	int64_t out;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		ck_assert_int_eq(config_value_number(&duration, texts[i], false, &out, &fail), -1);
		ck_assert_ptr_nonnull(strstr(fail.text, "the value from the environment is not"));
		ck_assert_ptr_null(strstr(fail.text, "s3cret"));
		ck_assert_ptr_null(strstr(fail.text, "99"));
	}
}
END_TEST

START_TEST(addresses_are_told_apart)
{
	static const char *const local[] = {"127.0.0.1:3000", "127.9.9.9:0", "[::1]:65535",
	    "[::ffff:127.0.0.1]:1", "unix:/run/x.sock", "unix:x"};
	static const char *const outside[] = {"0.0.0.0:3000", "192.168.1.2:80", "[::]:3000",
	    "[fe80::1]:3000", "128.0.0.1:1", "[::ffff:10.0.0.1]:1"};
	struct fail fail;

	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		ck_assert_msg(config_address_reach(local[i], &fail) == CONFIG_REACH_LOCAL, "%s",
		    local[i]);
	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
		ck_assert_msg(config_address_reach(outside[i], &fail) == CONFIG_REACH_OUTSIDE, "%s",
		    outside[i]);
}
END_TEST

START_TEST(what_is_no_address_is_refused_with_a_hint)
{
	static const char form[] = "must be an address such as 127.0.0.1:3000, [::1]:3000 or "
	    "unix:/run/gateway.sock";
	static const char *const cases[][2] = {{"", form}, {"127.0.0.1", form},
	    {"127.0.0.1:", form}, {"127.0.0.1:x", form}, {"127.0.0.1:65536", form},
	    {"127.0.0.1:-1", form}, {"127.0.0.1:3000 ", form}, {"127.1:3000", form},
	    {"::1:3000", form}, {"[::1]", form}, {"[::1:3000", form}, {"[]:3000", form},
	    {"[127.0.0.1]:3000", form}, {"example.com:3000", form}, {"[fe80::1%eth0]:3000", form},
	    {"http://127.0.0.1:3000",
		"must be an address such as 127.0.0.1:3000, [::1]:3000 or unix:/run/gateway.sock, "
		"without http://"},
	    {"3000", "needs a host before the port: write 127.0.0.1:3000"},
	    {":3000", "needs a host before the port: write 127.0.0.1:3000, or 0.0.0.0:3000 for "
		"every address of this machine"},
	    {"*:80", "needs a host before the port: write 127.0.0.1:80, or 0.0.0.0:80 for every "
		"address of this machine"},
	    {"localhost:3000", "must be a number, since names are not looked up: write "
		"127.0.0.1:3000 or [::1]:3000"},
	    {"unix:", "must name a path after unix:, such as unix:/run/gateway.sock"}};
	char path[128] = "unix:";
	struct fail fail;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_int_eq(config_address_reach(cases[i][0], &fail), CONFIG_REACH_BAD);
		ck_assert_str_eq(fail.text, cases[i][1]);
	}
	memset(path + 5, 'x', 107);
	ck_assert_int_eq(config_address_reach(path, &fail), CONFIG_REACH_LOCAL);
	path[5 + 107] = 'x';
	ck_assert_int_eq(config_address_reach(path, &fail), CONFIG_REACH_BAD);
	ck_assert_str_eq(fail.text, "has a path of 108 bytes; a local socket's path has at most "
	    "107");
}
END_TEST

START_TEST(hosts_are_names_or_addresses_without_a_port)
{
	static const char *const good[] = {"a", "gateway.example.com", "10.0.0.1", "[::1]",
	    "persona_gateway", "x-1.y"};
	static const char *const cases[][2] = {
	    {"gateway:3000", "must be a name without a port: leave \":3000\" out"},
	    {"[::1]:3000", "must be a name without a port: leave \":3000\" out"},
	    {"::1", "must have brackets around an IPv6 address, such as [::1]"},
	    {"*.example.com", "must be a whole name: * is not understood here"},
	    {"http://x", "must be a name alone, without http:// and path"},
	    {"a b", "must be a host name such as gateway.example.com"},
	    {"a..b", "must be a host name such as gateway.example.com"},
	    {".a", "must be a host name such as gateway.example.com"},
	    {"a/b", "must be a host name such as gateway.example.com"},
	    {"ü", "must be a host name such as gateway.example.com"}};
	char label[80];
	struct fail fail;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(config_address_host(good[i], &fail) == 0, "%s", good[i]);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_int_eq(config_address_host(cases[i][0], &fail), -1);
		ck_assert_str_eq(fail.text, cases[i][1]);
	}
	memset(label, 'a', 64);
	label[64] = '\0';
	ck_assert_int_eq(config_address_host(label, &fail), -1);
	label[63] = '\0';
	ck_assert_int_eq(config_address_host(label, &fail), 0);
}
END_TEST

START_TEST(loopback_names_are_known)
{
	static const char *const yes[] = {"localhost", "LOCALHOST", "a.localhost", "127.0.0.1",
	    "127.1.2.3", "[::1]"};
	static const char *const no[] = {"localhost.example.com", "xlocalhost", ".localhost",
	    "10.0.0.1", "[::2]", "example.com"};

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		ck_assert_msg(config_address_is_loopback(yes[i]), "%s", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		ck_assert_msg(!config_address_is_loopback(no[i]), "%s", no[i]);
}
END_TEST

START_TEST(urls_have_a_scheme_a_host_and_nothing_secret)
{
	static const char *const good[] = {"https://api.getbluejay.ai", "http://127.0.0.1:9999",
	    "https://h/base/path", "https://[::1]:8443/x", "HTTPS://H", "http://h:1/",
	    "https://h//"};
	static const char *const cases[][2] = {
	    {"api.getbluejay.ai", "must start with https:// (or http://)"},
	    {"ftp://x", "must start with https:// (or http://)"},
	    {"https://", "must name a host"}, {"https:///x", "must name a host"},
	    {"https://:80", "must name a host"},
	    {"https://user:pass@h", "must not hold a user name or password"},
	    {"https://h/?a=b", "must not hold a query (?) or fragment (#)"},
	    {"https://h#x", "must not hold a query (?) or fragment (#)"},
	    {"https://h:0", "has a port that is not a number from 1 to 65535"},
	    {"https://h:65536", "has a port that is not a number from 1 to 65535"},
	    {"https://h:x", "has a port that is not a number from 1 to 65535"},
	    {"https://h:", "has a port that is not a number from 1 to 65535"},
	    {"https://a..b", "has a host that is neither a name nor an address"},
	    {"https://[::1", "has a host that is neither a name nor an address"},
	    {"https://h/a b", "must be a URL without spaces and special characters"},
	    {"https://h\\x", "must be a URL without spaces and special characters"},
	    {"https://h/ü", "must be a URL without spaces and special characters"}};
	struct fail fail;
	char *host;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(config_address_url(good[i], false, &fail) == 0, "%s", good[i]);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_int_eq(config_address_url(cases[i][0], false, &fail), -1);
		ck_assert_str_eq(fail.text, cases[i][1]);
	}
	ck_assert_int_eq(config_address_url("http://proxy:3128/", true, &fail), 0);
	ck_assert_int_eq(config_address_url("http://proxy:3128/x", true, &fail), -1);
	ck_assert_str_eq(fail.text, "must be a host and a port, without a path");
	ck_assert_int_eq(config_address_url("socks5://proxy", true, &fail), -1);
	ck_assert_str_eq(fail.text, "must start with http:// or https://");
	host = config_address_url_host("https://[::1]:80/x:y");
	ck_assert_str_eq(host, "[::1]");
	free(host);
	host = config_address_url_host("http://h/x");
	ck_assert_str_eq(host, "h");
	free(host);
}
END_TEST

START_TEST(a_key_is_visible_ascii)
{
	static const char *const bad[][2] = {{"", "is empty; it must hold the key"},
	    {"a b", "holds a character that cannot be part of a key (byte 2); a key is visible "
	    "ASCII without spaces"},
	    {"ab\n", "holds a character that cannot be part of a key (byte 3); a key is visible "
		"ASCII without spaces"},
	    {"\xc3\xbc", "holds a character that cannot be part of a key (byte 1); a key is "
	    "visible ASCII without spaces"},
	    {"a\x7f", "holds a character that cannot be part of a key (byte 2); a key is visible "
		"ASCII without spaces"}};
	char large[4098];
	struct fail fail;

	ck_assert_int_eq(config_secret_check("!~aZ09", &fail), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(config_secret_check(bad[i][0], &fail), -1);
		ck_assert_str_eq(fail.text, bad[i][1]);
	}
	memset(large, 'k', sizeof large);
	large[4097] = '\0';
	ck_assert_int_eq(config_secret_check(large, &fail), -1);
	ck_assert_str_eq(fail.text, "is longer than 4096 bytes; that is no key");
	large[4096] = '\0';
	ck_assert_int_eq(config_secret_check(large, &fail), 0);
}
END_TEST

START_TEST(paths_begin_beside_the_file)
{
	static const char *const cases[][3] = {{NULL, "./data", "./data"}, {"x.yaml", "k", "k"},
	    {"/etc/pg/x.yaml", "./data", "/etc/pg/data"}, {"/etc/pg/x.yaml", "k", "/etc/pg/k"},
	    {"/etc/pg/x.yaml", "/k", "/k"}, {"conf/x.yaml", "../k", "conf/../k"},
	    {"/x.yaml", "k", "/k"}, {"./x.yaml", "./././k", "./k"}, {"a/x.yaml", ".", "a/."},
	    {"a/x.yaml", "./", "a/./"}};
	char *folder = getcwd(NULL, 0), *expected = mem_format("%s/run/x", folder), *got;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		got = config_file_resolve(cases[i][0], cases[i][1]);
		ck_assert_str_eq(got, cases[i][2]);
		free(got);
	}
	got = config_file_resolve_absolute("x.yaml", "run/x");
	ck_assert_str_eq(got, expected);
	free(got);
	got = config_file_resolve_absolute("/a/x.yaml", "run/x");
	ck_assert_str_eq(got, "/a/run/x");
	free(got);
	free(expected);
	free(folder);
}
END_TEST

/* The suite. */
Suite *
value_suite(void)
{
	const TTest *const tests[] = {durations_have_units, sizes_have_units,
	    whole_numbers_have_ranges, what_the_environment_gave_is_not_repeated,
	    addresses_are_told_apart, what_is_no_address_is_refused_with_a_hint,
	    hosts_are_names_or_addresses_without_a_port, loopback_names_are_known,
	    urls_have_a_scheme_a_host_and_nothing_secret, a_key_is_visible_ascii,
	    paths_begin_beside_the_file, NULL};

	return unit_suite("value", tests);
}
