#include "config.h"

#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Whether it was printed. */
bool
output_done(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	fprintf(stderr, "persona-gateway: standard output cannot be written%s%s\n", errno != 0 ? ": " : "",
	    errno != 0 ? strerror(errno) : "");
	return false;
}
