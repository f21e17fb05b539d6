#include "config.h"

#include "cli/cmd_check.h"

#include "cli/check_live.h"
#include "core/snapshot.h"

/* Checks a file. */
int
cmd_check(const char *file, bool sandbox, bool live, FILE *out, FILE *err)
{
	struct config_source source = {.file = file, .sandbox = sandbox};
	struct diag_list diags = {0};
	struct snapshot *snap = snapshot_load(&source, &diags);
	bool good = snap != NULL;

	diag_print(&diags, err);
	if (good && live)
		good = check_live(snap, sandbox, out, err);
	if (good)
		good = fputs("ok\n", out) >= 0 && fflush(out) == 0;
	diag_free(&diags);
	snapshot_unref(snap);
	return good ? 0 : 1;
}
