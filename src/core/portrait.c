#include "config.h"

#include "core/portrait.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "core/crew.h"
#include "core/errand.h"
#include "core/image_type.h"
#include "core/images.h"
#include "core/items.h"
#include "core/personas.h"
#include "core/portrait_ask.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define PORTRAIT_ROLE "persona-avatar"
#define PORTRAIT_STYLE_ROLE "persona-avatar-styleguide"
#define PORTRAIT_STYLES_MAX 16                   /* images of the style that are sent */
#define PORTRAIT_STYLE_BYTES_MAX ((size_t)32 << 20) /* all of them together */
#define PORTRAIT_BOUNDARY_SIZE (UUID_SIZE + 20)

enum portrait_state {
	PORTRAIT_READING,  /* the persona is read */
	PORTRAIT_STYLING,  /* the images of the style are read */
	PORTRAIT_DRAWING,  /* the provider is asked; from here on it is finished, whoever leaves */
	PORTRAIT_FETCHING, /* the provider gave a link */
	PORTRAIT_STORING,
	PORTRAIT_UPDATING, /* the persona gets its imageUrl */
	PORTRAIT_OVER
};

/* One client. */
struct portrait_wait {
	struct work work;
	struct portrait *portrait; /* NULL: it was given its result */
	work_done_fn done;
	void *arg;
	TAILQ_ENTRY(portrait_wait) link;
};

/* A portrait being made. */
struct portrait {
	struct gateway *gw;
	struct snapshot *snap;
	struct project project;
	char *local_id, *key;
	enum portrait_state state;
	TAILQ_HEAD(, portrait_wait) waits;
	bool counted;          /* in gw->writes_running */
	struct loop_timer now; /* the next step, outside of callbacks */
	struct work *work;     /* the operation on the persona that runs, or ran */
	bool work_done;        /* it has given its result */
	struct result result;  /* its result */
	struct store_call *store;
	struct upstream_call *call;
	struct upstream *link; /* follows a link */
	int64_t deadline;      /* for the picture: asked for, and fetched where a link leads */
	char *name, *prompt;
	char **styles; /* ids */
	size_t style_count, style_next, style_bytes;
	struct buf form;
	char boundary[PORTRAIT_BOUNDARY_SIZE];
	char image_id[STORE_IMAGE_ID_SIZE];
	UT_hash_handle hh;
	TAILQ_ENTRY(portrait) link_drawn;
};

static void portrait_on_style(void *arg, struct store_reply *reply);

/* The one place that changes the state. */
static void
portrait_set(struct portrait *p, enum portrait_state state)
{
	static const char *const names[] = {"reading", "styling", "drawing", "fetching", "storing",
	    "updating", "over"};

	/* An id that is not known is the caller's words. */
	log_debug(p->gw->log, "portrait", LOG_S("persona", p->name != NULL ? p->local_id : NULL),
	    LOG_S("from", names[p->state]), LOG_S("to", names[state]));
	p->state = state;
}

/* Ends whatever a portrait waits for and frees it. */
static void
portrait_free(struct portrait *p)
{
	loop_timer_cancel(&p->now);
	if (p->state != PORTRAIT_OVER)
		HASH_DEL(p->gw->portraits, p);
	else
		TAILQ_REMOVE(&p->gw->drawn, p, link_drawn);
	if (p->counted)
		p->gw->writes_running--;
	if (p->work != NULL && p->work_done)
		work_told(p->work, true);
	else if (p->work != NULL)
		work_cancel(p->work);
	if (p->store != NULL)
		store_cancel(p->store);
	if (p->call != NULL)
		upstream_cancel(p->call);
	upstream_free(p->link);
	for (size_t i = 0; i < p->style_count; i++)
		free(p->styles[i]);
	free(p->styles);
	buf_free(&p->form);
	result_clear(&p->result);
	snapshot_unref(p->snap);
	free(p->name);
	free(p->prompt);
	free(p->local_id);
	free(p->key);
	free(p);
}

/* Goes on with a step outside of the callback that runs. */
static void
portrait_later(struct portrait *p, loop_fn step)
{
	loop_timer_init(&p->now, p->gw->loop, step, p);
	loop_timer_set(&p->now, 0);
}

/* Frees a portrait whose clients were told. */
static void
portrait_on_over(void *arg)
{
	portrait_free(arg);
}

/* Gives all clients the result. */
static void
portrait_finish(struct portrait *p, struct result *r)
{
	struct portrait_wait *w;

	p->gw->portraits_drawn += r->status == 200;
	p->gw->portraits_failed += r->status != 200;
	HASH_DEL(p->gw->portraits, p);
	TAILQ_INSERT_TAIL(&p->gw->drawn, p, link_drawn);
	portrait_set(p, PORTRAIT_OVER);
	while ((w = TAILQ_FIRST(&p->waits)) != NULL) {
		struct result copy;

		TAILQ_REMOVE(&p->waits, w, link);
		w->portrait = NULL;
		result_copy(&copy, r);
		w->done(w->arg, &copy);
		result_clear(&copy);
	}
	result_clear(r);
	portrait_later(p, portrait_on_over);
}

/* ---- the persona's imageUrl ---- */

/* The update has given its result: outside of its callback. */
static void
portrait_on_updated(void *arg)
{
	struct portrait *p = arg;
	struct result r;

	work_told(p->work, true);
	p->work = NULL;
	result_move(&r, &p->result);
	if (r.status != 200) /* the persona is gone, or cannot be written: nobody has the image */
		store_image_delete(p->gw->store, p->project.id, p->image_id, NULL, NULL);
	portrait_finish(p, &r);
}

/* The update's result. */
static void
portrait_update_done(void *arg, struct result *r)
{
	struct portrait *p = arg;

	p->work_done = true;
	result_move(&p->result, r);
	portrait_later(p, portrait_on_updated);
}

/* The image is stored. */
static void
portrait_on_stored(void *arg, struct store_reply *reply)
{
	struct portrait *p = arg;
	struct json_object *body;
	struct result r;

	p->store = NULL;
	gateway_saw_store(p->gw, reply);
	if (reply->status != STORE_OK) {
		gateway_store_trouble(&r);
		portrait_finish(p, &r);
		return;
	}
	portrait_set(p, PORTRAIT_UPDATING);
	body = json_object_new_object();
	json_object_object_add(body, "imageUrl", json_object_new_string(p->image_id));
	p->work = item_update(p->gw, &p->project, p->local_id, body, portrait_update_done, p);
	json_object_put(body);
}

/* Stores the picture, whose bytes it takes over, if it is one. */
static void
portrait_store(struct portrait *p, char *bytes, size_t len)
{
	const struct image_type *type = image_type_of(bytes, len);
	struct store_image i = {.project = p->project.id, .id = p->image_id,
	    .role = (char *)(uintptr_t)PORTRAIT_ROLE, .maker = p->local_id,
	    .created_ms = loop_wall(p->gw->loop)};
	char uuid[UUID_SIZE];
	struct result r;

	if (type == NULL || len > IMAGE_BYTES_MAX) {
		free(bytes);
		result_error(&r, 502, "The image provider's answer holds no image");
		portrait_finish(p, &r);
		return;
	}
	portrait_set(p, PORTRAIT_STORING);
	uuid_make(uuid);
	snprintf(p->image_id, sizeof p->image_id, "%s%s", uuid, type->extension);
	i.type = (char *)(uintptr_t)type->media;
	p->store = store_image_put(p->gw->store, &i, bytes, len, portrait_on_stored, p);
}

/* ---- the provider ---- */

/* What a link led to. */
static void
portrait_on_fetched(void *arg, const struct upstream_answer *a)
{
	struct portrait *p = arg;
	struct result r;

	p->call = NULL;
	if (a->outcome == UPSTREAM_ANSWER && a->status == 200) {
		portrait_store(p, mem_copy(a->body, a->body_len), a->body_len);
		return;
	}
	if (a->outcome == UPSTREAM_TIMEOUT)
		portrait_ask_trouble(&r, a);
	else
		result_error(&r, 502,
		    "The image provider gave a link that does not lead to the image");
	portrait_finish(p, &r);
}

/* Follows the provider's link: without its key, and to public addresses only,
 * unless the provider itself is on this machine. */
static void
portrait_fetch(struct portrait *p, const char *url)
{
	const struct config *c = p->snap->config;
	int64_t left = p->deadline - loop_now(p->gw->loop), timeout = left > 1 ? left : 1;
	int64_t connect = c->bluejay.connect < timeout ? c->bluejay.connect : timeout;
	struct upstream_config u = {.connect_ms = connect, .first_byte_ms = timeout,
	    .total_ms = timeout, .retries = 1, .max_in_flight = 1, .max_queue = 1,
	    .max_answer = IMAGE_BYTES_MAX, .public_only = !p->gw->images_local,
	    .log = p->gw->log};
	struct upstream_request q = {.method = "GET", .accept = "image/*", .repeat = UPSTREAM_SAFE,
	    .deadline = p->deadline};
	char *origin = NULL, *path = NULL;
	struct fail fail;
	struct result r;

	portrait_set(p, PORTRAIT_FETCHING);
	if (portrait_ask_link(url, p->gw->images_local, &origin, &path)) {
		u.url = origin;
		q.path = path;
		p->link = upstream_new(p->gw->loop, &u, &fail);
	}
	if (p->link != NULL) {
		p->call = upstream_start(p->link, &q, portrait_on_fetched, p);
	} else {
		result_error(&r, 502, "The image provider gave a link that may not be followed");
		portrait_finish(p, &r);
	}
	free(origin);
	free(path);
}

/* The provider has answered, or not. */
static void
portrait_on_drawn(void *arg, const struct upstream_answer *a)
{
	struct portrait *p = arg;
	char *bytes, *url;
	struct result r;
	size_t len;

	p->call = NULL;
	gateway_note_cost(p->gw, a);
	gateway_saw_key(p->gw, a);
	if (a->fell_back)
		log_warn(p->gw->log, "the image provider refuses the new API key; the one before it was "
		    "tried", LOG_I("status", a->status));
	if (a->outcome == UPSTREAM_ANSWER && a->status == 200 &&
	    portrait_ask_read(a->body, a->body_len, &bytes, &len, &url)) {
		if (bytes != NULL)
			portrait_store(p, bytes, len);
		else
			portrait_fetch(p, url);
		free(url);
		return;
	}
	log_warn(p->gw->log, "no portrait", LOG_S("persona", p->local_id),
	    LOG_I("status", a->status));
	portrait_ask_trouble(&r, a);
	portrait_finish(p, &r);
}

/* Asks the provider: with a form when there are images of the style. */
static void
portrait_draw(struct portrait *p)
{
	const struct config *c = p->snap->config;
	struct portrait_ask ask = {c->images.model, c->images.size, p->name, p->prompt, false};
	struct upstream_request q = {.method = "POST", .path = "/v1/images/generations",
	    .api_key = c->images.api_key, .earlier_key = c->images.earlier_key,
	    .key_field = "Authorization: Bearer ", .repeat = UPSTREAM_ONCE, .trace = p->project.trace};
	char type[PORTRAIT_BOUNDARY_SIZE + 40];

	portrait_set(p, PORTRAIT_DRAWING);
	p->counted = true;
	p->gw->writes_running++;
	if (p->form.len > 0) {
		portrait_ask_end(&p->form, p->boundary);
		snprintf(type, sizeof type, "multipart/form-data; boundary=%s", p->boundary);
		q.path = "/v1/images/edits";
		q.body_type = type;
	} else {
		portrait_ask_json(&p->form, &ask);
	}
	q.body = p->form.data;
	q.body_len = p->form.len;
	q.deadline = p->deadline = loop_now(p->gw->loop) + c->images.timeout;
	p->call = upstream_start(p->gw->images, &q, portrait_on_drawn, p);
	buf_free(&p->form);
}

/* ---- the images of the style ---- */

/* Begins the form. */
static void
portrait_begin_form(struct portrait *p)
{
	const struct config *c = p->snap->config;
	struct portrait_ask ask = {c->images.model, c->images.size, p->name, p->prompt, true};
	char uuid[UUID_SIZE];

	uuid_make(uuid);
	snprintf(p->boundary, sizeof p->boundary, "portrait-%s", uuid);
	portrait_ask_form(&p->form, p->boundary, &ask);
}

/* Reads the next image of the style; asks the provider after the last. */
static void
portrait_style_more(struct portrait *p)
{
	if (p->style_next < p->style_count)
		p->store = store_image_get(p->gw->store, p->project.id,
		    p->styles[p->style_next++], 0, IMAGE_BYTES_MAX, portrait_on_style, p);
	else
		portrait_draw(p);
}

/* An image of the style was read. One that was deleted meanwhile is left out. */
static void
portrait_on_style(void *arg, struct store_reply *reply)
{
	struct portrait *p = arg;

	p->store = NULL;
	if (reply->status == STORE_OK && reply->bytes != NULL) {
		if (p->form.len == 0)
			portrait_begin_form(p);
		portrait_ask_image(&p->form, p->boundary, reply->images[0].type,
		    reply->images[0].id, reply->bytes, reply->len);
	}
	portrait_style_more(p);
}

/* The images of the style are known: chooses those that are sent. */
static void
portrait_on_styles(void *arg, struct store_reply *reply)
{
	struct portrait *p = arg;

	p->store = NULL;
	p->styles = mem_zero(PORTRAIT_STYLES_MAX, sizeof *p->styles);
	for (size_t i = 0; i < reply->image_count && p->style_count < PORTRAIT_STYLES_MAX; i++) {
		const struct store_image *image = &reply->images[i];

		if (!portrait_ask_takes(image->type) ||
		    p->style_bytes + (size_t)image->size > PORTRAIT_STYLE_BYTES_MAX)
			continue;
		p->style_bytes += (size_t)image->size;
		p->styles[p->style_count++] = mem_string(image->id);
	}
	portrait_style_more(p);
}

/* ---- the persona ---- */

/* Refuses with one of the local API's sentences. */
static void
portrait_refuse(struct portrait *p, const char *sentence)
{
	struct result r;

	result_error(&r, 400, "%s", sentence);
	portrait_finish(p, &r);
}

/* The persona was read: checks it, outside of the read's callback. */
static void
portrait_on_persona(void *arg)
{
	struct portrait *p = arg;
	struct json_object *persona = NULL;
	struct result r;

	work_told(p->work, true);
	p->work = NULL;
	p->work_done = false;
	result_move(&r, &p->result);
	if (r.status != 200) {
		portrait_finish(p, &r);
		return;
	}
	if (json_read(r.body, r.len, &persona, NULL)) {
		struct json_object *prompt = NULL, *name = NULL;

		if (json_object_object_get_ex(persona, "systemPrompt", &prompt))
			p->prompt = mem_string(json_object_get_string(prompt));
		if (json_object_object_get_ex(persona, "name", &name))
			p->name = mem_string(json_object_get_string(name));
	}
	json_object_put(persona);
	result_clear(&r);
	if (p->name == NULL)
		p->name = mem_string("");
	if (p->prompt == NULL || *p->prompt == '\0') {
		portrait_refuse(p, "Persona must have a system prompt to generate an image");
	} else if (!p->gw->draws) {
		portrait_refuse(p,
		    "No LLM provider configured. Configure one in Settings > LLM Providers.");
	} else {
		portrait_set(p, PORTRAIT_STYLING);
		p->store = store_image_list(p->gw->store, p->project.id, PORTRAIT_STYLE_ROLE,
		    portrait_on_styles, p);
	}
}

/* The persona, or why there is none. */
static void
portrait_read_done(void *arg, struct result *r)
{
	struct portrait *p = arg;

	p->work_done = true;
	result_move(&p->result, r);
	portrait_later(p, portrait_on_persona);
}

/* ---- the clients ---- */

/* A client is gone: if it was the last one and nothing was asked for yet, nothing
 * will be. A picture that is being drawn is paid for, and is kept. */
static void
portrait_wait_cancel(struct work *work)
{
	struct portrait_wait *w = (struct portrait_wait *)work;
	struct portrait *p = w->portrait;

	if (p != NULL) {
		TAILQ_REMOVE(&p->waits, w, link);
		if (TAILQ_EMPTY(&p->waits) && p->state < PORTRAIT_DRAWING)
			portrait_free(p);
	}
	free(w);
}

/* A client was told. */
static void
portrait_wait_told(struct work *work, bool sent)
{
	free(work);
}

static const struct work_ops portrait_wait_ops = {portrait_wait_cancel, portrait_wait_told};

/* Starts a portrait. */
static struct portrait *
portrait_start(struct gateway *gw, const struct project *project, const char *id, char *key)
{
	struct portrait *p = mem_zero(1, sizeof *p);

	p->gw = gw;
	p->snap = snapshot_ref(project->snap);
	p->project = *project;
	p->local_id = mem_string(id);
	p->key = key;
	TAILQ_INIT(&p->waits);
	loop_timer_init(&p->now, gw->loop, portrait_on_over, p);
	result_init(&p->result);
	buf_init(&p->form, PORTRAIT_STYLE_BYTES_MAX + (1 << 20));
	HASH_ADD_KEYPTR(hh, gw->portraits, p->key, strlen(p->key), p);
	p->work = item_get(gw, project, id, false, portrait_read_done, p);
	return p;
}

/* Makes a portrait, or joins one that is being made. */
struct work *
persona_portrait(struct gateway *gw, const struct project *project, const char *id,
    work_done_fn done, void *arg)
{
	const struct errand_order order = {.kind = ERRAND_PORTRAIT, .project = project, .id = id};
	struct portrait_wait *w;
	struct portrait *p;
	char *key;

	if (crew_owner(gw) != NULL)
		return errand_send(gw, crew_owner(gw), &order, done, arg);
	w = mem_zero(1, sizeof *w);
	key = mem_format("%s\n%s\n%s", project->scope, project->id, id);
	HASH_FIND(hh, gw->portraits, key, strlen(key), p);
	if (p == NULL)
		p = portrait_start(gw, project, id, key);
	else
		free(key);
	w->work.ops = &portrait_wait_ops;
	w->portrait = p;
	w->done = done;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&p->waits, w, link);
	return &w->work;
}

/* Cuts what is being made. */
void
portrait_free_all(struct gateway *gw)
{
	struct portrait *p, *next;

	HASH_ITER(hh, gw->portraits, p, next)
		portrait_free(p);
	while ((p = TAILQ_FIRST(&gw->drawn)) != NULL)
		portrait_free(p);
}

/* How many are being made. */
unsigned
portrait_running(const struct gateway *gw)
{
	return HASH_COUNT(gw->portraits);
}
