#ifndef CORE_TWIN_TOOL_H
#define CORE_TWIN_TOOL_H

#include "core/gateway_impl.h"

/* The Personas API of the local tool, one call at a time. */

/* Opens the client of the local tool when personas are to have twins there, or takes
 * the settings of the snapshot for an open one; -1 with a sentence. Without, gw->tool
 * stays NULL. */
int twin_tool_open(struct gateway *, struct snapshot *, struct fail *);

/* Asks for the personas of a project (id NULL), or for one. It ends within a bound, and
 * by `deadline` (loop_now based). A POST may be repeated: names are unique there, so
 * that a second one answers 409. */
struct upstream_call *twin_tool_ask(struct gateway *, const char *method, const char *project,
    const char *id, struct json_object *body, int64_t deadline, upstream_done_fn, void *arg);

/* The persona in an answer; NULL when it is none with an id. The caller puts it. */
struct json_object *twin_tool_persona(const struct upstream_answer *);

/* The id of a persona of the local tool; NULL when it has none that can be used. */
const char *twin_tool_id(struct json_object *persona);

/* The persona of a name in the answer to a list; NULL when there is none. The caller
 * puts it. False: it is not a list. */
bool twin_tool_find(const struct upstream_answer *, const char *name, struct json_object **found);

/* Whether the local tool does not work at all, rather than refuse one request. */
bool twin_tool_is_down(const struct upstream_answer *);

/* What the client of a create is told when its twin could not be made. */
void twin_tool_trouble(struct result *, const struct upstream_answer *);

#endif
