#include "config.h"

#include "mapping/mapping_apply.h"

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

/* Says what is wrong with the value of a path. */
int
mapping_apply_refuse(const struct mapping_path *path, const struct mapping_trouble *trouble,
    struct fail *fail)
{
	return fail_set(fail, "%s%s %s", path->text, trouble->path, trouble->text);
}
