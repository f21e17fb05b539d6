#include "config.h"

#include "sandbox/sandbox_journal.h"
#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SANDBOX_JOURNAL_CHUNK ((size_t)64 << 10)
#define SANDBOX_JOURNAL_LONG ((uint64_t)64 << 20) /* below this it is never worth rewriting */

struct sandbox_journal {
	char *path;
	int fd;
	uint64_t size;    /* whole lines, bytes */
	uint64_t compact; /* size after the last rewriting */
	bool broken;      /* a part of a line could not be taken back */

	int new_fd; /* while rewriting */
	uint64_t new_size;
	struct buf batch;
	int new_error; /* errno of the first failed write */
};

/* True when the descriptor is still the file at the path. */
static bool
sandbox_journal_is_at(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev &&
	    here.st_ino == there.st_ino;
}

/* Opens and locks the file that stands at the path; -1 with a sentence. */
static int
sandbox_journal_lock(const char *path, struct fail *fail)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

		if (fd < 0)
			return fail_set(fail, "cannot open the journal %s: %s", path,
			    strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			close(fd);
			return fail_set(fail, "the journal %s is used by another program", path);
		}
		if (sandbox_journal_is_at(fd, path))
			return fd;
		close(fd); /* it was written anew by another program before the lock was ours */
	}
}

/* Opens the journal. */
struct sandbox_journal *
sandbox_journal_open(const char *path, struct fail *fail)
{
	struct sandbox_journal *j;
	int fd = sandbox_journal_lock(path, fail);

	if (fd < 0)
		return NULL;
	j = mem_zero(1, sizeof *j);
	j->path = mem_string(path);
	j->fd = fd;
	j->new_fd = -1;
	return j;
}

/* Closes the journal; its lock goes with it. */
void
sandbox_journal_close(struct sandbox_journal *j)
{
	if (j == NULL)
		return;
	close(j->fd);
	free(j->path);
	free(j);
}

/* Gives the whole lines in the buffer and drops them from it. */
static int
sandbox_journal_split(struct sandbox_journal *j, struct buf *b, uint64_t *number,
    sandbox_line_fn line, void *arg, struct fail *fail)
{
	size_t start = 0;
	char *end;

	while (b->len > start && (end = memchr(b->data + start, '\n', b->len - start)) != NULL) {
		size_t len = (size_t)(end - (b->data + start));

		*end = '\0';
		if (line(arg, b->data + start, len, ++*number, fail) != 0)
			return -1;
		start += len + 1;
	}
	j->size += start;
	buf_drain(b, start);
	return 0;
}

/* Reads from the start of the file. */
int
sandbox_journal_read(struct sandbox_journal *j, sandbox_line_fn line, void *arg, struct fail *fail)
{
	struct buf b;
	uint64_t number = 0;
	off_t at = 0;
	int result = -1;
	ssize_t n;

	buf_init(&b, 0);
	j->size = 0;
	for (;;) {
		if (!buf_reserve(&b, SANDBOX_JOURNAL_CHUNK)) {
			fail_set(fail, "%s:%llu: the line is too long", j->path,
			    (unsigned long long)number + 1);
			goto out;
		}
		n = pread(j->fd, b.data + b.len, SANDBOX_JOURNAL_CHUNK, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail_set(fail, "cannot read the journal %s: %s", j->path, strerror(errno));
			goto out;
		}
		if (n == 0)
			break;
		at += n;
		b.len += (size_t)n;
		if (sandbox_journal_split(j, &b, &number, line, arg, fail) != 0)
			goto out;
	}
	if (b.len > 0 && ftruncate(j->fd, (off_t)j->size) != 0) {
		fail_set(fail, "cannot cut the journal %s: %s", j->path, strerror(errno));
		goto out;
	}
	result = 0;
out:
	buf_free(&b);
	return result;
}

/* Appends a line; a part of one is taken back. */
bool
sandbox_journal_append(struct sandbox_journal *j, const char *line, size_t len)
{
	ssize_t n;

	if (j->broken && ftruncate(j->fd, (off_t)j->size) != 0)
		return false;
	j->broken = false;
	do
		n = write(j->fd, line, len);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len) {
		j->size += len;
		return true;
	}
	if (n > 0 && ftruncate(j->fd, (off_t)j->size) != 0)
		j->broken = true;
	return false;
}

/* Writes out what a rewriting has gathered. */
static void
sandbox_journal_flush(struct sandbox_journal *j)
{
	if (j->new_error == 0 && j->batch.len > 0 &&
	    fd_write_all(j->new_fd, j->batch.data, j->batch.len) != 0)
		j->new_error = errno;
	j->new_size += j->batch.len;
	buf_clear(&j->batch);
}

/* Adds one line to the new file. */
void
sandbox_journal_line(struct sandbox_journal *j, const char *line, size_t len)
{
	buf_add(&j->batch, line, len);
	if (j->batch.full)
		j->new_error = EFBIG;
	if (j->batch.len >= SANDBOX_JOURNAL_CHUNK)
		sandbox_journal_flush(j);
}

/* Fills, syncs and locks the new file, then gives it the old one's name. */
static int
sandbox_journal_replace(struct sandbox_journal *j, const char *temporary, sandbox_fill_fn fill,
    void *arg, struct fail *fail)
{
	j->new_fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (j->new_fd < 0)
		return fail_set(fail, "cannot make %s: %s", temporary, strerror(errno));
	fill(arg, j);
	sandbox_journal_flush(j);
	if (j->new_error == 0 && flock(j->new_fd, LOCK_EX | LOCK_NB) != 0)
		j->new_error = errno;
	if (j->new_error == 0 && fsync(j->new_fd) != 0)
		j->new_error = errno;
	if (j->new_error == 0 && rename(temporary, j->path) != 0)
		j->new_error = errno;
	if (j->new_error != 0)
		return fail_set(fail, "cannot write the journal %s: %s", j->path,
		    strerror(j->new_error));
	return 0;
}

/* Writes the file anew. */
int
sandbox_journal_rewrite(struct sandbox_journal *j, sandbox_fill_fn fill, void *arg,
    struct fail *fail)
{
	char *temporary = mem_format("%s.new", j->path);
	int result;

	j->new_size = 0;
	j->new_error = 0;
	buf_init(&j->batch, 0);
	result = sandbox_journal_replace(j, temporary, fill, arg, fail);
	buf_free(&j->batch);
	if (result == 0) {
		(void)fd_sync_name(j->path);
		close(j->fd);
		j->fd = j->new_fd;
		j->size = j->new_size;
		j->broken = false;
	} else if (j->new_fd >= 0) {
		close(j->new_fd);
		unlink(temporary);
	}
	j->compact = j->size;
	j->new_fd = -1;
	free(temporary);
	return result;
}

/* Says whether most of the file is history. */
bool
sandbox_journal_is_long(const struct sandbox_journal *j)
{
	return j->size > SANDBOX_JOURNAL_LONG && j->size / 4 > j->compact;
}
