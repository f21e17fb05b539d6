#include "config.h"

#include "core/create_body.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <string.h>

/* Reads an object that an intent keeps as text; NULL when there is none. */
static struct json_object *
create_body_parse(const char *text)
{
	struct json_object *o = NULL;

	if (text != NULL)
		json_read(text, strlen(text), &o, NULL);
	return o;
}

/* The local answer for what a create made. */
char *
create_body_make(const struct mapping *mapping, const struct store_intent *in,
    struct json_object *item, const char *id, int64_t created_ms, struct fail *fail)
{
	struct json_object *absent = create_body_parse(in->absent), *kept = create_body_parse(in->kept);
	struct json_object *local = NULL;
	char *body = NULL;

	if (mapping_answer_make(mapping, item, id, absent, kept, created_ms, &local, fail) == 0)
		body = json_print(local, NULL);
	json_object_put(local);
	json_object_put(absent);
	json_object_put(kept);
	return body;
}
