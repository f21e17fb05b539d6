#include "config.h"

#include "mapping/mapping_apply.h"

/* Runs the steps from first to last. */
struct json_object *
mapping_apply_send(const struct mapping_field *f, struct json_object *value, const char **noun)
{
	struct json_object *next;

	json_object_get(value);
	for (size_t i = 0; i < f->step_count && value != NULL; i++) {
		next = f->steps[i].kind->send(&f->steps[i], value);
		*noun = f->steps[i].kind->noun;
		json_object_put(value);
		value = next;
	}
	return value;
}

/* Runs the steps from last to first. */
struct json_object *
mapping_apply_receive(const struct mapping_field *f, struct json_object *value, const char **noun)
{
	struct json_object *next;

	json_object_get(value);
	for (size_t i = f->step_count; i > 0 && value != NULL; i--) {
		next = f->steps[i - 1].kind->receive(&f->steps[i - 1], value);
		*noun = f->steps[i - 1].kind->noun;
		json_object_put(value);
		value = next;
	}
	return value;
}

/* Compares by the step that is nearest to Bluejay. */
bool
mapping_apply_same(const struct mapping_field *f, struct json_object *a, struct json_object *b)
{
	return f->steps[f->step_count - 1].kind->same(a, b);
}

/* Looks a path up. */
int
mapping_apply_get(const struct mapping_path *path, struct json_object *root,
    struct json_object **value, struct fail *fail)
{
	size_t keys;

	*value = NULL;
	if (mapping_path_get(path, root, value, &keys) != MAPPING_PATH_BLOCKED)
		return 0;
	return fail_set(fail, "%.*s must be an object", (int)mapping_path_prefix(path, keys),
	    path->text);
}
