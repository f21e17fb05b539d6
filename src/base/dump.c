#include "config.h"

#include "base/dump.h"

#include <sys/prctl.h>
#include <sys/resource.h>

/* Allows or forbids; the hard limit stays, so that what was forbidden can be allowed. */
void
dump_allow(bool allowed)
{
	struct rlimit core;

	prctl(PR_SET_DUMPABLE, allowed ? 1 : 0, 0, 0, 0);
	if (getrlimit(RLIMIT_CORE, &core) != 0)
		return;
	core.rlim_cur = allowed ? core.rlim_max : 0;
	setrlimit(RLIMIT_CORE, &core);
}
