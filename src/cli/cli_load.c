#include "config.h"

#include "cli/cli_load.h"

#include <stdlib.h>

/* Compiles the section that the file has. */
static void
cli_load_mapping(void *arg, const struct yaml_node *persona, struct diag_list *diags)
{
	struct mapping **mapping = arg;

	*mapping = mapping_compile(persona, diags);
}

/* Loads both parts. */
struct config *
cli_load(const struct config_source *source, struct mapping **mapping, struct diag_list *diags)
{
	struct config_source with_mapping = *source;
	struct config *config;

	*mapping = NULL;
	with_mapping.mapping = cli_load_mapping;
	with_mapping.mapping_arg = mapping;
	config = config_load(&with_mapping, diags);
	if (config == NULL) {
		mapping_free(*mapping);
		*mapping = NULL;
	}
	return config;
}

/* Writes the entries. */
void
cli_load_report(struct diag_list *diags, FILE *to)
{
	diag_sort(diags);
	for (size_t i = 0; i < diags->count; i++) {
		char *line = diag_format(&diags->items[i]);

		fprintf(to, "%s\n", line);
		free(line);
	}
}
