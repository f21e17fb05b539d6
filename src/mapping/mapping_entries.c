#include "config.h"

#include "mapping/mapping_entries.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The node of a part, if it has its form; NULL with a mistake added, or when it
 * is not given. */
static const struct yaml_node *
mapping_entries_node(struct mapping_compiler *c, const struct mapping_part *part,
    const struct yaml_node *section)
{
	const struct yaml_node *node = yaml_node_get(section, part->name);

	if (node == NULL || node->kind == part->kind)
		return node;
	diag_add(c->diags, MAPPING_AT(node), "%s", part->form);
	c->whole = false;
	return NULL;
}

/* Adds all entries of a node. */
static void
mapping_entries_add(struct mapping_entries *entries, const struct yaml_node *node, bool built_in)
{
	for (size_t i = 0; i < node->count; i++)
		entries->items[entries->count++] = (struct mapping_entry){
		    node->kind == YAML_MAP ? node->keys[i] : NULL, node->items[i], built_in};
}

/* Adds the mistake of taking away what is not there. */
static void
mapping_entries_refuse(struct mapping_compiler *c, const struct mapping_entries *entries,
    const struct mapping_part *part, const struct yaml_node *key)
{
	const char **words = mem_zero(entries->count + 1, sizeof *words), *near;

	for (size_t i = 0; i < entries->count; i++)
		words[i] = entries->items[i].key->text;
	near = diag_nearest(key->text, words, entries->count);
	if (near != NULL)
		diag_add(c->diags, MAPPING_AT(key),
		    "there is no \"%s\" in %s to leave out; did you mean \"%s\"?", key->text,
		    part->name, near);
	else
		diag_add(c->diags, MAPPING_AT(key), "there is no \"%s\" in %s to leave out",
		    key->text, part->name);
	free(words);
}

/* Puts one entry in the place of the one with its key. */
static void
mapping_entries_replace(struct mapping_compiler *c, struct mapping_entries *entries,
    const struct mapping_part *part, const struct yaml_node *key, const struct yaml_node *item)
{
	bool gone = item->kind == YAML_SCALAR && yaml_node_is_null(item);
	size_t i = 0;

	while (i < entries->count && strcmp(entries->items[i].key->text, key->text) != 0)
		i++;
	if (gone && i == entries->count) {
		mapping_entries_refuse(c, entries, part, key);
	} else if (gone) {
		entries->count--;
		memmove(&entries->items[i], &entries->items[i + 1],
		    (entries->count - i) * sizeof *entries->items);
	} else {
		entries->items[i] = (struct mapping_entry){key, item, false};
		entries->count += i == entries->count;
	}
}

/* Reads a part. */
struct mapping_entries
mapping_entries_read(struct mapping_compiler *c, const struct mapping_part *part,
    const struct yaml_node *section, const struct yaml_node *defaults,
    const struct yaml_node *over)
{
	bool built_in = yaml_node_get(section, part->name) == NULL;
	const struct yaml_node *base =
	    mapping_entries_node(c, part, built_in ? defaults : section);
	const struct yaml_node *differs = mapping_entries_node(c, part, over);
	struct mapping_entries entries = {0};
	size_t room = (base == NULL ? 0 : base->count) + (differs == NULL ? 0 : differs->count);

	entries.items = mem_zero(room + 1, sizeof *entries.items);
	if (differs != NULL && part->kind == YAML_LIST)
		mapping_entries_add(&entries, differs, false);
	else if (base != NULL)
		mapping_entries_add(&entries, base, built_in);
	for (size_t i = 0; differs != NULL && part->kind == YAML_MAP && i < differs->count; i++)
		mapping_entries_replace(c, &entries, part, differs->keys[i], differs->items[i]);
	return entries;
}
