#include "config.h"

#include "core/trail.h"
#include "base/mem.h"

#define TRAIL_FIELDS 8 /* of a line, with its end */

static const char *const trail_operations[] = {[STORE_CREATE] = "create", [STORE_UPDATE] = "update",
    [STORE_DELETE] = "delete", [STORE_ADD] = "add"};

/* The id of a request. */
char *
trail_request(struct gateway *gw, struct trace_ref ref)
{
	const struct trace *t = trace_find(&gw->traces, ref);

	return t != NULL ? mem_string(t->id) : NULL;
}

/* Says what became of a write. */
void
trail_settled(struct gateway *gw, const struct store_intent *in, const char *request,
    const char *id, bool done)
{
	struct log_field fields[TRAIL_FIELDS];
	size_t n = 0;

	if (request != NULL)
		fields[n++] = LOG_S("request", request);
	fields[n++] = LOG_S("project", in->project);
	fields[n++] = LOG_S("via", "settling");
	fields[n++] = LOG_S("operation", trail_operations[in->operation]);
	fields[n++] = LOG_S("intent", in->id);
	if (id != NULL)
		fields[n++] = LOG_S("id", id);
	fields[n++] = LOG_S("outcome", done ? "done" : "refused");
	fields[n] = LOG_END;
	log_audit(gw->log, fields);
}
