#include "config.h"

#include "communities_test.h"
#include "base/buf.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Communities, over the simulated Bluejay: what each call answers, and whose they are. */

#define KEPT "  cache: {fresh: 10s}\n"

START_TEST(a_community_lives)
{
	struct reply *r;
	char *id, *path;

	stage_open(NULL, NULL);
	r = call("GET", COMMUNITIES, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(r->body, "[]");
	r = call("POST", COMMUNITIES, "{\"title\":\"T\",\"description\":\"\",\"digitalHumanIds\":[3,1],"
	    "\"id\":\"x\",\"createdAt\":\"y\",\"more\":{}}");
	ck_assert_int_eq(r->status, 201);
	id = strdup(reply_string(r, "id"));
	path = strdup(below(COMMUNITIES, id));
	community_expect(r, 201, id, "\"title\":\"T\",\"description\":\"\",\"digitalHumanIds\":[3,1]");
	community_expect(call("GET", path, NULL), 200, id,
	    "\"title\":\"T\",\"description\":\"\",\"digitalHumanIds\":[3,1]");
	r = call("PUT", path, "{\"description\":\"d\",\"title\":null}");
	community_expect(r, 200, id, "\"title\":\"T\",\"description\":\"d\",\"digitalHumanIds\":[3,1]");
	ck_assert_str_eq(community_there(id, "description"), "\"d\"");
	r = call("PUT", path, "{\"title\":\"U\",\"digitalHumanIds\":[]}");
	community_expect(r, 200, id, "\"title\":\"U\",\"description\":\"d\",\"digitalHumanIds\":[]");
	ck_assert_str_eq(community_there(id, "digital_human_ids"), "[]");
	ck_assert_int_eq(stage_received("PUT", "/v1/update-community/{community_id}"), 2);
	ck_assert_int_eq(call("PUT", path, "{}")->status, 200);
	ck_assert_int_eq(stage_received("PUT", "/v1/update-community/{community_id}"), 2);
	r = call("DELETE", path, NULL);
	ck_assert_int_eq(r->status, 204);
	ck_assert_uint_eq(r->len, 0);
	ck_assert_str_eq(community_there(id, "id"), "(absent)");
	expect_error(call("DELETE", path, NULL), 404, "Community not found");
	expect_error(call("GET", path, NULL), 404, "Community not found");
	ck_assert_str_eq(call("GET", COMMUNITIES, NULL)->body, "[]");
	free(id);
	free(path);
	stage_close();
}
END_TEST

START_TEST(absent_stays_absent)
{
	struct reply *r;
	char *id;

	stage_open(NULL, NULL);
	r = call("POST", COMMUNITIES, "{\"title\":\"T\",\"description\":null}");
	id = strdup(reply_string(r, "id"));
	community_expect(r, 201, id, "\"title\":\"T\",\"digitalHumanIds\":[]");
	ck_assert_str_eq(community_there(id, "description"), "null");
	r = call("PUT", below(COMMUNITIES, id), "{\"title\":\"U\"}");
	community_expect(r, 200, id, "\"title\":\"U\",\"digitalHumanIds\":[]");
	ck_assert_str_eq(community_there(id, "description"), "null");
	r = call("PUT", below(COMMUNITIES, id), "{\"description\":\"\"}");
	community_expect(r, 200, id, "\"title\":\"U\",\"description\":\"\",\"digitalHumanIds\":[]");
	free(id);
	stage_close();
}
END_TEST

/* A request that is refused before Bluejay is asked. */
struct refusal {
	const char *method, *below, *fields, *body;
	int status;
	const char *sentence;
};

#define UUID "11111111-2222-4333-8444-555555555555"
#define NUMBERS "digitalHumanIds must be a list of whole numbers"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static const struct refusal refusals[] = {
    {"POST", "", NULL, "{}", 400, "Title is required"},
    {"POST", "", NULL, "{\"title\":null}", 400, "Title is required"},
    {"POST", "", NULL, "{\"title\":\"\"}", 400, "Title is required"},
    {"POST", "", NULL, "{\"title\":5}", 400, "title must be a string"},
    {"POST", "", NULL, "{\"title\":\"a\\u0000b\"}", 400,
        "title must not contain the character U+0000"},
    {"POST", "", NULL, "{\"title\":\"T\",\"description\":5}", 400, "description must be a string"},
    {"POST", "", NULL, "{\"title\":\"T\",\"digitalHumanIds\":7}", 400, NUMBERS},
    {"POST", "", NULL, "{\"title\":\"T\",\"digitalHumanIds\":{}}", 400, NUMBERS},
    {"POST", "", NULL, "{\"title\":\"T\",\"digitalHumanIds\":[1,\"7\"]}", 400,
        NUMBERS ", the ids of digital humans in Bluejay; \"7\" is none"},
    {"POST", "", NULL, "{\"title\":\"T\",\"digitalHumanIds\":[\"" UUID "\"]}", 400,
        NUMBERS ", the ids of digital humans in Bluejay; \"" UUID "\" is the id of something else, "
        "such as a persona"},
    {"POST", "", NULL, "{\"title\":\"T\",\"digitalHumanIds\":[1.5]}", 400,
        NUMBERS ", the ids of digital humans in Bluejay; 1.5 is none"},
    {"POST", "", NULL, "{\"title\":\"T\",\"digitalHumanIds\":[null]}", 400,
        NUMBERS ", the ids of digital humans in Bluejay; null is none"},
    {"POST", "", NULL, "[]", 400, "Request body must be a JSON object"},
    {"POST", "", FORM, "title=T", 415,
        "Unsupported Media Type: application/x-www-form-urlencoded"},
    {"PUT", "/ID", NULL, "{\"title\":\"\"}", 400, "Title is required"},
    {"PUT", "/ID", NULL, "{\"digitalHumanIds\":[true]}", 400,
        NUMBERS ", the ids of digital humans in Bluejay; true is none"},
    {"PUT", "/ID", FORM, "title=T", 415,
        "Unsupported Media Type: application/x-www-form-urlencoded"},
    {"PUT", "/ID/digital-humans", NULL, "{}", 400, "digitalHumanIds is required"},
    {"PUT", "/ID/digital-humans", NULL, "{\"digitalHumanIds\":null}", 400,
        "digitalHumanIds is required"},
    {"PUT", "/ID/digital-humans", NULL, "{\"digitalHumanIds\":\"1\"}", 400, NUMBERS},
    {"PUT", "/ID/digital-humans", FORM, "x", 415,
        "Unsupported Media Type: application/x-www-form-urlencoded"},
    {"GET", "/" UUID, NULL, NULL, 404, "Community not found"},
    {"GET", "/none", NULL, NULL, 404, "Community not found"},
    {"PUT", "/" UUID, NULL, "{\"title\":\"T\"}", 404, "Community not found"},
    {"PUT", "/" UUID "/digital-humans", NULL, "{\"digitalHumanIds\":[1]}", 404,
        "Community not found"},
    {"DELETE", "/" UUID, NULL, NULL, 404, "Community not found"},
    {"PATCH", "", NULL, "{}", 405, "Method not allowed"},
    {"POST", "/ID", NULL, "{}", 405, "Method not allowed"},
    {"GET", "/ID/digital-humans", NULL, NULL, 405, "Method not allowed"},
    {"GET", "/ID/personas", NULL, NULL, 404, "Not found"},
};

START_TEST(what_cannot_be_is_refused_before_bluejay_is_asked)
{
	char *id, path[256];

	stage_open(KEPT, NULL);
	id = create(COMMUNITIES, "{\"title\":\"T\"}");
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		const struct refusal *q = &refusals[i];
		const char *at = strstr(q->below, "ID");

		snprintf(path, sizeof path, COMMUNITIES "%.*s%s%s",
		    at == NULL ? (int)strlen(q->below) : (int)(at - q->below), q->below,
		    at == NULL ? "" : id, at == NULL ? "" : at + 2);
		expect_error(call_with(q->method, path, q->fields, q->body), q->status, q->sentence);
	}
	expect_error(call("GET", "/api/projects/none/communities", NULL), 404, "Project not found");
	ck_assert_int_eq(stage_received("POST", "/v1/create-community"), 1);
	ck_assert_int_eq(stage_received("PUT", "/v1/update-community/{community_id}"), 0);
	ck_assert_int_eq(stage_received("PUT", "/v1/add-to-community/{community_id}"), 0);
	ck_assert_int_eq(stage_received("GET", "/v1/community/{community_id}"), 0);
	ck_assert_int_eq(stage_received("GET", "/v1/communities"), 0);
	free(id);
	stage_close();
}
END_TEST

START_TEST(a_body_may_be_large_but_not_too_large)
{
	struct buf b;
	char *id;
	struct reply *r;

	stage_open(NULL, NULL);
	buf_init(&b, 0);
	buf_adds(&b, "{\"title\":\"T\",\"digitalHumanIds\":[");
	for (int i = 0; i < 9000; i++)
		buf_addf(&b, "%s%lld", i == 0 ? "" : ",", INT64_MAX - 9000 + (long long)i);
	buf_adds(&b, "]}");
	id = create(COMMUNITIES, b.data);
	r = call("GET", below(COMMUNITIES, id), NULL);
	ck_assert_ptr_nonnull(strstr(r->body, ",9223372036854775806],\"createdAt\""));
	ck_assert_ptr_nonnull(strstr(r->body, "[9223372036854766807,9223372036854766808,"));
	ck_assert_uint_gt(r->len, (size_t)9000 * 20);
	buf_clear(&b);
	buf_adds(&b, "{\"title\":\"");
	while (b.len < ((size_t)1 << 20))
		buf_adds(&b, "tttttttttttttttttttttttttttttttt");
	buf_adds(&b, "\"}");
	ck_assert_int_eq(call("POST", COMMUNITIES, b.data)->status, 413);
	expect_error(call("POST", COMMUNITIES, "{\"title\":\"T\",\"digitalHumanIds\":"
	    "[18446744073709551615]}"), 400,
	    "digitalHumanIds holds a number that is too large for Bluejay");
	buf_free(&b);
	free(id);
	stage_close();
}
END_TEST

START_TEST(digital_humans_are_added_once)
{
	char *id, *path;

	stage_open(NULL, NULL);
	id = create(COMMUNITIES, "{\"title\":\"T\",\"digitalHumanIds\":[1]}");
	path = strdup(below(below(COMMUNITIES, id), "digital-humans"));
	for (int i = 0; i < 2; i++) {
		community_expect(call("PUT", path, "{\"digitalHumanIds\":[1,9223372036854775807,2],"
		    "\"title\":\"ignored\"}"), 200, id,
		    "\"title\":\"T\",\"digitalHumanIds\":[1,9223372036854775807,2]");
		ck_assert_str_eq(community_there(id, "digital_human_ids"),
		    "[1,9223372036854775807,2]");
	}
	ck_assert_int_eq(stage_received("PUT", "/v1/add-to-community/{community_id}"), 2);
	community_expect(call("PUT", path, "{\"digitalHumanIds\":[]}"), 200, id,
	    "\"title\":\"T\",\"digitalHumanIds\":[1,9223372036854775807,2]");
	ck_assert_int_eq(stage_received("PUT", "/v1/add-to-community/{community_id}"), 2);
	free(id);
	free(path);
	stage_close();
}
END_TEST

/* Reads one that is there, with a condition; its status. */
static int
read_if(const char *path, const char *etag)
{
	char fields[200];

	snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", etag);
	return call_with("GET", path, fields, NULL)->status;
}

START_TEST(reads_are_remembered_tagged_and_forced)
{
	char *id, *path, etag[100];
	struct reply *r;

	stage_open(KEPT, NULL);
	id = create(COMMUNITIES, "{\"title\":\"T\"}");
	path = strdup(below(COMMUNITIES, id));
	r = call("GET", path, NULL);
	ck_assert_str_eq(reply_field(r, "x-cache"), "hit");
	snprintf(etag, sizeof etag, "%s", reply_field(r, "etag"));
	ck_assert_int_eq(read_if(path, etag), 304);
	ck_assert_int_eq(stage_received("GET", "/v1/community/{community_id}"), 0);
	r = call_with("GET", path, "Cache-Control: no-cache\r\n", NULL);
	ck_assert_str_eq(reply_field(r, "x-cache"), "miss");
	ck_assert_int_eq(stage_received("GET", "/v1/community/{community_id}"), 1);
	r = call("GET", COMMUNITIES, NULL);
	ck_assert_str_eq(reply_field(r, "x-cache"), "miss");
	r = call("GET", COMMUNITIES, NULL);
	ck_assert_str_eq(reply_field(r, "x-cache"), "hit");
	ck_assert_int_eq(stage_received("GET", "/v1/communities"), 1);
	ck_assert_int_eq(call("PUT", path, "{\"title\":\"U\"}")->status, 200);
	ck_assert_int_eq(read_if(path, etag), 200);
	ck_assert_ptr_nonnull(strstr(call("GET", COMMUNITIES, NULL)->body, "\"U\""));
	free(id);
	free(path);
	stage_close();
}
END_TEST

START_TEST(without_bluejay_the_last_copy_is_told)
{
	char *id, *path;
	struct reply *r;

	stage_open("  timeouts: {connect: 1s, first_byte: 1s, total: 2s}\n  retries: 1\n"
	    "  cache: {fresh: 0s}\n", NULL);
	id = create(COMMUNITIES, "{\"title\":\"T\"}");
	path = strdup(below(COMMUNITIES, id));
	ck_assert_int_eq(call("GET", COMMUNITIES, NULL)->status, 200);
	stage_faults("{\"profile\":\"errors-before\",\"percent\":100}");
	r = call("GET", path, NULL);
	community_expect(r, 200, id, "\"title\":\"T\",\"digitalHumanIds\":[]");
	ck_assert_str_eq(reply_field(r, "x-cache"), "stale");
	ck_assert_ptr_nonnull(reply_field(r, "age"));
	r = call("GET", COMMUNITIES, NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(reply_field(r, "x-cache"), "stale");
	ck_assert_ptr_nonnull(strstr(r->body, id));
	ck_assert_int_eq(call_with("GET", path, "Cache-Control: no-cache\r\n", NULL)->status, 502);
	ck_assert_int_eq(call_with("GET", COMMUNITIES, "Cache-Control: no-cache\r\n", NULL)->status,
	    502);
	free(id);
	free(path);
	stage_close();
}
END_TEST

START_TEST(a_project_shows_its_own_communities_only)
{
	char *own, *other, *made;
	struct reply *r;

	stage_open(NULL, NULL);
	own = create(COMMUNITIES, "{\"title\":\"T\"}");
	other = create(COMMUNITIES_PLAIN, "{\"title\":\"T\"}");
	made = community_make("{\"title\":\"T\"}");
	for (int i = 0; i < 2; i++) {
		const char *base = i == 0 ? COMMUNITIES : COMMUNITIES_PLAIN;
		const char *mine = i == 0 ? own : other, *foreign[] = {i == 0 ? other : own, made};

		r = call("GET", base, NULL);
		ck_assert_ptr_nonnull(strstr(r->body, mine));
		for (int k = 0; k < 2; k++) {
			char *path = strdup(below(base, foreign[k]));

			ck_assert_ptr_null(strstr(call("GET", base, NULL)->body, foreign[k]));
			expect_error(call("GET", path, NULL), 404, "Community not found");
			expect_error(call("PUT", path, "{\"title\":\"X\"}"), 404, NULL);
			expect_error(call("PUT", below(path, "digital-humans"),
			    "{\"digitalHumanIds\":[1]}"), 404, NULL);
			expect_error(call("DELETE", path, NULL), 404, NULL);
			ck_assert_str_eq(community_there(foreign[k], "title"), "\"T\"");
			free(path);
		}
		stage_kill_gateway();
		stage_start_gateway();
	}
	ck_assert_int_eq(stage_received("DELETE", "/v1/community/{community_id}"), 0);
	free(own);
	free(other);
	free(made);
	stage_close();
}
END_TEST

START_TEST(with_the_organisations_scope_all_are_shown_and_changed)
{
	char *own, *made, *path;
	struct reply *r;

	stage_open(KEPT, "communities: {scope: organisation}\n");
	made = community_make("{\"title\":\"M\"}");
	community_expect(call("GET", below(COMMUNITIES, made), NULL), 200, made,
	    "\"title\":\"M\",\"digitalHumanIds\":[]");
	own = create(COMMUNITIES, "{\"title\":\"O\"}");
	r = call("GET", COMMUNITIES_PLAIN, NULL);
	ck_assert_ptr_nonnull(strstr(r->body, own));
	ck_assert_ptr_nonnull(strstr(r->body, made));
	ck_assert(strstr(r->body, made) < strstr(r->body, own));
	/* What one project does the others see at once. */
	path = strdup(below(COMMUNITIES_PLAIN, own));
	community_expect(call("GET", path, NULL), 200, own, "\"title\":\"O\",\"digitalHumanIds\":[]");
	ck_assert_int_eq(call("PUT", below(COMMUNITIES, own), "{\"title\":\"P\"}")->status, 200);
	community_expect(call("GET", path, NULL), 200, own, "\"title\":\"P\",\"digitalHumanIds\":[]");
	EVENTUALLY(strcmp(reply_field(call("GET", COMMUNITIES_PLAIN, NULL), "x-cache"), "hit") == 0);
	ck_assert_int_eq(call("PUT", below(COMMUNITIES, own), "{\"title\":\"Q\"}")->status, 200);
	ck_assert_ptr_nonnull(strstr(call("GET", COMMUNITIES_PLAIN, NULL)->body, "\"Q\""));
	community_expect(call("PUT", below(below(COMMUNITIES_PLAIN, made), "digital-humans"),
	    "{\"digitalHumanIds\":[4]}"), 200, made, "\"title\":\"M\",\"digitalHumanIds\":[4]");
	stage_faults("{\"profile\":\"lagging-lists\",\"percent\":100}");
	ck_assert_int_eq(call("DELETE", path, NULL)->status, 204);
	ck_assert_ptr_nonnull(strstr(stage_bluejay("GET", "/v1/communities", NULL)->body, own));
	expect_error(call("GET", below(COMMUNITIES, own), NULL), 404, "Community not found");
	ck_assert_ptr_null(strstr(call("GET", COMMUNITIES, NULL)->body, own));
	ck_assert_ptr_null(strstr(call("GET", COMMUNITIES_PLAIN, NULL)->body, own));
	expect_error(call("GET", below(COMMUNITIES, UUID), NULL), 404, "Community not found");
	free(own);
	free(made);
	free(path);
	stage_close();
}
END_TEST

START_TEST(what_one_project_deletes_no_other_shows_from_memory)
{
	char *own, *path;

	stage_open(KEPT, "communities: {scope: organisation}\n");
	own = create(COMMUNITIES, "{\"title\":\"O\"}");
	path = strdup(below(COMMUNITIES, own));
	ck_assert_int_eq(call("GET", path, NULL)->status, 200);
	ck_assert_int_eq(call("DELETE", below(COMMUNITIES_PLAIN, own), NULL)->status, 204);
	expect_error(call("GET", path, NULL), 404, "Community not found");
	ck_assert_ptr_null(strstr(call("GET", COMMUNITIES, NULL)->body, own));
	free(own);
	free(path);
	stage_close();
}
END_TEST

/* Starts the gateway again with another end of its file. */
static void
restart_with(const char *base, const char *more)
{
	FILE *f;

	stage_kill_gateway();
	f = fopen(stage_config(), "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "%s%s", base, more);
	fclose(f);
	stage_start_gateway();
}

START_TEST(the_scope_may_change_and_change_back)
{
	char *own, *made, *later, *base;
	const char *organisation = "communities: {scope: organisation}\n";

	stage_open(NULL, NULL);
	base = shell("cat %s", stage_config());
	own = create(COMMUNITIES, "{\"title\":\"O\"}");
	made = community_make("{\"title\":\"M\"}");
	restart_with(base, organisation);
	later = create(COMMUNITIES, "{\"title\":\"L\"}");
	ck_assert_ptr_nonnull(strstr(call("GET", COMMUNITIES, NULL)->body, made));
	ck_assert_int_eq(call("PUT", below(COMMUNITIES, made), "{\"title\":\"N\"}")->status, 200);
	restart_with(base, "");
	ck_assert_ptr_nonnull(strstr(call("GET", COMMUNITIES, NULL)->body, own));
	ck_assert_ptr_nonnull(strstr(call("GET", COMMUNITIES, NULL)->body, later));
	ck_assert_ptr_null(strstr(call("GET", COMMUNITIES, NULL)->body, made));
	expect_error(call("GET", below(COMMUNITIES, made), NULL), 404, "Community not found");
	restart_with(base, organisation);
	ck_assert_int_eq(call("GET", below(COMMUNITIES, made), NULL)->status, 200);
	free(own);
	free(made);
	free(later);
	free(base);
	stage_close();
}
END_TEST

START_TEST(the_mapping_is_the_files)
{
	char *id, *path;
	struct reply *r;

	stage_open(NULL,
	    "mapping:\n"
	    "  community:\n"
	    "    fields:\n"
	    "      title: title\n"
	    "      about.text: {to: description, when_absent: none}\n"
	    "      humans: {to: digital_human_ids, as: integers}\n"
	    "      madeAt: {to: created_at, as: timestamp, read_only: true}\n"
	    "    kept_here: [owner]\n");
	r = call("POST", COMMUNITIES, "{\"title\":\"T\",\"humans\":[2],\"owner\":{\"a\":[1]}}");
	ck_assert_int_eq(r->status, 201);
	id = strdup(reply_string(r, "id"));
	path = strdup(below(COMMUNITIES, id));
	ck_assert_str_eq(community_there(id, "description"), "\"none\"");
	ck_assert_ptr_null(strstr(r->body, "about"));
	ck_assert_ptr_nonnull(strstr(r->body, "\"humans\":[2],\"owner\":{\"a\":[1]},\"madeAt\":\"2"));
	r = call("PUT", path, "{\"about\":{\"text\":\"why\"}}");
	ck_assert_ptr_nonnull(strstr(r->body, "\"about\":{\"text\":\"why\"},\"humans\":[2],"));
	ck_assert_str_eq(community_there(id, "description"), "\"why\"");
	r = call("PUT", below(path, "digital-humans"), "{\"humans\":[5]}");
	ck_assert_ptr_nonnull(strstr(r->body, "\"humans\":[2,5],\"owner\":{\"a\":[1]}"));
	expect_error(call("PUT", below(path, "digital-humans"), "{\"humans\":[\"5\"]}"), 400,
	    "humans must be a list of whole numbers, the ids of digital humans in Bluejay; \"5\" is none");
	expect_error(call("PUT", below(path, "digital-humans"), "{\"digitalHumanIds\":[5]}"), 400,
	    "humans is required");
	free(id);
	free(path);
	stage_close();
}
END_TEST

/* The suite. */
static Suite *
communities_suite(void)
{
	const TTest *const tests[] = {
	    a_community_lives,
	    absent_stays_absent,
	    what_cannot_be_is_refused_before_bluejay_is_asked,
	    a_body_may_be_large_but_not_too_large,
	    digital_humans_are_added_once,
	    reads_are_remembered_tagged_and_forced,
	    without_bluejay_the_last_copy_is_told,
	    a_project_shows_its_own_communities_only,
	    with_the_organisations_scope_all_are_shown_and_changed,
	    what_one_project_deletes_no_other_shows_from_memory,
	    the_scope_may_change_and_change_back,
	    the_mapping_is_the_files,
	    NULL,
	};

	return unit_suite("communities", tests);
}

UNIT_MAIN(communities_suite, communities_fault_suite, communities_race_suite)
