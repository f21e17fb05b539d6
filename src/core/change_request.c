#include "config.h"

#include "base/mem.h"
#include "core/change_impl.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <string.h>

/* What the body of an update or addition becomes. */

/* Reads an object that the record keeps as text; an empty one when there is none. */
static struct json_object *
change_parse(const char *text)
{
	struct json_object *o = NULL;

	if (text == NULL || !json_read(text, strlen(text), &o, NULL) || o == NULL)
		o = json_object_new_object();
	return o;
}

/* Prints an object; NULL when it has no members. */
static char *
change_print(struct json_object *o)
{
	return json_object_object_length(o) > 0 ? json_print(o, NULL) : NULL;
}

/* What the record's kept and absent objects become: given fields replace, and are absent no more. */
static void
change_merge(struct change *c, const struct mapping_request *m)
{
	struct json_object *kept = change_parse(c->entry->record.kept);
	struct json_object *absent = change_parse(c->entry->record.absent);

	if (m->kept != NULL) {
		json_object_object_foreach(m->kept, key, value)
			json_object_object_add(kept, key, json_object_get(value));
	}
	if (m->given != NULL) {
		json_object_object_foreach(m->given, field, flag) {
			(void)flag;
			json_object_object_del(absent, field);
		}
	}
	c->intent.kept = change_print(kept);
	c->intent.absent = change_print(absent);
	json_object_put(kept);
	json_object_put(absent);
}

/* An update: what it holds is sent. */
static void
change_translate_update(struct change *c, const struct mapping_request *m)
{
	const struct resource *resource = c->project.resource;
	const char *name = resource->unique ? json_get_string(c->body, resource->name) : NULL;

	if (name != NULL && strcmp(name, c->entry->record.name) != 0)
		c->intent.name = mem_string(name);
	change_merge(c, m);
	c->sent = json_object_get(m->upstream);
}

/* An addition: the numbers are sent and nothing else; no numbers, and nothing is. */
static int
change_translate_add(struct change *c, const struct mapping_request *m, struct fail *fail)
{
	const struct resource *resource = c->project.resource;
	struct json_object *numbers = NULL;

	if (!json_object_object_get_ex(m->upstream, resource->numbers, &numbers))
		return fail_set(fail, "%s is required",
		    resource_numbers_field(resource, c->project.mapping));
	c->intent.kept = mem_string(c->entry->record.kept);
	c->intent.absent = mem_string(c->entry->record.absent);
	c->sent = json_object_new_object();
	if (json_object_is_type(numbers, json_type_array) && json_object_array_length(numbers) > 0)
		json_object_object_add(c->sent, resource->numbers, json_object_get(numbers));
	return 0;
}

/* Translates the body. */
int
change_translate(struct change *c, struct fail *fail)
{
	struct mapping_project mp = {c->project.id, c->project.has_agent, c->project.agent_id};
	const struct resource *resource = c->project.resource;
	const struct mapping *mapping = c->project.mapping;
	struct mapping_request m;
	int rc = 0;

	if (c->operation == STORE_UPDATE)
		rc = resource_check_name(resource, mapping, c->body, false, fail);
	if (rc == 0 && mapping_request_make(mapping, MAPPING_UPDATE, c->body, &mp, &m, fail) != 0) {
		resource_explain(resource, mapping, c->body, fail);
		return -1;
	}
	if (rc != 0)
		return rc;
	if (c->operation == STORE_ADD)
		rc = change_translate_add(c, &m, fail);
	else
		change_translate_update(c, &m);
	mapping_request_clear(&m);
	if (rc == 0 && json_object_object_length(c->sent) > 0)
		c->intent.sent = json_print(c->sent, NULL);
	return rc;
}
