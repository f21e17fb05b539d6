#include "config.h"

#include "bulk/bulk_send.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "bulk/bulk_patience.h"
#include "bulk/bulk_text.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define BULK_SEND_WHY_MAX 300 /* bytes of a server's sentence */

struct bulk_send {
	struct bulk_pace *pace;
	char *method, *id, *body, *key;
	size_t len;
	bulk_sent_fn done;
	void *arg;
	struct upstream_call *call; /* at the server; NULL: it waits */
	struct loop_timer timer;
	struct bulk_patience patience;
	int64_t begun;
	bool unsure;
	struct fail why; /* of the last try */
};

/* Frees it. */
static void
bulk_send_free(struct bulk_send *s)
{
	loop_timer_cancel(&s->timer);
	free(s->method);
	free(s->id);
	free(s->body);
	free(s->key);
	free(s);
}

/* Ends it. */
static void
bulk_send_finish(struct bulk_send *s, enum bulk_sent what, const char *id)
{
	struct bulk_sent_result r = {.what = what, .unsure = s->unsure, .id = id, .why = s->why.text};

	if (what != BULK_SENT_AWAY && what != BULK_SENT_LEFT)
		s->pace->last_end = loop_now(s->pace->loop);
	s->done(s->arg, &r);
	bulk_send_free(s);
}

/* Tries again later, or gives up: on this write alone when others came to an end meanwhile.
 * `others`: the server has no time for anybody, so that patience begins anew whenever
 * another write comes to an end. */
static void
bulk_send_again(struct bulk_send *s, int64_t retry_after, bool others)
{
	struct bulk_pace *pace = s->pace;
	int64_t now = loop_now(pace->loop), wait;

	if (pace->stopping) {
		bulk_send_finish(s, BULK_SENT_LEFT, NULL);
		return;
	}
	if (others && s->patience.since < pace->last_end)
		s->patience.since = pace->last_end;
	wait = bulk_patience_wait(&s->patience, now, retry_after, bulk_site_patience(pace->site));
	if (wait < 0) {
		bulk_send_finish(s, others || pace->last_end < s->begun ? BULK_SENT_AWAY : BULK_SENT_REFUSED, NULL);
		return;
	}
	loop_timer_set(&s->timer, wait);
}

/* Notes what a server says. */
static void
bulk_send_note(struct bulk_send *s, const struct upstream_answer *a)
{
	struct buf b;

	buf_init(&b, 0);
	bulk_text_error(&b, a->body, a->body_len, BULK_SEND_WHY_MAX);
	fail_set(&s->why, "%d%s%s", a->status, b.len > 0 ? " " : "", b.len > 0 ? b.data : "");
	buf_free(&b);
}

/* It is done: the id is in the answer. */
static void
bulk_send_succeed(struct bulk_send *s, const struct upstream_answer *a)
{
	struct json_object *root = NULL;

	if (!json_read(a->body, a->body_len, &root, NULL) || !json_object_is_type(root, json_type_object)) {
		fail_set(&s->why, "the server answers %d, but not with a persona", a->status);
		bulk_send_finish(s, BULK_SENT_REFUSED, NULL);
	} else {
		bulk_send_finish(s, BULK_SENT_DONE, json_get_string(root, "id"));
	}
	json_object_put(root);
}

/* What an answer means. */
static void
bulk_send_judge(struct bulk_send *s, const struct upstream_answer *a)
{
	struct bulk_pace *pace = s->pace;
	bool put = s->id != NULL;

	if (a->status == (put ? 200 : 201)) {
		bulk_send_succeed(s, a);
		return;
	}
	bulk_send_note(s, a);
	if (a->status == 429) {
		int64_t until = loop_now(pace->loop) + (a->retry_after > 0 ? a->retry_after : 0);

		if (until > pace->held_until)
			pace->held_until = until;
		bulk_send_again(s, a->retry_after, true);
	} else if (bulk_patience_status(a->status)) {
		s->unsure |= a->maybe_received;
		bulk_send_again(s, a->retry_after, false);
	} else if (a->status == 409) {
		bulk_send_finish(s, BULK_SENT_TAKEN, NULL);
	} else if (a->status == 404) {
		bulk_send_finish(s, put ? BULK_SENT_GONE : BULK_SENT_DENIED, NULL);
	} else {
		bulk_send_finish(s, a->status == 401 || a->status == 403 || a->status == 421 ?
		    BULK_SENT_DENIED : BULK_SENT_REFUSED, NULL);
	}
}

/* A try is over. */
static void
bulk_send_on_answer(void *arg, const struct upstream_answer *a)
{
	struct bulk_send *s = arg;

	s->call = NULL;
	if (a->outcome == UPSTREAM_ANSWER) {
		bulk_send_judge(s, a);
		return;
	}
	s->unsure |= a->maybe_received;
	fail_set(&s->why, "no answer (%s)", upstream_outcome_name(a->outcome));
	bulk_send_again(s, a->retry_after, true);
}

/* It is time to try. */
static void
bulk_send_on_timer(void *arg)
{
	struct bulk_send *s = arg;
	int64_t held = s->pace->held_until - loop_now(s->pace->loop);

	if (s->pace->stopping) {
		fail_set(&s->why, "interrupted");
		bulk_send_finish(s, BULK_SENT_LEFT, NULL);
	} else if (held > 0) {
		loop_timer_set(&s->timer, held);
	} else {
		s->call = bulk_site_ask(s->pace->site, s->method, s->id, s->body, s->len, s->key,
		    bulk_send_on_answer, s);
	}
}

/* Starts. */
struct bulk_send *
bulk_send_start(struct bulk_pace *pace, const struct bulk_send_what *what, bulk_sent_fn done, void *arg)
{
	struct bulk_send *s = mem_zero(1, sizeof *s);
	uint64_t seed;

	uuid_random(&seed, sizeof seed);
	s->pace = pace;
	s->method = mem_string(what->method);
	s->id = mem_string(what->id);
	s->body = mem_copy(what->body, what->len);
	s->len = what->len;
	s->key = mem_string(what->key);
	s->done = done;
	s->arg = arg;
	s->begun = loop_now(pace->loop);
	bulk_patience_init(&s->patience, s->begun, seed);
	loop_timer_init(&s->timer, pace->loop, bulk_send_on_timer, s);
	loop_timer_set(&s->timer, 0);
	return s;
}

/* Waits no longer. */
void
bulk_send_hurry(struct bulk_send *s)
{
	if (s->call == NULL)
		loop_timer_set(&s->timer, 0);
}

/* Ends it. */
void
bulk_send_cancel(struct bulk_send *s)
{
	if (s->call != NULL)
		upstream_cancel(s->call);
	bulk_send_free(s);
}
