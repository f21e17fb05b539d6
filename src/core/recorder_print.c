#include "config.h"

#include "core/recorder_impl.h"
#include "base/timestamp.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "mapping/mapping_explain.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

static const char *const recorder_operations[] = {"create", "update", "add", "read", "list"};

/* ---- small parts ---- */

/* Adds a member with a text, or null. */
static void
recorder_print_text(struct buf *b, const char *key, const char *text)
{
	buf_addf(b, ",\"%s\":", key);
	if (text != NULL)
		json_add_string(b, text, strlen(text));
	else
		buf_adds(b, "null");
}

/* Adds a member with a value that is JSON already, or null. */
static void
recorder_print_json(struct buf *b, const char *key, const char *json)
{
	buf_addf(b, ",\"%s\":%s", key, json != NULL ? json : "null");
}

/* Adds a member with a status, or null. */
static void
recorder_print_status(struct buf *b, int status)
{
	if (status != 0)
		buf_addf(b, ",\"status\":%d", status);
	else
		buf_adds(b, ",\"status\":null");
}

/* Adds what a request was, without its content. */
static void
recorder_print_head(struct buf *b, const struct recorder_entry *e)
{
	char time[TIMESTAMP_SIZE];

	timestamp_format(e->wall, time);
	buf_adds(b, "\"id\":");
	json_add_string(b, e->id, strlen(e->id));
	recorder_print_text(b, "time", time);
	recorder_print_text(b, "project", e->project.id);
	recorder_print_text(b, "resource", e->project.resource->noun);
	recorder_print_text(b, "operation", recorder_operations[e->operation]);
	recorder_print_status(b, e->status);
}

/* Adds a call. */
static void
recorder_print_call(struct buf *b, const struct recorder_call *c)
{
	buf_adds(b, "{\"outcome\":");
	if (c->over)
		buf_addf(b, "\"%s\"", upstream_outcome_name(c->outcome));
	else
		buf_adds(b, "null");
	recorder_print_text(b, "method", c->method);
	recorder_print_text(b, "url", c->url);
	recorder_print_json(b, "headers", c->headers);
	recorder_print_json(b, "body", c->body);
	recorder_print_status(b, c->status);
	recorder_print_json(b, "answer", c->answer);
	buf_addc(b, '}');
}

/* ---- what happened to each field ---- */

/* A list of fields under construction. */
struct recorder_members {
	const struct recorder_entry *entry;
	struct json_object *list;
};

/* Adds one member's way. */
static void
recorder_print_member(void *arg, const struct mapping_explained *e)
{
	const struct recorder_members *f = arg;

	json_object_array_add(f->list, mapping_explain_json(e));
}

/* Adds the way of a member of the local body. An addition sends its numbers and nothing
 * else. */
static void
recorder_print_sent(void *arg, const struct mapping_explained *told)
{
	const struct recorder_members *f = arg;
	struct mapping_explained e = *told;

	if (f->entry->operation == RECORDER_ADD && e.upstream != NULL &&
	    strcmp(e.upstream, f->entry->project.resource->numbers) != 0) {
		e.what = MAPPING_EXPLAIN_DROPPED;
		e.why = "an addition sends nothing but numbers";
	}
	recorder_print_member(arg, &e);
}

/* Explains the local body, unless the mapping refuses it. */
static void
recorder_print_request(struct recorder_members *f, struct json_object *body)
{
	const struct project *p = &f->entry->project;
	struct mapping_project mp = {p->id, p->has_agent, p->agent_id};
	bool create = f->entry->operation == RECORDER_CREATE;
	enum mapping_operation operation = create ? MAPPING_CREATE : MAPPING_UPDATE;
	struct mapping_request r;
	struct fail fail;

	if (f->entry->operation != RECORDER_ADD &&
	    resource_check_name(p->resource, p->mapping, body, create, &fail) != 0)
		return;
	if (mapping_request_make(p->mapping, operation, body, &mp, &r, &fail) != 0)
		return;
	mapping_request_clear(&r);
	mapping_explain_request(p->mapping, operation, body, &mp, recorder_print_sent, f);
}

/* The first list in an object, or the value itself. */
static struct json_object *
recorder_print_items(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_object))
		return value;
	json_object_object_foreach(value, key, member) {
		(void)key;
		if (json_object_is_type(member, json_type_array))
			return member;
	}
	return value;
}

/* The thing that an answer shows, of several the first; NULL when it shows none. */
static struct json_object *
recorder_print_thing(const struct recorder_entry *e, struct json_object *value)
{
	if (json_object_is_type(value, json_type_object) &&
	    resource_id(e->project.resource, value) != NULL)
		return value;
	if (e->operation != RECORDER_LIST)
		return NULL;
	value = recorder_print_items(value);
	return json_object_is_type(value, json_type_array) && json_object_array_length(value) > 0
	    ? json_object_array_get_idx(value, 0)
	    : NULL;
}

/* Explains an answer of Bluejay that shows a thing; false when it shows none. */
static bool
recorder_print_answer(struct recorder_members *f, const struct recorder_call *c)
{
	struct json_object *value = NULL, *thing;

	if (c->status < 200 || c->status > 299 || c->answer == NULL ||
	    !json_read(c->answer, strlen(c->answer), &value, NULL))
		return false;
	thing = recorder_print_thing(f->entry, value);
	if (thing != NULL)
		mapping_explain_answer(f->entry->project.mapping, thing, recorder_print_member, f);
	json_object_put(value);
	return thing != NULL;
}

/* Adds both directions: how the body was sent, and how the last answer with a thing
 * in it was read. */
static void
recorder_print_fields(struct buf *b, const struct recorder_entry *e)
{
	struct recorder_members there = {e, json_object_new_array()};
	struct recorder_members back = {e, json_object_new_array()};
	struct json_object *body = NULL;

	if (e->body != NULL && json_read(e->body, strlen(e->body), &body, NULL))
		recorder_print_request(&there, body);
	json_object_put(body);
	for (unsigned i = e->call_count; i > 0 && !recorder_print_answer(&back, &e->calls[i - 1]);)
		i--;
	buf_adds(b, ",\"fields\":");
	json_add(b, there.list);
	buf_adds(b, ",\"answer_fields\":");
	json_add(b, back.list);
	json_object_put(there.list);
	json_object_put(back.list);
}

/* ---- both forms ---- */

/* Lists what is remembered. */
void
recorder_list(const struct recorder *r, struct buf *b)
{
	const struct recorder_entry *e;

	buf_addc(b, '[');
	TAILQ_FOREACH_REVERSE(e, &r->entries, recorder_entries, link) {
		buf_adds(b, b->len > 1 ? ",{" : "{");
		recorder_print_head(b, e);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

/* Shows one. */
static void
recorder_print(struct buf *b, const struct recorder_entry *e)
{
	const struct yaml_node *document = e->snap->config->document;

	buf_addc(b, '{');
	recorder_print_head(b, e);
	recorder_print_json(b, "body", e->body);
	buf_adds(b, ",\"calls\":[");
	for (unsigned i = 0; i < e->call_count; i++) {
		buf_adds(b, i > 0 ? "," : "");
		recorder_print_call(b, &e->calls[i]);
	}
	buf_addc(b, ']');
	if (e->calls_more > 0)
		buf_addf(b, ",\"more_calls\":%u", e->calls_more);
	recorder_print_json(b, "answer", e->answer);
	recorder_print_text(b, "file", document != NULL ? document->file : NULL);
	recorder_print_fields(b, e);
	buf_addf(b, ",\"whole\":%s}", e->cut ? "false" : "true");
}

/* Shows the newest of an id. */
bool
recorder_show(const struct recorder *r, const char *id, struct buf *b)
{
	const struct recorder_entry *e;

	TAILQ_FOREACH_REVERSE(e, &r->entries, recorder_entries, link) {
		if (strcmp(e->id, id) != 0)
			continue;
		recorder_print(b, e);
		return true;
	}
	return false;
}
