#include "config.h"

#include "bulk/bulk_out.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BULK_OUT_CHUNK 65536 /* bytes that are gathered */

struct bulk_out {
	int fd;
	char *path; /* "standard output" for that */
	char *part; /* its name until the end; NULL: it is written as it is */
	struct buf bytes;
};

/* Whether a path is there and no regular file. */
static bool
bulk_out_is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* Frees it. */
static void
bulk_out_free(struct bulk_out *o)
{
	if (o->fd >= 0)
		close(o->fd);
	buf_free(&o->bytes);
	free(o->path);
	free(o->part);
	free(o);
}

/* Opens one. */
struct bulk_out *
bulk_out_open(const char *path, struct fail *f)
{
	struct bulk_out *o = mem_zero(1, sizeof *o);

	if (path == NULL || strcmp(path, "-") == 0) {
		o->path = mem_string("standard output");
		o->fd = dup(STDOUT_FILENO);
	} else if (bulk_out_is_special(path)) {
		o->path = mem_string(path);
		o->fd = open(path, O_WRONLY | O_CLOEXEC);
	} else {
		o->path = mem_string(path);
		o->part = mem_format("%s.XXXXXX", path);
		o->fd = mkostemp(o->part, O_CLOEXEC); /* mode 0600 */
	}
	buf_init(&o->bytes, 0);
	if (o->fd >= 0)
		return o;
	fail_set(f, "%s cannot be written: %s", o->path, strerror(errno));
	bulk_out_free(o);
	return NULL;
}

/* Writes what was gathered. */
static int
bulk_out_flush(struct bulk_out *o, struct fail *f)
{
	if (o->bytes.len > 0 && fd_write_all(o->fd, o->bytes.data, o->bytes.len) < 0)
		return fail_set(f, "%s cannot be written: %s", o->path, strerror(errno));
	buf_clear(&o->bytes);
	return 0;
}

/* Writes. */
int
bulk_out_write(struct bulk_out *o, const char *bytes, size_t len, struct fail *f)
{
	buf_add(&o->bytes, bytes, len);
	return o->bytes.len >= BULK_OUT_CHUNK ? bulk_out_flush(o, f) : 0;
}

/* Puts it in its place. */
int
bulk_out_commit(struct bulk_out *o, struct fail *f)
{
	int rc = bulk_out_flush(o, f);

	if (rc == 0 && o->part != NULL && (fsync(o->fd) < 0 || rename(o->part, o->path) < 0 ||
	    fd_sync_name(o->path) < 0))
		rc = fail_set(f, "%s cannot be written: %s", o->path, strerror(errno));
	if (rc < 0) {
		bulk_out_drop(o);
		return -1;
	}
	bulk_out_free(o);
	return 0;
}

/* Leaves nothing. */
void
bulk_out_drop(struct bulk_out *o)
{
	if (o == NULL)
		return;
	if (o->part != NULL)
		unlink(o->part);
	bulk_out_free(o);
}
