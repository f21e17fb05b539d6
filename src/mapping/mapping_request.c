#include "config.h"

#include "mapping/mapping_apply.h"
#include "mapping/mapping_template.h"

#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

/* Sends the filler of a field that a create does not hold, and notes it. */
static void
mapping_request_fill(const struct mapping_field *f, struct mapping_request *out)
{
	mapping_path_put(&f->upstream, out->upstream, json_copy(f->filler));
	json_object_object_add(out->absent, f->local.text, json_copy(f->filler));
}

/* Refuses a name that no C string can hold: names are compared and stored whole. */
static int
mapping_request_check_name(const struct mapping_field *f, struct json_object *name,
    struct fail *fail)
{
	const char *text = json_object_get_string(name);

	if (strlen(text) == (size_t)json_object_get_string_len(name))
		return 0;
	return fail_set(fail, "%s must not hold U+0000", f->local.text);
}

/* Whether a field's condition lets a request send it. -1 with a sentence when it
 * is given against it, or when the request does not tell. */
static int
mapping_request_when(const struct mapping_field *f, enum mapping_operation operation,
    struct json_object *local, bool given, bool *holds, struct fail *fail)
{
	struct json_object *value;
	char *text;
	int result = 0;

	*holds = true;
	if (f->when == NULL)
		return 0;
	if (mapping_apply_get(&f->when->local, local, &value, fail) != 0)
		return -1;
	*holds = mapping_when_holds(f->when, value);
	if (*holds || !given)
		return 0;
	if (operation == MAPPING_UPDATE && value == NULL)
		return fail_set(fail, "%s must be given with %s, which decides what becomes of it",
		    f->when->local.text, f->local.text);
	if (!f->lossy) {
		text = mapping_when_text(f->when, "unless");
		result = fail_set(fail, "%s must be left out %s", f->local.text, text);
		free(text);
	}
	return result;
}

/* Puts one field into the upstream body. */
static int
mapping_request_field(const struct mapping *m, const struct mapping_field *f,
    enum mapping_operation operation, struct json_object *local, struct mapping_request *out,
    struct fail *fail)
{
	struct json_object *value = NULL, *sent;
	struct mapping_trouble trouble;
	bool holds;

	if (f->read_only)
		return 0;
	if ((operation == MAPPING_UPDATE || !f->not_on_create) &&
	    mapping_apply_get(&f->local, local, &value, fail) != 0)
		return -1;
	if (mapping_request_when(f, operation, local, value != NULL, &holds, fail) != 0)
		return -1;
	if (!holds)
		return 0;
	if (value == NULL) {
		if (operation == MAPPING_CREATE && f->filler != NULL)
			mapping_request_fill(f, out);
		return 0;
	}
	json_object_object_add(out->given, f->local.text, json_object_new_boolean(1));
	if (operation == MAPPING_CREATE && f->omitted != NULL &&
	    mapping_step_same_value(f->omitted, value)) {
		json_object_object_add(out->kept, f->local.text, json_object_get(value));
		return 0;
	}
	sent = mapping_way_send(&f->way, value, &trouble);
	if (sent == NULL)
		return mapping_apply_refuse(&f->local, &trouble, fail);
	mapping_path_put(&f->upstream, out->upstream, sent);
	return f == m->name ? mapping_request_check_name(f, sent, fail) : 0;
}

/* Puts a constant into the upstream body. */
static void
mapping_request_constant(const struct mapping_constant *constant, struct json_object *local,
    const struct mapping_project *project, struct mapping_request *out)
{
	struct json_object *value = NULL;

	if (constant->when != NULL &&
	    (mapping_apply_get(&constant->when->local, local, &value, NULL) != 0 ||
	        !mapping_when_holds(constant->when, value)))
		return;
	switch (constant->kind) {
	case MAPPING_CONSTANT_VALUE:
		value = json_copy(constant->value);
		break;
	case MAPPING_CONSTANT_PROJECT_ID:
		value = json_object_new_string(project->id);
		break;
	case MAPPING_CONSTANT_PROJECT_AGENT:
		if (!project->has_agent)
			return;
		value = json_object_new_int64(project->agent_id);
		break;
	}
	mapping_path_put(&constant->upstream, out->upstream, value);
}

/* Sets a field aside that stays with the gateway. */
static int
mapping_request_kept(const struct mapping_kept *kept, enum mapping_operation operation,
    struct json_object *local, struct mapping_request *out, struct fail *fail)
{
	struct json_object *value, *taken;
	struct mapping_trouble trouble;

	if (operation == MAPPING_CREATE && kept->not_on_create)
		return 0;
	if (mapping_apply_get(&kept->local, local, &value, fail) != 0)
		return -1;
	if (value == NULL)
		return 0;
	taken = mapping_way_send(&kept->way, value, &trouble);
	if (taken == NULL)
		return mapping_apply_refuse(&kept->local, &trouble, fail);
	json_object_object_add(out->kept, kept->local.text, taken);
	return 0;
}

/* Sets an empty object aside that fields lie in: none of them tells of it. */
static void
mapping_request_inner(const struct mapping_path *inner, struct json_object *local,
    struct mapping_request *out)
{
	struct json_object *value;
	size_t keys;

	if (mapping_path_get(inner, local, &value, &keys) == MAPPING_PATH_FOUND &&
	    json_object_is_type(value, json_type_object) && json_object_object_length(value) == 0)
		json_object_object_add(out->kept, inner->text, json_object_new_object());
}

/* Makes what a local request becomes. */
int
mapping_request_make(const struct mapping *m, enum mapping_operation operation,
    struct json_object *local, const struct mapping_project *project, struct mapping_request *out,
    struct fail *fail)
{
	int result = 0;

	out->upstream = json_object_new_object();
	out->kept = json_object_new_object();
	out->absent = json_object_new_object();
	out->given = json_object_new_object();
	for (size_t i = 0; i < m->fields.count && result == 0; i++)
		result = mapping_request_field(m, &m->fields.items[i], operation, local, out, fail);
	for (size_t i = 0; i < m->template_count && result == 0; i++)
		result = mapping_template_send(&m->templates[i], operation, local, out, fail);
	for (size_t i = 0; i < m->kept_count && result == 0; i++)
		result = mapping_request_kept(&m->kept[i], operation, local, out, fail);
	for (size_t i = 0; i < m->inner_count && result == 0; i++)
		mapping_request_inner(&m->inner[i], local, out);
	for (size_t i = 0; i < m->constant_count && operation == MAPPING_CREATE; i++)
		mapping_request_constant(&m->constants[i], local, project, out);
	if (result != 0)
		mapping_request_clear(out);
	return result;
}

/* Releases the trees. */
void
mapping_request_clear(struct mapping_request *request)
{
	json_object_put(request->upstream);
	json_object_put(request->kept);
	json_object_put(request->absent);
	json_object_put(request->given);
	memset(request, 0, sizeof *request);
}

/* Hides what may be secret. */
void
mapping_hide(const struct mapping *m, struct json_object *upstream)
{
	struct json_object *value;
	size_t keys;

	for (size_t i = 0; i < m->constant_count; i++)
		if (m->constants[i].hidden &&
		    mapping_path_get(&m->constants[i].upstream, upstream, &value, &keys) ==
		        MAPPING_PATH_FOUND)
			mapping_path_put(&m->constants[i].upstream, upstream,
			    json_object_new_string("…"));
}
