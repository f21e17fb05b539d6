#include "config.h"

#include "mapping/mapping_template.h"

/* What the gateway puts into every answer itself. */
static void
mapping_walk_made(const char *local, const char *type, struct mapping_declared *out)
{
	*out = (struct mapping_declared){.local = local, .origin = MAPPING_MADE, .type = type,
	    .read_only = true};
}

/* Notes where a declaration stands. */
static void
mapping_walk_place(const struct mapping_place *place, struct mapping_declared *out)
{
	out->line = place->built_in ? 0 : place->line;
	out->column = place->built_in ? 0 : place->column;
}

/* The n-th of the fields that are, or are not, read-only; false beyond the last,
 * with *i lessened by their number. */
static bool
mapping_walk_field(const struct mapping *m, bool read_only, size_t *i, struct mapping_declared *out)
{
	for (size_t n = 0; n < m->fields.count; n++) {
		const struct mapping_field *f = &m->fields.items[n];

		if (f->read_only != read_only || (*i)-- > 0)
			continue;
		*out = (struct mapping_declared){.local = f->local.text,
		    .path = &f->local, .upstream = f->upstream.text, .origin = MAPPING_MAPPED,
		    .type = f->way.local->name, .read_only = read_only,
		    .not_on_create = f->not_on_create || read_only};
		mapping_walk_place(&f->place, out);
		return true;
	}
	return false;
}

/* The n-th field that has a place only in a template; false beyond the last, as above. */
static bool
mapping_walk_template(const struct mapping *m, size_t *i, struct mapping_declared *out)
{
	for (size_t n = 0; n < m->template_count; n++) {
		const struct mapping_template *t = &m->templates[n];

		for (size_t k = 0; k + 1 < t->count; k++) {
			if (!t->pieces[k].only_here || (*i)-- > 0)
				continue;
			*out = (struct mapping_declared){.local = t->pieces[k].local.text,
			    .path = &t->pieces[k].local,
			    .upstream = t->upstream.text, .origin = MAPPING_MAPPED,
			    .type = "string"};
			mapping_walk_place(&t->place, out);
			return true;
		}
	}
	return false;
}

/* The n-th field that the gateway keeps; false beyond the last, as above. */
static bool
mapping_walk_kept(const struct mapping *m, size_t *i, struct mapping_declared *out)
{
	if (*i >= m->kept_count) {
		*i -= m->kept_count;
		return false;
	}
	*out = (struct mapping_declared){.local = m->kept[*i].local.text,
	    .path = &m->kept[*i].local, .origin = MAPPING_KEPT,
	    .type = m->kept[*i].way.local->name, .not_on_create = m->kept[*i].not_on_create};
	mapping_walk_place(&m->kept[*i].place, out);
	return true;
}

/* Walks the members in the order of an answer. */
bool
mapping_declared(const struct mapping *m, size_t i, struct mapping_declared *out)
{
	if (i == 0) {
		mapping_walk_made("id", "string", out);
		return true;
	}
	i--;
	if (mapping_walk_field(m, false, &i, out) || mapping_walk_template(m, &i, out) ||
	    mapping_walk_kept(m, &i, out) ||
	    mapping_walk_field(m, true, &i, out))
		return true;
	if (i > 0 || !m->resource->dated)
		return false;
	mapping_walk_made("updatedAt", "timestamp", out);
	return true;
}

/* Looks a member up in a local form. */
struct json_object *
mapping_declared_value(const struct mapping_declared *d, struct json_object *local)
{
	struct json_object *value = NULL;
	size_t keys;

	if (d->path == NULL)
		return json_object_object_get_ex(local, d->local, &value) ? value : NULL;
	return mapping_path_get(d->path, local, &value, &keys) == MAPPING_PATH_FOUND ? value : NULL;
}
