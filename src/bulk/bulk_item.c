#include "config.h"

#include "bulk/bulk_item.h"
#include "base/digest.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#define BULK_ITEM_VALUES 20000 /* JSON values in one, as in a request's body */

/* What each side makes by itself. */
static const char *const bulk_item_made[] = {"id", "createdAt", "updatedAt", "imageUrl"};

/* Whether a member is said. */
bool
bulk_item_says(const char *member)
{
	for (size_t i = 0; i < sizeof bulk_item_made / sizeof *bulk_item_made; i++)
		if (strcmp(member, bulk_item_made[i]) == 0)
			return false;
	return true;
}

/* The value of a hexadecimal digit in lower case; -1: it is none. */
static int
bulk_digest_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* Reads the digest's text. */
bool
bulk_digest_read(const char *text, unsigned char out[BULK_DIGEST_SIZE])
{
	for (size_t i = 0; i < BULK_DIGEST_SIZE; i++) {
		int high = bulk_digest_digit(text[2 * i]);
		int low = high >= 0 ? bulk_digest_digit(text[2 * i + 1]) : -1;

		if (low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return text[BULK_DIGEST_TEXT_SIZE - 1] == '\0';
}

/* Writes it. */
void
bulk_digest_text(const unsigned char digest[BULK_DIGEST_SIZE], char out[BULK_DIGEST_TEXT_SIZE])
{
	digest_print(digest, BULK_DIGEST_SIZE, out);
}

/* Makes a digest: the first half of SHA-256. */
void
bulk_digest(const void *bytes, size_t len, unsigned char out[BULK_DIGEST_SIZE])
{
	unsigned char whole[DIGEST_SIZE];

	digest_raw(bytes, len, whole);
	memcpy(out, whole, BULK_DIGEST_SIZE);
}

/* Picks out what is said. */
static struct json_object *
bulk_item_body(struct json_object *all)
{
	struct json_object *body = json_object_new_object();

	json_object_object_foreach(all, key, value)
		if (value != NULL && bulk_item_says(key))
			json_object_object_add(body, key, json_object_get(value));
	return body;
}

/* Reads one. */
bool
bulk_item_read(struct bulk_item *item, const char *text, size_t len, struct fail *f)
{
	struct json_error error;
	struct json_object *name = NULL;
	char *printed;

	memset(item, 0, sizeof *item);
	if (!json_read_bounded(text, len, BULK_ITEM_VALUES, &item->all, &error)) {
		fail_set(f, "is not JSON: %s at byte %zu", error.text, error.offset + 1);
		return false;
	}
	if (!json_object_is_type(item->all, json_type_object)) {
		fail_set(f, "is not an object");
		bulk_item_clear(item);
		return false;
	}
	item->body = bulk_item_body(item->all);
	item->name = "";
	if (json_object_object_get_ex(item->body, "name", &name) &&
	    json_object_is_type(name, json_type_string)) {
		item->name = json_object_get_string(name);
		item->name_len = (size_t)json_object_get_string_len(name);
	}
	printed = json_print(item->body, &len);
	bulk_digest(printed, len, item->digest);
	free(printed);
	return true;
}

/* Frees what it holds. */
void
bulk_item_clear(struct bulk_item *item)
{
	json_object_put(item->body);
	json_object_put(item->all);
	memset(item, 0, sizeof *item);
}

/* Whether a member is one of the API's, which every side keeps. */
static bool
bulk_item_is_api(const char *member)
{
	return strcmp(member, "name") == 0 || strcmp(member, "description") == 0 ||
	    strcmp(member, "systemPrompt") == 0 || strcmp(member, "headers") == 0;
}

/* Notes a difference. */
static void
bulk_differ_add(struct bulk_differ *d, const char *member)
{
	if (d->count < BULK_DIFFER_MAX)
		d->names[d->count++] = member;
	else
		d->more = true;
}

/* Compares. */
bool
bulk_item_compare(struct json_object *a, struct json_object *b, bulk_keeps_fn keeps, void *arg,
    struct bulk_differ *d)
{
	struct json_object *other;

	memset(d, 0, sizeof *d);
	json_object_object_foreach(a, key, value) {
		if (json_object_object_get_ex(b, key, &other) && json_equal(value, other))
			continue;
		if (keeps != NULL && !bulk_item_is_api(key) && !keeps(arg, key))
			continue;
		bulk_differ_add(d, key);
		d->writable = true;
	}
	json_object_object_foreach(b, more, ignored) {
		(void)ignored;
		if (!json_object_object_get_ex(a, more, NULL))
			bulk_differ_add(d, more);
	}
	return d->count == 0;
}
