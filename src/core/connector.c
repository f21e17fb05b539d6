#include "config.h"

#include "core/connector.h"
#include "core/recorder.h"
#include "json/json_read.h"

#include <json-c/linkhash.h>
#include <string.h>

/* Merges a thing's own headers into a list. */
bool
connector_merge(struct header_list *list, struct json_object *own)
{
	bool all = true;

	if (!json_object_is_type(own, json_type_object))
		return true;
	json_object_object_foreach(own, name, value) {
		const char *text = json_object_get_string(value);

		if (!json_object_is_type(value, json_type_string) ||
		    strlen(text) != (size_t)json_object_get_string_len(value))
			continue; /* no text, or one with U+0000 */
		if (header_list_put(list, name, text) == HEADER_TOO_MANY)
			all = false;
	}
	return all;
}

/* Starts a call as it is. */
static struct upstream_call *
connector_send(struct gateway *gw, struct upstream_request *q, upstream_done_fn done, void *arg)
{
	recorder_sent(gw->recorder, gw->upstream_url, q);
	return upstream_start(gw->upstream, q, done, arg);
}

/* Starts a call with the thing's own headers over the configured ones. */
static struct upstream_call *
connector_start_merged(struct gateway *gw, struct upstream_request *q, struct json_object *own,
    upstream_done_fn done, void *arg)
{
	struct header_list merged = {0};
	struct upstream_call *call;

	header_list_copy(&merged, q->headers);
	if (!connector_merge(&merged, own))
		log_info(gw->log, "headers of a persona were left out, since they are too many or "
		    "too long", LOG_I("sent", merged.count));
	q->headers = &merged;
	call = connector_send(gw, q, done, arg);
	q->headers = NULL;
	header_list_clear(&merged);
	return call;
}

/* Starts a call about one thing. */
struct upstream_call *
connector_start(struct gateway *gw, const struct project *p, struct upstream_request *q,
    const char *kept, upstream_done_fn done, void *arg)
{
	struct json_object *all = NULL, *own = NULL;
	struct upstream_call *call;

	if (kept != NULL && p->own_headers && json_read(kept, strlen(kept), &all, NULL))
		json_object_object_get_ex(all, p->resource->headers, &own);
	if (own != NULL)
		call = connector_start_merged(gw, q, own, done, arg);
	else
		call = connector_send(gw, q, done, arg);
	json_object_put(all);
	return call;
}
