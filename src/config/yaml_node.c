#include "config.h"

#include "config/yaml_node.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "config/yaml_expand.h"
#include "config/yaml_fault.h"
#include "config/yaml_place.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Drops the mistakes of expansion of one node. */
static void
yaml_node_drop_unsaid(struct yaml_node *node)
{
	if (node->unsaid == NULL)
		return;
	diag_free(node->unsaid);
	free(node->unsaid);
	node->unsaid = NULL;
}

/* Frees a node and all below it. */
static void
yaml_node_free_tree(struct yaml_node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->count; i++) {
		yaml_node_free_tree(node->items[i]);
		if (node->keys != NULL)
			yaml_node_free_tree(node->keys[i]);
	}
	free(node->items);
	free(node->keys);
	mem_wipe_free(node->text);
	yaml_node_drop_unsaid(node);
	free(node);
}

/* Frees a document; the file's name is shared, and the root's to free. */
void
yaml_node_free(struct yaml_node *root)
{
	char *file;

	if (root == NULL)
		return;
	file = (char *)(uintptr_t)root->file;
	yaml_node_free_tree(root);
	free(file);
}

/* Hands over the mistakes of expansion. */
void
yaml_node_complain(struct yaml_node *node, struct diag_list *diags)
{
	for (size_t i = 0; i < node->count; i++)
		yaml_node_complain(node->items[i], diags);
	if (node->unsaid == NULL)
		return;
	for (size_t i = 0; i < node->unsaid->count; i++) {
		const struct diag *d = &node->unsaid->items[i];

		diag_add(diags, d->file, d->line, d->column, "%s", d->text);
	}
	yaml_node_drop_unsaid(node);
}

/* Forgets the mistakes of expansion. */
void
yaml_node_forgive(struct yaml_node *node)
{
	for (size_t i = 0; i < node->count; i++)
		yaml_node_forgive(node->items[i]);
	yaml_node_drop_unsaid(node);
}

/* Looks for broken nodes. */
bool
yaml_node_sound(const struct yaml_node *node)
{
	if (node == NULL)
		return true;
	if (node->broken)
		return false;
	for (size_t i = 0; i < node->count; i++)
		if (!yaml_node_sound(node->items[i]) ||
		    (node->keys != NULL && !yaml_node_sound(node->keys[i])))
			return false;
	return true;
}

/* The index of a key, or the map's count. */
static size_t
yaml_node_find(const struct yaml_node *map, const char *key)
{
	size_t i;

	for (i = 0; i < map->count; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			break;
	return i;
}

/* Finds a value. */
const struct yaml_node *
yaml_node_get(const struct yaml_node *map, const char *key)
{
	size_t i;

	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	i = yaml_node_find(map, key);
	return i < map->count ? map->items[i] : NULL;
}

/* Finds a key. */
const struct yaml_node *
yaml_node_key(const struct yaml_node *map, const char *key)
{
	size_t i;

	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	i = yaml_node_find(map, key);
	return i < map->count ? map->keys[i] : NULL;
}

/* Whether the core schema may give the scalar another type than string. */
static bool
yaml_node_plain(const struct yaml_node *node)
{
	return node != NULL && node->kind == YAML_SCALAR && !node->quoted && !node->expanded &&
	    !node->broken;
}

/* Whether a word is in a NULL-terminated list. */
static bool
yaml_node_among(const char *word, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* Tells whether it is null. */
bool
yaml_node_is_null(const struct yaml_node *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};

	return yaml_node_plain(node) && yaml_node_among(node->text, nulls);
}

/* Reads a truth value. */
bool
yaml_node_text_bool(const char *text, bool *out)
{
	static const char *const truths[] = {"true", "True", "TRUE", NULL};
	static const char *const lies[] = {"false", "False", "FALSE", NULL};

	if (yaml_node_among(text, truths))
		*out = true;
	else if (yaml_node_among(text, lies))
		*out = false;
	else
		return false;
	return true;
}

/* Reads a truth value of a plain scalar. */
bool
yaml_node_bool(const struct yaml_node *node, bool *out)
{
	return yaml_node_plain(node) && yaml_node_text_bool(node->text, out);
}

/* Reads an integer: decimal with a sign, 0o octal, 0x hexadecimal. */
bool
yaml_node_text_int(const char *text, long long *out)
{
	const char *digits = text, *allowed = "0123456789";
	int radix = 10;
	long long value;

	if (strncmp(text, "0o", 2) == 0) {
		radix = 8;
		allowed = "01234567";
		digits = text + 2;
	} else if (strncmp(text, "0x", 2) == 0) {
		radix = 16;
		allowed = "0123456789abcdefABCDEF";
		digits = text + 2;
	} else if (text[0] == '-' || text[0] == '+')
		digits = text + 1;
	if (digits[0] == '\0' || digits[strspn(digits, allowed)] != '\0')
		return false;
	errno = 0;
	value = strtoll(radix == 10 ? text : digits, NULL, radix);
	if (errno != 0)
		return false;
	*out = value;
	return true;
}

/* Reads an integer of a plain scalar. */
bool
yaml_node_int(const struct yaml_node *node, long long *out)
{
	return yaml_node_plain(node) && yaml_node_text_int(node->text, out);
}

/* libyaml's events -> nodes. The document API is not used: it loses the place
 * of an alias, takes duplicate keys, and gives cycles. */

#define YAML_NODE_MAX ((size_t)1 << 20) /* bytes, before and after expansion */
#define YAML_NODE_DEPTH 32
#define YAML_NODE_NODES 50000
#define YAML_NODE_UNSAID 100 /* mistakes of expansion that are noted: each has to be located */

struct yaml_reader {
	yaml_parser_t parser;
	struct yaml_place place;
	const char *file; /* of the nodes; the root's to free */
	struct diag_list *diags;
	struct yaml_expand expand;
	size_t nodes;
	size_t unsaid;   /* mistakes of expansion */
	size_t expanded; /* bytes that expansion made */
	bool failed;     /* a mistake after which nothing can be read */
};

/* A scalar whose expansion runs, for the callback. */
struct yaml_node_expansion {
	struct yaml_reader *reader;
	struct yaml_node *node; /* the reader's cursor stands at its beginning */
	size_t end;             /* code point */
};

/* Notes a mistake at a code point. */
static void
yaml_node_refuse(struct yaml_reader *r, size_t point, const char *sentence)
{
	yaml_place_point(&r->place, point);
	diag_add(r->diags, r->file, r->place.line, r->place.column, "%s", sentence);
}

/* Notes a mistake that ends reading. */
static void
yaml_node_give_up(struct yaml_reader *r, size_t point, const char *sentence)
{
	yaml_node_refuse(r, point, sentence);
	r->failed = true;
}

/* Frees an event; its text may be a key. */
static void
yaml_node_drop(yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT)
		explicit_bzero(event->data.scalar.value, event->data.scalar.length);
	yaml_event_delete(event);
}

/* Frees libyaml's memory. What it reads the file into is wiped; of a key that stands in
 * the file itself pieces may be left in what it has freed before. */
static void
yaml_node_close(yaml_parser_t *p)
{
	explicit_bzero(p->raw_buffer.start, (size_t)(p->raw_buffer.end - p->raw_buffer.start));
	explicit_bzero(p->buffer.start, (size_t)(p->buffer.end - p->buffer.start));
	for (yaml_token_t *t = p->tokens.head; t != p->tokens.tail; t++)
		if (t->type == YAML_SCALAR_TOKEN)
			explicit_bzero(t->data.scalar.value, t->data.scalar.length);
	yaml_parser_delete(p);
}

/* Gets the next event; false after a syntax error, which is noted. */
static bool
yaml_node_next(struct yaml_reader *r, yaml_event_t *event)
{
	if (r->failed)
		return false;
	if (yaml_parser_parse(&r->parser, event) != 0)
		return true;
	yaml_fault_note(&r->parser, &r->place, r->file, r->diags);
	r->failed = true;
	return false;
}

/* Makes an empty node at an event's place; NULL at a limit. */
static struct yaml_node *
yaml_node_make(struct yaml_reader *r, const yaml_event_t *event, enum yaml_kind kind, int depth)
{
	size_t point = event->start_mark.index;
	struct yaml_node *node;

	if (depth > YAML_NODE_DEPTH) {
		yaml_node_give_up(r, point, "nested deeper than 32 levels");
		return NULL;
	}
	if (++r->nodes > YAML_NODE_NODES) {
		yaml_node_give_up(r, point, "more than 50000 values in one file");
		return NULL;
	}
	yaml_place_point(&r->place, point);
	node = mem_zero(1, sizeof *node);
	node->kind = kind;
	node->file = r->file;
	node->line = r->place.line;
	node->column = r->place.column;
	return node;
}

/* Notes an anchor or tag of a node, which this file format does without. */
static void
yaml_node_properties(struct yaml_reader *r, struct yaml_node *node, const yaml_event_t *event,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		yaml_node_refuse(r, event->start_mark.index, "anchors (&name) are not allowed; "
		    "write the value where it is needed, or quote a text that starts with &");
	if (tag != NULL)
		yaml_node_refuse(r, event->start_mark.index, "tags (!name) are not allowed; "
		    "remove it, or quote a text that starts with !");
	node->broken = anchor != NULL || tag != NULL;
}

/* Moves a cursor from the beginning of a scalar to its n-th dollar; leaves it
 * when that dollar was written as an escape. */
static void
yaml_node_dollar(struct yaml_place *at, size_t end, size_t n)
{
	struct yaml_place found = *at;

	for (size_t i = at->byte; i < at->len; i++) {
		if (at->text[i] != '$' || n-- > 0)
			continue;
		yaml_place_byte(&found, i);
		if (found.point < end)
			*at = found;
		return;
	}
}

/* Keeps a mistake of expansion with the node, until it is asked for. */
static void
yaml_node_unsaid(void *arg, size_t dollar, const char *sentence)
{
	struct yaml_node_expansion *x = arg;
	struct yaml_place at = x->reader->place;

	if (x->reader->unsaid++ >= YAML_NODE_UNSAID)
		return;
	if (x->node->unsaid == NULL)
		x->node->unsaid = mem_zero(1, sizeof *x->node->unsaid);
	yaml_node_dollar(&at, x->end, dollar);
	diag_add(x->node->unsaid, x->node->file, at.line, at.column, "%s", sentence);
}

/* Puts the environment's values into a scalar. */
static void
yaml_node_expand(struct yaml_reader *r, struct yaml_node *node, const yaml_event_t *event)
{
	struct yaml_node_expansion scalar = {r, node, event->end_mark.index};
	struct buf out;

	if (!yaml_expand_needed(node->text))
		return;
	buf_init(&out, YAML_NODE_MAX);
	out.secret = true;
	r->expand.mistake_arg = &scalar;
	if (!yaml_expand(&r->expand, node->text, &out, &node->expanded))
		node->broken = true;
	r->expanded += out.len;
	if (out.full || r->expanded > YAML_NODE_MAX)
		yaml_node_give_up(r, event->start_mark.index,
		    "the environment's values make the file larger than 1 MiB");
	mem_wipe_free(node->text);
	node->text = buf_take(&out, NULL);
}

/* Makes a scalar. */
static struct yaml_node *
yaml_node_scalar(struct yaml_reader *r, const yaml_event_t *event, int depth, bool key)
{
	struct yaml_node *node = yaml_node_make(r, event, YAML_SCALAR, depth);
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	if (node == NULL)
		return NULL;
	node->text = mem_copy(text, len);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	yaml_node_properties(r, node, event, event->data.scalar.anchor, event->data.scalar.tag);
	if (memchr(text, '\0', len) != NULL) {
		yaml_node_refuse(r, event->start_mark.index, "a text cannot hold a NUL character");
		node->broken = true;
	}
	if (!key)
		yaml_node_expand(r, node, event);
	return node;
}

/* Appends an item, and its key in a map. */
static void
yaml_node_append(struct yaml_node *node, struct yaml_node *key, struct yaml_node *item)
{
	if ((node->count & (node->count - 1)) == 0) {
		size_t room = node->count == 0 ? 1 : node->count * 2;

		node->items = mem_resize(node->items, room * sizeof(*node->items));
		if (node->kind == YAML_MAP)
			node->keys = mem_resize(node->keys, room * sizeof(*node->keys));
	}
	node->items[node->count] = item;
	if (node->kind == YAML_MAP)
		node->keys[node->count] = key;
	node->count++;
}

/* Compares two keys by text, then place. */
static int
yaml_node_compare(const void *left, const void *right)
{
	const struct yaml_node *a = *(struct yaml_node *const *)left;
	const struct yaml_node *b = *(struct yaml_node *const *)right;
	int order = strcmp(a->text, b->text);

	if (order != 0)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column < b->column ? -1 : a->column > b->column;
}

/* Notes keys that stand twice in a map. */
static void
yaml_node_duplicates(struct yaml_reader *r, struct yaml_node *map)
{
	struct yaml_node **sorted;
	size_t first = 0;

	if (map->count < 2)
		return;
	sorted = mem_alloc(map->count * sizeof(*sorted));
	memcpy(sorted, map->keys, map->count * sizeof(*sorted));
	qsort(sorted, map->count, sizeof(*sorted), yaml_node_compare);
	for (size_t i = 1; i < map->count; i++) {
		if (strcmp(sorted[i]->text, sorted[first]->text) != 0) {
			first = i;
			continue;
		}
		sorted[i]->broken = true;
		diag_add(r->diags, r->file, sorted[i]->line, sorted[i]->column,
		    "the key \"%.*s\" stands here a second time (first on line %d); keep one of "
		    "them",
		    diag_clip_name(sorted[i]->text), sorted[i]->text, sorted[first]->line);
	}
	free(sorted);
}

static struct yaml_node *yaml_node_value(struct yaml_reader *, const yaml_event_t *, int depth);

/* Reads a key; NULL when there is none to use, after a note. */
static struct yaml_node *
yaml_node_key_of(struct yaml_reader *r, const yaml_event_t *event, int depth)
{
	struct yaml_node *key;

	if (event->type == YAML_SCALAR_EVENT) {
		key = yaml_node_scalar(r, event, depth, true);
		if (key != NULL && !key->quoted && strcmp(key->text, "<<") == 0) {
			yaml_node_refuse(r, event->start_mark.index,
			    "merge keys (<<) are not allowed; write the keys out");
			key->broken = true;
		}
		return key;
	}
	if (event->type != YAML_ALIAS_EVENT)
		yaml_node_refuse(r, event->start_mark.index,
		    "a key must be a plain text, not a list or a map; quote a text that starts "
		    "with [ or {");
	key = yaml_node_value(r, event, depth);
	if (key != NULL)
		yaml_node_forgive(key);
	yaml_node_free_tree(key);
	return NULL;
}

/* Reads the rest of a map, up to its end. */
static void
yaml_node_map(struct yaml_reader *r, struct yaml_node *map, int depth)
{
	yaml_event_t event;

	while (yaml_node_next(r, &event)) {
		bool end = event.type == YAML_MAPPING_END_EVENT;
		struct yaml_node *key, *item;

		key = end ? NULL : yaml_node_key_of(r, &event, depth + 1);
		yaml_node_drop(&event);
		if (end) {
			yaml_node_duplicates(r, map);
			return;
		}
		item = NULL;
		if (yaml_node_next(r, &event)) {
			item = yaml_node_value(r, &event, depth + 1);
			yaml_node_drop(&event);
		}
		if (key != NULL && item != NULL) {
			yaml_node_append(map, key, item);
		} else {
			map->broken = true;
			yaml_node_free_tree(key);
			yaml_node_free_tree(item);
		}
	}
}

/* Reads the rest of a list, up to its end. */
static void
yaml_node_list(struct yaml_reader *r, struct yaml_node *list, int depth)
{
	yaml_event_t event;

	while (yaml_node_next(r, &event)) {
		bool end = event.type == YAML_SEQUENCE_END_EVENT;
		struct yaml_node *item = end ? NULL : yaml_node_value(r, &event, depth + 1);

		yaml_node_drop(&event);
		if (end)
			return;
		if (item != NULL)
			yaml_node_append(list, NULL, item);
	}
}

/* Reads the node that an event begins; NULL after a mistake that ends reading. */
static struct yaml_node *
yaml_node_value(struct yaml_reader *r, const yaml_event_t *event, int depth)
{
	struct yaml_node *node;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return yaml_node_scalar(r, event, depth, false);
	case YAML_SEQUENCE_START_EVENT:
		node = yaml_node_make(r, event, YAML_LIST, depth);
		if (node == NULL)
			return NULL;
		yaml_node_properties(r, node, event, event->data.sequence_start.anchor,
		    event->data.sequence_start.tag);
		yaml_node_list(r, node, depth);
		return node;
	case YAML_MAPPING_START_EVENT:
		node = yaml_node_make(r, event, YAML_MAP, depth);
		if (node == NULL)
			return NULL;
		yaml_node_properties(r, node, event, event->data.mapping_start.anchor,
		    event->data.mapping_start.tag);
		yaml_node_map(r, node, depth);
		return node;
	default: /* an alias: nothing else can begin a node */
		node = yaml_node_make(r, event, YAML_SCALAR, depth);
		if (node == NULL)
			return NULL;
		yaml_node_refuse(r, event->start_mark.index, "aliases (*name) are not allowed; "
		    "write the value out, or quote a text that starts with *");
		node->text = mem_string("");
		node->broken = true;
		return node;
	}
}

/* Reads the one document of a stream; NULL also when the stream holds none. */
static struct yaml_node *
yaml_node_stream(struct yaml_reader *r)
{
	struct yaml_node *root = NULL;
	bool seen = false, end = false;
	yaml_event_t event;

	while (!end && yaml_node_next(r, &event)) {
		switch (event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_STREAM_END_EVENT:
			end = true;
			break;
		case YAML_DOCUMENT_START_EVENT:
			if (event.data.document_start.tag_directives.start !=
			    event.data.document_start.tag_directives.end)
				yaml_node_refuse(r, event.start_mark.index,
				    "tag directives (%TAG) are not allowed; remove the line");
			if (seen)
				yaml_node_give_up(r, event.start_mark.index,
				    "a second document begins here; a file holds one, so remove "
				    "the line or what follows it");
			seen = true;
			break;
		default:
			root = yaml_node_value(r, &event, 1);
			break;
		}
		yaml_node_drop(&event);
	}
	return root;
}

/* Whether a document has no content at all. */
static bool
yaml_node_empty(const struct yaml_node *root)
{
	return root->kind == YAML_SCALAR && !root->quoted && !root->broken &&
	    root->text[0] == '\0' && !root->expanded;
}

/* Turns what the stream gave into the document's root. */
static struct yaml_node *
yaml_node_root(struct yaml_reader *r, struct yaml_node *root)
{
	if (r->failed) {
		/* What was noted so far is still true. */
		if (root != NULL)
			yaml_node_complain(root, r->diags);
		yaml_node_free_tree(root);
		return NULL;
	}
	if (root == NULL) {
		root = mem_zero(1, sizeof *root);
		root->file = r->file;
		root->line = root->column = 1;
		root->kind = YAML_MAP;
	} else if (yaml_node_empty(root)) {
		mem_wipe_free(root->text);
		root->text = NULL;
		root->kind = YAML_MAP;
	}
	return root;
}

/* Refuses what libyaml should not even see. */
static bool
yaml_node_precheck(struct yaml_reader *r)
{
	size_t good;

	if (r->place.len > YAML_NODE_MAX) {
		diag_add(r->diags, r->file, 0, 0, "the file is larger than 1 MiB");
		return false;
	}
	good = utf8_span(r->place.text, r->place.len);
	if (good == r->place.len)
		return true;
	yaml_place_byte(&r->place, good);
	diag_add(r->diags, r->file, r->place.line, r->place.column,
	    "the byte 0x%02x does not belong to UTF-8 text; save the file as UTF-8",
	    (unsigned)(unsigned char)r->place.text[good]);
	return false;
}

/* Reads a document, keeping nodes that are wrong. */
struct yaml_node *
yaml_node_parse(const char *file, const char *text, size_t len, yaml_env_fn env, void *env_arg,
    struct diag_list *diags)
{
	struct yaml_reader r = {.diags = diags};
	struct yaml_node *root = NULL;
	char *name = mem_string(file);

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	r.file = name;
	r.expand = (struct yaml_expand){env, env_arg, yaml_node_unsaid, NULL};
	yaml_place_init(&r.place, text, len);
	if (yaml_node_precheck(&r)) {
		if (yaml_parser_initialize(&r.parser) == 0)
			abort();
		yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
		yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
		root = yaml_node_root(&r, yaml_node_stream(&r));
		yaml_node_close(&r.parser);
	}
	if (root == NULL)
		free(name);
	return root;
}

/* Reads a document that must be without any mistake. */
struct yaml_node *
yaml_node_read(const char *file, const char *text, size_t len, yaml_env_fn env, void *env_arg,
    struct diag_list *diags)
{
	size_t before = diags->errors;
	struct yaml_node *root = yaml_node_parse(file, text, len, env, env_arg, diags);

	if (root == NULL)
		return NULL;
	yaml_node_complain(root, diags);
	if (diags->errors == before)
		return root;
	yaml_node_free(root);
	return NULL;
}
