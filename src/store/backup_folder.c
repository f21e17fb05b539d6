#include "config.h"

#include "base/fd.h"
#include "base/mem.h"
#include "store/backup_file.h"
#include "store/backup_manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKUP_FOLDER_TRIES 10 /* at a name that others make and rename meanwhile */

/* Makes what is in a folder durable. */
int
backup_folder_sync(const char *path, struct fail *f)
{
	return fd_sync_folder(path) == 0 ? 0
	    : fail_set(f, "%s cannot be written: %s", path, strerror(errno));
}

/* Removes the files of a folder that are nothing else, and the folder. */
static int
backup_folder_empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (d == NULL)
		return errno == ENOENT ? 0 : -1;
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	return rmdir(path);
}

/* Removes a folder of a backup. */
int
backup_folder_remove(const char *path, const char *journal, struct fail *f)
{
	const char *const names[] = {BACKUP_DATABASE, BACKUP_DATABASE "-journal",
	    BACKUP_DATABASE "-wal", BACKUP_DATABASE "-shm", BACKUP_MANIFEST, journal};
	char *images = mem_format("%s/" BACKUP_IMAGES, path);
	int rc = backup_folder_empty(images);

	for (size_t i = 0; i < sizeof names / sizeof *names && names[i] != NULL; i++) {
		char *file = mem_format("%s/%s", path, names[i]);

		(void)unlink(file);
		free(file);
	}
	free(images);
	if ((rmdir(path) < 0 && errno != ENOENT) || rc < 0)
		return fail_set(f, "%s is in the way and cannot be removed: %s", path, strerror(errno));
	return 0;
}

/* Whether something stands at the path that an empty folder would not be. */
static bool
backup_folder_taken(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	bool any = false;

	if (d == NULL)
		return errno != ENOENT;
	while ((e = readdir(d)) != NULL)
		any = any || (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0);
	closedir(d);
	return any;
}

/* Opens and locks the partial folder, making it; -1 with a sentence, -2 to try again. */
static int
backup_folder_lock(struct backup_folder *b, struct fail *f)
{
	struct stat here, there;

	if (mkdir(b->partial, 0700) < 0 && errno != EEXIST)
		return fail_set(f, "%s cannot be made: %s", b->partial, strerror(errno));
	b->fd = open(b->partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (b->fd < 0)
		return errno == ENOENT ? -2 : fail_set(f, "%s is in the way: %s", b->partial,
		    strerror(errno));
	if (flock(b->fd, LOCK_EX | LOCK_NB) < 0) {
		close(b->fd);
		return fail_set(f, "another command is making %s", b->path);
	}
	if (fstat(b->fd, &here) == 0 && lstat(b->partial, &there) == 0 &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return 0;
	close(b->fd); /* its maker has renamed it meanwhile */
	return -2;
}

/* Takes the partial folder, empty. A left-over of a killed command goes first. */
static int
backup_folder_take(struct backup_folder *b, struct fail *f)
{
	struct stat st;
	int rc = -2;

	for (int i = 0; i < BACKUP_FOLDER_TRIES && rc == -2; i++) {
		rc = backup_folder_lock(b, f);
		if (rc == 0 && backup_folder_taken(b->partial)) {
			rc = backup_folder_remove(b->partial, b->journal, f) < 0 ? -1 : -2;
			close(b->fd);
		}
	}
	if (rc == -2)
		return fail_set(f, "%s cannot be made: others change it", b->partial);
	if (rc == 0 && fstat(b->fd, &st) == 0 && (st.st_mode & 077) != 0)
		rc = fchmod(b->fd, 0700);
	return rc;
}

/* Frees. */
static void
backup_folder_clear(struct backup_folder *b)
{
	free(b->path);
	free(b->partial);
	free(b->parent);
	memset(b, 0, sizeof *b);
	b->fd = -1;
}

/* Begins. */
int
backup_folder_begin(struct backup_folder *b, const char *path, const char *journal, struct fail *f)
{
	size_t len = strlen(path);
	const char *slash;
	int rc;

	memset(b, 0, sizeof *b);
	while (len > 1 && path[len - 1] == '/')
		len--;
	b->path = mem_copy(path, len);
	b->partial = mem_format("%s.partial", b->path);
	slash = strrchr(b->path, '/');
	b->parent = slash == NULL ? mem_string(".") : mem_copy(b->path, (size_t)(slash - b->path) + 1);
	b->journal = journal;
	if (backup_folder_taken(b->path))
		rc = fail_set(f, "%s is there already: name a folder that is not", b->path);
	else
		rc = backup_folder_take(b, f);
	if (rc < 0)
		backup_folder_clear(b);
	return rc;
}

/* Gives the folder its name. */
int
backup_folder_finish(struct backup_folder *b, struct fail *f)
{
	if (backup_folder_sync(b->partial, f) < 0) {
		backup_folder_abandon(b);
		return -1;
	}
	if (rename(b->partial, b->path) < 0) { /* never onto a folder that holds something */
		fail_set(f, "%s cannot be made: %s", b->path, strerror(errno));
		backup_folder_abandon(b);
		return -1;
	}
	(void)backup_folder_sync(b->parent, NULL); /* it may be closed to us, which is fine */
	close(b->fd);
	backup_folder_clear(b);
	return 0;
}

/* Removes what there is. */
void
backup_folder_abandon(struct backup_folder *b)
{
	(void)backup_folder_remove(b->partial, b->journal, NULL);
	close(b->fd);
	backup_folder_clear(b);
}
