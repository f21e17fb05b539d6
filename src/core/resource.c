#include "config.h"

#include "core/resource.h"

#include <string.h>

const struct resource resource_persona = {
    .noun = "persona",
    .title = "Persona",
    .plural = "personas",
    .prefix = "",
    .create = "/v1/create-customer-persona",
    .item = "/v1/customer-persona",
    .update = "/v1/update-customer-persona",
    .list = "/v1/customer-personas-by-agent",
    .by_agent = true,
    .headers = "headers",
    .name = "name",
    .nameless = "Name is required",
    .portraits = true,
    .twins = true,
};

/* Looks at the name in a body. */
int
resource_check_name(const struct resource *r, struct json_object *body, bool required,
    struct fail *fail)
{
	struct json_object *name = NULL;

	if (!json_object_object_get_ex(body, r->name, &name) || name == NULL)
		return required ? fail_set(fail, "%s", r->nameless) : 0;
	if (!json_object_is_type(name, json_type_string))
		return fail_set(fail, "%s must be a string", r->name);
	if (json_object_get_string_len(name) == 0)
		return fail_set(fail, "%s", r->nameless);
	if (strlen(json_object_get_string(name)) != (size_t)json_object_get_string_len(name))
		return fail_set(fail, "%s must not contain the character U+0000", r->name);
	return 0;
}

/* Finds the resource of a scope. */
const struct resource *
resource_of_scope(const char *scope)
{
	(void)scope;
	return &resource_persona;
}
