#include "config.h"

#include "mapping/mapping_apply.h"
#include "mapping/mapping_template.h"

#include "base/timestamp.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <string.h>

/* What an answer is made of. */
struct mapping_answer {
	struct json_object *upstream, *absent, *kept;
};

/* Whether the field was absent when it was recorded and still looks so; or
 * whether it has a value that no caller can have given. */
static bool
mapping_answer_is_absent(const struct mapping_field *f, struct json_object *value,
    struct json_object *absent)
{
	struct json_object *filler;

	if (f->filler_apart && mapping_way_same(&f->way, f->filler, value))
		return true;
	return absent != NULL && json_object_object_get_ex(absent, f->local.text, &filler) &&
	    mapping_way_same(&f->way, filler, value);
}

/* Puts the value that a create did not send, which the gateway kept. */
static void
mapping_answer_omitted(const struct mapping_field *f, struct json_object *kept,
    struct json_object *out)
{
	struct json_object *value;

	if (f->omitted != NULL && kept != NULL &&
	    json_object_object_get_ex(kept, f->local.text, &value) && value != NULL)
		mapping_path_put(&f->local, out, json_object_get(value));
}

/* Whether a field's condition holds for what Bluejay has: judged by the local
 * value of the field that the condition is about. */
static bool
mapping_answer_when(const struct mapping_when *when, const struct mapping_answer *in)
{
	const struct mapping_field *f = when->field;
	struct json_object *value, *received = NULL;
	struct mapping_trouble trouble;
	bool holds;

	if (mapping_apply_get(&f->upstream, in->upstream, &value, NULL) != 0)
		return false;
	if (value != NULL && !mapping_answer_is_absent(f, value, in->absent)) {
		received = mapping_way_receive(&f->way, value, &trouble);
		if (received == NULL)
			return false;
	}
	holds = mapping_when_holds(when, received);
	json_object_put(received);
	return holds;
}

/* Puts one field into the local form. */
static int
mapping_answer_field(const struct mapping_field *f, const struct mapping_answer *in,
    struct json_object *out, struct fail *fail)
{
	struct json_object *value, *received;
	struct mapping_trouble trouble;

	if (f->write_only || (f->when != NULL && !mapping_answer_when(f->when, in)))
		return 0;
	if (mapping_apply_get(&f->upstream, in->upstream, &value, fail) != 0)
		return -1;
	if (value == NULL)
		mapping_answer_omitted(f, in->kept, out);
	if (value == NULL || mapping_answer_is_absent(f, value, in->absent))
		return 0;
	received = mapping_way_receive(&f->way, value, &trouble);
	if (received == NULL)
		return mapping_apply_refuse(&f->upstream, &trouble, fail);
	mapping_path_put(&f->local, out, received);
	return 0;
}

/* Puts the fields that are, or are not, read-only. */
static int
mapping_answer_fields(const struct mapping *m, bool read_only, const struct mapping_answer *in,
    struct json_object *out, struct fail *fail)
{
	for (size_t i = 0; i < m->fields.count; i++)
		if (m->fields.items[i].read_only == read_only &&
		    mapping_answer_field(&m->fields.items[i], in, out, fail) != 0)
			return -1;
	return 0;
}

/* Puts the fields that the gateway kept. */
static void
mapping_answer_kept(const struct mapping *m, struct json_object *kept, struct json_object *out)
{
	struct json_object *value;

	for (size_t i = 0; i < m->kept_count && kept != NULL; i++)
		if (json_object_object_get_ex(kept, m->kept[i].local.text, &value) && value != NULL)
			mapping_path_put(&m->kept[i].local, out, json_object_get(value));
}

/* Puts the objects that were given empty, where no field lies in them now. */
static void
mapping_answer_inner(const struct mapping *m, struct json_object *kept, struct json_object *out)
{
	struct json_object *value;
	size_t keys;

	for (size_t i = 0; i < m->inner_count && kept != NULL; i++)
		if (json_object_object_get_ex(kept, m->inner[i].text, &value) &&
		    mapping_path_get(&m->inner[i], out, &value, &keys) == MAPPING_PATH_MISSING)
			mapping_path_put(&m->inner[i], out, json_object_new_object());
}

/* Makes the local form. */
int
mapping_answer_make(const struct mapping *m, struct json_object *upstream, const char *local_id,
    struct json_object *absent, struct json_object *kept, int64_t updated_ms,
    struct json_object **out, struct fail *fail)
{
	const struct mapping_answer in = {upstream, absent, kept};
	struct json_object *local;
	char updated[TIMESTAMP_SIZE];

	*out = NULL;
	if (!json_object_is_type(upstream, json_type_object))
		return fail_set(fail, "the %s must be an object", m->resource->noun);
	local = json_object_new_object();
	json_object_object_add(local, "id", json_object_new_string(local_id));
	if (mapping_answer_fields(m, false, &in, local, fail) != 0)
		goto fail;
	for (size_t i = 0; i < m->template_count; i++)
		if (mapping_template_receive(&m->templates[i], upstream, absent, local, fail) != 0)
			goto fail;
	mapping_answer_kept(m, kept, local);
	mapping_answer_inner(m, kept, local);
	if (mapping_answer_fields(m, true, &in, local, fail) != 0)
		goto fail;
	if (m->resource->dated) {
		timestamp_format(updated_ms, updated);
		json_object_object_add(local, "updatedAt", json_object_new_string(updated));
	}
	*out = local;
	return 0;
fail:
	json_object_put(local);
	return -1;
}

/* The same for a field of a template; true when there is none of the name. */
static bool
mapping_answer_holds_template(const struct mapping *m, struct json_object *upstream,
    const char *local, struct json_object *filler)
{
	for (size_t i = 0; i < m->template_count; i++)
		for (size_t k = 0; k + 1 < m->templates[i].count; k++)
			if (strcmp(m->templates[i].pieces[k].local.text, local) == 0)
				return mapping_template_is_filled(&m->templates[i],
				    &m->templates[i].pieces[k], upstream, filler);
	return true;
}

/* Whether a recorded filler still stands upstream. What cannot
 * be seen (a field that is no longer mapped, a member that is not answered)
 * has not changed. */
static bool
mapping_answer_holds(const struct mapping *m, struct json_object *upstream, const char *local,
    struct json_object *filler)
{
	const struct mapping_field *f = mapping_plan_field(m, local);
	struct json_object *value;
	size_t keys;

	if (f == NULL)
		return mapping_answer_holds_template(m, upstream, local, filler);
	switch (mapping_path_get(&f->upstream, upstream, &value, &keys)) {
	case MAPPING_PATH_MISSING:
	case MAPPING_PATH_BLOCKED:
		return true;
	case MAPPING_PATH_NULL:
		return false;
	case MAPPING_PATH_FOUND:
		return mapping_way_same(&f->way, filler, value);
	}
	return true;
}

/* Keeps of the record what still holds. */
struct json_object *
mapping_absent_left(const struct mapping *m, struct json_object *upstream,
    struct json_object *absent, bool *changed)
{
	struct json_object *left = json_object_new_object();
	struct lh_entry *e;

	*changed = false;
	if (absent != NULL) {
		for (e = lh_table_head(json_object_get_object(absent)); e; e = lh_entry_next(e)) {
			struct json_object *filler = lh_entry_v(e);

			if (mapping_answer_holds(m, upstream, lh_entry_k(e), filler))
				json_object_object_add(left, lh_entry_k(e), json_copy(filler));
			else
				*changed = true;
		}
	}
	if (json_object_object_length(left) > 0)
		return left;
	json_object_put(left);
	return NULL;
}

/* Reads the text of a field out of what Bluejay has. */
static const char *
mapping_answer_text(const struct mapping_field *f, struct json_object *upstream)
{
	struct json_object *value;
	const char *text;

	if (f == NULL || mapping_apply_get(&f->upstream, upstream, &value, NULL) != 0 ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

/* Reads the name. */
const char *
mapping_persona_name(const struct mapping *m, struct json_object *upstream)
{
	return mapping_answer_text(m->name, upstream);
}

/* Reads any field. */
const char *
mapping_local_text(const struct mapping *m, const char *local, struct json_object *upstream)
{
	return mapping_answer_text(mapping_plan_field(m, local), upstream);
}
