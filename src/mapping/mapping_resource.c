#include "config.h"

#include "mapping/mapping_resource.h"

#include "base/mem.h"
#include "config/config_defaults.h"
#include "config/yaml_take.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAPPING_RESOURCE_TYPES 16

/* ---- what the two APIs have ---- */

/* Adds an entry to a table that has room; a name that is there already keeps its place. */
static struct mapping_known *
mapping_resource_add(struct mapping_known *table, const char *name, const char *type)
{
	struct mapping_known *known = table;

	while (known->name != NULL && strcmp(known->name, name) != 0)
		known++;
	if (known->name == NULL)
		known->name = mem_string(name);
	known->type = type;
	return known;
}

/* The type that an entry names, with a mistake added when it names none. */
static const char *
mapping_resource_type(const struct yaml_node *key, const struct yaml_node *type,
    struct diag_list *diags)
{
	const char *words[MAPPING_RESOURCE_TYPES];
	size_t count = 0, i;

	for (; count < MAPPING_RESOURCE_TYPES && mapping_step_at(count) != NULL; count++)
		words[count] = mapping_step_at(count)->name;
	if (type == NULL) {
		diag_add(diags, YAML_AT(key), "\"%s\" needs its type, such as as: string", key->text);
		return "json";
	}
	i = yaml_take_word(type, "type", words, count, diags);
	return i < count ? words[i] : "json";
}

/* Reads an entry of the local API. */
static void
mapping_resource_local_entry(struct mapping_known *known, const struct yaml_node *entry,
    struct diag_list *diags)
{
	static const char *const words[] = {"as", "with", "required", "read_only", "not_on_create"};

	yaml_take_keys(entry, words, sizeof words / sizeof *words, diags);
	known->always_given = yaml_take_flag(entry, "required", diags);
	known->answer_only = yaml_take_flag(entry, "read_only", diags);
	known->no_create = yaml_take_flag(entry, "not_on_create", diags);
}

/* Reads an entry of Bluejay's. */
static void
mapping_resource_upstream_entry(struct mapping_known *known, const struct yaml_node *entry,
    struct diag_list *diags)
{
	static const char *const words[] = {"as", "with", "required", "read_only", "write_only",
	    "never_null"};

	yaml_take_keys(entry, words, sizeof words / sizeof *words, diags);
	known->required = yaml_take_flag(entry, "required", diags);
	known->set_there = yaml_take_flag(entry, "read_only", diags);
	known->not_answered = yaml_take_flag(entry, "write_only", diags);
	known->never_null = yaml_take_flag(entry, "never_null", diags);
}

typedef void (*mapping_resource_entry_fn)(struct mapping_known *, const struct yaml_node *,
    struct diag_list *);

/* A table with room for what a map has and some more. */
static struct mapping_known *
mapping_resource_table(const struct yaml_node *map, size_t more)
{
	return mem_zero((map == NULL ? 0 : map->count) + more + 1, sizeof(struct mapping_known));
}

/* Reads a map of entries: `name: {as: string, …}`, or `name: string`. */
static void
mapping_resource_entries(struct mapping_known *table, const struct yaml_node *map,
    mapping_resource_entry_fn fn, struct diag_list *diags)
{
	for (size_t i = 0; map != NULL && i < map->count; i++) {
		const struct yaml_node *entry = map->items[i];
		const struct yaml_node *type = entry->kind == YAML_MAP ? yaml_node_get(entry, "as")
		                                                       : entry;
		struct mapping_known *known;

		known = mapping_resource_add(table, map->keys[i]->text,
		    mapping_resource_type(map->keys[i], type, diags));
		if (entry->kind != YAML_MAP)
			continue;
		known->usual = mem_string(yaml_take_text(entry, "with", diags));
		fn(known, entry, diags);
	}
}

/* Reads what is known of the local API, and adds what the gateway itself puts there. */
static void
mapping_resource_read_local(struct mapping_resource *r, const struct yaml_node *map,
    const char *name, struct diag_list *diags)
{
	struct mapping_known *known;

	r->local = mapping_resource_table(map, 3);
	mapping_resource_add(r->local, "id", "string");
	mapping_resource_entries(r->local, map, mapping_resource_local_entry, diags);
	mapping_resource_add(r->local, "id", "string")->built_in = true;
	if (r->dated)
		mapping_resource_add(r->local, "updatedAt", "timestamp")->built_in = true;
	if (name == NULL)
		return;
	known = mapping_resource_add(r->local, name, "string");
	known->always_given = true;
	if (known->usual == NULL)
		known->usual = mem_string(name);
}

/* Adds the member that names a thing in Bluejay: `id: MEMBER`, or with its form. */
static void
mapping_resource_add_id(struct mapping_resource *r, const struct yaml_node *declaration,
    struct diag_list *diags)
{
	static const char *const words[] = {"member", "as"};
	const struct yaml_node *id = yaml_node_get(declaration, "id");
	const char *member = NULL, *as = NULL, *type = "json";
	struct mapping_known *known;

	if (id != NULL && id->kind == YAML_MAP) {
		yaml_take_keys(id, words, 2, diags);
		member = yaml_take_text(id, "member", diags);
		as = yaml_take_text(id, "as", diags);
	} else {
		member = yaml_take_text(declaration, "id", diags);
	}
	if (as != NULL)
		type = strcmp(as, "integer") == 0 ? "integer" : "string";
	r->id = mem_string(member != NULL ? member : "id");
	known = mapping_resource_add(r->upstream, r->id, type);
	known->set_there = known->never_null = true;
}

/* Reads what is known of Bluejay, and adds what it says of each thing. */
static void
mapping_resource_read_upstream(struct mapping_resource *r, const struct yaml_node *map,
    const struct yaml_node *declaration, struct diag_list *diags)
{
	const char *created = yaml_take_text(declaration, "created", diags);

	r->upstream = mapping_resource_table(map, 2);
	mapping_resource_entries(r->upstream, map, mapping_resource_upstream_entry, diags);
	mapping_resource_add_id(r, declaration, diags);
	if (created != NULL)
		mapping_resource_add(r->upstream, created, "timestamp")->set_there = true;
}

/* ---- listings ---- */

/* Reads where a listing has its things and what it says of them. */
static void
mapping_resource_read_list(struct mapping_resource *r, const struct yaml_node *list,
    struct diag_list *diags)
{
	const struct yaml_node *next;
	const char *member;

	r->envelope = mapping_resource_table(NULL, 2);
	if (list == NULL || list->kind != YAML_MAP)
		return;
	r->items = mem_string(yaml_take_text(list, "items", diags));
	member = yaml_take_text(list, "total", diags);
	if (member != NULL)
		mapping_resource_add(r->envelope, member, "integer")->never_null = true;
	next = yaml_node_get(list, "next");
	member = next != NULL && next->kind == YAML_MAP ? yaml_take_text(next, "member", diags)
	                                                : yaml_take_text(list, "next", diags);
	if (member != NULL)
		mapping_resource_add(r->envelope, member, "json");
}

/* ---- the whole ---- */

/* The words of a declaration's noun: the given one, or those of its key. */
static char *
mapping_resource_noun(const struct yaml_node *key, const char *noun)
{
	char *text = mem_string(noun != NULL ? noun : key->text);
	size_t len = strlen(text);

	if (noun != NULL)
		return text;
	for (char *p = text; *p != '\0'; p++)
		if (*p == '-' || *p == '_')
			*p = ' ';
	if (len > 1 && text[len - 1] == 's')
		text[len - 1] = '\0';
	return text;
}

/* Whether a list has a word. */
static bool
mapping_resource_has(const struct yaml_node *list, const char *word)
{
	for (size_t i = 0; list != NULL && list->kind == YAML_LIST && i < list->count; i++)
		if (list->items[i]->kind == YAML_SCALAR && strcmp(list->items[i]->text, word) == 0)
			return true;
	return false;
}

/* Reads what is known of the members of both sides. */
static void
mapping_resource_read_known(struct mapping_resource *r, const struct yaml_node *declaration,
    struct diag_list *diags)
{
	static const char *const words[] = {"local", "bluejay"};
	const struct yaml_node *known = yaml_take_map(declaration, "known",
	    "a map with local, bluejay or both", diags);
	const struct yaml_node *local, *upstream;

	if (known != NULL)
		yaml_take_keys(known, words, 2, diags);
	local = yaml_take_map(known, "local", "a map of local fields to their types", diags);
	upstream = yaml_take_map(known, "bluejay", "a map of Bluejay's members to their types", diags);
	r->open = upstream == NULL;
	mapping_resource_read_local(r, local, yaml_take_text(declaration, "name", diags), diags);
	mapping_resource_read_upstream(r, upstream, declaration, diags);
}

/* Reads a declaration. */
struct mapping_resource *
mapping_resource_read(const struct yaml_node *key, const struct yaml_node *declaration,
    bool built_in, struct diag_list *diags)
{
	struct mapping_resource *r = mem_zero(1, sizeof *r);
	const char *plural = yaml_take_text(declaration, "plural", diags);
	const struct yaml_node *able = yaml_node_get(declaration, "capabilities");

	r->noun = mapping_resource_noun(key, yaml_take_text(declaration, "noun", diags));
	r->plural = plural != NULL ? mem_string(plural) : mem_format("%ss", r->noun);
	if (mapping_resource_has(able, "unique_names"))
		r->name = mem_string(yaml_take_text(declaration, "name", diags));
	r->dated = mapping_resource_has(able, "updated_at");
	mapping_resource_read_known(r, declaration, diags);
	mapping_resource_read_list(r, yaml_node_get(declaration, "list"), diags);
	if (built_in)
		r->defaults = yaml_node_get(declaration, "mapping");
	return r;
}

/* Frees a table. */
static void
mapping_resource_free_table(struct mapping_known *table)
{
	for (struct mapping_known *known = table; known != NULL && known->name != NULL; known++) {
		free(known->name);
		free(known->usual);
	}
	free(table);
}

/* Frees a resource. */
void
mapping_resource_free(struct mapping_resource *r)
{
	if (r == NULL)
		return;
	mapping_resource_free_table(r->local);
	mapping_resource_free_table(r->upstream);
	mapping_resource_free_table(r->envelope);
	free(r->noun);
	free(r->plural);
	free(r->name);
	free(r->id);
	free(r->items);
	free(r);
}

/* ---- those that are built in ---- */

/* One of them, by its key. */
static struct mapping_resource_own {
	const char *name;
	struct mapping_resource *resource;
} mapping_resource_own[] = {{"personas", NULL}, {"communities", NULL}};

#define MAPPING_RESOURCE_OWN (sizeof mapping_resource_own / sizeof *mapping_resource_own)

/* Reads them. */
static void
mapping_resource_read_own(void)
{
	const struct yaml_node *all = yaml_node_get(config_defaults(), "resources");
	struct diag_list diags = {0};

	for (size_t i = 0; i < MAPPING_RESOURCE_OWN; i++) {
		struct mapping_resource_own *own = &mapping_resource_own[i];

		own->resource = mapping_resource_read(yaml_node_key(all, own->name),
		    yaml_node_get(all, own->name), true, &diags);
		if (diags.errors > 0) {
			diag_print(&diags, stderr);
			abort();
		}
	}
}

/* Finds one. */
const struct mapping_resource *
mapping_resource_built_in(const char *name)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, mapping_resource_read_own);
	for (size_t i = 0; i < MAPPING_RESOURCE_OWN; i++)
		if (strcmp(mapping_resource_own[i].name, name) == 0)
			return mapping_resource_own[i].resource;
	return NULL;
}

/* ---- looking up ---- */

/* Looks a local path up. */
const struct mapping_known *
mapping_resource_local(const struct mapping_resource *resource, const struct mapping_path *path)
{
	return mapping_known_find(resource->local, path->keys[0]);
}

/* Looks a Bluejay path up. */
const struct mapping_known *
mapping_resource_upstream(const struct mapping_resource *resource,
    const struct mapping_path *path)
{
	return mapping_known_find(resource->upstream, path->keys[0]);
}
