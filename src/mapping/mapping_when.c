#include "config.h"

#include "mapping/mapping_when.h"

#include "base/mem.h"
#include "json/json_text.h"
#include "mapping/mapping_step.h"

#include <stdlib.h>
#include <string.h>

/* Frees a condition. */
void
mapping_when_free(struct mapping_when *when)
{
	if (when == NULL)
		return;
	mapping_path_free(&when->local);
	json_object_put(when->is);
	free(when);
}

/* Whether it holds. */
bool
mapping_when_holds(const struct mapping_when *when, struct json_object *value)
{
	if (when->is != NULL)
		return value != NULL && mapping_step_same_value(when->is, value);
	return (value == NULL) == when->absent;
}

/* Whether two never hold together. */
bool
mapping_when_exclusive(const struct mapping_when *a, const struct mapping_when *b)
{
	if (a == NULL || b == NULL || strcmp(a->local.text, b->local.text) != 0)
		return false;
	if (a->absent != b->absent)
		return true;
	return a->is != NULL && b->is != NULL && !mapping_step_same_value(a->is, b->is);
}

/* Says what must hold. */
char *
mapping_when_text(const struct mapping_when *when, const char *word)
{
	char *is, *text;

	if (when->is == NULL)
		return mem_format("%s %s is %s", word, when->local.text,
		    when->absent ? "left out" : "given");
	is = json_print(when->is, NULL);
	text = mem_format("%s %s is %.80s", word, when->local.text, is);
	free(is);
	return text;
}
