#include "config.h"

#include "core/twin_body.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define TWIN_BODY_ID_PART 8 /* characters of an id in another name */

static const char *const twin_fields[] = {"name", "description", "systemPrompt", "headers",
    "imageUrl", NULL};

/* A member; NULL when it is missing or null. */
static struct json_object *
twin_body_get(struct json_object *o, const char *field)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(o, field, &value) ? value : NULL;
}

/* Takes the fields of a twin. */
struct json_object *
twin_body(struct json_object *local)
{
	struct json_object *body = json_object_new_object(), *value;

	for (const char *const *f = twin_fields; *f != NULL; f++)
		if ((value = twin_body_get(local, *f)) != NULL)
			json_object_object_add(body, *f, json_object_get(value));
	return body;
}

/* Reads an object that a record keeps as text; NULL when there is none. */
static struct json_object *
twin_body_parse(const char *text)
{
	struct json_object *o = NULL;

	if (text != NULL)
		json_read(text, strlen(text), &o, NULL);
	return o;
}

/* Takes them from a record. */
struct json_object *
twin_body_of(const struct mapping *mapping, const struct store_record *r)
{
	struct json_object *content = twin_body_parse(r->content);
	struct json_object *absent = twin_body_parse(r->absent), *kept = twin_body_parse(r->kept);
	struct json_object *local = NULL, *body = NULL;

	if (content != NULL && mapping_answer_make(mapping, content, r->local_id, absent, kept,
	        r->updated_ms, &local, NULL) == 0)
		body = twin_body(local);
	json_object_put(local);
	json_object_put(kept);
	json_object_put(absent);
	json_object_put(content);
	return body;
}

/* Takes another name. */
struct json_object *
twin_body_named(struct json_object *body, const char *name)
{
	struct json_object *named = twin_body(body);

	json_object_object_add(named, "name", json_object_new_string(name));
	return named;
}

/* Whether a value says nothing: absent, or empty in its type. */
static bool
twin_body_is_empty(struct json_object *value)
{
	return value == NULL ||
	    (json_object_is_type(value, json_type_string) && json_object_get_string_len(value) == 0) ||
	    (json_object_is_type(value, json_type_object) && json_object_object_length(value) == 0);
}

/* Whether a field shows what it should. */
static bool
twin_body_same(struct json_object *should, struct json_object *is)
{
	if (should == NULL)
		return twin_body_is_empty(is);
	return is != NULL && json_equal(should, is);
}

/* Shortens a body. */
void
twin_body_digest(struct json_object *body, char out[DIGEST_HEX_SIZE])
{
	struct json_object *all = twin_body(body);
	size_t len;
	char *text;

	json_object_object_del(all, "imageUrl");
	text = json_print(all, &len);
	digest_hex(text, len, out);
	free(text);
	json_object_put(all);
}

/* Compares. */
bool
twin_body_shown(struct json_object *body, struct json_object *twin)
{
	for (const char *const *f = twin_fields; *f != NULL; f++)
		if (!twin_body_same(twin_body_get(body, *f), twin_body_get(twin, *f)))
			return false;
	return true;
}

/* Makes the change. */
struct json_object *
twin_body_change(struct json_object *body, struct json_object *twin)
{
	struct json_object *change = json_object_new_object();

	for (const char *const *f = twin_fields; *f != NULL; f++) {
		struct json_object *should = twin_body_get(body, *f), *is = twin_body_get(twin, *f);

		if (twin_body_same(should, is))
			continue;
		if (should != NULL)
			json_object_object_add(change, *f, json_object_get(should));
		else if (json_object_is_type(is, json_type_object))
			json_object_object_add(change, *f, json_object_new_object());
		else
			json_object_object_add(change, *f, json_object_new_string(""));
	}
	return change;
}

/* Recognises one that was made here. */
bool
twin_body_is_made(struct json_object *twin, const char *digest, int64_t since_ms)
{
	const char *text = json_get_string(twin, "createdAt");
	char own[DIGEST_HEX_SIZE];
	int64_t created;

	if (digest == NULL || text == NULL || !timestamp_parse(text, strlen(text), &created) ||
	    created < since_ms)
		return false;
	twin_body_digest(twin, own);
	return strcmp(own, digest) == 0;
}

/* Makes another name. */
char *
twin_body_other_name(const char *name, const char *what, const char *id)
{
	return mem_format("%s (%s%s%.*s)", name, what, *what == '\0' ? "" : " ", TWIN_BODY_ID_PART, id);
}
