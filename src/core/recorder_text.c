#include "config.h"

#include "core/recorder_impl.h"
#include "base/digest.h"
#include "base/mem.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RECORDER_SECRET_MIN 8 /* bytes: shorter ones are not looked for in texts, where they
                                 would be found in every other word */

/* ---- what may be secret ---- */

/* Puts fingerprints in the place of every text in a value. */
static void
recorder_text_blank(struct json_object *value)
{
	char print[DIGEST_FINGERPRINT_SIZE];

	if (json_object_is_type(value, json_type_string)) {
		digest_fingerprint(json_object_get_string(value), print);
		json_object_set_string(value, print);
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			recorder_text_blank(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member) {
			(void)key;
			recorder_text_blank(member);
		}
	}
}

/* Hides the value at a place of a thing. */
static void
recorder_text_blank_at(struct json_object *thing, const char *place)
{
	struct mapping_path path;
	struct json_object *value;
	const char *why;
	size_t keys;

	if (!mapping_path_read(&path, place, &why))
		return;
	if (mapping_path_get(&path, thing, &value, &keys) == MAPPING_PATH_FOUND)
		recorder_text_blank(value);
	mapping_path_free(&path);
}

/* Hides the headers of a thing, as the local API shows it. */
static void
recorder_text_hide_local(const struct recorder_entry *e, struct json_object *thing)
{
	const char *headers = e->project.resource->headers;

	if (headers != NULL)
		recorder_text_blank_at(thing, headers);
}

/* The same as Bluejay has it, if the mapping sends them there, and what constants took
 * from the environment. */
static void
recorder_text_hide_upstream(const struct recorder_entry *e, struct json_object *thing)
{
	const char *headers = e->project.resource->headers;
	struct mapping_declared d;

	mapping_hide(e->project.mapping, thing);
	for (size_t i = 0; headers != NULL && mapping_declared(e->project.mapping, i, &d); i++)
		if (d.upstream != NULL && strcmp(d.local, headers) == 0)
			recorder_text_blank_at(thing, d.upstream);
}

/* Hides in one thing, in each of a list, or in each of the list that an object holds. */
static void
recorder_text_hide(const struct recorder_entry *e, struct json_object *value, bool local)
{
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			recorder_text_hide(e, json_object_array_get_idx(value, i), local);
		return;
	}
	if (!json_object_is_type(value, json_type_object))
		return;
	if (local) {
		recorder_text_hide_local(e, value);
		return;
	}
	recorder_text_hide_upstream(e, value);
	if (resource_id(e->project.resource, value) != NULL)
		return; /* a thing, not a listing */
	json_object_object_foreach(value, key, member) {
		(void)key;
		if (json_object_is_type(member, json_type_array))
			recorder_text_hide(e, member, false);
	}
}

/* Puts a fingerprint in the place of a secret wherever it stands in a JSON text, which
 * it takes over. */
static char *
recorder_text_scrub(char *text, const char *secret)
{
	char print[DIGEST_FINGERPRINT_SIZE];
	struct buf quoted, out;
	const char *needle, *at = text, *hit;

	if (secret == NULL || strlen(secret) < RECORDER_SECRET_MIN)
		return text;
	buf_init(&quoted, 0);
	quoted.secret = true;
	json_add_string(&quoted, secret, strlen(secret));
	quoted.data[--quoted.len] = '\0';
	needle = quoted.data + 1;
	if (strstr(text, needle) == NULL) {
		buf_free(&quoted);
		return text;
	}
	digest_fingerprint(secret, print);
	buf_init(&out, 0);
	for (; (hit = strstr(at, needle)) != NULL; at = hit + strlen(needle)) {
		buf_add(&out, at, (size_t)(hit - at));
		buf_adds(&out, print);
	}
	buf_adds(&out, at);
	buf_free(&quoted);
	mem_wipe_free(text);
	return buf_take(&out, NULL);
}

/* The text of a value, without the secrets that the gateway itself sends. */
static char *
recorder_text_print(const struct recorder_entry *e, struct json_object *value)
{
	const struct header_list *headers = &e->snap->config->bluejay.headers;
	char *text = recorder_text_scrub(json_print(value, NULL), e->project.api_key);

	text = recorder_text_scrub(text, e->project.earlier_key);
	for (size_t i = 0; i < headers->count; i++)
		text = recorder_text_scrub(text, headers->items[i].value);
	return text;
}

/* ---- texts ---- */

/* Prints a local value. */
char *
recorder_text_local(const struct recorder_entry *e, struct json_object *value)
{
	recorder_text_hide(e, value, true);
	return recorder_text_print(e, value);
}

/* Prints a value of Bluejay's. */
char *
recorder_text_upstream(const struct recorder_entry *e, struct json_object *value)
{
	recorder_text_hide(e, value, false);
	return recorder_text_print(e, value);
}

/* Makes a string of bytes that are no JSON, such as a page about an error; what is not
 * plain text in it becomes '?'. */
static struct json_object *
recorder_text_plain(const char *body, size_t len)
{
	struct json_object *string;
	char *copy = mem_copy(body, len);

	for (size_t i = 0; i < len; i++)
		if (copy[i] < 0x20 ? copy[i] != '\n' && copy[i] != '\t' : copy[i] > 0x7e)
			copy[i] = '?';
	string = json_object_new_string_len(copy, (int)len);
	free(copy);
	return string;
}

/* Prints bytes. */
char *
recorder_text_read(const struct recorder_entry *e, const char *body, size_t len, bool local)
{
	struct json_object *value;
	char *text;

	if (body == NULL || len == 0)
		return NULL;
	if (!json_read(body, len, &value, NULL))
		value = recorder_text_plain(body, len);
	text = local ? recorder_text_local(e, value) : recorder_text_upstream(e, value);
	json_object_put(value);
	return text;
}

/* ---- header fields ---- */

/* Whether the value of a field may be secret: the key, and what users add. */
static bool
recorder_text_is_secret(const struct upstream_request *q, const char *name)
{
	return strcasecmp(name, "X-API-Key") == 0 ||
	    (q->headers != NULL && header_list_find(q->headers, name) != NULL);
}

/* Where fields are collected. */
struct recorder_fields {
	const struct upstream_request *request;
	struct json_object *object;
};

/* Adds one field. */
static void
recorder_text_field(void *arg, const char *name, const char *value)
{
	struct recorder_fields *f = arg;
	char print[DIGEST_FINGERPRINT_SIZE];

	if (recorder_text_is_secret(f->request, name)) {
		digest_fingerprint(value, print);
		value = print;
	}
	json_object_object_add(f->object, name, json_object_new_string(value));
}

/* Prints the header fields of a call. */
char *
recorder_text_headers(const struct upstream_request *q)
{
	struct recorder_fields f = {q, json_object_new_object()};
	char *text;

	upstream_fields(q, recorder_text_field, &f);
	text = json_print(f.object, NULL);
	json_object_put(f.object);
	return text;
}
