#include "config.h"

#include "core/result.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULT_SENTENCE_MAX 4096
#define RESULT_DETAIL_MAX 10 /* validation errors told to a client */

/* An empty result. */
void
result_init(struct result *r)
{
	memset(r, 0, sizeof *r);
	r->retry_after = -1;
	r->age = -1;
}

/* Frees the body. */
void
result_clear(struct result *r)
{
	free(r->body);
	result_init(r);
}

/* Moves a result. */
void
result_move(struct result *to, struct result *from)
{
	*to = *from;
	result_init(from);
}

/* Copies a result for one more waiter. */
void
result_copy(struct result *to, const struct result *from)
{
	*to = *from;
	to->body = from->body == NULL ? NULL : mem_copy(from->body, from->len);
}

/* Makes an error. */
void
result_error(struct result *r, int status, const char *fmt, ...)
{
	char text[RESULT_SENTENCE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	result_init(r);
	r->status = status;
	r->body = json_error_body(text, &r->len);
}

/* There is no such thing. */
void
result_not_found(struct result *r, const struct resource *resource)
{
	result_error(r, 404, "%s not found", resource->title);
}

/* The name is taken. */
void
result_name_taken(struct result *r, const struct resource *resource, const char *name)
{
	result_error(r, 409, "%s with %s \"%s\" already exists", resource->title, resource->name, name);
}

/* Takes a body. */
void
result_body(struct result *r, int status, char *body, size_t len)
{
	result_init(r);
	r->status = status;
	r->body = body;
	r->len = len;
}

/* A strong tag: the first 128 bits of SHA-256. */
void
result_etag(const char *body, size_t len, char out[RESULT_ETAG_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(body, len, hex);
	snprintf(out, RESULT_ETAG_SIZE, "\"%.32s\"", hex);
}

/* The last member of a validation error's location that names a field. */
static const char *
result_field_of(struct json_object *error, const struct mapping *mapping, char *out, size_t size)
{
	struct json_object *loc = NULL, *part;
	const char *member, *local;

	if (!json_object_object_get_ex(error, "loc", &loc) ||
	    !json_object_is_type(loc, json_type_array) || json_object_array_length(loc) < 2)
		return NULL;
	part = json_object_array_get_idx(loc, 0);
	if (!json_object_is_type(part, json_type_string) ||
	    strcmp(json_object_get_string(part), "body") != 0)
		return NULL;
	part = json_object_array_get_idx(loc, 1);
	if (!json_object_is_type(part, json_type_string))
		return NULL;
	member = json_object_get_string(part);
	local = mapping_local_name(mapping, member);
	if (local == NULL)
		return NULL;
	snprintf(out, size, "%s", local);
	return out;
}

/* The bound that a validation error names in its context, e.g. max_length. */
static bool
result_bound(struct json_object *error, const char *key, int64_t *out)
{
	struct json_object *ctx = NULL;

	return json_object_object_get_ex(error, "ctx", &ctx) &&
	    json_object_is_type(ctx, json_type_object) && json_get_int(ctx, key, out);
}

/* Tells one validation error in our words. */
static void
result_add_validation(struct buf *b, struct json_object *error, const struct mapping *mapping)
{
	char field[256];
	const char *local = result_field_of(error, mapping, field, sizeof field);
	const char *type = json_get_string(error, "type");
	int64_t bound;

	if (type == NULL)
		type = "";
	if (b->len > 0)
		buf_adds(b, "; ");
	if (local == NULL)
		buf_adds(b, "a value that the gateway's configuration sends was refused by Bluejay");
	else if (strcmp(type, "missing") == 0)
		buf_addf(b, "%s is required", local);
	else if (strcmp(type, "string_type") == 0)
		buf_addf(b, "%s must be a string", local);
	else if (strcmp(type, "string_too_long") == 0 && result_bound(error, "max_length", &bound))
		buf_addf(b, "%s must have at most %lld characters", local, (long long)bound);
	else if (strcmp(type, "string_too_short") == 0 && result_bound(error, "min_length", &bound))
		buf_addf(b, "%s must have at least %lld characters", local, (long long)bound);
	else if (strcmp(type, "int_parsing_size") == 0)
		buf_addf(b, "%s holds a number that is too large for Bluejay", local);
	else
		buf_addf(b, "%s was refused by Bluejay", local);
}

/* Tells a 422: the caller's fields if the request's body was at fault. */
static void
result_validation(struct result *r, const struct upstream_answer *a, const struct mapping *mapping)
{
	struct json_object *root = NULL, *detail = NULL;
	struct buf text;

	buf_init(&text, RESULT_SENTENCE_MAX - 1);
	if (json_read(a->body, a->body_len, &root, NULL) &&
	    json_object_is_type(root, json_type_object) &&
	    json_object_object_get_ex(root, "detail", &detail) &&
	    json_object_is_type(detail, json_type_array)) {
		size_t n = json_object_array_length(detail);

		for (size_t i = 0; i < n && i < RESULT_DETAIL_MAX; i++) {
			struct json_object *one = json_object_array_get_idx(detail, i);

			if (json_object_is_type(one, json_type_object))
				result_add_validation(&text, one, mapping);
		}
	}
	if (text.len > 0)
		result_error(r, 400, "%s", text.data);
	else
		result_error(r, 400, "Bluejay refused the request as not valid");
	buf_free(&text);
	json_object_put(root);
}

/* Tells an answer by its status. */
static void
result_from_status(struct result *r, const struct upstream_answer *a,
    const struct resource *resource, const struct mapping *mapping)
{
	const struct resource_error *e = resource_error_of(resource, a->status);

	if (e != NULL && e->sentence != NULL)
		result_error(r, e->local, "%s", e->sentence);
	else if (e != NULL)
		result_error(r, e->local, "Bluejay refused the request with status %d", a->status);
	if (e != NULL)
		return;
	switch (a->status) {
	case 401:
	case 403:
		result_error(r, 502, "Bluejay refused the gateway's API key");
		return;
	case 404:
		result_not_found(r, resource);
		return;
	case 422:
		result_validation(r, a, mapping);
		return;
	case 429:
		result_error(r, 429, "Bluejay is limiting requests; try again later");
		r->retry_after = a->retry_after >= 0 ? a->retry_after : 1000;
		return;
	default:
		result_error(r, 502, "Bluejay answered with status %d", a->status);
		return;
	}
}

/* The error table. */
void
result_from_upstream(struct result *r, const struct upstream_answer *a,
    const struct resource *resource, const struct mapping *mapping)
{
	switch (a->outcome) {
	case UPSTREAM_ANSWER:
		if (a->status >= 200 && a->status <= 299)
			result_error(r, 502, "Bluejay gave an answer that the gateway does not understand");
		else
			result_from_status(r, a, resource, mapping);
		return;
	case UPSTREAM_NO_CONNECT:
		result_error(r, 502, "Bluejay could not be reached");
		return;
	case UPSTREAM_TIMEOUT:
		result_error(r, 504, "Bluejay did not answer in time");
		return;
	case UPSTREAM_BROKEN:
		result_error(r, 502, "The connection to Bluejay broke before its answer was complete");
		return;
	case UPSTREAM_TOO_LARGE:
		result_error(r, 502, "Bluejay's answer was too large");
		return;
	case UPSTREAM_OPEN:
		result_error(r, 503, "Bluejay is failing; the gateway is giving it time to recover");
		r->retry_after = a->retry_after >= 0 ? a->retry_after : 1000;
		return;
	case UPSTREAM_BUSY:
		result_error(r, 503, "Too many calls to Bluejay are waiting; try again later");
		r->retry_after = a->retry_after >= 0 ? a->retry_after : 1000;
		return;
	}
}

/* Whether the upstream, not the request, is at fault. */
bool
result_upstream_is_down(const struct upstream_answer *a)
{
	return a->outcome != UPSTREAM_ANSWER ? a->outcome != UPSTREAM_TOO_LARGE : a->status >= 500;
}
