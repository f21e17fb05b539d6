#include "config.h"

#include "upstream/upstream_head.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define UPSTREAM_HEAD_ID "X-Request-Id: "
#define UPSTREAM_HEAD_AGENT "User-Agent: persona-gateway/" PACKAGE_VERSION

/* Whether a text can stand in a header field. */
static bool
upstream_head_fits(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* Appends a line, which it takes over. */
static void
upstream_head_add(struct upstream_head *h, char *line)
{
	h->lines[h->count].data = line;
	if (h->count > 0)
		h->lines[h->count - 1].next = &h->lines[h->count];
	h->count++;
}

/* Appends a value behind its name, unless there is nothing to say or it cannot be
 * said. Returns the line, or NULL. */
static const char *
upstream_head_say(struct upstream_head *h, const char *name, const char *value)
{
	if (value == NULL || *value == '\0' || !upstream_head_fits(value))
		return NULL;
	upstream_head_add(h, mem_join(name, value));
	return h->lines[h->count - 1].data;
}

/* Appends what the caller adds. A line without a value would take the header away:
 * libcurl wants a semicolon in place of the colon then. */
static void
upstream_head_add_list(struct upstream_head *h, const struct header_list *list)
{
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		const struct header *one = &list->items[i];
		bool blank = one->value[strspn(one->value, " ")] == '\0';

		upstream_head_add(h, blank ? mem_format("%s;", one->name)
		                           : mem_format("%s: %s", one->name, one->value));
	}
}

/* Whether a method is one with a body, be it empty. */
static bool
upstream_head_posts(const struct upstream_request *q)
{
	return strcmp(q->method, "POST") == 0 || strcmp(q->method, "PUT") == 0;
}

/* Makes the lines. */
bool
upstream_head_make(struct upstream_head *h, const struct upstream_request *q)
{
	const char *type = q->body_type != NULL ? q->body_type : "application/json";
	const char *field = q->key_field != NULL ? q->key_field : "X-API-Key: ";
	const char *id;

	/* As a line of the list: what libcurl makes itself of CURLOPT_USERAGENT is printed twice. */
	h->agent = q->headers == NULL || header_list_find(q->headers, "User-Agent") == NULL;
	if (h->agent)
		upstream_head_add(h, mem_string(UPSTREAM_HEAD_AGENT));
	upstream_head_say(h, "Accept: ", q->accept != NULL ? q->accept : "application/json");
	upstream_head_add(h, mem_string("Accept-Encoding: identity"));
	if (q->body != NULL)
		upstream_head_say(h, "Content-Type: ", type);
	else if (upstream_head_posts(q))
		upstream_head_add(h, mem_string("Content-Type:")); /* else libcurl adds one */
	if (q->body != NULL || upstream_head_posts(q))
		upstream_head_add(h, mem_string("Expect:"));
	if (q->api_key != NULL) {
		h->key = h->count;
		h->before = strlen(field);
		upstream_head_add(h, mem_join(field, q->api_key));
	}
	if (q->api_key != NULL && q->earlier_key != NULL && upstream_head_fits(q->earlier_key))
		h->earlier = mem_join(field, q->earlier_key);
	id = upstream_head_say(h, UPSTREAM_HEAD_ID, q->request_id);
	if (id != NULL)
		h->id = id + strlen(UPSTREAM_HEAD_ID);
	upstream_head_say(h, "traceparent: ", q->traceparent);
	upstream_head_say(h, "tracestate: ", q->tracestate);
	upstream_head_add_list(h, q->headers);
	return q->api_key == NULL || upstream_head_fits(q->api_key);
}

/* Tells the fields: of a line that only takes a field away there is none. */
void
upstream_fields(const struct upstream_request *q, upstream_field_fn fn, void *arg)
{
	struct upstream_head h = {0};

	upstream_head_make(&h, q);
	for (size_t i = h.agent ? 1 : 0; i < h.count; i++) {
		const char *line = h.lines[i].data;
		size_t len = strcspn(line, ":;");
		const char *value = line + len + 1;
		char *name = mem_copy(line, len);

		value += strspn(value, " ");
		if (*value != '\0' || line[len] == ';')
			fn(arg, name, value);
		free(name);
	}
	upstream_head_free(&h);
}

/* The key. */
const char *
upstream_head_key(const struct upstream_head *h)
{
	return h->before > 0 ? h->lines[h->key].data + h->before : NULL;
}

/* Puts the earlier key in the place of the key. */
bool
upstream_head_fall_back(struct upstream_head *h)
{
	if (h->earlier == NULL)
		return false;
	mem_wipe_free(h->lines[h->key].data);
	h->lines[h->key].data = h->earlier;
	h->earlier = NULL;
	return true;
}

/* Frees the lines. */
void
upstream_head_free(struct upstream_head *h)
{
	for (size_t i = 0; i < h->count; i++)
		mem_wipe_free(h->lines[i].data);
	mem_wipe_free(h->earlier);
	memset(h, 0, sizeof *h);
}
