#include "config.h"

#include "core/images.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "core/gateway_impl.h"
#include "core/image_type.h"
#include "json/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_IDS_MAX ((size_t)16 << 20) /* bytes of a list */

/* One call on images. */
struct image_work {
	struct work work;
	struct gateway *gw;
	struct trace_ref trace;
	struct store_call *store;
	struct loop_timer now; /* gives a refusal later */
	struct result refusal;
	work_done_fn done;
	void *arg;
};

struct image_read {
	struct gateway *gw;
	struct trace_ref trace;
	struct store_call *store;
	image_read_fn done;
	void *arg;
};

/* Ends a call. */
static void
image_work_free(struct image_work *w)
{
	if (w->store != NULL)
		store_cancel(w->store);
	loop_timer_cancel(&w->now);
	result_clear(&w->refusal);
	free(w);
}

/* The client is gone. */
static void
image_work_cancel(struct work *w)
{
	image_work_free((struct image_work *)w);
}

/* The answer went out. */
static void
image_work_told(struct work *w, bool sent)
{
	image_work_free((struct image_work *)w);
}

static const struct work_ops image_work_ops = {image_work_cancel, image_work_told};

/* Gives the refusal. */
static void
image_work_refuse(void *arg)
{
	struct image_work *w = arg;

	w->done(w->arg, &w->refusal);
	result_clear(&w->refusal);
}

/* Makes a call. */
static struct image_work *
image_work_new(struct gateway *gw, const struct project *p, work_done_fn done, void *arg)
{
	struct image_work *w = mem_zero(1, sizeof *w);

	w->work.ops = &image_work_ops;
	w->gw = gw;
	w->trace = p->trace;
	w->done = done;
	w->arg = arg;
	result_init(&w->refusal);
	loop_timer_init(&w->now, gw->loop, image_work_refuse, w);
	return w;
}

/* Gives a result. */
static void
image_work_give(struct image_work *w, struct result *r)
{
	w->done(w->arg, r);
	result_clear(r);
}

/* An image is stored. */
static void
image_on_added(void *arg, struct store_reply *reply)
{
	struct image_work *w = arg;
	struct result r;

	w->store = NULL;
	gateway_store_end(w->gw, w->trace);
	gateway_saw_store(w->gw, reply);
	if (reply->status == STORE_OK) {
		char *body = mem_format("{\"id\":\"%s\"}", reply->images[0].id);

		result_body(&r, 201, body, strlen(body));
	} else {
		gateway_store_trouble(&r);
	}
	image_work_give(w, &r);
}

/* Stores an image. */
struct work *
image_add(struct gateway *gw, const struct project *p, const char *role, const char *filename,
    char *bytes, size_t len, work_done_fn done, void *arg)
{
	struct image_work *w = image_work_new(gw, p, done, arg);
	const struct image_type *type = image_type_of(bytes, len);
	char uuid[UUID_SIZE], id[STORE_IMAGE_ID_SIZE];
	struct store_image i = {.project = (char *)p->id, .id = id, .role = (char *)(uintptr_t)role,
	    .filename = (char *)(uintptr_t)filename, .created_ms = loop_wall(gw->loop)};

	if (type == NULL) {
		result_error(&w->refusal, 400,
		    "imageBase64 must hold a PNG, JPEG, WebP or GIF image");
		loop_timer_set(&w->now, 0);
		free(bytes);
		return &w->work;
	}
	uuid_make(uuid);
	snprintf(id, sizeof id, "%s%s", uuid, type->extension);
	i.type = (char *)(uintptr_t)type->media;
	gateway_store_begin(gw, p->trace);
	w->store = store_image_put(gw->store, &i, bytes, len, image_on_added, w);
	return &w->work;
}

/* The images of a role are known. */
static void
image_on_list(void *arg, struct store_reply *reply)
{
	struct image_work *w = arg;
	struct result r;
	struct buf b;
	size_t len;
	char *body;

	w->store = NULL;
	gateway_store_end(w->gw, w->trace);
	if (reply->status != STORE_OK) {
		gateway_read_trouble(&r);
		image_work_give(w, &r);
		return;
	}
	buf_init(&b, IMAGE_IDS_MAX);
	buf_adds(&b, "{\"ids\":[");
	for (size_t i = 0; i < reply->image_count; i++)
		buf_addf(&b, "%s\"%s\"", i > 0 ? "," : "", reply->images[i].id);
	buf_adds(&b, "]}");
	body = buf_take(&b, &len);
	result_body(&r, 200, body, len);
	image_work_give(w, &r);
}

/* Lists the images of a role. */
struct work *
image_ids(struct gateway *gw, const struct project *p, const char *role, work_done_fn done,
    void *arg)
{
	struct image_work *w = image_work_new(gw, p, done, arg);

	gateway_store_begin(gw, p->trace);
	w->store = store_image_list(gw->store, p->id, role, image_on_list, w);
	return &w->work;
}

/* An image is deleted, or was not there. */
static void
image_on_deleted(void *arg, struct store_reply *reply)
{
	struct image_work *w = arg;
	struct result r;

	w->store = NULL;
	gateway_store_end(w->gw, w->trace);
	gateway_saw_store(w->gw, reply);
	if (reply->status == STORE_OK) {
		result_init(&r);
		r.status = 204;
	} else if (reply->status == STORE_NONE) {
		result_error(&r, 404, "Image not found");
	} else {
		gateway_store_trouble(&r);
	}
	image_work_give(w, &r);
}

/* Deletes an image. */
struct work *
image_delete(struct gateway *gw, const struct project *p, const char *id, work_done_fn done,
    void *arg)
{
	struct image_work *w = image_work_new(gw, p, done, arg);

	gateway_store_begin(gw, p->trace);
	w->store = store_image_delete(gw->store, p->id, id, image_on_deleted, w);
	return &w->work;
}

/* An image was read. */
static void
image_on_read(void *arg, struct store_reply *reply)
{
	struct image_read *r = arg;
	struct image_piece piece = {.status = IMAGE_TROUBLE};

	gateway_store_end(r->gw, r->trace);
	if (reply->status == STORE_OK) {
		piece.status = IMAGE_FOUND;
		piece.image = &reply->images[0];
		piece.bytes = reply->bytes;
		piece.len = reply->len;
		piece.whole = reply->bytes != NULL && (int64_t)reply->len == reply->images[0].size;
	} else if (reply->status == STORE_NONE) {
		piece.status = IMAGE_NONE;
	} else {
		log_error(r->gw->log, "an image cannot be read", LOG_S("why", reply->text));
	}
	r->done(r->arg, &piece);
	free(r);
}

/* Reads an image. */
struct image_read *
image_read(struct gateway *gw, const struct project *p, const char *id, int64_t offset, size_t max,
    image_read_fn done, void *arg)
{
	struct image_read *r = mem_zero(1, sizeof *r);

	r->gw = gw;
	r->trace = p->trace;
	r->done = done;
	r->arg = arg;
	gateway_store_begin(gw, p->trace);
	r->store = store_image_get(gw->store, p->id, id, offset, max, image_on_read, r);
	return r;
}

/* Nobody waits any more. */
void
image_read_cancel(struct image_read *r)
{
	store_cancel(r->store);
	free(r);
}
