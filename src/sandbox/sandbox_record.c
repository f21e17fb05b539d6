#include "config.h"

#include "sandbox/sandbox_record.h"
#include "base/mem.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Adds a member with a text or null. */
static void
sandbox_record_text(struct buf *b, const char *key, struct sandbox_text t)
{
	buf_addf(b, ",\"%s\":", key);
	if (t.s == NULL)
		buf_adds(b, "null");
	else
		json_add_string(b, t.s, t.len);
}

/* Adds the first line. */
void
sandbox_record_head(struct buf *b, const char *org, int64_t last_us, uint64_t deleted)
{
	buf_addf(b, "{\"org_id\":\"%s\",\"last_us\":%" PRId64 ",\"deleted\":%" PRIu64 "}\n", org,
	    last_us, deleted);
}

/* Adds a persona or a community. */
void
sandbox_record_item(struct buf *b, const struct sandbox_item *item)
{
	const struct sandbox_persona *p = (const struct sandbox_persona *)item;
	const struct sandbox_community *c = (const struct sandbox_community *)item;

	buf_addf(b, "{\"%s\":{\"id\":\"%s\",\"created_us\":%" PRId64,
	    item->kind == SANDBOX_PERSONA ? "persona" : "community", item->id, item->created_us);
	if (item->kind == SANDBOX_PERSONA) {
		if (p->has_agent)
			buf_addf(b, ",\"agent_id\":%" PRId64, p->agent_id);
		sandbox_record_text(b, "name", p->name);
		sandbox_record_text(b, "description", p->description);
		sandbox_record_text(b, "goal", p->goal);
	} else {
		sandbox_record_text(b, "title", c->title);
		sandbox_record_text(b, "description", c->description);
		buf_adds(b, ",\"digital_human_ids\":[");
		for (size_t i = 0; i < c->id_count; i++)
			buf_addf(b, "%s%" PRId64, i == 0 ? "" : ",", c->ids[i]);
		buf_addc(b, ']');
	}
	buf_adds(b, "}}\n");
}

/* Adds the end of an item. */
void
sandbox_record_delete(struct buf *b, const char *id)
{
	buf_addf(b, "{\"delete\":\"%s\"}\n", id);
}

/* Adds the end of everything. */
void
sandbox_record_reset(struct buf *b)
{
	buf_adds(b, "{\"reset\":true}\n");
}

/* Reads a member that is a UUID. */
static bool
sandbox_record_get_id(struct json_object *o, const char *key, char out[UUID_SIZE])
{
	const char *s = json_get_string(o, key);

	if (s == NULL || !uuid_valid(s, strlen(s)))
		return false;
	memcpy(out, s, UUID_SIZE);
	return true;
}

/* Reads a member that is text, or null where that is allowed. */
static bool
sandbox_record_get_text(struct json_object *o, const char *key, bool nullable,
    struct sandbox_text *out)
{
	struct json_object *v;

	*out = (struct sandbox_text){NULL, 0};
	if (!json_object_object_get_ex(o, key, &v))
		return false;
	if (v == NULL)
		return nullable;
	if (!json_object_is_type(v, json_type_string))
		return false;
	out->s = json_object_get_string(v);
	out->len = (size_t)json_object_get_string_len(v);
	return true;
}

/* Reads a persona. */
static struct sandbox_item *
sandbox_record_persona(struct json_object *o)
{
	struct sandbox_text name, description, goal;
	struct json_object *agent = NULL;
	char id[UUID_SIZE];
	int64_t created, agent_id = 0;

	json_object_object_get_ex(o, "agent_id", &agent);
	if (!sandbox_record_get_id(o, "id", id) || !json_get_int(o, "created_us", &created) ||
	    (agent != NULL && !json_get_int(o, "agent_id", &agent_id)) ||
	    !sandbox_record_get_text(o, "name", false, &name) ||
	    !sandbox_record_get_text(o, "description", false, &description) ||
	    !sandbox_record_get_text(o, "goal", false, &goal))
		return NULL;
	return &sandbox_persona_new(id, created, agent == NULL ? NULL : &agent_id, name,
	    description, goal)->item;
}

/* Reads a list of integers; the caller frees. */
static int64_t *
sandbox_record_ids(struct json_object *o, size_t *count)
{
	struct json_object *list, *v;
	int64_t *ids;

	if (!json_object_object_get_ex(o, "digital_human_ids", &list) ||
	    !json_object_is_type(list, json_type_array))
		return NULL;
	*count = json_object_array_length(list);
	ids = mem_zero(*count, sizeof *ids);
	for (size_t i = 0; i < *count; i++) {
		v = json_object_array_get_idx(list, i);
		if (!json_object_is_type(v, json_type_int)) {
			free(ids);
			return NULL;
		}
		ids[i] = json_object_get_int64(v);
	}
	return ids;
}

/* Reads a community. */
static struct sandbox_item *
sandbox_record_community(struct json_object *o)
{
	struct sandbox_text title, description;
	struct sandbox_community *c;
	char id[UUID_SIZE];
	int64_t created, *ids;
	size_t count;

	if (!sandbox_record_get_id(o, "id", id) || !json_get_int(o, "created_us", &created) ||
	    !sandbox_record_get_text(o, "title", false, &title) ||
	    !sandbox_record_get_text(o, "description", true, &description) ||
	    (ids = sandbox_record_ids(o, &count)) == NULL)
		return NULL;
	c = sandbox_community_new(id, created, title, description, ids, count);
	free(ids);
	return &c->item;
}

/* Reads the members of one line. */
static int
sandbox_record_parse(struct json_object *o, struct sandbox_record *r)
{
	struct json_object *v;

	if (json_object_object_get_ex(o, "org_id", &v)) {
		r->kind = SANDBOX_RECORD_HEAD;
		return sandbox_record_get_id(o, "org_id", r->id) &&
		    json_get_int(o, "last_us", &r->last_us) &&
		    json_get_int(o, "deleted", &r->deleted) && r->deleted >= 0 ? 0 : -1;
	}
	if (json_object_object_get_ex(o, "delete", &v)) {
		r->kind = SANDBOX_RECORD_DELETE;
		return sandbox_record_get_id(o, "delete", r->id) ? 0 : -1;
	}
	if (json_object_object_get_ex(o, "reset", &v)) {
		r->kind = SANDBOX_RECORD_RESET;
		return 0;
	}
	r->kind = SANDBOX_RECORD_ITEM;
	if (json_object_object_get_ex(o, "persona", &v) && json_object_is_type(v, json_type_object))
		r->item = sandbox_record_persona(v);
	else if (json_object_object_get_ex(o, "community", &v) &&
	    json_object_is_type(v, json_type_object))
		r->item = sandbox_record_community(v);
	return r->item != NULL ? 0 : -1;
}

/* Reads one line. */
int
sandbox_record_read(const char *line, size_t len, struct sandbox_record *r)
{
	struct json_object *o;
	int result = -1;

	memset(r, 0, sizeof *r);
	if (!json_read(line, len, &o, NULL))
		return -1;
	if (json_object_is_type(o, json_type_object))
		result = sandbox_record_parse(o, r);
	json_object_put(o);
	return result;
}
