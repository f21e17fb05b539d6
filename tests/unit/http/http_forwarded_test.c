#include "config.h"

#include "http_rig.h"
#include "http/http_forwarded.h"

#include <stdio.h>
#include <string.h>

/*
 * What trusted proxies say. 10.0.0.0/8 and local sockets are trusted; the request comes
 * from 10.0.0.1.
 */

#define FIELDS 4

/* Fields "name: value", and what is to be believed: "peer scheme host chain", or why not. */
static const struct {
	const char *fields[FIELDS];
	const char *want;
} rows[] = {
    {{NULL}, "nothing"},
    /* X-Forwarded-For: the rightmost address that is not trusted. */
    {{"x-forwarded-for:192.0.2.1"}, "192.0.2.1 - - 192.0.2.1"},
    {{"x-forwarded-for:6.6.6.6, 192.0.2.1"}, "192.0.2.1 - - 192.0.2.1"},
    {{"x-forwarded-for:6.6.6.6, 192.0.2.1, 10.0.0.2"}, "192.0.2.1 - - 192.0.2.1, 10.0.0.2"},
    {{"x-forwarded-for:6.6.6.6,192.0.2.1", "x-forwarded-for:10.0.0.2"},
        "192.0.2.1 - - 192.0.2.1, 10.0.0.2"},
    {{"x-forwarded-for:10.0.0.3 ,\t10.0.0.2"}, "10.0.0.3 - - 10.0.0.3, 10.0.0.2"},
    {{"x-forwarded-for:192.0.2.1,,"}, "192.0.2.1 - - 192.0.2.1"},
    {{"x-forwarded-for:"}, "10.0.0.1 - - "},
    {{"x-forwarded-for:192.0.2.1:4711"}, "192.0.2.1 - - 192.0.2.1"},
    {{"x-forwarded-for:2001:DB8::1"}, "2001:db8::1 - - 2001:db8::1"},
    {{"x-forwarded-for:[2001:db8::1]:4711"}, "2001:db8::1 - - 2001:db8::1"},
    {{"x-forwarded-for:[2001:db8::1]"}, "2001:db8::1 - - 2001:db8::1"},
    {{"x-forwarded-for:::ffff:10.0.0.2"}, "10.0.0.2 - - 10.0.0.2"},
    {{"x-forwarded-for:192.0.2.1, unknown"}, "10.0.0.1 - - unknown"},
    {{"x-forwarded-for:192.0.2.1, _x, 10.0.0.2"}, "10.0.0.2 - - _x, 10.0.0.2"},
    {{"x-forwarded-for:garbage, 192.0.2.1"}, "192.0.2.1 - - 192.0.2.1"},
    {{"x-forwarded-for:garbage"}, "bad"},
    {{"x-forwarded-for:192.0.2.1, garbage, 10.0.0.2"}, "bad"},
    {{"x-forwarded-for:192.0.2.1:99999999"}, "bad"},
    {{"x-forwarded-for:192.0.2.1:"}, "bad"},
    {{"x-forwarded-for:192.0.2.1 10.0.0.2"}, "bad"},
    {{"x-forwarded-for:[192.0.2.1]"}, "bad"},
    {{"x-forwarded-for:[2001:db8::1"}, "bad"},
    {{"x-forwarded-for:[2001:db8::1]x"}, "bad"},
    {{"x-forwarded-for:\"192.0.2.1\""}, "bad"},
    {{"x-forwarded-for:_"}, "bad"},
    {{"x-forwarded-for:unix"}, "bad"},
    /* Scheme and host. */
    {{"x-forwarded-proto:https", "x-forwarded-host:studio.example:8443"},
        "10.0.0.1 https studio.example:8443 "},
    {{"x-forwarded-for:192.0.2.1", "x-forwarded-proto:HTTPS"}, "192.0.2.1 https - 192.0.2.1"},
    {{"x-forwarded-for:192.0.2.1", "x-forwarded-proto:wss"}, "192.0.2.1 https - 192.0.2.1"},
    {{"x-forwarded-for:192.0.2.1", "x-forwarded-proto:gopher"}, "192.0.2.1 - - 192.0.2.1"},
    {{"x-forwarded-for:192.0.2.1, 10.0.0.2", "x-forwarded-proto:http, https, http"},
        "192.0.2.1 https - 192.0.2.1, 10.0.0.2"},
    {{"x-forwarded-for:192.0.2.1, 10.0.0.2", "x-forwarded-proto:https"},
        "192.0.2.1 https - 192.0.2.1, 10.0.0.2"},
    {{"x-forwarded-host:a b"}, "bad"},
    {{"x-forwarded-host:evil.example, studio.example"}, "10.0.0.1 - studio.example "},
    /* Forwarded. */
    {{"forwarded:for=192.0.2.1"}, "192.0.2.1 - - 192.0.2.1"},
    {{"forwarded:For=192.0.2.1;PROTO=https;By=10.0.0.9;host=\"studio.example:1\""},
        "192.0.2.1 https studio.example:1 192.0.2.1"},
    {{"forwarded:for=6.6.6.6;proto=http, for=192.0.2.1;proto=https,for=10.0.0.2;proto=http"},
        "192.0.2.1 https - 192.0.2.1, 10.0.0.2"},
    {{"forwarded:for=6.6.6.6", "forwarded:for=192.0.2.1"}, "192.0.2.1 - - 192.0.2.1"},
    {{"forwarded:for=192.0.2.1", "forwarded:for=10.0.0.2"}, "192.0.2.1 - - 192.0.2.1, 10.0.0.2"},
    {{"forwarded:for=\"[2001:db8::1]:4711\""}, "2001:db8::1 - - 2001:db8::1"},
    {{"forwarded:for=\"192.0.2.1:_port\""}, "192.0.2.1 - - 192.0.2.1"},
    {{"forwarded:for=\"192.0.\\2.1\""}, "192.0.2.1 - - 192.0.2.1"},
    {{"forwarded:for=_hidden"}, "10.0.0.1 - - _hidden"},
    {{"forwarded:for=\"_hidden:_p\";proto=https"}, "10.0.0.1 https - _hidden"},
    {{"forwarded:for=UNKNOWN, for=10.0.0.2"}, "10.0.0.2 - - unknown, 10.0.0.2"},
    {{"forwarded:proto=https"}, "10.0.0.1 https - unknown"},
    {{"forwarded:, for=192.0.2.1 ,"}, "192.0.2.1 - - 192.0.2.1"},
    {{"forwarded:;for=192.0.2.1; ;proto=https;"}, "192.0.2.1 https - 192.0.2.1"},
    {{"forwarded:for=192.0.2.1;secret=\"a,b;for=\\\"6.6.6.6\\\"\""}, "192.0.2.1 - - 192.0.2.1"},
    {{"forwarded:"}, "10.0.0.1 - - "},
    {{"forwarded:for"}, "bad"},
    {{"forwarded:for="}, "bad"},
    {{"forwarded:for =192.0.2.1"}, "bad"},
    {{"forwarded:for= 192.0.2.1"}, "bad"},
    {{"forwarded:for=192.0.2.1 proto=https"}, "bad"},
    {{"forwarded:for=192.0.2.1:80"}, "bad"},
    {{"forwarded:for=[2001:db8::1]"}, "bad"},
    {{"forwarded:for=2001:db8::1"}, "bad"},
    {{"forwarded:for=\"2001:db8::1\""}, "bad"},
    {{"forwarded:for=192.0.2.1;for=192.0.2.2"}, "bad"},
    {{"forwarded:for=\"192.0.2.1"}, "bad"},
    {{"forwarded:for=\"", "forwarded:for=192.0.2.1"}, "bad"},
    {{"forwarded:for=\"192.0.2.1\\"}, "bad"},
    {{"forwarded:for=192.0.2.1;host=\"a b\""}, "bad"},
    {{"forwarded:for=garbage"}, "bad"},
    {{"forwarded:for=garbage, for=192.0.2.1"}, "192.0.2.1 - - 192.0.2.1"},
    /* Both kinds. */
    {{"forwarded:for=192.0.2.1;proto=https", "x-forwarded-for:192.0.2.1", "x-forwarded-proto:https"},
        "192.0.2.1 https - 192.0.2.1"},
    {{"forwarded:for=192.0.2.1;proto=https;host=a", "x-forwarded-for:192.0.2.1"},
        "192.0.2.1 - - 192.0.2.1"},
    {{"forwarded:for=192.0.2.1", "x-forwarded-for:192.0.2.2"}, "contradict"},
    {{"forwarded:for=192.0.2.1", "x-forwarded-proto:https"}, "contradict"},
    {{"forwarded:for=192.0.2.1;proto=http", "x-forwarded-for:192.0.2.1", "x-forwarded-proto:https"},
        "contradict"},
    {{"forwarded:for=192.0.2.1;host=a", "x-forwarded-for:192.0.2.1", "x-forwarded-host:b"},
        "contradict"},
    {{"forwarded:for=192.0.2.1", "x-forwarded-for:garbage"}, "bad"},
};

/* Reads fields as a request from an address; what is believed, as text. */
static const char *
believed(const char *const fields[FIELDS], const char *near)
{
	static char names[FIELDS][32], text[3000];
	struct http_field list[FIELDS];
	struct http_request q = {.fields = list};
	struct network trusted[2];
	struct http_forwarded f;
	const char *why;
	int said;

	ck_assert(network_read("10.0.0.0/8", &trusted[0], NULL));
	ck_assert(network_read("unix", &trusted[1], NULL));
	for (; q.field_count < FIELDS && fields[q.field_count] != NULL; q.field_count++) {
		const char *field = fields[q.field_count], *colon = strchr(field, ':');

		snprintf(names[q.field_count], sizeof *names, "%.*s", (int)(colon - field), field);
		list[q.field_count] = (struct http_field){names[q.field_count], colon + 1};
	}
	said = http_forwarded_read(&q, near, trusted, 2, &f, &why);
	if (said == 0)
		return "nothing";
	if (said < 0)
		return strstr(why, "contradict") != NULL ? "contradict" : "bad";
	snprintf(text, sizeof text, "%s %s %s %s", f.peer, f.scheme != NULL ? f.scheme : "-",
	    f.host[0] != '\0' ? f.host : "-", f.chain);
	return text;
}

START_TEST(fields_are_read_from_the_right)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = believed(rows[i].fields, "10.0.0.1");

		ck_assert_msg(strcmp(got, rows[i].want) == 0, "%zu %s: %s", i,
		    rows[i].fields[0] != NULL ? rows[i].fields[0] : "", got);
	}
}
END_TEST

START_TEST(many_words_of_a_client_do_not_matter_and_many_proxies_are_refused)
{
	static char words[40000] = "x-forwarded-for:", proxies[2000] = "x-forwarded-for:";
	const char *const said[FIELDS] = {words}, *const passed[FIELDS] = {proxies};

	for (int i = 0; i < 4000; i++)
		strcpy(words + strlen(words), "6.6.6.6,");
	strcpy(words + strlen(words), "192.0.2.1");
	ck_assert_str_eq(believed(said, "unix"), "192.0.2.1 - - 192.0.2.1");
	for (int i = 0; i < HTTP_FORWARDED_HOPS; i++)
		strcpy(proxies + strlen(proxies), "10.0.0.1,");
	ck_assert_int_eq(strncmp(believed(passed, "unix"), "10.0.0.1 - - ", 13), 0);
	strcpy(proxies + strlen(proxies), "10.0.0.1,");
	ck_assert_str_eq(believed(passed, "unix"), "bad");
}
END_TEST

/* Notes who asks, and how. */
static void
serve_origin(struct rig *rig, struct http_exchange *ex)
{
	const struct http_request *r = http_exchange_request(ex);

	buf_drain(&rig->seen, rig->seen.len);
	buf_addf(&rig->seen, "%s %s %s %s %s", r->peer, r->near, r->scheme, r->asked_host,
	    r->chain != NULL ? r->chain : "-");
	http_answer(ex, 200, NULL, "x", 1);
}

#define ASK(fields) "GET / HTTP/1.1\r\nHost: localhost\r\n" fields "\r\n"
#define SAID "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a.b\r\n"

START_TEST(only_who_is_named_is_believed)
{
	static const char *const local[] = {"unix", NULL};
	struct rig rig = {.service = serve_origin};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, ASK(SAID));
	ck_assert_str_eq(rig.seen.data, "unix unix http localhost -");
	client_says(&c, ASK("Forwarded: for=\"\r\n"));
	ck_assert_int_eq(client_status(&c, 1), 200);
	rig.config.trusted = local;
	http_server_configure(rig.server, &rig.config);
	client_says(&c, ASK(SAID));
	ck_assert_str_eq(rig.seen.data, "192.0.2.1 unix https a.b 192.0.2.1");
	client_says(&c, ASK(""));
	ck_assert_str_eq(rig.seen.data, "unix unix http localhost -");
	client_says(&c, ASK("Forwarded: for=\"\r\n"));
	ck_assert_int_eq(client_status(&c, 4), 400);
	ck_assert_str_eq(client_body(&c, 4), "{\"error\":\"The Forwarded header is not well-formed\"}");
	ck_assert(c.closed);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(the_host_check_stays_on_host)
{
	static const char *const local[] = {"unix", NULL};
	struct rig rig = {.service = serve_origin, .config.trusted = local};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, "GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n\r\n");
	ck_assert_int_eq(client_status(&c, 0), 421);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_forwarded_suite(void)
{
	const TTest *const tests[] = {fields_are_read_from_the_right,
	    many_words_of_a_client_do_not_matter_and_many_proxies_are_refused,
	    only_who_is_named_is_believed, the_host_check_stays_on_host, NULL};

	return unit_suite("http forwarded", tests);
}
