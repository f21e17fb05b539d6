#include "config.h"

#include "upstream/upstream_head.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UPSTREAM_HEAD_AGENT "persona-gateway/" PACKAGE_VERSION
#define UPSTREAM_HEAD_KEY "X-API-Key: "
#define UPSTREAM_HEAD_OWN 512      /* bytes of what every head has, at most, */
#define UPSTREAM_HEAD_LINE 4       /* and of what is around a name and a value */

/* Whether a text can stand in a header field. */
static bool
upstream_head_fits(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* The length of a text that may be NULL. */
static size_t
upstream_head_len(const char *s)
{
	return s != NULL ? strlen(s) : 0;
}

/* As many bytes as a text may take, a later key included. */
static size_t
upstream_head_size(const struct site *site, const struct upstream_request *q)
{
	size_t key = upstream_head_len(q->api_key), earlier = upstream_head_len(q->earlier_key);
	size_t size = UPSTREAM_HEAD_OWN + strlen(q->method) + strlen(site->base) + strlen(q->path) +
	    strlen(site->host) + upstream_head_len(q->accept) + upstream_head_len(q->body_type) +
	    upstream_head_len(q->key_field) + (key > earlier ? key : earlier) +
	    upstream_head_len(q->request_id) + upstream_head_len(q->traceparent) +
	    upstream_head_len(q->tracestate) + q->body_len;

	if (q->headers != NULL)
		size += q->headers->bytes + q->headers->count * UPSTREAM_HEAD_LINE;
	return size;
}

/* Adds a text, for which there is room. */
static inline void
upstream_head_put(struct upstream_head *h, const char *text, size_t len)
{
	if (len >= h->text.cap - h->text.len)
		abort(); /* more than was reckoned with */
	memcpy(h->text.data + h->text.len, text, len);
	h->text.len += len;
}

/* Adds a string. */
static inline void
upstream_head_puts(struct upstream_head *h, const char *text)
{
	upstream_head_put(h, text, strlen(text));
}

/* Adds a field, unless there is nothing to say or it cannot be said; says whether it did. */
static bool
upstream_head_say(struct upstream_head *h, const char *name, const char *value)
{
	if (value == NULL || *value == '\0' || !upstream_head_fits(value))
		return false;
	upstream_head_puts(h, name);
	upstream_head_puts(h, value);
	upstream_head_put(h, "\r\n", 2);
	return true;
}

/* Adds what the caller adds. */
static void
upstream_head_add_list(struct upstream_head *h, const struct header_list *list)
{
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		const struct header *one = &list->items[i];

		upstream_head_puts(h, one->name);
		upstream_head_put(h, ":", 1);
		if (one->value[strspn(one->value, " ")] != '\0') {
			upstream_head_put(h, " ", 1);
			upstream_head_puts(h, one->value);
		}
		upstream_head_put(h, "\r\n", 2);
	}
}

/* Adds the key, of which it is noted where it is. */
static void
upstream_head_add_key(struct upstream_head *h, const struct upstream_request *q)
{
	if (q->api_key == NULL)
		return;
	upstream_head_puts(h, q->key_field != NULL ? q->key_field : UPSTREAM_HEAD_KEY);
	h->key = h->text.len;
	h->key_len = strlen(q->api_key);
	upstream_head_put(h, q->api_key, h->key_len);
	upstream_head_put(h, "\r\n", 2);
	if (q->earlier_key != NULL && upstream_head_fits(q->earlier_key))
		h->earlier = mem_string(q->earlier_key);
}

/* Adds the fields that are not the protocol's own. */
static void
upstream_head_add_fields(struct upstream_head *h, const struct upstream_request *q)
{
	h->fields = h->text.len;
	h->agent = q->headers == NULL || header_list_find(q->headers, "User-Agent") == NULL;
	if (h->agent)
		upstream_head_puts(h, "User-Agent: " UPSTREAM_HEAD_AGENT "\r\n");
	upstream_head_say(h, "Accept: ", q->accept != NULL ? q->accept : "application/json");
	upstream_head_puts(h, "Accept-Encoding: identity\r\n");
	if (q->body != NULL)
		upstream_head_say(h, "Content-Type: ", q->body_type != NULL ? q->body_type : "application/json");
	upstream_head_add_key(h, q);
	if (upstream_head_say(h, "X-Request-Id: ", q->request_id))
		h->id = mem_string(q->request_id);
	upstream_head_say(h, "traceparent: ", q->traceparent);
	upstream_head_say(h, "tracestate: ", q->tracestate);
	upstream_head_add_list(h, q->headers);
	h->fields_len = h->text.len - h->fields;
}

/* Writes the text. Its memory is taken at once, so that nothing of it is left elsewhere. */
bool
upstream_head_make(struct upstream_head *h, const struct site *site, const struct upstream_request *q)
{
	size_t size = upstream_head_size(site, q);
	char length[48];

	memset(h, 0, sizeof *h);
	buf_init(&h->text, size);
	h->text.secret = true;
	buf_reserve(&h->text, size);
	h->has_body = q->body != NULL || strcmp(q->method, "POST") == 0 || strcmp(q->method, "PUT") == 0;
	upstream_head_puts(h, q->method);
	upstream_head_put(h, " ", 1);
	upstream_head_puts(h, site->base);
	upstream_head_puts(h, q->path);
	upstream_head_puts(h, " HTTP/1.1\r\nHost: ");
	upstream_head_puts(h, site->host);
	upstream_head_put(h, "\r\n", 2);
	upstream_head_add_fields(h, q);
	if (h->has_body)
		upstream_head_put(h, length, (size_t)snprintf(length, sizeof length, "Content-Length: %zu\r\n",
		    q->body != NULL ? q->body_len : 0));
	upstream_head_put(h, "\r\n", 2);
	h->body = h->text.len;
	if (q->body != NULL)
		upstream_head_put(h, q->body, q->body_len);
	h->text.data[h->text.len] = '\0';
	return q->api_key == NULL || upstream_head_fits(q->api_key);
}

/* Tells the fields, but our own User-Agent. */
void
upstream_fields(const struct upstream_request *q, upstream_field_fn fn, void *arg)
{
	char none[] = "";
	const struct site nowhere = {.base = none, .host = none};
	struct upstream_head h;
	char *p, *end, *name, *value;
	size_t len;

	upstream_head_make(&h, &nowhere, q);
	end = h.text.data + h.fields + h.fields_len;
	for (p = h.text.data + h.fields; p < end; p += len + 2) {
		len = (size_t)(strstr(p, "\r\n") - p);
		if (h.agent && p == h.text.data + h.fields)
			continue;
		name = mem_copy(p, strcspn(p, ":"));
		p[len] = '\0';
		value = p + strlen(name) + 1;
		fn(arg, name, value + strspn(value, " "));
		free(name);
	}
	upstream_head_free(&h);
}

/* The key. */
const char *
upstream_head_key(struct upstream_head *h)
{
	if (h->key == 0)
		return NULL;
	h->text.data[h->key + h->key_len] = '\0';
	return h->text.data + h->key;
}

/* Puts the earlier key in the place of the key. */
bool
upstream_head_fall_back(struct upstream_head *h)
{
	char *at = h->text.data + h->key, *rest = at + h->key_len;
	size_t len, left = h->text.len - h->key - h->key_len;

	if (h->earlier == NULL)
		return false;
	len = strlen(h->earlier);
	memmove(at + len, rest, left + 1);
	memcpy(at, h->earlier, len);
	h->text.len = h->key + len + left;
	h->fields_len += len - h->key_len;
	h->body += len - h->key_len;
	h->key_len = len;
	mem_wipe_free(h->earlier);
	h->earlier = NULL;
	return true;
}

/* Wipes and frees it. */
void
upstream_head_free(struct upstream_head *h)
{
	buf_free(&h->text);
	mem_wipe_free(h->earlier);
	free(h->id);
	memset(h, 0, sizeof *h);
}
