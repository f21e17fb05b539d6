#include "config.h"

#include "api/pass_fields.h"
#include "api/pass_mask.h"
#include "api/pass_target.h"
#include "api_test.h"
#include "base/buf.h"
#include "base/mem.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OWN PASS_OWN
#define BLUEJAY PASS_BLUEJAY
#define OTHER PASS_OTHER
#define UNCLEAR PASS_UNCLEAR

START_TEST(whose_a_path_is)
{
	static const struct {
		const char *path;
		enum pass_owner with_v1, without;
	} rows[] = {
	    {"/", OTHER, OTHER}, {"*", OTHER, OTHER}, {"/api/projects", OTHER, OTHER},
	    {"/api/status", OTHER, OTHER}, {"/api/projects/x", OTHER, OTHER},
	    {"/api/projects/x/scenarios", OTHER, OTHER}, {"/api/projects/x/personas", OWN, OWN},
	    {"/api/projects/x/personas/", OWN, OWN}, {"/api/projects/x/personas/1/2/3", OWN, OWN},
	    {"/api/projects/x/images", OWN, OWN}, {"/api/projects/x/communities/7", OWN, OWN},
	    {"/api/projects/%78/%70ersonas", OWN, OWN}, {"/api/projects/a%2Fb/personas", OWN, OWN},
	    {"/api/projects/x/personasy", OTHER, OTHER}, {"/api/projects/x/personas.json", OTHER, OTHER},
	    {"/api/projects//personas", OTHER, OTHER}, {"/x/api/projects/x/personas", OTHER, OTHER},
	    {"/v1/personas", BLUEJAY, OTHER}, {"/v1/", BLUEJAY, OTHER}, {"/v1", OTHER, OTHER},
	    {"/v1/a%2Fb", BLUEJAY, OTHER}, {"/v1x/y", OTHER, OTHER},
	    {"/%76%31/personas", BLUEJAY, OTHER},
	    /* odd, but nothing of ours whichever way one reads it */
	    {"/static/../index.html", OTHER, OTHER}, {"/100%", OTHER, OTHER}, {"/a%00b", OTHER, OTHER},
	    {"/a%2fb//c", OTHER, OTHER}, {"/A/B", OTHER, OTHER},
	    {"/a;b/c;d=e", OTHER, OTHER}, {"/;/x", OTHER, OTHER}, {"/v1/a;b/c", BLUEJAY, OTHER},
	    /* ours for somebody else's eyes only */
	    {"/api/projects/x/personas%2F1", UNCLEAR, UNCLEAR},
	    {"/api/projects/x%2Fpersonas", UNCLEAR, UNCLEAR},
	    {"/api/projects/x/personas%00", UNCLEAR, UNCLEAR},
	    {"/api/projects/x/personas/%zz", UNCLEAR, UNCLEAR},
	    {"/api/projects/%/personas", UNCLEAR, UNCLEAR},
	    {"/api/projects/x/personas%5c1", UNCLEAR, UNCLEAR},
	    {"/api/./projects/x/personas", UNCLEAR, UNCLEAR},
	    {"/a/../api/projects/x/personas", UNCLEAR, UNCLEAR},
	    {"/a/%2e%2E/api/projects/x/personas", UNCLEAR, UNCLEAR},
	    {"/a%2f..%2fapi/projects/x/personas", UNCLEAR, UNCLEAR},
	    {"/api/projects/x/personas/../scenarios", UNCLEAR, UNCLEAR},
	    {"/api/projects/x/y/../personas/1", UNCLEAR, UNCLEAR},
	    {"//api/projects/x/personas", UNCLEAR, UNCLEAR},
	    {"/api/projects/x//personas", UNCLEAR, UNCLEAR},
	    {"/API/Projects/x/Personas", UNCLEAR, UNCLEAR},
	    {"/api/projects/x/digital-humans/1", OWN, OWN},
	    {"/api/projects/x/Digital-Humans/1", UNCLEAR, UNCLEAR},
	    {"/v1/../x", UNCLEAR, OTHER}, {"/x/../v1/y", UNCLEAR, OTHER}, {"/v1/%zz", UNCLEAR, OTHER},
	    {"/v1/..%2f..%2fx", UNCLEAR, OTHER}, {"//v1/x", UNCLEAR, OTHER}, {"/v1%2fx", UNCLEAR, OTHER},
	    {"/V1/x", UNCLEAR, OTHER},
	    {"/api/projects/x/personas;y", UNCLEAR, UNCLEAR},
	    {"/api;y/projects/x/personas/1", UNCLEAR, UNCLEAR},
	    {"/api/projects/x/personas;/../../y", UNCLEAR, UNCLEAR},
	    {"/a/..;y/api/projects/x/images", UNCLEAR, UNCLEAR}, {"/v1;y/x", UNCLEAR, OTHER},
	};
	static const char *const own[] = {"personas", "communities", "digital-humans", "images", NULL};
	const struct pass_claims with = {own, true}, without = {own, false};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_msg(pass_target_owner(rows[i].path, &with) == rows[i].with_v1, "%s: %d",
		    rows[i].path, pass_target_owner(rows[i].path, &with));
		ck_assert_msg(pass_target_owner(rows[i].path, &without) == rows[i].without, "%s: %d",
		    rows[i].path, pass_target_owner(rows[i].path, &without));
	}
}
END_TEST

START_TEST(what_an_origin_gets_of_a_target)
{
	static const struct {
		const char *target, *path, *want;
	} rows[] = {
	    {"/a%zz/../b?c?d", "/a%zz/../b", "/a%zz/../b?c?d"}, {"*", "*", "*"},
	    {"http://localhost:3000/a?b", "/a", "/a?b"}, {"http://localhost", "/", "/"},
	    {"http://localhost", "*", "*"}, {"HTTPS://localhost?b", "/", "/?b"},
	    {"http://localhost/http://x/y", "/http://x/y", "/http://x/y"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct http_request q = {.target = rows[i].target, .path = rows[i].path};
		char *got = pass_target_origin(&q);

		ck_assert_str_eq(got, rows[i].want);
		free(got);
	}
}
END_TEST

/* A list as text. */
static const char *
text_of(const struct pass_fields *l)
{
	static struct buf b;

	buf_clear(&b);
	for (size_t i = 0; i < l->count; i++)
		buf_addf(&b, "%s=%s|", l->list[i].name, l->list[i].value);
	ck_assert_ptr_null(l->list[l->count].name);
	return b.data;
}

/* What a request with these fields is sent on with. */
static const char *
sent_by(bool known, const struct http_field *fields, enum pass_way way, const char *method,
    const char *peer)
{
	struct http_request q = {.method = method, .host = "localhost:3000", .minor = 1,
	    .fields = fields, .id = "id-1", .peer = peer, .near = peer, .scheme = "http",
	    .asked_host = "localhost:3000"};
	struct header_list headers = {.count = 0};
	const struct pass_along along = {"k3y", &headers};
	struct pass_fields l;
	const char *text;

	while (fields[q.field_count].name != NULL)
		q.field_count++;
	header_list_put(&headers, "X-Tenant", "shop");
	pass_fields_request(&l, &q, way, known, "gw-1", way == PASS_TO_BLUEJAY ? &along : NULL);
	text = text_of(&l);
	header_list_clear(&headers);
	pass_fields_free(&l);
	return text;
}

/* The same where nobody needs a token. */
static const char *
sent(const struct http_field *fields, enum pass_way way, const char *method, const char *peer)
{
	return sent_by(false, fields, way, method, peer);
}

START_TEST(a_clients_token_stays_here_and_other_credentials_go_on)
{
	static const struct http_field ours[] = {{"authorization", "Basic OnQ="}, {"x-api-key", "t"},
	    {"cookie", "c=1"}, {NULL, NULL}};
	static const struct http_field theirs[] = {{"authorization", "Digest username=\"a\""},
	    {"x-api-key", "t"}, {NULL, NULL}};

	ck_assert_ptr_nonnull(strstr(sent_by(false, ours, PASS_TO_LOCAL, "GET", "unix"),
	    "authorization=Basic OnQ=|x-api-key=t|cookie=c=1|"));
	ck_assert_int_eq(strncmp(sent_by(true, ours, PASS_TO_LOCAL, "GET", "unix"),
	    "Host=localhost:3000|cookie=c=1|X-Request-Id=", 44), 0);
	ck_assert_int_eq(strncmp(sent_by(true, theirs, PASS_TO_LOCAL, "GET", "unix"),
	    "Host=localhost:3000|authorization=Digest username=\"a\"|X-Request-Id=", 67), 0);
}
END_TEST

START_TEST(a_request_keeps_what_is_for_its_end)
{
	static const struct http_field fields[] = {{"host", "localhost:3000"}, {"accept", "a"},
	    {"connection", "close, X-Own"}, {"x-own", "1"}, {"connection", "keep-alive"},
	    {"keep-alive", "5"}, {"te", "trailers"}, {"trailer", "x"}, {"transfer-encoding", "chunked"},
	    {"upgrade", "h2c"}, {"expect", "100-continue"}, {"proxy-connection", "x"},
	    {"proxy-authorization", "p"}, {"content-length", "0"}, {"cookie", "c=1"}, {"cookie", "d=2"},
	    {"authorization", "Bearer x"}, {"x-api-key", "theirs"}, {"x-request-id", "other"},
	    {"x_forwarded_for", "1.2.3.4"}, {"transfer_encoding", "chunked"},
	    {"via", "1.0 a"}, {"via", "1.1 b"}, {"forwarded", "for=1.2.3.4"},
	    {"x-forwarded-for", "1.2.3.4"}, {"x-forwarded-port", "1"}, {"max-forwards", "3"},
	    {"x-empty", ""}, {"x-tenant", "theirs"}, {NULL, NULL}};

	ck_assert_str_eq(sent(fields, PASS_TO_LOCAL, "GET", "127.0.0.1"),
	    "Host=localhost:3000|accept=a|proxy-authorization=p|cookie=c=1|cookie=d=2|"
	    "authorization=Bearer x|x-api-key=theirs|max-forwards=3|x-empty=|x-tenant=theirs|Content-Length=0|"
	    "X-Request-Id=id-1|Via=1.0 a, 1.1 b, 1.1 gw-1|"
	    "Forwarded=for=127.0.0.1;host=\"localhost:3000\";proto=http|X-Forwarded-For=127.0.0.1|"
	    "X-Forwarded-Host=localhost:3000|X-Forwarded-Proto=http|");
	ck_assert_str_eq(sent(fields, PASS_TO_BLUEJAY, "OPTIONS", "127.0.0.1"),
	    "accept=a|x-empty=|Content-Length=0|X-Request-Id=id-1|Via=1.0 a, 1.1 b, 1.1 gw-1|"
	    "Max-Forwards=2|X-Tenant=shop|X-API-Key=k3y|");
}
END_TEST

START_TEST(an_underscore_hides_no_key)
{
	static const struct http_field fields[] = {{"x_api_key", "theirs"}, {"X-Api_Key", "theirs"},
	    {"x_own", "1"}, {NULL, NULL}};

	ck_assert_str_eq(sent(fields, PASS_TO_BLUEJAY, "GET", "127.0.0.1"),
	    "x_own=1|X-Request-Id=id-1|Via=1.1 gw-1|X-Tenant=shop|X-API-Key=k3y|");
}
END_TEST

START_TEST(what_trusted_proxies_say_is_passed_on_and_ourselves_added)
{
	static const struct http_field fields[] = {{"forwarded", "for=6.6.6.6, for=192.0.2.1"},
	    {"x-forwarded-for", "6.6.6.6, 192.0.2.1"}, {NULL, NULL}};
	struct http_request q = {.method = "GET", .host = "gw", .minor = 1, .fields = fields,
	    .field_count = 2, .id = "i", .peer = "2001:db8::1", .near = "10.0.0.2",
	    .chain = "2001:db8::1, 10.0.0.1", .scheme = "https", .asked_host = "studio.example"};
	struct pass_fields l;

	pass_fields_request(&l, &q, PASS_TO_LOCAL, false, "gw-1", NULL);
	ck_assert_str_eq(text_of(&l), "Host=gw|X-Request-Id=i|Via=1.1 gw-1|"
	    "Forwarded=for=\"[2001:db8::1]\";host=\"studio.example\";proto=https, for=10.0.0.1, "
	    "for=10.0.0.2|X-Forwarded-For=2001:db8::1, 10.0.0.1, 10.0.0.2|"
	    "X-Forwarded-Host=studio.example|X-Forwarded-Proto=https|");
	pass_fields_free(&l);
	q.chain = "_hidden";
	q.peer = q.near = "unix";
	pass_fields_request(&l, &q, PASS_TO_LOCAL, false, "gw-1", NULL);
	ck_assert_ptr_nonnull(strstr(text_of(&l), "Forwarded=for=_hidden;host=\"studio.example\";"
	    "proto=https, for=unknown|X-Forwarded-For=_hidden, unknown|"));
	pass_fields_free(&l);
}
END_TEST

START_TEST(for_whom_a_request_is_passed_on)
{
	static const struct http_field none[] = {{NULL, NULL}};

	ck_assert_ptr_nonnull(strstr(sent(none, PASS_TO_LOCAL, "GET", "::1"),
	    "Forwarded=for=\"[::1]\";host=\"localhost:3000\";proto=http|X-Forwarded-For=::1|"));
	ck_assert_ptr_nonnull(strstr(sent(none, PASS_TO_LOCAL, "GET", "unix"),
	    "Forwarded=for=unknown;host=\"localhost:3000\";proto=http|X-Forwarded-Host="));
}
END_TEST

START_TEST(an_answer_keeps_what_is_for_its_end)
{
	static const struct wire_field fields[] = {{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"},
	    {"Connection", "X-Own, close"}, {"x-OWN", "1"}, {"Transfer-Encoding", "chunked"},
	    {"Trailer", "x"}, {"Content-Encoding", "br"}, {"Via", "1.1 c"}, {"Keep-Alive", "timeout=5"},
	    {NULL, NULL}};
	struct pass_fields l;

	pass_fields_answer(&l, fields, PASS_TO_LOCAL, "gw-1");
	ck_assert_str_eq(text_of(&l),
	    "Set-Cookie=a=1|Set-Cookie=b=2|Content-Encoding=br|Via=1.1 c, 1.1 gw-1|");
	pass_fields_free(&l);
	pass_fields_answer(&l, fields, PASS_TO_BLUEJAY, "gw-1");
	ck_assert_str_eq(text_of(&l), "Content-Encoding=br|Via=1.1 c, 1.1 gw-1|");
	pass_fields_free(&l);
}
END_TEST

START_TEST(what_connection_lists_stays_whatever_its_case)
{
	static const struct wire_field fields[] = {{"connection", "X-Two ,x-one,\tclose"}, {"X-One", "1"},
	    {"CONNECTION", ", X-THREE"}, {"x-two", "2"}, {"X-Three", "3"}, {"X-Thre", "4"}, {"X-Threee", "5"},
	    {"X-On", "6"}, {"Close", "7"}, {NULL, NULL}};
	struct pass_fields l;

	pass_fields_answer(&l, fields, PASS_TO_LOCAL, "gw-1");
	ck_assert_str_eq(text_of(&l), "X-Thre=4|X-Threee=5|X-On=6|Via=1.1 gw-1|");
	pass_fields_free(&l);
}
END_TEST

/* Milliseconds of processor time that it takes to pass on so many fields, half of whose
 * names Connection lists. */
static double
cost_of(size_t count)
{
	struct wire_field *fields = mem_zero(count + 2, sizeof *fields);
	char *list = mem_zero(count, 8), *names = mem_zero(count, 8), *p = list;
	struct timespec begun, ended;
	struct pass_fields l;

	for (size_t i = 0; i < count; i++) {
		snprintf(names + 8 * i, 8, "%u", (unsigned)i % 100000);
		fields[i + 1] = (struct wire_field){names + 8 * i, ""};
		if (i % 2 == 0)
			p = stpcpy(stpcpy(p, names + 8 * i), ",");
	}
	fields[0] = (struct wire_field){"Connection", list};
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun);
	pass_fields_answer(&l, fields, PASS_TO_LOCAL, "gw-1");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
	ck_assert_uint_eq(l.count, count / 2 + 1);
	pass_fields_free(&l);
	free(fields);
	free(list);
	free(names);
	return (double)(ended.tv_sec - begun.tv_sec) * 1e3 + (double)(ended.tv_nsec - begun.tv_nsec) / 1e6;
}

START_TEST(many_fields_take_no_long_time)
{
	double few = 1e9, many = 1e9;

	for (int i = 0; i < 5; i++) {
		double one = cost_of(1000), other = cost_of(16000);

		few = one < few ? one : few;
		many = other < many ? other : many;
	}
	ck_assert_msg(many < 80 * few, "%.2f ms for 1000, %.2f ms for 16000", few, many);
}
END_TEST

START_TEST(a_message_that_was_here_and_one_that_may_not_go_on)
{
	static const struct {
		const char *method, *forwards;
		long want;
	} rows[] = {
	    {"TRACE", "0", 0}, {"OPTIONS", "12", 12}, {"GET", "0", -1}, {"TRACE", "", -1},
	    {"TRACE", "-1", -1}, {"TRACE", "1x", -1}, {"TRACE", "99999999999999999999", -1},
	};
	struct http_field fields[] = {{"via", "1.1 gw-2, 1.1 gw-1"}, {"max-forwards", ""}};
	struct http_request q = {.method = "GET", .fields = fields, .field_count = 2};

	ck_assert(pass_fields_loop(&q, "gw-1"));
	ck_assert(!pass_fields_loop(&q, "gw-3"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		q.method = rows[i].method;
		fields[1].value = rows[i].forwards;
		ck_assert_int_eq(pass_fields_forwards(&q), rows[i].want);
	}
}
END_TEST

/* Collects what is given on. */
static void
given(void *arg, const char *bytes, size_t len)
{
	buf_add(arg, bytes, len);
}

START_TEST(the_key_is_taken_out_however_an_answer_is_cut)
{
	static const struct {
		const char *text, *masked;
	} cases[] = {{"the key abcdabcX stays", "the key abcdabcX stays"}, {"abcdabcE", "********"},
	    {"no abcdabcE, abcdabcE!", "no ********, ********!"}, {"abcdabcdabcE", "abcd********"},
	    {"ends in abcda", "ends in abcda"}, {"", ""}};
	struct pass_mask m;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].text);

		for (size_t cut = 0; cut <= len; cut++)
			for (size_t next = cut; next <= len; next++) {
				struct buf b = {0};

				pass_mask_begin(&m, "abcdabcE");
				pass_mask_feed(&m, cases[i].text, cut, given, &b);
				pass_mask_feed(&m, cases[i].text + cut, next - cut, given, &b);
				pass_mask_feed(&m, cases[i].text + next, len - next, given, &b);
				pass_mask_end(&m, given, &b);
				ck_assert_str_eq(b.data != NULL ? b.data : "", cases[i].masked);
				buf_free(&b);
				pass_mask_free(&m);
			}
	}
}
END_TEST

START_TEST(a_key_that_could_be_any_word_is_left)
{
	struct pass_mask m;

	pass_mask_begin(&m, "key");
	ck_assert(!pass_mask_has(&m, "the key"));
	pass_mask_free(&m);
	pass_mask_begin(&m, NULL);
	ck_assert(!pass_mask_has(&m, "the key"));
	pass_mask_free(&m);
}
END_TEST

/* What decides about requests that are passed on. */
Suite *
pass_suite(void)
{
	const TTest *const tests[] = {whose_a_path_is, what_an_origin_gets_of_a_target,
	    a_clients_token_stays_here_and_other_credentials_go_on, a_request_keeps_what_is_for_its_end,
	    an_underscore_hides_no_key, for_whom_a_request_is_passed_on,
	    what_trusted_proxies_say_is_passed_on_and_ourselves_added,
	    an_answer_keeps_what_is_for_its_end, what_connection_lists_stays_whatever_its_case,
	    many_fields_take_no_long_time, a_message_that_was_here_and_one_that_may_not_go_on,
	    the_key_is_taken_out_however_an_answer_is_cut, a_key_that_could_be_any_word_is_left, NULL};

	return unit_suite("pass", tests);
}
