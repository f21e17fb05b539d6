#include "config.h"

#include "mapping/mapping_text.h"

#include "json/json_read.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

/* Writes a value of a type as a string. */
static struct json_object *
mapping_text_write(const char *type, struct json_object *value, struct mapping_trouble *trouble)
{
	const struct mapping_step_kind *kind = mapping_step_find(type);
	struct mapping_step step = {kind, NULL};
	struct json_object *taken = kind->send(&step, value, trouble), *text;
	char *digits;
	size_t len;

	if (taken == NULL)
		return NULL;
	digits = json_print(taken, &len);
	text = json_object_new_string_len(digits, (int)len);
	free(digits);
	json_object_put(taken);
	return text;
}

/* Reads a value of a type out of a string that is written as JSON writes it. */
static struct json_object *
mapping_text_read(const char *type, const char *example, struct json_object *string,
    struct mapping_trouble *trouble)
{
	const struct mapping_step_kind *kind = mapping_step_find(type);
	struct mapping_step step = {kind, NULL};
	struct json_object *value = NULL, *taken = NULL;
	const char *text;
	char *back;
	size_t len, back_len;

	if (json_object_is_type(string, json_type_string)) {
		text = json_object_get_string(string);
		len = (size_t)json_object_get_string_len(string);
		if (json_read(text, len, &value, NULL) && value != NULL) {
			back = json_print(value, &back_len);
			if (back_len == len && memcmp(back, text, len) == 0)
				taken = kind->send(&step, value, trouble);
			free(back);
			json_object_put(value);
		}
	}
	if (taken == NULL)
		mapping_trouble_set(trouble, "must be a string such as \"%s\"", example);
	return taken;
}

/* Two functions for each type, since a step's function is chosen when loading. */
#define MAPPING_TEXT(type, example)                                                              \
	static struct json_object *mapping_text_write_##type(const struct mapping_step *step,    \
	    struct json_object *value, struct mapping_trouble *trouble)                          \
	{                                                                                        \
		return mapping_text_write(#type, value, trouble);                                \
	}                                                                                        \
	static struct json_object *mapping_text_read_##type(const struct mapping_step *step,     \
	    struct json_object *value, struct mapping_trouble *trouble)                          \
	{                                                                                        \
		return mapping_text_read(#type, example, value, trouble);                        \
	}

MAPPING_TEXT(integer, "5")
MAPPING_TEXT(number, "1.5")
MAPPING_TEXT(boolean, "true")

/* Compares what Bluejay has. */
static bool
mapping_text_same(const struct mapping_step *step, struct json_object *a, struct json_object *b)
{
	return mapping_step_same_value(a, b);
}

/* Named by the type that is not a string; first those with the string in Bluejay. */
static const struct mapping_step_kind mapping_text_kinds[][2] = {
    {{.name = "integer", .send = mapping_text_write_integer,
         .receive = mapping_text_read_integer, .same = mapping_text_same},
        {.name = "integer", .send = mapping_text_read_integer,
            .receive = mapping_text_write_integer, .same = mapping_text_same}},
    {{.name = "number", .send = mapping_text_write_number, .receive = mapping_text_read_number,
         .same = mapping_text_same},
        {.name = "number", .send = mapping_text_read_number,
            .receive = mapping_text_write_number, .same = mapping_text_same}},
    {{.name = "boolean", .send = mapping_text_write_boolean,
         .receive = mapping_text_read_boolean, .same = mapping_text_same},
        {.name = "boolean", .send = mapping_text_read_boolean,
            .receive = mapping_text_write_boolean, .same = mapping_text_same}},
};

/* Finds the step. */
const struct mapping_step_kind *
mapping_text_kind(const struct mapping_step_kind *local, const struct mapping_step_kind *upstream)
{
	bool to_string = strcmp(upstream->name, "string") == 0;
	const char *other = to_string ? local->name : upstream->name;

	if (to_string == (strcmp(local->name, "string") == 0))
		return NULL;
	for (size_t i = 0; i < sizeof mapping_text_kinds / sizeof *mapping_text_kinds; i++)
		if (strcmp(mapping_text_kinds[i][0].name, other) == 0)
			return &mapping_text_kinds[i][to_string ? 0 : 1];
	return NULL;
}
