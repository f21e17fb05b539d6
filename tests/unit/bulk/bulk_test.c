#include "config.h"

#include "bulk_test.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

/* A file without a name. */
int
text_file(const char *text, size_t len)
{
	char path[] = "/tmp/bulk_test.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* A path. */
const char *
scratch_path(const char *name)
{
	static char paths[4][128];
	static unsigned at;
	char *path = paths[at++ % 4];

	if (folder[0] == '\0') {
		strcpy(folder, "/tmp/bulk_test.XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(folder));
	}
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

/* Removes the folder. */
void
scratch_remove(void)
{
	char command[128];

	if (folder[0] == '\0')
		return;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
	folder[0] = '\0';
}

/* What a file holds. */
const char *
file_text(const char *path)
{
	static char text[65536];
	FILE *in = fopen(path, "r");
	size_t n;

	ck_assert_msg(in != NULL, "%s", path);
	n = fread(text, 1, sizeof text - 1, in);
	text[n] = '\0';
	fclose(in);
	return text;
}

UNIT_MAIN(reader_suite, plan_suite, journal_suite, progress_suite, file_suite, send_suite)
