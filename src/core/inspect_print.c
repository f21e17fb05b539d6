#include "config.h"

#include "core/inspect_print.h"
#include "base/timestamp.h"
#include "core/inspect.h"
#include "core/intent_print.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

/* Adds a key and a string. */
static void
inspect_print_text(struct buf *b, const char *key, const char *value)
{
	buf_addf(b, "\"%s\":", key);
	json_add_string(b, value, strlen(value));
}

/* Adds a key and a truth value. */
static void
inspect_print_bool(struct buf *b, const char *key, bool value)
{
	buf_addf(b, "\"%s\":%s", key, value ? "true" : "false");
}

/* Adds the state of the gateway. */
void
inspect_print_health(struct buf *b, const struct gateway_health *h, const char *host, bool simulated,
    bool readable)
{
	static const char *const breakers[] = {"closed", "open", "probing"};

	buf_adds(b, "\"upstream\":{");
	inspect_print_text(b, "host", host);
	buf_addc(b, ',');
	inspect_print_bool(b, "simulated", simulated);
	buf_addf(b, ",\"breaker\":\"%s\",", breakers[h->upstream.breaker]);
	inspect_print_bool(b, "keyRefused", h->key_refused);
	buf_addc(b, ',');
	inspect_print_bool(b, "manyGone", h->many_gone);
	buf_addf(b, ",\"inFlight\":%u,\"queued\":%u,\"calls\":%llu,\"tries\":%llu,\"failures\":%llu},",
	    h->upstream.in_flight, h->upstream.queued, (unsigned long long)h->upstream.calls,
	    (unsigned long long)h->upstream.tries, (unsigned long long)h->upstream.failures);
	buf_adds(b, "\"store\":{");
	inspect_print_bool(b, "readable", readable);
	buf_addc(b, ',');
	inspect_print_bool(b, "writable", h->store_ok);
	buf_addf(b, "},\"cache\":{\"hits\":%llu,\"misses\":%llu,\"stale\":%llu,\"joined\":%llu},",
	    (unsigned long long)h->cache_hits, (unsigned long long)h->cache_misses,
	    (unsigned long long)h->cache_stale, (unsigned long long)h->cache_joined);
	buf_adds(b, "\"portraits\":{");
	inspect_print_bool(b, "provider", h->draws);
	buf_addf(b, ",\"inFlight\":%u,\"queued\":%u},\"unsettled\":%u", h->images.in_flight,
	    h->images.queued, h->unsettled);
}

/* Adds the projects. */
void
inspect_print_projects(struct buf *b, const struct project_rows *rows, bool counted)
{
	buf_adds(b, "\"projects\":[");
	for (size_t i = 0; i < rows->count; i++) {
		const struct project_row *r = &rows->items[i];

		buf_adds(b, i > 0 ? ",{" : "{");
		inspect_print_text(b, "id", r->id);
		buf_addc(b, ',');
		inspect_print_text(b, "name", r->name);
		buf_addc(b, ',');
		inspect_print_bool(b, "configured", r->configured);
		if (r->has_agent)
			buf_addf(b, ",\"agentId\":%lld", (long long)r->agent_id);
		if (counted)
			buf_addf(b, ",\"personas\":%lld", (long long)r->personas);
		buf_addc(b, '}');
	}
	buf_adds(b, "],");
	inspect_print_bool(b, "otherProjects", rows->others);
	buf_addc(b, ',');
	inspect_print_bool(b, "projectsCut", rows->cut);
}

/* Adds where each field lives. */
void
inspect_print_fields(struct buf *b, const struct mapping *m)
{
	static const char *const origins[] = {"bluejay", "kept", "made"};
	struct mapping_declared d;

	buf_addc(b, '[');
	for (size_t i = 0; mapping_declared(m, i, &d); i++) {
		buf_adds(b, i > 0 ? ",{" : "{");
		inspect_print_text(b, "field", d.local);
		buf_addf(b, ",\"lives\":\"%s\",", origins[d.origin]);
		if (d.upstream != NULL) {
			inspect_print_text(b, "bluejay", d.upstream);
			buf_addc(b, ',');
		}
		inspect_print_text(b, "type", d.type);
		buf_addc(b, ',');
		inspect_print_bool(b, "readOnly", d.read_only);
		if (d.line > 0)
			buf_addf(b, ",\"line\":%d,\"column\":%d", d.line, d.column);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

/* Where a text can be cut so that no character is halved. */
static size_t
inspect_print_cut(const char *text, size_t len)
{
	size_t cut = len > INSPECT_VALUE ? INSPECT_VALUE : len;

	while (cut > 0 && cut < len && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

/* Adds one value as a text: a string as it is, others as JSON; notes the length of
 * one that was cut. */
static void
inspect_print_value(struct buf *b, struct buf *lengths, const char *field, struct json_object *value)
{
	bool string = json_object_is_type(value, json_type_string);
	size_t len, cut;
	char *json = string ? NULL : json_print(value, &len);
	const char *text = string ? json_object_get_string(value) : json;

	if (string)
		len = (size_t)json_object_get_string_len(value);
	cut = inspect_print_cut(text, len);
	if (b->data[b->len - 1] != '{')
		buf_addc(b, ',');
	json_add_string(b, field, strlen(field));
	buf_addc(b, ':');
	json_add_string(b, text, cut);
	if (cut < len) {
		if (lengths->len > 0)
			buf_addc(lengths, ',');
		json_add_string(lengths, field, strlen(field));
		buf_addf(lengths, ":%zu", len);
	}
	free(json);
}

/* Adds the values of a local form. */
static void
inspect_print_values(struct buf *b, const struct mapping *m, struct json_object *local)
{
	struct buf lengths;
	struct mapping_declared d;
	struct json_object *value;

	buf_init(&lengths, 0);
	buf_adds(b, ",\"values\":{");
	for (size_t i = 0; mapping_declared(m, i, &d); i++)
		if ((value = mapping_declared_value(&d, local)) != NULL)
			inspect_print_value(b, &lengths, d.local, value);
	buf_adds(b, "},\"lengths\":{");
	if (lengths.len > 0)
		buf_add(b, lengths.data, lengths.len);
	buf_addc(b, '}');
	buf_free(&lengths);
}

/* Reads a recorded object; NULL for none. */
static struct json_object *
inspect_print_read(const char *text)
{
	struct json_object *o = NULL;

	if (text != NULL)
		json_read(text, strlen(text), &o, NULL);
	return o;
}

/* Makes the local form of a record; NULL when it has no content that fits. */
static struct json_object *
inspect_print_local(const struct mapping *m, const struct store_record *r)
{
	struct json_object *upstream = inspect_print_read(r->content);
	struct json_object *absent = inspect_print_read(r->absent);
	struct json_object *kept = inspect_print_read(r->kept), *local = NULL;

	mapping_answer_make(m, upstream, r->local_id, absent, kept, r->updated_ms, &local, NULL);
	json_object_put(upstream);
	json_object_put(absent);
	json_object_put(kept);
	return local;
}

/* Adds one persona. */
void
inspect_print_persona(struct buf *b, const struct mapping *m, const struct store_record *r,
    const struct store_intent *intents, size_t count)
{
	struct json_object *local = inspect_print_local(m, r);
	char when[TIMESTAMP_SIZE];

	buf_addc(b, '{');
	inspect_print_text(b, "id", r->local_id);
	buf_addc(b, ',');
	inspect_print_text(b, "bluejayId", r->upstream_id);
	buf_addc(b, ',');
	inspect_print_bool(b, "adopted", r->adopted);
	buf_addc(b, ',');
	inspect_print_bool(b, "unclaimed", r->unclaimed);
	for (size_t i = 0; i < count; i++)
		if (intents[i].local_id != NULL && strcmp(intents[i].local_id, r->local_id) == 0 &&
		    strcmp(intents[i].scope, r->scope) == 0) {
			buf_addf(b, ",\"unsettled\":\"%s\"", intent_operation(intents[i].operation));
			break;
		}
	if (r->content_ms > 0) {
		timestamp_format(r->content_ms, when);
		buf_addf(b, ",\"seenAt\":\"%s\"", when);
	}
	if (local != NULL)
		inspect_print_values(b, m, local);
	buf_addc(b, '}');
	json_object_put(local);
}
