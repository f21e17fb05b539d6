#include "config.h"

#include "cli/cmd_check.h"

#include "cli/cli_load.h"

/* Checks a file. */
int
cmd_check(const char *file, bool sandbox, FILE *out, FILE *err)
{
	struct config_source source = {.file = file, .sandbox = sandbox};
	struct diag_list diags = {0};
	struct mapping *mapping;
	struct config *config = cli_load(&source, &mapping, &diags);
	bool good = config != NULL;

	cli_load_report(&diags, err);
	if (good)
		good = fputs("ok\n", out) >= 0 && fflush(out) == 0;
	diag_free(&diags);
	mapping_free(mapping);
	config_free(config);
	return good ? 0 : 1;
}
