#include "config.h"

#include "sandbox_test.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define NOBODY "3c90c3cc-0d44-4b50-8888-8dd25736052a"

/* Creates a community and gives its id. */
static void
make_community(struct rig *r, const char *body, char id[UUID_SIZE])
{
	struct reply reply = fetch(r, "POST", "/v1/create-community", body);

	ck_assert_int_eq(reply.status, 200);
	schema_community(reply.json);
	memcpy(id, dig_text(reply.json, "id"), UUID_SIZE);
	reply_free(&reply);
}

/* Sends a request to a path with an id and wants these members in the answer. */
static void
expect(struct rig *r, const char *method, const char *stem, const char *id, const char *body,
    const char *title, const char *description, const char *ids)
{
	char *path = mem_format("%s/%s", stem, id);
	struct reply reply = fetch(r, method, path, body);

	ck_assert_int_eq(reply.status, 200);
	schema_community(reply.json);
	ck_assert_str_eq(dig_text(reply.json, "id"), id);
	ck_assert_str_eq(dig_text(reply.json, "title"), title);
	if (description == NULL)
		ck_assert_ptr_null(dig(reply.json, "description"));
	else
		ck_assert_str_eq(dig_text(reply.json, "description"), description);
	ck_assert_str_eq(json_object_to_json_string_ext(dig(reply.json, "digital_human_ids"),
	                     JSON_C_TO_STRING_PLAIN),
	    ids);
	reply_free(&reply);
	free(path);
}

START_TEST(a_community_is_created_with_and_without_its_optional_members)
{
	char id[UUID_SIZE];
	struct rig r;

	rig_open(&r, NULL);
	make_community(&r, "{\"title\":\"a\"}", id);
	expect(&r, "GET", "/v1/community", id, NULL, "a", NULL, "[]");
	make_community(&r, "{\"title\":\"\",\"description\":null,\"digital_human_ids\":null}", id);
	expect(&r, "GET", "/v1/community", id, NULL, "", NULL, "[]");
	make_community(&r,
	    "{\"title\":\"b\",\"description\":\"\",\"digital_human_ids\":[3,-1,3]}", id);
	expect(&r, "GET", "/v1/community", id, NULL, "b", "", "[3,-1,3]");
	rig_close(&r);
}
END_TEST

START_TEST(an_update_replaces_the_list_and_keeps_what_is_null)
{
	char id[UUID_SIZE];
	struct rig r;

	rig_open(&r, NULL);
	make_community(&r,
	    "{\"title\":\"a\",\"description\":\"d\",\"digital_human_ids\":[1,2]}", id);
	expect(&r, "PUT", "/v1/update-community", id, "{}", "a", "d", "[1,2]");
	expect(&r, "PUT", "/v1/update-community", id,
	    "{\"title\":null,\"description\":null,\"digital_human_ids\":null}", "a", "d", "[1,2]");
	expect(&r, "PUT", "/v1/update-community", id,
	    "{\"title\":\"b\",\"digital_human_ids\":[9]}", "b", "d", "[9]");
	expect(&r, "PUT", "/v1/update-community", id, "{\"digital_human_ids\":[]}", "b", "d", "[]");
	expect(&r, "GET", "/v1/community", id, NULL, "b", "d", "[]");
	rig_close(&r);
}
END_TEST

START_TEST(adding_keeps_the_list_and_doubles_nothing)
{
	char id[UUID_SIZE];
	struct rig r;

	rig_open(&r, NULL);
	make_community(&r, "{\"title\":\"a\",\"digital_human_ids\":[1,2]}", id);
	expect(&r, "PUT", "/v1/add-to-community", id, "{\"digital_human_ids\":[2,3,3,1,4]}", "a",
	    NULL, "[1,2,3,4]");
	expect(&r, "PUT", "/v1/add-to-community", id, "{\"digital_human_ids\":[]}", "a", NULL,
	    "[1,2,3,4]");
	expect(&r, "GET", "/v1/community", id, NULL, "a", NULL, "[1,2,3,4]");
	rig_close(&r);
}
END_TEST

START_TEST(the_list_counts_what_it_shows_and_filters)
{
	char one[UUID_SIZE], two[UUID_SIZE];
	struct reply list;
	struct rig r;

	rig_open(&r, NULL);
	make_community(&r, "{\"title\":\"a\",\"digital_human_ids\":[1,2]}", one);
	make_community(&r, "{\"title\":\"b\",\"digital_human_ids\":[2,3]}", two);
	list = fetch(&r, "GET", "/v1/communities", NULL);
	ck_assert_int_eq(list.status, 200);
	ck_assert_int_eq(json_object_object_length(list.json), 2);
	ck_assert_int_eq(json_object_get_int(dig(list.json, "total_count")), 2);
	schema_community(dig(list.json, "communities.0"));
	ck_assert_str_eq(dig_text(list.json, "communities.0.id"), one);
	ck_assert_str_eq(dig_text(list.json, "communities.1.id"), two);
	reply_free(&list);
	list = fetch(&r, "GET", "/v1/communities?x=1&digital_human_id=9&digital_human_id=3", NULL);
	ck_assert_int_eq(json_object_get_int(dig(list.json, "total_count")), 1);
	ck_assert_str_eq(dig_text(list.json, "communities.0.id"), two);
	reply_free(&list);
	list = fetch(&r, "GET", "/v1/communities?digital_human_id=7", NULL);
	ck_assert_str_eq(list.body, "{\"communities\":[],\"total_count\":0}");
	reply_free(&list);
	rig_close(&r);
}
END_TEST

START_TEST(a_deleted_community_is_gone_everywhere)
{
	static const char gone[] = "{\"detail\":\"Community not found\"}";
	char id[UUID_SIZE], path[128];
	struct reply reply;
	struct rig r;

	rig_open(&r, NULL);
	make_community(&r, "{\"title\":\"a\",\"digital_human_ids\":[1]}", id);
	expect(&r, "DELETE", "/v1/community", id, NULL, "a", NULL, "[1]");
	for (int i = 0; i < 4; i++) {
		static const char *const ways[][3] = {{"GET", "community", NULL},
			{"DELETE", "community", NULL}, {"PUT", "update-community", "{}"},
			{"PUT", "add-to-community", "{\"digital_human_ids\":[1]}"}};

		snprintf(path, sizeof path, "/v1/%s/%s", ways[i][1], id);
		reply = fetch(&r, ways[i][0], path, ways[i][2]);
		ck_assert_int_eq(reply.status, 404);
		ck_assert_str_eq(reply.body, gone);
		reply_free(&reply);
	}
	reply = fetch(&r, "GET", "/v1/communities", NULL);
	ck_assert_str_eq(reply.body, "{\"communities\":[],\"total_count\":0}");
	reply_free(&reply);
	rig_close(&r);
}
END_TEST

START_TEST(personas_and_communities_do_not_share_ids)
{
	char persona[UUID_SIZE], community[UUID_SIZE], path[128];
	struct reply reply;
	struct rig r;

	rig_open(&r, NULL);
	make_persona(&r, 7, "Ann", persona);
	make_community(&r, "{\"title\":\"a\"}", community);
	snprintf(path, sizeof path, "/v1/community/%s", persona);
	reply = fetch(&r, "DELETE", path, NULL);
	ck_assert_int_eq(reply.status, 404);
	reply_free(&reply);
	snprintf(path, sizeof path, "/v1/customer-persona/%s", community);
	reply = fetch(&r, "DELETE", path, NULL);
	ck_assert_int_eq(reply.status, 404);
	reply_free(&reply);
	rig_close(&r);
}
END_TEST

/* The tests. */
Suite *
suite_community(void)
{
	const TTest *const tests[] = {
		a_community_is_created_with_and_without_its_optional_members,
		an_update_replaces_the_list_and_keeps_what_is_null,
		adding_keeps_the_list_and_doubles_nothing,
		the_list_counts_what_it_shows_and_filters,
		a_deleted_community_is_gone_everywhere,
		personas_and_communities_do_not_share_ids,
		NULL,
	};

	return unit_suite("sandbox communities", tests);
}
