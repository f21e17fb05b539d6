#include "config.h"

#include "base/mem.h"
#include "store/backup_file.h"
#include "store/backup_manifest.h"
#include "store/sqlite_backup.h"
#include "store/sqlite_file.h"
#include "store/store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The copy is made whole in a folder of its own, inside the store's. Then what was
 * there is moved aside, and the new files move in; meanwhile a mark says so, and no
 * gateway starts on a folder that has it.
 */
#define STORE_RESTORE_FOLDER "restoring"
#define STORE_RESTORE_MARK "restore-unfinished"

struct store_restore {
	const struct store_backup_options *o;
	struct backup_meter meter;
	struct backup_manifest manifest;
	char *folder; /* where the copy waits */
	char *aside;  /* where that goes which was there before */
	char *mark;
};

/* What a store's folder holds, but for its lock. */
static const char *const store_restore_names[] = {BACKUP_DATABASE, BACKUP_DATABASE "-wal",
    BACKUP_DATABASE "-shm", BACKUP_DATABASE "-journal", BACKUP_IMAGES};
#define STORE_RESTORE_NAMES (sizeof store_restore_names / sizeof *store_restore_names)

/* The name of one of them; after them comes the journal. */
static const char *
store_restore_name(const struct store_restore *r, size_t i)
{
	return i < STORE_RESTORE_NAMES ? store_restore_names[i] : r->o->journal;
}

/* Whether the folder holds anything of a store. */
static bool
store_restore_occupied(const struct store_restore *r)
{
	bool any = false;

	for (size_t i = 0; i <= STORE_RESTORE_NAMES && !any; i++) {
		char *path = mem_format("%s/%s", r->o->to, store_restore_name(r, i));

		any = backup_file_exists(path);
		free(path);
	}
	return any;
}

/* Moves what one folder has into another. What is not there is not missed. */
static int
store_restore_move(const struct store_restore *r, const char *from, const char *to, struct fail *f)
{
	int rc = 0;

	for (size_t i = 0; i <= STORE_RESTORE_NAMES && rc == 0; i++) {
		char *old = mem_format("%s/%s", from, store_restore_name(r, i));
		char *new = mem_format("%s/%s", to, store_restore_name(r, i));

		if (rename(old, new) < 0 && errno != ENOENT)
			rc = fail_set(f, "%s cannot be moved to %s: %s; run the same command again", old,
			    new, strerror(errno));
		free(old);
		free(new);
	}
	if (rc == 0)
		rc = backup_folder_sync(to, f);
	return rc == 0 ? backup_folder_sync(from, f) : rc;
}

/* Copies one file of the backup, which must be what the manifest says. */
static int
store_restore_file(struct store_restore *r, const struct backup_entry *e, const char *to,
    struct fail *f)
{
	char *old = mem_format("%s/%s", r->o->from, e->name), *new = mem_format("%s/%s", to, e->name);
	char digest[DIGEST_HEX_SIZE];
	int rc = backup_file_copy(old, new, false, &r->meter, digest, f);

	if (rc == 0 && strcmp(digest, e->digest) != 0)
		rc = fail_set(f, "the backup in %s is damaged: %s is not what was copied", r->o->from,
		    e->name);
	free(old);
	free(new);
	return rc;
}

/* Copies all files of the backup into a folder. */
static int
store_restore_fill(struct store_restore *r, const char *to, struct fail *f)
{
	char *images = mem_format("%s/" BACKUP_IMAGES, to);
	int rc = mkdir(images, 0700);

	if (rc < 0)
		fail_set(f, "%s cannot be made: %s", images, strerror(errno));
	for (size_t i = 0; i < r->manifest.count && rc == 0; i++)
		rc = store_restore_file(r, &r->manifest.entries[i], to, f);
	if (rc == 0)
		rc = backup_folder_sync(images, f);
	if (rc == 0)
		rc = sqlite_backup_adjust(to, NULL, 0, true, f);
	free(images);
	return rc;
}

/* Makes the copy that moves in. What an earlier attempt has left goes. */
static int
store_restore_prepare(struct store_restore *r, uint64_t bytes, struct fail *f)
{
	struct backup_folder folder;
	int rc;

	r->meter.what = "restore";
	r->meter.done = 0;
	r->meter.total = bytes;
	if (backup_folder_remove(r->folder, r->o->journal, f) < 0 ||
	    backup_file_room(r->o->to, bytes, f) < 0 ||
	    backup_folder_begin(&folder, r->folder, r->o->journal, f) < 0)
		return -1;
	rc = store_restore_fill(r, folder.partial, f);
	if (rc == 0)
		return backup_folder_finish(&folder, f);
	backup_folder_abandon(&folder);
	return rc;
}

/* Sets the mark, durably. */
static int
store_restore_mark(const struct store_restore *r, struct fail *f)
{
	int fd = open(r->mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail_set(f, "%s cannot be written: %s", r->mark, strerror(errno));
	close(fd);
	return backup_folder_sync(r->o->to, f);
}

/* Moves aside what is there, and the copy in. */
static int
store_restore_swap(struct store_restore *r, bool occupied, struct fail *f)
{
	if (store_restore_mark(r, f) < 0)
		return -1;
	if (occupied && mkdir(r->aside, 0700) < 0)
		return fail_set(f, "%s cannot be made: %s", r->aside, strerror(errno));
	if (occupied && store_restore_move(r, r->o->to, r->aside, f) < 0)
		return -1;
	if (store_restore_move(r, r->folder, r->o->to, f) < 0)
		return -1;
	if (rmdir(r->folder) < 0 || unlink(r->mark) < 0)
		return fail_set(f, "%s is restored, but what tells of it cannot be removed: %s", r->o->to,
		    strerror(errno));
	return backup_folder_sync(r->o->to, f);
}

/* Gives everything that was made to the folder's owner. */
static void
store_restore_hand_over(const struct store_restore *r)
{
	static const char *const others[] = {BACKUP_IMAGES, "lock"};

	for (size_t i = 0; i < r->manifest.count + 2; i++) {
		const char *name = i < 2 ? others[i] : r->manifest.entries[i - 2].name;
		char *path = mem_format("%s/%s", r->o->to, name);

		backup_file_hand_over(r->o->to, path);
		free(path);
	}
	backup_file_hand_over(r->o->to, r->aside);
}

/* Puts the copy, which is good, into the folder, whose lock is held. */
static int
store_restore_run(struct store_restore *r, struct store_facts *facts, struct fail *f)
{
	bool occupied = store_restore_occupied(r);

	if (occupied && !r->o->replace && !backup_file_exists(r->mark))
		return fail_set(f, "%s holds a store already: restore into another folder, or say "
		    "--replace, which moves it aside", r->o->to);
	if (backup_manifest_read(&r->manifest, r->o->from, r->o->journal, f) < 0 ||
	    store_restore_prepare(r, facts->bytes, f) < 0 ||
	    store_restore_swap(r, occupied, f) < 0)
		return -1;
	store_restore_hand_over(r);
	facts->replaced = occupied ? mem_string(r->aside) : NULL;
	return 0;
}

/* Whether two paths are one folder. */
static bool
store_restore_is_same(const char *a, const char *b)
{
	struct stat one, two;

	return stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_dev == two.st_dev &&
	    one.st_ino == two.st_ino;
}

/* Restores. */
int
store_restore(const struct store_backup_options *o, struct store_facts *facts, struct fail *f)
{
	struct store_restore r = {.o = o, .meter = {.step = o->step, .arg = o->arg}};
	char now[TIMESTAMP_SIZE];
	int lock, rc;

	if (store_restore_is_same(o->from, o->to))
		return fail_set(f, "%s is the backup itself: restore into another folder", o->to);
	if (store_backup_check(o, facts, f) < 0)
		return -1;
	lock = sqlite_file_lock(o->to, f);
	timestamp_format(o->now_ms, now);
	r.folder = mem_format("%s/" STORE_RESTORE_FOLDER, o->to);
	r.aside = mem_format("%s/replaced-%s", o->to, now);
	r.mark = mem_format("%s/" STORE_RESTORE_MARK, o->to);
	rc = lock < 0 ? -1 : store_restore_run(&r, facts, f);
	if (lock >= 0)
		close(lock);
	backup_manifest_clear(&r.manifest);
	free(r.folder);
	free(r.aside);
	free(r.mark);
	if (rc < 0)
		store_facts_clear(facts);
	return rc;
}

/* Whether a restore was cut off. */
bool
store_restore_is_open(const char *dir)
{
	char *path = mem_format("%s/" STORE_RESTORE_MARK, dir);
	bool open = backup_file_exists(path);

	free(path);
	return open;
}
