#include "config.h"

#include "cli/option.h"

#include <stdio.h>

/* The next option. */
int
option_next(int argc, char **argv, const struct option *options, uint64_t *seen)
{
	int at = -1, opt = getopt_long(argc, argv, "", options, &at);

	if (at < 0 || opt == '?' || options[at].has_arg != required_argument)
		return opt;
	if (*optarg == '\0') {
		fprintf(stderr, "persona-gateway: --%s has an empty value\n", options[at].name);
		return '?';
	}
	if (*seen & UINT64_C(1) << at) {
		fprintf(stderr, "persona-gateway: --%s is given twice; keep one of them\n",
		    options[at].name);
		return '?';
	}
	*seen |= UINT64_C(1) << at;
	return opt;
}
