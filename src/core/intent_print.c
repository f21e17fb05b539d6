#include "config.h"

#include "core/intent_print.h"
#include "core/resource.h"
#include "base/timestamp.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <string.h>

/* Adds a member with a string, if there is one. */
static void
intent_print_member(struct buf *b, const char *key, const char *value)
{
	if (value == NULL)
		return;
	buf_addf(b, ",\"%s\":", key);
	json_add_string(b, value, strlen(value));
}

/* Names an operation. */
const char *
intent_operation(enum store_operation operation)
{
	static const char *const names[] = {"create", "update", "delete", "add"};

	return names[operation];
}

/* Adds what a write's item is called: where names need not differ, what is sent says it. */
static void
intent_print_name(struct buf *b, const struct store_intent *in, const struct resource *resource)
{
	struct json_object *sent = NULL;

	if (in->name == NULL && resource != NULL && resource->label != NULL && in->sent != NULL &&
	    json_read(in->sent, strlen(in->sent), &sent, NULL))
		intent_print_member(b, "name", json_get_string(sent, resource->label));
	else
		intent_print_member(b, "name", in->name);
	json_object_put(sent);
}

/* Adds one intent. */
void
intent_print(struct buf *b, bool first, const struct snapshot *snap, const struct store_intent *in)
{
	static const char *const states[] = {"pending", "unknown", "operator", "twinning"};
	const struct resource *resource = snapshot_resource_of_scope(snap, in->scope);
	char when[TIMESTAMP_SIZE];

	timestamp_format(in->created_ms, when);
	buf_adds(b, first ? "{\"id\":" : ",{\"id\":");
	json_add_string(b, in->id, strlen(in->id));
	intent_print_member(b, "operation", intent_operation(in->operation));
	intent_print_member(b, "state", states[in->state]);
	intent_print_member(b, "kind", resource != NULL ? resource->noun : "not declared any more");
	intent_print_member(b, "project", in->project);
	intent_print_name(b, in, resource);
	if (in->operation != STORE_CREATE)
		intent_print_member(b, resource != NULL ? resource->id_member : "itemId", in->local_id);
	intent_print_member(b, "createdAt", when);
	buf_addc(b, '}');
}
