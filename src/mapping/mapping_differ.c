#include "config.h"

#include "mapping/mapping_differ.h"

#include "base/mem.h"
#include "config/diag.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <stdlib.h>

/* Who is told, and where the values are: "" at the top. */
struct mapping_differ_walk {
	mapping_differ_fn fn;
	void *arg;
	const char *path;
};

/* A value as text, or "missing"; long ones are cut. The caller frees. */
static char *
mapping_differ_text(bool there, struct json_object *value)
{
	char *text, *cut;
	int clip;

	if (!there)
		return mem_string("missing");
	text = json_print(value, NULL);
	clip = diag_clip(text);
	cut = mem_format("%.*s%s", clip, text, text[clip] == '\0' ? "" : "…");
	free(text);
	return cut;
}

/* Tells one difference. */
static void
mapping_differ_tell(const struct mapping_differ_walk *w, bool is_there, struct json_object *is,
    bool expected_there, struct json_object *expected)
{
	char *a = mapping_differ_text(is_there, is);
	char *b = mapping_differ_text(expected_there, expected), *sentence;
	const char *what = w->path[0] == '\0' ? "the whole" : w->path;

	if (expected_there)
		sentence = mem_format("%s is %s, not %s", what, a, b);
	else
		sentence = mem_format("%s is %s, and nothing was expected there", what, a);
	w->fn(w->arg, sentence);
	free(sentence);
	free(a);
	free(b);
}

static void mapping_differ_value(const struct mapping_differ_walk *, struct json_object *is,
    struct json_object *expected);

/* Compares two objects. */
static void
mapping_differ_object(const struct mapping_differ_walk *w, struct json_object *is,
    struct json_object *expected)
{
	struct json_object *other;
	struct lh_entry *e;

	for (e = lh_table_head(json_object_get_object(expected)); e; e = lh_entry_next(e)) {
		char *path = mem_format("%s%s%s", w->path, w->path[0] == '\0' ? "" : ".",
		    (const char *)lh_entry_k(e));
		const struct mapping_differ_walk inner = {w->fn, w->arg, path};

		if (json_object_object_get_ex(is, lh_entry_k(e), &other))
			mapping_differ_value(&inner, other, lh_entry_v(e));
		else
			mapping_differ_tell(&inner, false, NULL, true, lh_entry_v(e));
		free(path);
	}
	for (e = lh_table_head(json_object_get_object(is)); e; e = lh_entry_next(e)) {
		char *path = mem_format("%s%s%s", w->path, w->path[0] == '\0' ? "" : ".",
		    (const char *)lh_entry_k(e));
		const struct mapping_differ_walk inner = {w->fn, w->arg, path};

		if (!json_object_object_get_ex(expected, lh_entry_k(e), NULL))
			mapping_differ_tell(&inner, true, lh_entry_v(e), false, NULL);
		free(path);
	}
}

/* Compares two arrays. */
static void
mapping_differ_array(const struct mapping_differ_walk *w, struct json_object *is,
    struct json_object *expected)
{
	size_t is_count = json_object_array_length(is);
	size_t expected_count = json_object_array_length(expected);

	for (size_t i = 0; i < is_count || i < expected_count; i++) {
		char *path = mem_format("%s[%zu]", w->path, i);
		const struct mapping_differ_walk inner = {w->fn, w->arg, path};
		struct json_object *a = json_object_array_get_idx(is, i);
		struct json_object *b = json_object_array_get_idx(expected, i);

		if (i < is_count && i < expected_count)
			mapping_differ_value(&inner, a, b);
		else
			mapping_differ_tell(&inner, i < is_count, a, i < expected_count, b);
		free(path);
	}
}

/* Compares two values. */
static void
mapping_differ_value(const struct mapping_differ_walk *w, struct json_object *is,
    struct json_object *expected)
{
	enum json_type type = json_object_get_type(is);

	if (type == json_type_object && json_object_is_type(expected, type))
		mapping_differ_object(w, is, expected);
	else if (type == json_type_array && json_object_is_type(expected, type))
		mapping_differ_array(w, is, expected);
	else if (!json_equal(is, expected))
		mapping_differ_tell(w, true, is, true, expected);
}

/* Compares two values from their top. */
void
mapping_differ(struct json_object *is, struct json_object *expected, mapping_differ_fn fn,
    void *arg)
{
	const struct mapping_differ_walk top = {fn, arg, ""};

	mapping_differ_value(&top, is, expected);
}
