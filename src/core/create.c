#include "config.h"

#include "base/digest.h"
#include "base/mem.h"
#include "core/create_impl.h"
#include "core/crew.h"
#include "core/errand.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define CREATE_UNSETTLED_MAX ((size_t)64 << 20) /* bytes of bodies whose outcome is not known */
#define CREATE_RETRY_AFTER_MS 5000

/* Frees a client's create; it must not be in any list. */
static void
create_wait_free(struct create_wait *w)
{
	loop_timer_cancel(&w->timer);
	json_object_put(w->body);
	free(w->name);
	free(w->fingerprint);
	free(w->key);
	free(w->key_hash);
	free(w);
}

/* The client is gone before it got a result: what was sent is settled all the same. */
static void
create_cancel(struct work *work)
{
	struct create_wait *w = (struct create_wait *)work;

	create_wait_detach(w);
	create_wait_free(w);
}

/* The client got its answer, or could not be told. */
static void
create_told(struct work *work, bool sent)
{
	struct create_wait *w = (struct create_wait *)work;
	struct creation *c = w->creation;

	create_wait_free(w);
	if (c != NULL)
		creation_told(c, sent);
}

static const struct work_ops create_ops = {create_cancel, create_told};

/* Whether a client's create is the same as one that runs. One that is being given
 * up, or whose outcome is being told, is over for those who come now. */
static bool
create_joins(const struct create_wait *w, const struct creation *c)
{
	if (c->state == CREATION_DROPPING || c->state == CREATION_HANDING)
		return false;
	if (w->key == NULL)
		return strcmp(w->fingerprint, c->intent.fingerprint) == 0;
	return c->intent.key != NULL && strcmp(w->key, c->intent.key) == 0 &&
	    strcmp(w->key_hash, c->intent.key_hash) == 0;
}

/* Whether a client's key belongs to a running create with another body. */
static bool
create_contradicts(const struct create_wait *w, const struct creation *c)
{
	return c->state != CREATION_DROPPING && w->key != NULL && c->intent.key != NULL &&
	    strcmp(w->key, c->intent.key) == 0 && strcmp(w->key_hash, c->intent.key_hash) != 0;
}

/* Starts a create, unless too much is unsettled already. */
static void
create_begin(struct create_wait *w)
{
	struct result r;

	if (w->gw->unsettled_bytes <= CREATE_UNSETTLED_MAX) {
		creation_start(w);
		return;
	}
	result_error(&r, 503,
	    "The outcome of too many creates is not known yet; try again later");
	r.retry_after = CREATE_RETRY_AFTER_MS;
	create_wait_give(w, &r);
}

/* Where names need not differ: whether a client's create has to do with one of its
 * scope: by its key, or because it is the same and nobody knows what became of it. */
static bool
create_concerns(const struct create_wait *w, const struct creation *c)
{
	if (w->key != NULL)
		return c->intent.key != NULL && strcmp(w->key, c->intent.key) == 0;
	return creation_is_unsettled(c) && strcmp(w->fingerprint, c->intent.fingerprint) == 0;
}

/* The create that a client's has to do with; NULL when there is none. */
static struct creation *
create_find(const struct create_wait *w)
{
	struct creation *c;
	char *key;

	if (w->project.resource->unique) {
		key = gateway_key(w->project.scope, w->name);
		HASH_FIND_STR(w->gw->creations, key, c);
		free(key);
		return c;
	}
	for (c = w->gw->creations; c != NULL; c = c->hh.next)
		if (strcmp(c->project.scope, w->project.scope) == 0 && create_concerns(w, c))
			return c;
	return NULL;
}

/* Joins a running create, waits behind it, or starts one. */
static void
create_attempt(struct create_wait *w)
{
	struct creation *c = create_find(w);
	struct result r;

	if (c == NULL) {
		create_begin(w);
	} else if (create_contradicts(w, c)) {
		result_error(&r, 422, CREATE_KEY_CONTRADICTED);
		create_wait_give(w, &r);
	} else if (create_joins(w, c)) {
		w->state = CREATE_WAIT_JOINED;
		w->creation = c;
		TAILQ_INSERT_TAIL(&c->joined, w, link);
	} else if (creation_is_unsettled(c)) {
		create_wait_held(&r, w);
		create_wait_give(w, &r);
	} else {
		w->state = CREATE_WAIT_BEHIND;
		w->creation = c;
		TAILQ_INSERT_TAIL(&c->behind, w, link);
	}
}

/* First step, then the deadline. */
static void
create_on_timer(void *arg)
{
	struct create_wait *w = arg;

	if (w->state != CREATE_WAIT_START) {
		create_wait_expire(w);
		return;
	}
	loop_timer_set(&w->timer, w->deadline - loop_now(w->gw->loop));
	create_attempt(w);
}

/* Answers a request that cannot be started: given by the timer, as all results are. */
struct create_refusal {
	struct work work;
	struct loop_timer timer;
	struct result result;
	work_done_fn done;
	void *arg;
};

/* Frees a refusal. */
static void
create_refusal_free(struct create_refusal *f)
{
	loop_timer_cancel(&f->timer);
	result_clear(&f->result);
	free(f);
}

/* The client is gone. */
static void
create_refusal_cancel(struct work *w)
{
	create_refusal_free((struct create_refusal *)w);
}

/* The client was told. */
static void
create_refusal_told(struct work *w, bool sent)
{
	create_refusal_free((struct create_refusal *)w);
}

static const struct work_ops create_refusal_ops = {create_refusal_cancel, create_refusal_told};

/* Gives the refusal. */
static void
create_refusal_on_timer(void *arg)
{
	struct create_refusal *f = arg;

	f->done(f->arg, &f->result);
}

/* Refuses a body. */
static struct work *
create_refuse(struct gateway *gw, const char *sentence, work_done_fn done, void *arg)
{
	struct create_refusal *f = mem_zero(1, sizeof *f);

	f->work.ops = &create_refusal_ops;
	f->done = done;
	f->arg = arg;
	result_error(&f->result, 400, "%s", sentence);
	loop_timer_init(&f->timer, gw->loop, create_refusal_on_timer, f);
	loop_timer_set(&f->timer, 0);
	return &f->work;
}

/* Creates an item. */
struct work *
item_create(struct gateway *gw, const struct project *p, const struct item_create *in,
    work_done_fn done, void *arg)
{
	const char *name = json_get_string(in->body, p->resource->name);
	char hex[DIGEST_HEX_SIZE], *text;
	struct create_wait *w;
	struct mapping_project mp = {p->id, p->has_agent, p->agent_id};
	struct mapping_request probe;
	const struct errand_order order = {.kind = ERRAND_CREATE, .project = p, .body = in->body,
	    .raw = in->raw, .raw_len = in->raw_len, .key = in->idempotency_key};
	struct fail fail;
	size_t len;

	if (crew_owner(gw) != NULL)
		return errand_send(gw, crew_owner(gw), &order, done, arg);
	if (resource_check_name(p->resource, p->mapping, in->body, true, &fail) != 0 ||
	    mapping_request_make(p->mapping, MAPPING_CREATE, in->body, &mp, &probe, &fail) != 0) {
		resource_explain(p->resource, p->mapping, in->body, &fail);
		return create_refuse(gw, fail.text, done, arg);
	}
	mapping_request_clear(&probe);
	w = mem_zero(1, sizeof *w);
	w->work.ops = &create_ops;
	w->gw = gw;
	w->project = *p;
	w->body = json_object_get(in->body);
	w->name = mem_string(name != NULL ? name : "");
	text = json_print(in->body, &len);
	digest_hex(text, len, hex);
	free(text);
	w->fingerprint = mem_string(hex);
	if (in->idempotency_key != NULL) {
		w->key = mem_format("%s%s\n%s%s%s", p->resource->prefix, p->id,
		    p->client != NULL ? p->client : "", p->client != NULL ? "\n" : "",
		    in->idempotency_key);
		digest_hex(in->raw, in->raw_len, hex);
		w->key_hash = mem_string(hex);
	}
	w->attempt = create_attempt;
	w->done = done;
	w->arg = arg;
	w->deadline = gateway_deadline(gw);
	loop_timer_init(&w->timer, gw->loop, create_on_timer, w);
	loop_timer_set(&w->timer, 0);
	return &w->work;
}
