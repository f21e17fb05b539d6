#include "config.h"

#include "base/buf.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "mapping_test.h"
#include "unit.h"

#include <string.h>

/* All messages, sorted, one a line; the caller frees. */
static char *
messages_of(struct diag_list *diags)
{
	struct buf b;

	buf_init(&b, 0);
	diag_sort(diags);
	for (size_t i = 0; i < diags->count; i++) {
		char *line = diag_format(&diags->items[i]);

		buf_addf(&b, "%s\n", line);
		free(line);
	}
	return buf_take(&b, NULL);
}

/* Reads and compiles a section. */
static struct mapping *
compile(const struct mapping_resource *resource, const char *section, struct diag_list *diags)
{
	struct yaml_node *node = NULL;
	struct mapping *m;

	if (section != NULL) {
		node = yaml_node_read("m.yaml", section, strlen(section), NULL, NULL, diags);
		ck_assert_msg(node != NULL, "%s: %s", section, messages_of(diags));
	}
	m = mapping_compile(resource, node, diags);
	yaml_node_free(node);
	return m;
}

/* Compiles a good section. */
struct mapping *
mapping_test_compile_of(const struct mapping_resource *resource, const char *section)
{
	struct diag_list diags = {0};
	struct mapping *m = compile(resource, section, &diags);

	if (m == NULL)
		ck_abort_msg("%s: %s", section == NULL ? "default" : section, messages_of(&diags));
	diag_free(&diags);
	return m;
}

/* Compiles a good section for personas. */
struct mapping *
mapping_test_compile(const char *section)
{
	return mapping_test_compile_of(mapping_resource_built_in("personas"), section);
}

/* Compiles a section with mistakes, or warnings. */
void
mapping_test_refused_of(const struct mapping_resource *resource, const char *section,
    const char *messages)
{
	struct diag_list diags = {0};
	struct mapping *m = compile(resource, section, &diags);
	char *all = messages_of(&diags);

	ck_assert_str_eq(all, messages);
	ck_assert((m == NULL) == (diags.errors > 0));
	free(all);
	diag_free(&diags);
	mapping_free(m);
}

/* The same for personas. */
void
mapping_test_refused(const char *section, const char *messages)
{
	mapping_test_refused_of(mapping_resource_built_in("personas"), section, messages);
}

/* Reads a JSON text. */
struct json_object *
mapping_test_json(const char *text)
{
	struct json_object *value;

	if (!json_read(text, strlen(text), &value, NULL))
		ck_abort_msg("%s", text);
	return value;
}

/* Prints and compares. */
void
mapping_test_prints(struct json_object *value, const char *text)
{
	char *printed;

	if (text == NULL) {
		ck_assert_ptr_null(value);
		return;
	}
	printed = json_print(value, NULL);
	ck_assert_str_eq(printed, text);
	free(printed);
}

UNIT_MAIN(mapping_compile_suite, mapping_request_suite, mapping_answer_suite, mapping_round_suite,
    mapping_community_suite, mapping_walk_suite, mapping_convert_suite,
    mapping_convert_refuse_suite, mapping_copy_suite, mapping_drift_suite, mapping_resource_suite, mapping_when_suite,
    mapping_template_suite, mapping_set_suite, mapping_law_suite, mapping_cases_suite)
