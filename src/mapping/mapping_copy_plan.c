#include "config.h"

#include "mapping/mapping_copy_plan.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "json/json_text.h"
#include "mapping/mapping_copy.h"
#include "mapping/mapping_outline.h"

#include <stdlib.h>
#include <string.h>

#define MAPPING_COPY_ID 64 /* bytes of most local ids */

/* Whether a value is read in one step that can copy. */
static bool
mapping_copy_way_copies(const struct mapping_way *way)
{
	return way->count == 1 && way->steps[0].kind->copy != NULL;
}

/* Whether a field's value is a member, and becomes one, by copying. One with no filler of
 * its own type (filler_apart) is absent by a comparison of trees. */
static bool
mapping_copy_field_copies(const struct mapping_field *f)
{
	return f->local.count == 1 && f->upstream.count == 1 && f->when == NULL &&
	    (f->write_only || (!f->filler_apart && mapping_copy_way_copies(&f->way)));
}

/* Whether it can be seen in the text of a value that it is as declared. */
static bool
mapping_copy_node_copies(const struct mapping_outline_node *node)
{
	return !node->items && !node->object && node->each == NULL && node->count == 0 &&
	    (node->way == NULL || mapping_copy_way_copies(node->way)) &&
	    (node->kind == NULL || node->kind->copy != NULL);
}

/* Whether the mapping's answers can be copied: the one place where that is decided. */
static bool
mapping_copy_can(const struct mapping *m)
{
	const struct mapping_outline_node *item = &m->outline->item;

	if (item->count > MAPPING_COPY_MEMBERS || item->each != NULL || m->template_count > 0 ||
	    m->inner_count > 0)
		return false;
	for (size_t i = 0; i < item->count; i++)
		if (!mapping_copy_node_copies(&item->members[i]))
			return false;
	for (size_t i = 0; i < m->fields.count; i++)
		if (!mapping_copy_field_copies(&m->fields.items[i]))
			return false;
	for (size_t i = 0; i < m->kept_count; i++)
		if (m->kept[i].local.count != 1)
			return false;
	return true;
}

/* Adds a member of the local form. */
static struct mapping_copy_part *
mapping_copy_part(struct mapping_copy *copy, const struct mapping_path *local)
{
	struct mapping_copy_part *part = &copy->parts[copy->count++];
	struct buf head;

	part->local = local->text;
	buf_init(&head, 0);
	buf_addc(&head, ',');
	json_add_string(&head, local->keys[0], strlen(local->keys[0]));
	buf_addc(&head, ':');
	part->head = buf_take(&head, &part->head_len);
	copy->room += part->head_len;
	return part;
}

/* Adds the fields that are, or are not, read-only. */
static void
mapping_copy_fields(struct mapping_copy *copy, const struct mapping *m, bool read_only)
{
	for (size_t i = 0; i < m->fields.count; i++) {
		const struct mapping_field *f = &m->fields.items[i];
		struct mapping_copy_part *part;

		if (f->read_only != read_only || f->write_only)
			continue;
		part = mapping_copy_part(copy, &f->local);
		part->field = f;
		part->member = (size_t)(mapping_outline_find(&m->outline->item, f->upstream.keys[0]) -
		    m->outline->item.members);
		part->keeps = f->omitted != NULL;
	}
}

/* Makes the plan. */
struct mapping_copy *
mapping_copy_new(const struct mapping *m)
{
	struct mapping_copy *copy;

	if (!mapping_copy_can(m))
		return NULL;
	copy = mem_zero(1, sizeof *copy);
	copy->parts = mem_zero(m->fields.count + m->kept_count + 1, sizeof *copy->parts);
	copy->room = MAPPING_COPY_ID + TIMESTAMP_SIZE;
	mapping_copy_fields(copy, m, false);
	for (size_t i = 0; i < m->kept_count; i++)
		mapping_copy_part(copy, &m->kept[i].local)->keeps = true;
	mapping_copy_fields(copy, m, true);
	return copy;
}

/* Frees the plan; NULL is fine. */
void
mapping_copy_free(struct mapping_copy *copy)
{
	if (copy == NULL)
		return;
	for (size_t i = 0; i < copy->count; i++)
		free(copy->parts[i].head);
	free(copy->parts);
	free(copy);
}
