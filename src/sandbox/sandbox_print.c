#include "config.h"

#include "sandbox/sandbox_print.h"
#include "base/timestamp.h"
#include "json/json_text.h"

#include <inttypes.h>

/* Adds a member with a text or null. */
static void
sandbox_print_text(struct buf *b, const char *key, struct sandbox_text t)
{
	buf_addf(b, ",\"%s\":", key);
	if (t.s == NULL)
		buf_adds(b, "null");
	else
		json_add_string(b, t.s, t.len);
}

/* Adds created_at with microseconds: `2026-01-28T10:00:00.123456Z`. */
static void
sandbox_print_time(struct buf *b, int64_t us)
{
	char text[TIMESTAMP_SIZE];

	timestamp_format(us / 1000, text);
	buf_addf(b, ",\"created_at\":\"%.23s%03dZ\"", text, (int)(us % 1000));
}

/* Adds the members of a persona, without the closing brace. */
static void
sandbox_print_members(struct buf *b, const struct sandbox_persona *p, const char *org)
{
	buf_addf(b, "{\"id\":\"%s\"", p->item.id);
	sandbox_print_time(b, p->item.created_us);
	sandbox_print_text(b, "name", p->name);
	sandbox_print_text(b, "description", p->description);
	sandbox_print_text(b, "goal", p->goal);
	buf_addf(b, ",\"org_id\":\"%s\"", org);
}

/* Adds a persona. */
void
sandbox_print_persona(struct buf *b, const struct sandbox_persona *p, const char *org)
{
	sandbox_print_members(b, p, org);
	buf_addc(b, '}');
}

/* Adds a persona and its agent. */
void
sandbox_print_persona_whole(struct buf *b, const struct sandbox_persona *p, const char *org)
{
	sandbox_print_members(b, p, org);
	if (p->has_agent)
		buf_addf(b, ",\"agent_id\":%" PRId64 "}", p->agent_id);
	else
		buf_adds(b, ",\"agent_id\":null}");
}

/* Adds a community. */
void
sandbox_print_community(struct buf *b, const struct sandbox_community *c)
{
	buf_addf(b, "{\"id\":\"%s\"", c->item.id);
	sandbox_print_text(b, "title", c->title);
	sandbox_print_time(b, c->item.created_us);
	sandbox_print_text(b, "description", c->description);
	buf_adds(b, ",\"digital_human_ids\":[");
	for (size_t i = 0; i < c->id_count; i++)
		buf_addf(b, "%s%" PRId64, i == 0 ? "" : ",", c->ids[i]);
	buf_adds(b, "]}");
}
