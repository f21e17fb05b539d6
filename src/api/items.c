#include "config.h"

#include "api/api_impl.h"
#include "api/core_wait.h"
#include "api/item_routes.h"
#include "base/mem.h"
#include "core/items.h"
#include "core/personas.h"
#include "core/recorder.h"
#include "json/json_read.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ITEM_KEY_MAX 255 /* bytes of an Idempotency-Key */

/* JSON values in one request body: far more than an item has, and few enough
 * to be read, mapped and printed in a few milliseconds on the loop. */
#define ITEM_VALUES_MAX 20000

/* One request on its way. */
struct item_call {
	struct api *api;
	struct core_wait wait;
	enum item_route route;
	struct project project;
	char id[]; /* "" for what has none */
};

/* The exchange is over: the work is told, or cancelled when its client left. */
static void
item_on_end(void *arg, enum http_end end)
{
	struct item_call *c = arg;

	core_wait_over(&c->wait, end);
	free(c);
}

/* The status of an answer: what was done may have another one by its declaration. */
static int
item_status(const struct item_call *c, int status)
{
	const struct resource *resource = c->project.resource;
	int declared = 0;

	if (status < 200 || status > 299)
		return status;
	if (c->route == ITEM_CREATE)
		declared = resource->create.status;
	else if (c->route == ITEM_UPDATE || c->route == ITEM_ADD)
		declared = c->route == ITEM_ADD ? resource->add.status : resource->update.status;
	return declared != 0 ? declared : status;
}

/* Answers with a result. */
static void
item_answer(struct item_call *c, const struct result *r)
{
	recorder_told(gateway_recorder(c->api->gw), c->project.trace, r);
	api_answer_result(c->wait.ex, r);
}

/* The work gives its result: the answer. */
static void
item_on_done(void *arg, struct result *r)
{
	struct item_call *c = arg;

	c->wait.done = true;
	r->status = item_status(c, r->status);
	item_answer(c, r);
}

/* Remembers what is asked for, when that is on, of what goes through the mapping. */
static void
item_record(struct item_call *c, struct json_object *body)
{
	static const enum recorder_operation operations[] = {[ITEM_LIST] = RECORDER_LIST,
	    [ITEM_CREATE] = RECORDER_CREATE, [ITEM_GET] = RECORDER_READ,
	    [ITEM_UPDATE] = RECORDER_UPDATE, [ITEM_ADD] = RECORDER_ADD};

	recorder_begin(gateway_recorder(c->api->gw), &c->project,
	    operations[c->route], http_exchange_request(c->wait.ex)->id, body);
}

/* Whether the client wants no old copy (RFC 9111, 5.2.1.4; Pragma is not looked at). */
static bool
item_no_cache(const struct http_request *q)
{
	const char *value = http_request_field(q, "cache-control");

	return value != NULL && strcasestr(value, "no-cache") != NULL;
}

/* Reads a request body; NULL when it answered. An absent body counts as {} for a create. */
static struct json_object *
item_read_body(struct item_call *c, const char *body, size_t len)
{
	const struct http_request *q = http_exchange_request(c->wait.ex);
	struct json_object *root = NULL;
	struct json_error err;

	if (len == 0 && http_request_field(q, "content-type") == NULL && c->route == ITEM_CREATE)
		root = json_object_new_object();
	else if (len == 0) {
		api_answer_error(c->wait.ex, 400, "Request body is empty; send a JSON object");
	} else if (!json_read_bounded(body, len, ITEM_VALUES_MAX, &root, &err)) {
		api_answer_error(c->wait.ex, 400, "Request body is not valid JSON: %s (at offset %zu)", err.text,
		    err.offset);
	} else if (!json_object_is_type(root, json_type_object)) {
		api_answer_error(c->wait.ex, 400, "Request body must be a JSON object");
		json_object_put(root);
		root = NULL;
	}
	if (root != NULL) {
		traffic_note_fields(c->wait.ex, c->project.mapping, root);
		item_record(c, root);
	}
	return root;
}

/* Whether an Idempotency-Key has a usable form; answers when not. */
static bool
item_key_ok(struct http_exchange *ex, const char *key)
{
	size_t len = strlen(key);
	bool ok = len > 0 && len <= ITEM_KEY_MAX;

	for (const char *p = key; ok && *p != '\0'; p++)
		ok = (unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f;
	if (!ok)
		api_answer_error(ex, 400,
		    "Idempotency-Key must be 1 to %d visible ASCII characters", ITEM_KEY_MAX);
	return ok;
}

/* Starts a create. */
static void
item_start_create(struct item_call *c, const char *body, size_t len)
{
	const char *key = http_request_field(http_exchange_request(c->wait.ex), "idempotency-key");
	struct item_create in = {.raw = body, .raw_len = len, .idempotency_key = key};

	if (key != NULL && !item_key_ok(c->wait.ex, key))
		return;
	in.body = item_read_body(c, body, len);
	if (in.body == NULL)
		return;
	c->wait.work = item_create(c->api->gw, &c->project, &in, item_on_done, c);
	json_object_put(in.body);
}

/* Starts an update, or an addition. */
static void
item_start_update(struct item_call *c, const char *body, size_t len)
{
	struct json_object *root = item_read_body(c, body, len);

	if (root == NULL)
		return;
	if (c->route == ITEM_ADD)
		c->wait.work = item_add(c->api->gw, &c->project, c->id, root, item_on_done, c);
	else
		c->wait.work = item_update(c->api->gw, &c->project, c->id, root, item_on_done, c);
	json_object_put(root);
}

/* Starts a read, or answers it from memory. */
static void
item_start_get(struct item_call *c)
{
	bool no_cache = item_no_cache(http_exchange_request(c->wait.ex));
	struct result r;

	item_record(c, NULL);
	if (!no_cache && item_get_now(c->api->gw, &c->project, c->id, &r)) {
		item_answer(c, &r);
		result_clear(&r);
		return;
	}
	c->wait.work = item_get(c->api->gw, &c->project, c->id, no_cache, item_on_done, c);
}

/* The whole request is here: starts what it asks for. */
static void
item_on_body(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	struct item_call *c = arg;
	struct gateway *gw = c->api->gw;

	switch (c->route) {
	case ITEM_LIST:
		item_record(c, NULL);
		c->wait.work = item_list(gw, &c->project, item_no_cache(http_exchange_request(ex)),
		    item_on_done, c);
		return;
	case ITEM_CREATE:
		item_start_create(c, body, len);
		http_exchange_drop_body(ex); /* what is left of it is the parsed form */
		return;
	case ITEM_GET:
		item_start_get(c);
		return;
	case ITEM_UPDATE:
	case ITEM_ADD:
		item_start_update(c, body, len);
		http_exchange_drop_body(ex);
		return;
	case ITEM_DELETE:
		c->wait.work = item_delete(gw, &c->project, c->id, item_on_done, c);
		return;
	case ITEM_PORTRAIT:
		c->wait.work = persona_portrait(gw, &c->project, c->id, item_on_done, c);
		return;
	}
}

/* Starts a request on items. */
void
item_serve(struct api *api, struct http_exchange *ex, const struct http_match *match,
    const struct project *project)
{
	const char *id = match->param_count > 1 ? match->params[1] : "";
	struct item_call *c;

	if ((match->id == ITEM_CREATE || match->id == ITEM_UPDATE || match->id == ITEM_ADD) &&
	    api_refuse_type(ex))
		return;
	c = mem_zero(1, sizeof *c + strlen(id) + 1); /* small, and so from the cache of mem_zero() */
	c->api = api;
	c->wait.ex = ex;
	c->route = (enum item_route)match->id;
	c->project = *project;
	memcpy(c->id, id, strlen(id) + 1);
	http_exchange_on_end(ex, item_on_end, c);
	http_exchange_collect(ex, 0, item_on_body, c);
}
