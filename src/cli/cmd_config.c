#include "config.h"

#include "cli/cmd_config.h"

#include "cli/output.h"
#include "config/config_defaults.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

static const char cmd_config_usage[] =
    "usage: persona-gateway config --defaults\n"
    "\n"
    "Prints what is built in: the declarations of personas and communities, in the words of\n"
    "the section `resources` of a configuration file.\n";

/* The command. */
int
cmd_config(int argc, char **argv)
{
	static const struct option options[] = {
	    {"defaults", no_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	bool defaults = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(cmd_config_usage, stdout);
			return 0;
		}
		defaults = opt == 'd';
		if (!defaults)
			break;
	}
	if (!defaults || optind < argc) {
		fputs(cmd_config_usage, stderr);
		return 2;
	}
	fwrite(defaults_yaml, 1, defaults_yaml_len, stdout);
	return output_done() ? 0 : 1;
}
