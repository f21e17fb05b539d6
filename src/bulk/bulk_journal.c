#include "config.h"

#include "bulk/bulk_journal.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "bulk/bulk_reader.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#define BULK_JOURNAL_KIND "persona-gateway import 1" /* what it is, and its version */
#define BULK_JOURNAL_LINE_MAX (BULK_ITEM_MAX + 4096) /* a name may be as long as a persona */

struct bulk_done {
	unsigned char digest[BULK_DIGEST_SIZE];
	UT_hash_handle hh;
};

struct bulk_journal {
	int fd;
	char *path;
	char run[UUID_SIZE];
	struct bulk_done *done;
	struct buf lines; /* not written yet */
	bool broken;      /* the file ends within a line */
	bool look;        /* it is only read */
};

/* Says what is wrong with the file. */
static int
bulk_journal_fail(const struct bulk_journal *j, struct fail *f, const char *what)
{
	return fail_set(f, "the journal %s %s", j->path, what);
}

/* Adds a member to the line that is being written. */
static void
bulk_journal_member(struct bulk_journal *j, const char *separator, const char *key,
    const char *value, size_t len)
{
	buf_addf(&j->lines, "%s\"%s\":", separator, key);
	json_add_string(&j->lines, value, len);
}

/* Begins an empty file. */
static int
bulk_journal_begin(struct bulk_journal *j, const char *from, const char *to, struct fail *f)
{
	uuid_make(j->run);
	bulk_journal_member(j, "{", "journal", BULK_JOURNAL_KIND, strlen(BULK_JOURNAL_KIND));
	bulk_journal_member(j, ",", "run", j->run, strlen(j->run));
	bulk_journal_member(j, ",", "from", from, strlen(from));
	bulk_journal_member(j, ",", "to", to, strlen(to));
	buf_adds(&j->lines, "}\n");
	if (bulk_journal_sync(j, f) < 0) {
		unlink(j->path); /* it says nothing yet */
		return -1;
	}
	if (fd_sync_name(j->path) < 0)
		return fail_set(f, "the journal %s cannot be kept: %s", j->path, strerror(errno));
	return 0;
}

/* Notes one that is done. */
static void
bulk_journal_note(struct bulk_journal *j, const unsigned char digest[BULK_DIGEST_SIZE])
{
	struct bulk_done *d;

	HASH_FIND(hh, j->done, digest, BULK_DIGEST_SIZE, d);
	if (d != NULL)
		return;
	d = mem_zero(1, sizeof *d);
	memcpy(d->digest, digest, sizeof d->digest);
	HASH_ADD(hh, j->done, digest, BULK_DIGEST_SIZE, d);
}

/* Whether a member is there and is this text. */
static bool
bulk_journal_says(struct json_object *o, const char *key, const char *text)
{
	const char *s = json_get_string(o, key);

	return s != NULL && strcmp(s, text) == 0;
}

/* Reads the first line. */
static int
bulk_journal_read_head(struct bulk_journal *j, struct json_object *o, const char *from,
    const char *to, struct fail *f)
{
	const char *run = json_get_string(o, "run");

	if (!bulk_journal_says(o, "journal", BULK_JOURNAL_KIND) || run == NULL ||
	    !uuid_valid(run, strlen(run)))
		return bulk_journal_fail(j, f, "is not a journal of this program");
	if (!bulk_journal_says(o, "from", from) || !bulk_journal_says(o, "to", to))
		return bulk_journal_fail(j, f, "is of an import from or to another place; another import "
		    "needs another journal");
	memcpy(j->run, run, UUID_SIZE);
	return 0;
}

/* Reads a line. */
static int
bulk_journal_read_line(struct bulk_journal *j, const struct bulk_piece *piece, const char *from,
    const char *to, struct fail *f)
{
	struct json_object *o = NULL;
	unsigned char digest[BULK_DIGEST_SIZE];
	const char *item;
	int rc = -1;

	if (!json_read(piece->text, piece->len, &o, NULL) || !json_object_is_type(o, json_type_object)) {
		bulk_journal_fail(j, f, piece->line == 1 ? "is not a journal of this program" :
		    "holds a line that is not its own");
	} else if (piece->line == 1) {
		rc = bulk_journal_read_head(j, o, from, to, f);
	} else if ((item = json_get_string(o, "item")) == NULL || !bulk_digest_read(item, digest)) {
		bulk_journal_fail(j, f, "holds a line that is not its own");
	} else {
		bulk_journal_note(j, digest);
		rc = 0;
	}
	json_object_put(o);
	return rc;
}

/* The bytes up to the last line end: what follows, a crash has left. */
static off_t
bulk_journal_whole(const struct bulk_journal *j, off_t size)
{
	char c = '\0';

	while (size > 0 && pread(j->fd, &c, 1, size - 1) == 1 && c != '\n')
		size--;
	return size;
}

/* Reads what there is, and takes off what is half a line once it is known to be ours. */
static int
bulk_journal_read(struct bulk_journal *j, off_t size, const char *from, const char *to,
    struct fail *f)
{
	struct bulk_reader *r = bulk_reader_new(j->fd, BULK_FORM_LINES, BULK_JOURNAL_LINE_MAX);
	off_t whole = bulk_journal_whole(j, size);
	struct bulk_piece piece;
	enum bulk_read got;
	int rc = 0;

	while (rc == 0 && (got = bulk_reader_next(r, &piece)) != BULK_READ_END) {
		if (piece.at >= whole && piece.line > 1)
			break;
		if (got == BULK_READ_PIECE)
			rc = bulk_journal_read_line(j, &piece, from, to, f);
		else
			rc = bulk_journal_fail(j, f, "cannot be read");
	}
	bulk_reader_free(r);
	if (rc == 0 && whole < size && !j->look && ftruncate(j->fd, whole) < 0)
		rc = bulk_journal_fail(j, f, "cannot be written");
	return rc;
}

/* Opens the file, and keeps other runs away from it. */
static int
bulk_journal_take(struct bulk_journal *j, off_t *size, struct fail *f)
{
	int flags = j->look ? O_RDONLY : O_RDWR | O_CREAT | O_APPEND;
	struct stat st;

	*size = 0;
	j->fd = open(j->path, flags | O_NONBLOCK | O_CLOEXEC, 0600);
	if (j->fd < 0 && errno == ENOENT && j->look)
		return 0;
	if (j->fd < 0)
		return fail_set(f, "the journal %s cannot be opened: %s", j->path, strerror(errno));
	if (!j->look && flock(j->fd, LOCK_EX | LOCK_NB) < 0)
		return bulk_journal_fail(j, f, "is used by an import that runs");
	/* Only now: a run that has ended meanwhile may have written to it. */
	if (fstat(j->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink == 0)
		return bulk_journal_fail(j, f, "is not a file");
	*size = st.st_size;
	return 0;
}

/* Opens a journal. */
struct bulk_journal *
bulk_journal_open(const char *path, bool look, const char *from, const char *to, struct fail *f)
{
	struct bulk_journal *j = mem_zero(1, sizeof *j);
	off_t size = 0;
	int rc;

	j->fd = -1;
	j->look = look;
	j->path = mem_string(path);
	buf_init(&j->lines, 0);
	rc = bulk_journal_take(j, &size, f);
	if (rc == 0 && size > 0)
		rc = bulk_journal_read(j, size, from, to, f);
	else if (rc == 0 && !look)
		rc = bulk_journal_begin(j, from, to, f);
	if (rc == 0)
		return j;
	bulk_journal_close(j);
	return NULL;
}

/* Closes it. */
void
bulk_journal_close(struct bulk_journal *j)
{
	struct bulk_done *d, *next;

	if (j == NULL)
		return;
	HASH_ITER(hh, j->done, d, next) {
		HASH_DEL(j->done, d);
		free(d);
	}
	if (j->fd >= 0)
		close(j->fd);
	buf_free(&j->lines);
	free(j->path);
	free(j);
}

/* The run's id. */
const char *
bulk_journal_run(const struct bulk_journal *j)
{
	return j->run;
}

/* How many earlier runs did. */
size_t
bulk_journal_count(const struct bulk_journal *j)
{
	return HASH_COUNT(j->done);
}

/* Whether one is done. */
bool
bulk_journal_has(const struct bulk_journal *j, const unsigned char digest[BULK_DIGEST_SIZE])
{
	struct bulk_done *d;

	HASH_FIND(hh, j->done, digest, BULK_DIGEST_SIZE, d);
	return d != NULL;
}

/* Notes one. */
void
bulk_journal_add(struct bulk_journal *j, const unsigned char digest[BULK_DIGEST_SIZE],
    const char *outcome, const char *name, size_t name_len, const char *id)
{
	char text[BULK_DIGEST_TEXT_SIZE];

	bulk_digest_text(digest, text);
	bulk_journal_member(j, "{", "item", text, strlen(text));
	bulk_journal_member(j, ",", "outcome", outcome, strlen(outcome));
	bulk_journal_member(j, ",", "name", name, name_len);
	if (id != NULL)
		bulk_journal_member(j, ",", "id", id, strlen(id));
	buf_adds(&j->lines, "}\n");
}

/* Writes and syncs. A write that failed may have left half a line, behind which nothing
 * may come. */
int
bulk_journal_sync(struct bulk_journal *j, struct fail *f)
{
	if (j->lines.len == 0 && !j->broken)
		return 0;
	if (!j->broken && fd_write_all(j->fd, j->lines.data, j->lines.len) == 0 &&
	    fdatasync(j->fd) == 0) {
		buf_clear(&j->lines);
		return 0;
	}
	if (!j->broken)
		fail_set(f, "the journal %s cannot be written: %s", j->path, strerror(errno));
	else
		bulk_journal_fail(j, f, "cannot be written");
	j->broken = true;
	return -1;
}
