#include "config.h"

#include "store/backup_file.h"
#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BACKUP_FILE_PIECE ((size_t)256 << 10)

/* Says how far it is. */
int
backup_meter_tell(const struct backup_meter *m, struct fail *f)
{
	if (m->step == NULL || m->step(m->arg, m->what, m->done, m->total))
		return 0;
	return fail_set(f, "stopped");
}

/* Reads the next piece. */
static ssize_t
backup_file_read(int fd, char *to)
{
	ssize_t n;

	do
		n = read(fd, to, BACKUP_FILE_PIECE);
	while (n < 0 && errno == EINTR);
	return n;
}

/* A file that is being read, and where it goes. */
struct backup_pass {
	const char *from, *to; /* to NULL: nowhere */
	int in, out;
	char *piece;
	struct digest *digest;
	struct backup_meter *meter;
};

/* The bytes of a file up to the end of its last line, as it is now. */
static off_t
backup_pass_lines(int fd, char *piece)
{
	struct stat st;
	off_t end = fstat(fd, &st) == 0 ? st.st_size : 0;

	while (end > 0) {
		off_t start = end > (off_t)BACKUP_FILE_PIECE ? end - (off_t)BACKUP_FILE_PIECE : 0;
		ssize_t n = pread(fd, piece, (size_t)(end - start), start);
		char *last = n > 0 ? memrchr(piece, '\n', (size_t)n) : NULL;

		if (last != NULL)
			return start + (last - piece) + 1;
		end = start;
	}
	return 0;
}

/* Takes every byte, at most `most` of them (-1: all). */
static int
backup_pass_run(struct backup_pass *p, off_t most, struct fail *f)
{
	ssize_t n;

	while (most != 0 && (n = backup_file_read(p->in, p->piece)) != 0) {
		if (n < 0)
			return fail_set(f, "%s cannot be read: %s", p->from, strerror(errno));
		if (most > 0 && n > most)
			n = (ssize_t)most;
		digest_add(p->digest, p->piece, (size_t)n);
		if (p->to != NULL && fd_write_all(p->out, p->piece, (size_t)n) < 0)
			return fail_set(f, "%s cannot be written: %s", p->to, strerror(errno));
		most -= most > 0 ? n : 0;
		p->meter->done += (uint64_t)n;
		if (backup_meter_tell(p->meter, f) < 0)
			return -1;
	}
	if (p->to != NULL && fsync(p->out) < 0)
		return fail_set(f, "%s cannot be written: %s", p->to, strerror(errno));
	return 0;
}

/* Opens both ends. Only plain files are read: nothing else belongs to a store. */
static int
backup_pass_open(struct backup_pass *p, struct fail *f)
{
	struct stat st;

	p->in = open(p->from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (p->in < 0)
		return fail_set(f, "%s cannot be read: %s", p->from, strerror(errno));
	if (fstat(p->in, &st) < 0 || !S_ISREG(st.st_mode))
		return fail_set(f, "%s is not a file", p->from);
	if (p->to == NULL)
		return 0;
	p->out = open(p->to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (p->out < 0)
		return fail_set(f, "%s cannot be written: %s", p->to, strerror(errno));
	return 0;
}

/* Reads a file once, and writes it elsewhere if that is wanted. */
static int
backup_pass(const char *from, const char *to, bool lines, struct backup_meter *meter,
    char digest[DIGEST_HEX_SIZE], struct fail *f)
{
	struct backup_pass p = {.from = from, .to = to, .in = -1, .out = -1, .meter = meter};
	int rc;

	p.piece = mem_alloc(BACKUP_FILE_PIECE);
	p.digest = digest_begin();
	rc = backup_pass_open(&p, f);
	if (rc == 0)
		rc = backup_pass_run(&p, lines ? backup_pass_lines(p.in, p.piece) : -1, f);
	digest_end(p.digest, digest);
	free(p.piece);
	if (p.in >= 0)
		close(p.in);
	if (p.out >= 0 && close(p.out) < 0 && rc == 0)
		rc = fail_set(f, "%s cannot be written: %s", to, strerror(errno));
	return rc;
}

/* Copies a file. */
int
backup_file_copy(const char *from, const char *to, bool lines, struct backup_meter *meter,
    char digest[DIGEST_HEX_SIZE], struct fail *f)
{
	return backup_pass(from, to, lines, meter, digest, f);
}

/* Reads a file for its digest. */
int
backup_file_digest(const char *path, struct backup_meter *meter, char digest[DIGEST_HEX_SIZE],
    struct fail *f)
{
	return backup_pass(path, NULL, false, meter, digest, f);
}

/* Whether something is there. */
bool
backup_file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* How large a file is. */
uint64_t
backup_file_size(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

/* Gives a file away. */
void
backup_file_hand_over(const char *folder, const char *path)
{
	struct stat st;

	if (geteuid() == 0 && stat(folder, &st) == 0 && st.st_uid != 0)
		(void)!lchown(path, st.st_uid, st.st_gid);
}

/* Whether there is room. */
int
backup_file_room(const char *folder, uint64_t bytes, struct fail *f)
{
	struct statvfs fs;
	uint64_t room;

	if (statvfs(folder, &fs) < 0)
		return fail_set(f, "%s cannot be used: %s", folder, strerror(errno));
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room >= bytes)
		return 0;
	return fail_set(f, "the disk of %s has no room: %llu MiB are needed, %llu MiB are free",
	    folder, (unsigned long long)(bytes >> 20) + 1, (unsigned long long)(room >> 20));
}
