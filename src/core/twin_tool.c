#include "config.h"

#include "core/twin_tool.h"
#include "base/buf.h"
#include "base/mem.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define TWIN_TOOL_CALL_MS 5000              /* for one call, whoever waits */
#define TWIN_TOOL_TRIES 2
#define TWIN_TOOL_AT_ONCE 16
#define TWIN_TOOL_QUEUE 256
#define TWIN_TOOL_ANSWER_MAX ((size_t)16 << 20) /* bytes: a list of all personas */
#define TWIN_TOOL_ID_MAX 128
#define TWIN_TOOL_PATH_MAX 4096
#define TWIN_TOOL_RETRY_AFTER_MS 5000

/* Opens or changes the client. */
int
twin_tool_open(struct gateway *gw, struct snapshot *snap, struct fail *fail)
{
	const struct config *c = snap->config;
	struct upstream_config u = {
	    .url = c->passthrough.local,
	    .connect_ms = c->bluejay.connect < TWIN_TOOL_CALL_MS ? c->bluejay.connect
	                                                         : TWIN_TOOL_CALL_MS,
	    .first_byte_ms = TWIN_TOOL_CALL_MS,
	    .total_ms = TWIN_TOOL_CALL_MS,
	    .retries = TWIN_TOOL_TRIES,
	    .max_in_flight = TWIN_TOOL_AT_ONCE,
	    .max_queue = TWIN_TOOL_QUEUE,
	    .max_answer = TWIN_TOOL_ANSWER_MAX,
	    .log = gw->log,
	};

	if (!c->passthrough.mirror_personas || c->passthrough.local == NULL)
		return 0; /* twins begin and end with a start only */
	if (gw->tool != NULL)
		return upstream_adjust(gw->tool, &u, fail);
	gw->tool = upstream_new(gw->loop, &u, fail);
	return gw->tool != NULL ? 0 : -1;
}

/* Adds one segment of a path. */
static void
twin_tool_segment(struct buf *b, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		    strchr("-._~", *p) != NULL)
			buf_addc(b, (char)*p);
		else
			buf_addf(b, "%%%02X", *p);
	}
}

/* Asks. */
struct upstream_call *
twin_tool_ask(struct gateway *gw, const char *method, const char *project, const char *id,
    struct json_object *body, int64_t deadline, upstream_done_fn done, void *arg)
{
	int64_t latest = loop_now(gw->loop) + TWIN_TOOL_CALL_MS;
	struct upstream_request q = {.method = method, .repeat = UPSTREAM_SAFE,
	    .deadline = deadline < latest ? deadline : latest};
	struct upstream_call *call;
	char *text = NULL;
	struct buf path;

	buf_init(&path, TWIN_TOOL_PATH_MAX);
	buf_addf(&path, "/api/projects/");
	twin_tool_segment(&path, project);
	buf_addf(&path, "/personas%s", id != NULL ? "/" : "");
	if (id != NULL)
		twin_tool_segment(&path, id);
	q.path = path.data;
	if (body != NULL)
		q.body = text = json_print(body, &q.body_len);
	call = upstream_start(gw->tool, &q, done, arg);
	free(text);
	buf_free(&path);
	return call;
}

/* The id of a persona. */
const char *
twin_tool_id(struct json_object *persona)
{
	const char *id = json_object_is_type(persona, json_type_object)
	    ? json_get_string(persona, "id")
	    : NULL;

	if (id == NULL || *id == '\0' || strlen(id) > TWIN_TOOL_ID_MAX)
		return NULL;
	for (const char *p = id; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '/')
			return NULL;
	return strcmp(id, ".") == 0 || strcmp(id, "..") == 0 ? NULL : id;
}

/* Reads a persona. */
struct json_object *
twin_tool_persona(const struct upstream_answer *a)
{
	struct json_object *persona = NULL;

	if (!json_read(a->body, a->body_len, &persona, NULL))
		return NULL;
	if (twin_tool_id(persona) != NULL)
		return persona;
	json_object_put(persona);
	return NULL;
}

/* Looks for a name. */
bool
twin_tool_find(const struct upstream_answer *a, const char *name, struct json_object **found)
{
	struct json_object *list = NULL;

	*found = NULL;
	if (a->outcome != UPSTREAM_ANSWER || a->status != 200 ||
	    !json_read(a->body, a->body_len, &list, NULL))
		return false;
	if (!json_object_is_type(list, json_type_array)) {
		json_object_put(list);
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(list) && *found == NULL; i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		const char *own;

		if (twin_tool_id(one) != NULL && (own = json_get_string(one, "name")) != NULL &&
		    strcmp(own, name) == 0)
			*found = json_object_get(one);
	}
	json_object_put(list);
	return true;
}

/* Judges what did not work. */
bool
twin_tool_is_down(const struct upstream_answer *a)
{
	return a->outcome != UPSTREAM_ANSWER && a->outcome != UPSTREAM_TOO_LARGE;
}

/* Says why there is no twin. */
void
twin_tool_trouble(struct result *r, const struct upstream_answer *a)
{
	if (a->outcome == UPSTREAM_ANSWER) {
		result_error(r, 502,
		    "The local tool answered with status %d when the persona's twin was to be made in "
		    "it; nothing was created. Has it a project of this id?", a->status);
	} else if (a->outcome == UPSTREAM_OPEN || a->outcome == UPSTREAM_BUSY ||
	    a->outcome == UPSTREAM_TIMEOUT) {
		result_error(r, 503,
		    "The local tool does not answer, and the persona must have its twin there first; "
		    "nothing was created");
		r->retry_after = a->retry_after > 0 ? a->retry_after : TWIN_TOOL_RETRY_AFTER_MS;
	} else {
		result_error(r, 502,
		    "The local tool cannot be reached, and the persona must have its twin there first; "
		    "nothing was created");
	}
}
