#include "config.h"

#include "mapping/mapping_explain.h"

#include "json/json_text.h"

#include <string.h>

/* Adds a text, or null. */
static void
mapping_explain_json_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, text == NULL ? NULL : json_object_new_string(text));
}

/* Adds a part of a place, or null. */
static void
mapping_explain_json_number(struct json_object *o, const char *key, bool known, int number)
{
	json_object_object_add(o, key, known ? json_object_new_int(number) : NULL);
}

/* Writes one member's way. */
struct json_object *
mapping_explain_json(const struct mapping_explained *e)
{
	struct json_object *o = json_object_new_object();

	mapping_explain_json_text(o, "local", e->local);
	mapping_explain_json_text(o, "bluejay", e->upstream);
	mapping_explain_json_number(o, "line", e->line != 0, e->line);
	mapping_explain_json_number(o, "column", e->line != 0, e->column);
	mapping_explain_json_text(o, "what", mapping_explain_name(e->what));
	if (e->built_in)
		json_object_object_add(o, "built_in", json_object_new_boolean(1));
	if (e->why != NULL)
		mapping_explain_json_text(o, "why", e->why);
	return o;
}

/* Reads one member's way. */
bool
mapping_explain_from_json(struct json_object *o, struct mapping_explained *e)
{
	const char *what = json_get_string(o, "what");
	int64_t line = 0, column = 0;
	int i = MAPPING_EXPLAIN_COPIED;

	while (what != NULL && i <= MAPPING_EXPLAIN_LEFT_OUT &&
	    strcmp(what, mapping_explain_name((enum mapping_explain_what)i)) != 0)
		i++;
	if (what == NULL || i > MAPPING_EXPLAIN_LEFT_OUT)
		return false;
	json_get_int(o, "line", &line);
	json_get_int(o, "column", &column);
	*e = (struct mapping_explained){
	    .what = (enum mapping_explain_what)i,
	    .local = json_get_string(o, "local"),
	    .upstream = json_get_string(o, "bluejay"),
	    .why = json_get_string(o, "why"),
	    .built_in = json_object_object_get_ex(o, "built_in", NULL),
	    .line = (int)line,
	    .column = (int)column,
	};
	return true;
}
