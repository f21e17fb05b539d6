#include "config.h"

#include "sandbox/sandbox_control.h"
#include "json/json_text.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_print.h"

#include <inttypes.h>
#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <string.h>

#define CONTROL_DELAY_MAX 60000 /* ms */

/* One control request. */
struct sandbox_control {
	struct sandbox_state *state;
	struct sandbox_faults *faults;
	struct sandbox_tally *tally;
	const struct sandbox_request *request;
	struct sandbox_answer *answer;
	struct sandbox_check check;
	enum sandbox_kind kind; /* of the items being printed */
	uint64_t printed;
};

enum {
	CONTROL_STATE,
	CONTROL_REQUESTS,
	CONTROL_FAULTS,
	CONTROL_SET_FAULTS,
	CONTROL_RESET
};

static const struct http_route sandbox_control_routes[] = {
	{"GET", SANDBOX_CONTROL_PREFIX "state", CONTROL_STATE},
	{"GET", SANDBOX_CONTROL_PREFIX "requests", CONTROL_REQUESTS},
	{"GET", SANDBOX_CONTROL_PREFIX "faults", CONTROL_FAULTS},
	{"POST", SANDBOX_CONTROL_PREFIX "faults", CONTROL_SET_FAULTS},
	{"POST", SANDBOX_CONTROL_PREFIX "reset", CONTROL_RESET},
};

/* Looks a control request up. */
int
sandbox_control_find(const char *method, const char *path, struct http_match *m,
    struct sandbox_answer *a)
{
	return sandbox_answer_find(sandbox_control_routes,
	    sizeof sandbox_control_routes / sizeof *sandbox_control_routes, method, path, m, a);
}

/* Adds an item of the wanted kind to a list. */
static void
sandbox_control_each(void *arg, const struct sandbox_item *item)
{
	struct sandbox_control *c = arg;
	struct buf *b = &c->answer->body;

	if (item->kind != c->kind)
		return;
	if (c->printed++ > 0)
		buf_addc(b, ',');
	if (item->kind == SANDBOX_PERSONA)
		sandbox_print_persona_whole(b, (const struct sandbox_persona *)item,
		    sandbox_state_org(c->state));
	else
		sandbox_print_community(b, (const struct sandbox_community *)item);
}

/* Adds the list of all items of a kind. */
static void
sandbox_control_list(struct sandbox_control *c, enum sandbox_kind kind)
{
	c->kind = kind;
	c->printed = 0;
	buf_addc(&c->answer->body, '[');
	sandbox_state_walk(c->state, sandbox_control_each, c);
	buf_addc(&c->answer->body, ']');
}

/* GET /__sandbox/state */
static void
sandbox_control_state(struct sandbox_control *c)
{
	struct buf *b = &c->answer->body;

	buf_addf(b, "{\"org_id\":\"%s\",\"deleted\":%" PRIu64 ",\"personas\":",
	    sandbox_state_org(c->state), sandbox_state_deleted(c->state));
	sandbox_control_list(c, SANDBOX_PERSONA);
	buf_adds(b, ",\"communities\":");
	sandbox_control_list(c, SANDBOX_COMMUNITY);
	buf_addc(b, '}');
}

/* Adds a route's pattern with parameters as the service's document writes them. */
static void
sandbox_control_pattern(struct buf *b, const char *pattern)
{
	bool open = false;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern == ':')
			open = buf_addc(b, '{');
		else
			buf_addc(b, *pattern);
	}
	if (open)
		buf_addc(b, '}');
}

/* GET /__sandbox/requests */
static void
sandbox_control_requests(struct sandbox_control *c)
{
	const struct sandbox_tally *t = c->tally;
	struct buf *b = &c->answer->body;

	buf_adds(b, "{\"requests\":[");
	for (int i = 0; i < SANDBOX_API_ROUTES; i++) {
		const struct http_route *r = sandbox_api_route(i);

		buf_addf(b, "%s{\"method\":\"%s\",\"path\":\"", i == 0 ? "" : ",", r->method);
		sandbox_control_pattern(b, r->pattern);
		buf_addf(b, "\",\"received\":%" PRIu64 ",\"processed\":%" PRIu64 "}",
		    t->received[i], t->processed[i]);
	}
	buf_addf(b, "],\"unknown\":%" PRIu64 ",\"faults\":{", t->unknown);
	for (int i = SANDBOX_FAULT_NONE + 1; i < SANDBOX_FAULTS; i++)
		buf_addf(b, "%s\"%s\":%" PRIu64, i == SANDBOX_FAULT_NONE + 1 ? "" : ",",
		    sandbox_fault_name((enum sandbox_fault)i), t->faults[i]);
	buf_adds(b, "}}");
}

/* Adds a number, or null below zero. */
static void
sandbox_control_number(struct buf *b, const char *key, int64_t n)
{
	if (n < 0)
		buf_addf(b, ",\"%s\":null", key);
	else
		buf_addf(b, ",\"%s\":%" PRId64, key, n);
}

/* GET /__sandbox/faults */
static void
sandbox_control_faults(struct sandbox_control *c)
{
	const struct sandbox_profile *p = sandbox_profiles();
	const struct sandbox_faults *f = c->faults;
	struct buf *b = &c->answer->body;

	buf_addf(b, "{\"profile\":\"%s\",\"seed\":%" PRIu64 ",\"number\":%" PRIu64,
	    sandbox_faults_name(f), f->seed, f->number);
	sandbox_control_number(b, "percent", f->percent);
	sandbox_control_number(b, "count", f->count);
	sandbox_control_number(b, "delay_ms", f->delay_ms);
	if (f->method[0] == '\0')
		buf_adds(b, ",\"method\":null");
	else
		buf_addf(b, ",\"method\":\"%s\"", f->method);
	buf_adds(b, ",\"profiles\":[");
	for (; p->name != NULL; p++)
		buf_addf(b, "{\"name\":\"%s\",\"help\":\"%s\"}%s", p->name, p->help,
		    p[1].name == NULL ? "" : ",");
	buf_adds(b, "]}");
}

/* Reads an optional number of the body and notes it when it is out of range. */
static int64_t
sandbox_control_optional(struct sandbox_control *c, struct json_object *body, const char *member,
    int64_t absent, int64_t max)
{
	int64_t n;

	if (!sandbox_check_integer(&c->check, body, member, &n))
		return absent;
	if (n < 0 || n > max)
		sandbox_check_add(&c->check, "value_error",
		    (struct sandbox_place){"body", member, -1}, "Input is out of range",
		    json_object_object_get(body, member), NULL);
	return n;
}

/* Reads the method that faults are for. */
static void
sandbox_control_method(struct sandbox_control *c, struct json_object *body, char out[8])
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
	struct sandbox_text t;

	out[0] = '\0';
	sandbox_check_text(&c->check, body, "method", false, &t);
	if (t.s == NULL)
		return;
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(t.s, methods[i]) == 0)
			memcpy(out, methods[i], strlen(methods[i]) + 1);
	if (out[0] == '\0')
		sandbox_check_add(&c->check, "enum", (struct sandbox_place){"body", "method", -1},
		    "Input should be 'GET', 'POST', 'PUT' or 'DELETE'",
		    json_object_object_get(body, "method"), NULL);
}

/* Notes members that say nothing here: a mistyped one would change other faults than were meant. */
static void
sandbox_control_known(struct sandbox_control *c, struct json_object *body)
{
	static const char *const known[] = {"profile", "seed", "percent", "count", "method", "delay_ms"};

	json_object_object_foreach(body, key, value) {
		size_t i = 0;

		while (i < sizeof known / sizeof *known && strcmp(key, known[i]) != 0)
			i++;
		if (i == sizeof known / sizeof *known)
			sandbox_check_add(&c->check, "extra_forbidden", (struct sandbox_place){"body", key, -1},
			    "Extra inputs are not permitted", value, NULL);
	}
}

/* Reads the body of a change of the faults. */
static void
sandbox_control_read_faults(struct sandbox_control *c, struct json_object *body,
    struct sandbox_faults *f)
{
	int64_t seed = sandbox_control_optional(c, body, "seed", 0, INT64_MAX);
	struct sandbox_text profile;

	sandbox_check_text(&c->check, body, "profile", true, &profile);
	if (profile.s == NULL)
		return;
	if (!sandbox_faults_choose(f, profile.s, (uint64_t)seed)) {
		sandbox_check_add(&c->check, "enum", (struct sandbox_place){"body", "profile", -1},
		    "Input should be the name of a fault profile",
		    json_object_object_get(body, "profile"), NULL);
		return;
	}
	f->percent = (int)sandbox_control_optional(c, body, "percent", -1, 100);
	f->count = sandbox_control_optional(c, body, "count", -1, INT64_MAX);
	f->delay_ms = sandbox_control_optional(c, body, "delay_ms", -1, CONTROL_DELAY_MAX);
	sandbox_control_method(c, body, f->method);
}

/* POST /__sandbox/faults; the body is JSON whatever type it claims, so that a
 * plain `curl -d` works. */
static void
sandbox_control_set_faults(struct sandbox_control *c)
{
	const struct sandbox_request *r = c->request;
	struct json_object *body;
	struct sandbox_faults f;
	bool raw;

	if (sandbox_check_parse(&c->check, NULL, r->body, r->len, &body, &raw) &&
	    sandbox_check_object(&c->check, body, raw, r->body, r->len)) {
		sandbox_control_known(c, body);
		sandbox_control_read_faults(c, body, &f);
	}
	json_object_put(body);
	if (c->check.count > 0)
		return;
	*c->faults = f;
	sandbox_control_faults(c);
}

/* POST /__sandbox/reset */
static void
sandbox_control_reset(struct sandbox_control *c)
{
	if (sandbox_state_reset(c->state) != SANDBOX_SAVED) {
		sandbox_answer_detail(c->answer, 500, "The sandbox cannot write its journal");
		return;
	}
	memset(c->tally, 0, sizeof *c->tally);
	c->faults->number = 0;
	buf_adds(&c->answer->body, "{\"reset\":true}");
}

/* Answers a control request; every one needs the key. */
void
sandbox_control_answer(struct sandbox_state *state, struct sandbox_faults *faults,
    struct sandbox_tally *tally, const char *api_key, const struct http_match *match,
    const struct sandbox_request *request, struct sandbox_answer *answer)
{
	static void (*const run[])(struct sandbox_control *) = {
		[CONTROL_STATE] = sandbox_control_state,
		[CONTROL_REQUESTS] = sandbox_control_requests,
		[CONTROL_FAULTS] = sandbox_control_faults,
		[CONTROL_SET_FAULTS] = sandbox_control_set_faults,
		[CONTROL_RESET] = sandbox_control_reset,
	};
	struct sandbox_control c = {.state = state,
		.faults = faults,
		.tally = tally,
		.request = request,
		.answer = answer};

	sandbox_check_init(&c.check);
	if (sandbox_api_admit(api_key, request->key, &c.check, answer) && c.check.count == 0)
		run[match->id](&c);
	if (c.check.count > 0)
		sandbox_answer_mistakes(answer, &c.check);
	sandbox_check_free(&c.check);
}
