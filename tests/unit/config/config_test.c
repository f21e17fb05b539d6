#include "config.h"

#include "config_test.h"

#include "base/buf.h"

#include <string.h>

/* Looks a variable up. */
const char *
test_env(void *arg, const char *name)
{
	const char *const *vars = arg;

	for (; vars != NULL && *vars != NULL; vars += 2)
		if (strcmp(vars[0], name) == 0)
			return vars[1];
	return NULL;
}

/* Writes a list out. */
char *
test_lines(struct diag_list *diags)
{
	struct buf out;

	buf_init(&out, 0);
	diag_sort(diags);
	for (size_t i = 0; i < diags->count; i++) {
		char *line = diag_format(&diags->items[i]);

		buf_addf(&out, "%s\n", line);
		free(line);
	}
	return buf_take(&out, NULL);
}

/* Compares a list. */
void
test_expect(struct diag_list *diags, const char *lines)
{
	char *got = test_lines(diags);

	ck_assert_str_eq(got, lines);
	free(got);
	diag_free(diags);
}

UNIT_MAIN(diag_suite, yaml_node_suite)
