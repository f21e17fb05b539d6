#include "config.h"

#include "core_test.h"
#include "core/connector.h"
#include "json/json_read.h"

#include <stdio.h>
#include <string.h>

/* Merges a persona's headers into a list. */
static bool
merge(struct header_list *list, const char *text)
{
	struct json_object *own;
	bool all;

	ck_assert(json_read(text, strlen(text), &own, NULL));
	all = connector_merge(list, own);
	json_object_put(own);
	return all;
}

/* The value of a header, or "none". */
static const char *
value(const struct header_list *list, const char *name)
{
	const struct header *h = header_list_find(list, name);

	return h != NULL ? h->value : "none";
}

START_TEST(the_persona_wins)
{
	struct header_list list = {0};

	header_list_put(&list, "X-A", "configured");
	header_list_put(&list, "X-B", "configured");
	ck_assert(merge(&list, "{\"x-a\":\"own\",\"X-C\":\"\",\"x-c\":\"later\"}"));
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(value(&list, "X-A"), "own");
	ck_assert_str_eq(value(&list, "X-B"), "configured");
	ck_assert_str_eq(value(&list, "X-C"), "later");
	header_list_clear(&list);
}
END_TEST

START_TEST(what_cannot_be_sent_is_left_out)
{
	struct header_list list = {0};

	header_list_put(&list, "X-A", "configured");
	ck_assert(merge(&list, "{\"X-A\":null,\"x-a\":\"a\\u0000b\",\"X-a\":\"a\\nb\",\"X-B\":1,"
	    "\"X-C\":[\"x\"],\"X-D\":{},\"X-E\":true,\"\":\"x\",\"a b\":\"x\",\"host\":\"x\","
	    "\"x-api-key\":\"x\",\"X-F\":\"\xc3\xb6\"}"));
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(value(&list, "X-A"), "configured");
	ck_assert_str_eq(value(&list, "X-F"), "\xc3\xb6");
	ck_assert(merge(&list, "[\"X-G\"]"));
	ck_assert(merge(&list, "\"X-G\""));
	ck_assert(merge(&list, "null"));
	ck_assert_uint_eq(list.count, 2);
	header_list_clear(&list);
}
END_TEST

START_TEST(what_has_no_room_is_told)
{
	struct header_list list = {0};
	char text[4000] = "{\"X-A\":\"1\"";
	size_t n = strlen(text);

	for (int i = 0; i < HEADER_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, ",\"X-%d\":\"%d\"", i, i);
	snprintf(text + n, sizeof text - n, ",\"x-a\":\"2\"}");
	ck_assert(!merge(&list, text));
	ck_assert_uint_eq(list.count, HEADER_MAX);
	ck_assert_str_eq(value(&list, "X-A"), "2");
	ck_assert_str_eq(value(&list, "X-30"), "30");
	ck_assert_str_eq(value(&list, "X-31"), "none");
	header_list_clear(&list);
}
END_TEST

/* The suite. */
Suite *
connector_suite(void)
{
	const TTest *const tests[] = {the_persona_wins, what_cannot_be_sent_is_left_out,
	    what_has_no_room_is_told, NULL};

	return unit_suite("connector", tests);
}
