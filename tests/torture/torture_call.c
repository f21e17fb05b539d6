#include "config.h"

#include "torture_lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sends a request. */
void
lane_send(struct lane *l, struct lane_call *c, const char *method, const char *path,
    const char *fields, const char *body)
{
	int port = 0;

	memset(c, 0, sizeof *c);
	snprintf(c->what, sizeof c->what, "client %u: %s %s", l->number, method, path);
	c->gateway = world_choose(l->world, &l->random, &port, &c->generation);
	c->fresh = fields != NULL && strstr(fields, "no-cache") != NULL;
	world_note(l->world, "%s @%u %s%s", c->what, c->gateway, fields != NULL ? fields : "",
	    body != NULL ? body : "");
	wire_send(&c->wire, port, method, path, fields, body, l->world->patience);
}

/* Whether a status is one of a list. */
static bool
lane_is_one_of(int status, const int statuses[])
{
	for (; *statuses != 0; statuses++)
		if (*statuses == status)
			return true;
	return false;
}

/* Whether an error's body is as documented. */
static bool
lane_error_ok(const struct wire_answer *a)
{
	struct json_object *text = NULL;

	return json_object_is_type(a->json, json_type_object) &&
	    json_object_object_length(a->json) == 1 &&
	    json_object_object_get_ex(a->json, "error", &text) &&
	    json_object_is_type(text, json_type_string);
}

/* Judges what every answer must be. */
static void
lane_judge_answer(struct lane *l, const struct lane_call *c, const int statuses[])
{
	const struct wire_answer *a = &c->answer;
	char value[64];

	if (!lane_is_one_of(a->status, statuses))
		world_wrong(l->world, WRONG_ANSWER, "%s: %d %s", c->what, a->status, a->body);
	if (!wire_field(a, "x-request-id", value, sizeof value))
		world_wrong(l->world, WRONG_ANSWER, "%s: %d without X-Request-Id", c->what, a->status);
	if (a->status >= 400 && !lane_error_ok(a))
		world_wrong(l->world, WRONG_ANSWER, "%s: %d %s", c->what, a->status, a->body);
	if ((a->status == 429 || a->status == 503) &&
	    (!wire_field(a, "retry-after", value, sizeof value) || atoi(value) < 1))
		world_wrong(l->world, WRONG_ANSWER, "%s: %d without Retry-After: %s", c->what, a->status,
		    a->body);
}

/* Waits for the answer. */
void
lane_receive(struct lane *l, struct lane_call *c, const int statuses[])
{
	struct wire_answer *a = &c->answer;

	wire_receive(&c->wire, a);
	switch (a->outcome) {
	case WIRE_ANSWERED:
		c->answered = true;
		lane_judge_answer(l, c, statuses);
		break;
	case WIRE_REFUSED:
		break;
	case WIRE_DROPPED:
		c->open = true;
		break;
	case WIRE_HUNG:
		c->open = true;
		world_wrong(l->world, WRONG_HUNG, "%s: no answer in %lld ms", c->what, (long long)a->ms);
		break;
	}
	if (!c->answered && a->outcome != WIRE_HUNG &&
	    world_generation(l->world, c->gateway, NULL) == c->generation)
		world_wrong(l->world, WRONG_ANSWER, "%s: %s by a gateway that was not killed", c->what,
		    c->open ? "dropped" : "refused");
	world_note(l->world, "%s -> %d %.300s (%lld ms)", c->what, a->status,
	    a->body != NULL ? a->body : c->open ? "open" : "refused", (long long)a->ms);
}

/* Whether an answer says that it is an old one, since the database is silent. */
static bool
lane_is_marked(const struct lane_call *c)
{
	char value[16];

	return c->answered && wire_field(&c->answer, "X-Cache", value, sizeof value) &&
	    strcmp(value, "stale") == 0;
}

/* Whether an answer may be from before the last change. The last gateway itself shows its
 * own writes at once, also in an answer that is marked. */
bool
lane_is_early(struct lane *l, const struct model_persona *p, const struct lane_call *c)
{
	if (c->fresh || c->gateway == p->changed_by ||
	    (c->wire.started - p->changed_ms > WORLD_STALE_MS && !lane_is_marked(c)))
		return false;
	world_count(l->world, COUNT_EARLY);
	return true;
}

/* Whether a write may have had its effect. With the store away it has, upstream. */
bool
lane_left_open(const struct lane_call *c)
{
	if (!c->answered)
		return c->open;
	return c->answer.status == 504 || (c->answer.status == 503 &&
	    strstr(c->answer.body, "but the gateway cannot record it") != NULL);
}

/* Something new was said of a persona. */
void
lane_changed(const struct lane_call *c, struct model_persona *p)
{
	p->changed_by = c->gateway;
	p->changed_ms = wire_now();
}

/* How to count a read that nothing explains. */
enum world_wrong
lane_blame(const struct model_persona *p, const struct lane_call *c, enum world_wrong kind)
{
	return !c->fresh && c->gateway != p->changed_by ? WRONG_STALE : kind;
}

/* Frees the answer. */
void
lane_call_clear(struct lane_call *c)
{
	wire_clear(&c->answer);
}
