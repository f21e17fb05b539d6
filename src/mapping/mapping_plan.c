#include "config.h"

#include "mapping/mapping_template.h"

#include "base/mem.h"
#include "mapping/mapping_tree.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* A field by the text of its local path. */
struct mapping_names {
	const struct mapping_field *field;
	UT_hash_handle hh;
};

/* Frees one field's parts. */
static void
mapping_plan_free_field(struct mapping_field *f)
{
	mapping_path_free(&f->local);
	mapping_path_free(&f->upstream);
	mapping_way_free(&f->way);
	json_object_put(f->filler);
	json_object_put(f->omitted);
	mapping_when_free(f->when);
}

/* Frees a list of fields. */
void
mapping_fields_free(struct mapping_fields *fields)
{
	for (size_t i = 0; i < fields->count; i++)
		mapping_plan_free_field(&fields->items[i]);
	free(fields->items);
	memset(fields, 0, sizeof *fields);
}

/* Whether a local object is noted as one that fields lie in. */
static bool
mapping_plan_has_inner(const struct mapping *m, const char *text, size_t len)
{
	/* the last ones first: neighbours share objects */
	for (size_t i = m->inner_count; i > 0; i--)
		if (strlen(m->inner[i - 1].text) == len &&
		    memcmp(m->inner[i - 1].text, text, len) == 0)
			return true;
	return false;
}

/* Notes the local objects that a path leads through. */
static void
mapping_plan_add_inner(struct mapping *m, const struct mapping_path *path)
{
	const char *why;
	size_t len;
	char *text;

	for (size_t keys = 1; keys < path->count; keys++) {
		len = mapping_path_prefix(path, keys);
		if (mapping_plan_has_inner(m, path->text, len))
			continue;
		m->inner = mem_resize(m->inner, (m->inner_count + 1) * sizeof *m->inner);
		text = mem_copy(path->text, len);
		if (mapping_path_read(&m->inner[m->inner_count], text, &why))
			m->inner_count++;
		free(text);
	}
}

/* Makes the tables. */
void
mapping_plan_finish(struct mapping *m)
{
	struct mapping_names *name;

	m->sent = mapping_tree_new();
	m->constant = mapping_tree_new();
	for (size_t i = 0; i < m->fields.count; i++) {
		const struct mapping_field *f = &m->fields.items[i];

		if (!f->read_only)
			mapping_tree_add(m->sent, &f->upstream, f);
		name = mem_zero(1, sizeof *name);
		name->field = f;
		HASH_ADD_KEYPTR(hh, m->names, f->local.text, strlen(f->local.text), name);
	}
	for (size_t i = 0; i < m->fields.count; i++)
		if (!m->fields.items[i].read_only)
			mapping_plan_add_inner(m, &m->fields.items[i].local);
	for (size_t i = 0; i < m->kept_count; i++)
		mapping_plan_add_inner(m, &m->kept[i].local);
	for (size_t i = 0; i < m->constant_count; i++)
		mapping_tree_add(m->constant, &m->constants[i].upstream, &m->constants[i]);
}

/* Finds a field. */
const struct mapping_field *
mapping_plan_field(const struct mapping *m, const char *local)
{
	struct mapping_names *name;

	HASH_FIND_STR(m->names, local, name);
	return name == NULL ? NULL : name->field;
}

/* Frees the declarations and their tables. */
void
mapping_plan_free(struct mapping *m)
{
	struct mapping_names *name, *next;

	HASH_ITER(hh, m->names, name, next) {
		HASH_DEL(m->names, name);
		free(name);
	}
	mapping_tree_free(m->sent);
	mapping_tree_free(m->constant);
	mapping_fields_free(&m->fields);
	for (size_t i = 0; i < m->constant_count; i++) {
		mapping_path_free(&m->constants[i].upstream);
		json_object_put(m->constants[i].value);
		mapping_when_free(m->constants[i].when);
	}
	for (size_t i = 0; i < m->kept_count; i++) {
		mapping_path_free(&m->kept[i].local);
		mapping_way_free(&m->kept[i].way);
	}
	for (size_t i = 0; i < m->inner_count; i++)
		mapping_path_free(&m->inner[i]);
	free(m->inner);
	for (size_t i = 0; i < m->template_count; i++)
		mapping_template_free(&m->templates[i]);
	free(m->templates);
	free(m->constants);
	free(m->kept);
	free(m);
}
