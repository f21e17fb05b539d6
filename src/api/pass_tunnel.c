#include "config.h"

#include "api/pass_fields.h"
#include "api/pass_target.h"
#include "api/passthrough_impl.h"
#include "base/chunked.h"
#include "base/mem.h"
#include "upstream/tunnel.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * A WebSocket (RFC 6455) to the local tool. When the tool changes the protocol, bytes
 * go both ways as they are; when it does not, its answer is passed on like any other.
 */
enum pass_tunnel_mode {
	PASS_TUNNEL_ASKING,
	PASS_TUNNEL_OPEN,
	PASS_TUNNEL_CHUNKED, /* an ordinary answer, by how its body ends */
	PASS_TUNNEL_LENGTH,
	PASS_TUNNEL_CLOSE,
	PASS_TUNNEL_OVER     /* answered; what still comes is dropped */
};

struct pass_tunnel {
	struct passthrough *owner;
	struct pass_road *road;
	struct http_exchange *ex;
	struct tunnel *tunnel;
	enum pass_tunnel_mode mode;
	struct chunked chunk;
	int64_t left; /* PASS_TUNNEL_LENGTH: bytes still to come */
};

/* The exchange with the client is over. */
static void
pass_tunnel_on_over(void *arg, enum http_end how)
{
	struct pass_tunnel *p = arg;

	tunnel_close(p->tunnel);
	pass_road_unref(p->road);
	free(p);
}

/* ---- the client's side ---- */

/* Bytes of the client are here, or its end. */
static void
pass_tunnel_on_client(void *arg, struct http_exchange *ex, const char *piece, size_t len)
{
	struct pass_tunnel *p = arg;

	if (p->tunnel == NULL || p->mode != PASS_TUNNEL_OPEN)
		return;
	if (len == 0)
		tunnel_write_end(p->tunnel);
	else if (tunnel_write(p->tunnel, piece, len) >= PASS_MARK)
		http_exchange_pause(ex);
}

/* The client has taken what waited for it. */
static void
pass_tunnel_on_drained(void *arg)
{
	struct pass_tunnel *p = arg;

	if (p->tunnel != NULL)
		tunnel_resume(p->tunnel);
}

/* ---- the tool's side ---- */

/* Ends the answer, whole or not. */
static void
pass_tunnel_finish(struct pass_tunnel *p, bool whole)
{
	p->mode = PASS_TUNNEL_OVER;
	if (whole)
		http_answer_end(p->ex);
	else
		http_answer_abort(p->ex);
}

/* Gives bytes to the client. */
static void
pass_tunnel_give(struct pass_tunnel *p, const char *bytes, size_t len)
{
	if (http_answer_write(p->ex, bytes, len) >= PASS_MARK)
		tunnel_pause(p->tunnel);
}

/* Takes the chunks off. */
static void
pass_tunnel_unchunk(struct pass_tunnel *p, const char *bytes, size_t len)
{
	const char *piece;
	size_t used, n;

	for (;;) {
		switch (chunked_next(&p->chunk, bytes, len, &used, &piece, &n)) {
		case CHUNKED_MORE:
			return;
		case CHUNKED_DATA:
			pass_tunnel_give(p, piece, n);
			break;
		case CHUNKED_END:
			pass_tunnel_finish(p, true);
			return;
		case CHUNKED_BAD:
			pass_tunnel_finish(p, false);
			return;
		}
		bytes += used;
		len -= used;
	}
}

/* Bytes of the tool are here, or its end. */
static void
pass_tunnel_on_data(void *arg, const char *bytes, size_t len)
{
	struct pass_tunnel *p = arg;

	switch (p->mode) {
	case PASS_TUNNEL_OPEN:
		if (len > 0)
			pass_tunnel_give(p, bytes, len);
		else
			http_answer_end(p->ex);
		return;
	case PASS_TUNNEL_CHUNKED:
		if (len > 0)
			pass_tunnel_unchunk(p, bytes, len);
		else
			pass_tunnel_finish(p, false);
		return;
	case PASS_TUNNEL_LENGTH:
		if (len > (uint64_t)p->left)
			len = (size_t)p->left;
		else if (len == 0)
			pass_tunnel_finish(p, false);
		p->left -= (int64_t)len;
		if (len > 0)
			pass_tunnel_give(p, bytes, len);
		if (p->left == 0)
			pass_tunnel_finish(p, true);
		return;
	case PASS_TUNNEL_CLOSE:
		if (len > 0)
			pass_tunnel_give(p, bytes, len);
		else
			pass_tunnel_finish(p, true);
		return;
	case PASS_TUNNEL_ASKING:
	case PASS_TUNNEL_OVER:
		return;
	}
}

/* The tool has taken what waited for it. */
static void
pass_tunnel_on_room(void *arg)
{
	struct pass_tunnel *p = arg;

	http_exchange_resume(p->ex);
}

/* Whether the tool has changed to what was asked for. */
static bool
pass_tunnel_agreed(const struct tunnel_head *h)
{
	for (const struct wire_field *f = h->fields; f->name != NULL; f++)
		if (strcasecmp(f->name, "upgrade") == 0)
			return strcasecmp(f->value, "websocket") == 0;
	return false;
}

/* How an ordinary answer's body ends. */
static enum pass_tunnel_mode
pass_tunnel_ordinary(struct pass_tunnel *p, const struct tunnel_head *h)
{
	if (h->chunked) {
		chunked_init(&p->chunk);
		return PASS_TUNNEL_CHUNKED;
	}
	p->left = h->length;
	return h->length >= 0 ? PASS_TUNNEL_LENGTH : PASS_TUNNEL_CLOSE;
}

/* Passes a head on. */
static void
pass_tunnel_answer(struct pass_tunnel *p, const struct tunnel_head *h,
    const struct http_field *fields)
{
	bool none = h->status == 204 || h->status == 304 || h->length == 0;

	if (h->status == 101) {
		p->mode = PASS_TUNNEL_OPEN;
		http_answer_upgrade(p->ex, fields, pass_tunnel_on_client, p, pass_tunnel_on_drained, p);
		return;
	}
	p->mode = pass_tunnel_ordinary(p, h);
	http_answer_begin(p->ex, h->status, fields, h->length, pass_tunnel_on_drained, p);
	if (none)
		pass_tunnel_finish(p, true);
}

/* The head of the tool's answer is here. */
static void
pass_tunnel_on_head(void *arg, const struct tunnel_head *h)
{
	struct pass_tunnel *p = arg;
	struct http_field *fields;
	struct pass_fields l;

	traffic_note_heard(p->ex, loop_now_us(p->owner->api->loop));
	if (h->status == 101 && !pass_tunnel_agreed(h)) {
		p->mode = PASS_TUNNEL_OVER;
		pass_answer_local_trouble(p->owner, p->road, p->ex, RELAY_BROKEN,
		    "the answer changes to another protocol");
		return;
	}
	pass_fields_answer(&l, h->fields, PASS_TO_LOCAL, p->owner->name);
	fields = mem_zero(l.count + 2, sizeof *fields);
	for (size_t i = 0; i < l.count; i++)
		fields[i] = (struct http_field){l.list[i].name, l.list[i].value};
	if (h->status == 101)
		fields[l.count] = (struct http_field){"Upgrade", "websocket"};
	pass_tunnel_answer(p, h, fields);
	free(fields);
	pass_fields_free(&l);
}

/* The connection to the tool has failed. */
static void
pass_tunnel_on_end(void *arg, enum relay_end end, const char *why)
{
	struct pass_tunnel *p = arg;

	p->tunnel = NULL;
	traffic_note_heard(p->ex, loop_now_us(p->owner->api->loop));
	if (p->mode == PASS_TUNNEL_ASKING)
		pass_answer_local_trouble(p->owner, p->road, p->ex, end, why);
	else if (p->mode != PASS_TUNNEL_OVER)
		http_answer_abort(p->ex);
	p->mode = PASS_TUNNEL_OVER;
}

static const struct tunnel_events pass_tunnel_events = {pass_tunnel_on_head, pass_tunnel_on_data,
    pass_tunnel_on_room, pass_tunnel_on_end};

/* ---- the start ---- */

/* Passes a request on. */
void
pass_tunnel_start(struct passthrough *t, struct http_exchange *ex, bool known)
{
	const struct http_request *q = http_exchange_request(ex);
	struct pass_tunnel *p = mem_zero(1, sizeof *p);
	char *target = pass_target_origin(q);
	struct pass_fields l;

	p->owner = t;
	p->road = pass_road_ref(t->local);
	p->ex = ex;
	http_exchange_on_end(ex, pass_tunnel_on_over, p);
	http_exchange_stream(ex, pass_tunnel_on_client, p);
	http_exchange_pause(ex);
	pass_fields_request(&l, q, PASS_TO_LOCAL, known, t->name, NULL);
	pass_fields_add(&l, "Upgrade", "websocket");
	traffic_note_try(ex);
	p->tunnel = tunnel_open(t->api->loop, &p->road->config, q->method, target, l.list,
	    &pass_tunnel_events, p);
	pass_fields_free(&l);
	free(target);
}
