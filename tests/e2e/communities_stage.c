#include "config.h"

#include "communities_test.h"
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the stage's Bluejay knows of communities. */

/* All of them. */
static struct json_object *
community_all(void)
{
	struct reply *r = stage_bluejay("GET", "/__sandbox/state", NULL);
	struct json_object *list = NULL;

	ck_assert_int_eq(r->status, 200);
	ck_assert(json_object_object_get_ex(reply_json(r), "communities", &list));
	return list;
}

/* A string member of one. */
static const char *
community_string(struct json_object *o, const char *member)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(o, member, &value) ? json_object_get_string(value) : "";
}

/* A member of one. */
const char *
community_there(const char *id, const char *member)
{
	static char texts[4][1024];
	static unsigned turn;
	struct json_object *list = community_all(), *value = NULL;
	char *out = texts[turn++ % 4];

	snprintf(out, sizeof texts[0], "(absent)");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (strcmp(community_string(o, "id"), id) == 0 &&
		    json_object_object_get_ex(o, member, &value))
			snprintf(out, sizeof texts[0], "%s",
			    json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
	}
	return out;
}

/* How many of a title there are. */
int
community_has(const char *title, const char **id)
{
	static char found[64];
	struct json_object *list = community_all();
	int n = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (strcmp(community_string(o, "title"), title) != 0)
			continue;
		snprintf(found, sizeof found, "%s", community_string(o, "id"));
		n++;
	}
	if (id != NULL)
		*id = found;
	return n;
}

/* Makes one. */
char *
community_make(const char *body)
{
	struct reply *r = stage_bluejay("POST", "/v1/create-community", body);

	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	return strdup(reply_string(r, "id"));
}

/* Compares an answer. */
void
community_expect(const struct reply *r, int status, const char *id, const char *members)
{
	char text[2048];
	size_t len;

	ck_assert_msg(r->status == status, "%d %s", r->status, r->body);
	len = (size_t)snprintf(text, sizeof text, "{\"id\":\"%s\",%s,\"createdAt\":\"20", id, members);
	ck_assert_msg(strncmp(r->body, text, len) == 0, "%s\ninstead of\n%s", r->body, text);
	ck_assert_uint_eq(r->len, len + strlen("26-11-25T20:22:33.668Z\"}"));
}
