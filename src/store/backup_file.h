#ifndef STORE_BACKUP_FILE_H
#define STORE_BACKUP_FILE_H

#include "base/digest.h"
#include "base/fail.h"
#include "store/store_backup.h"

#include <stdbool.h>

/*
 * Files and folders of a backup. All of it blocks. Files are their owner's alone
 * (0600), folders too (0700). Functions give -1 with a sentence.
 */

/* How far the whole work is; whoever asked for it is told. */
struct backup_meter {
	const char *what;
	uint64_t done, total; /* bytes */
	store_step_fn step;   /* NULL: nobody is told */
	void *arg;
};

/* Says how far it is; -1 when it is to stop. */
int backup_meter_tell(const struct backup_meter *, struct fail *);

/* Copies a file to one that is not there yet, and syncs it. Of `lines` (a journal that
 * grows meanwhile) only whole ones are copied. */
int backup_file_copy(const char *from, const char *to, bool lines, struct backup_meter *,
    char digest[DIGEST_HEX_SIZE], struct fail *);

/* Reads a file for its digest alone. */
int backup_file_digest(const char *path, struct backup_meter *, char digest[DIGEST_HEX_SIZE],
    struct fail *);

bool backup_file_exists(const char *path);
uint64_t backup_file_size(const char *path); /* 0 when it is not there */

/* Gives a file to the owner of a folder: whoever puts a store there as root does not serve as
 * root. Of others, and in root's own folder, nothing changes. */
void backup_file_hand_over(const char *folder, const char *path);

/* Whether the file system of a folder has room for so many bytes. */
int backup_file_room(const char *folder, uint64_t bytes, struct fail *);

/* Makes what is in a folder durable. */
int backup_folder_sync(const char *path, struct fail *);

/* Removes a folder with the files that backups have, and nothing else: with others in
 * it, it stays and is refused. Also when it is not there. */
int backup_folder_remove(const char *path, const char *journal, struct fail *);

/* A folder that grows under the name PATH.partial, and gets its own when it is whole. */
struct backup_folder {
	char *path, *partial, *parent;
	const char *journal;
	int fd; /* of the partial one, locked */
};

/* Makes the partial one, in place of one that a killed command has left. Refused when
 * something stands at the path already, an empty folder excepted, or when another
 * command makes it just now. */
int backup_folder_begin(struct backup_folder *, const char *path, const char *journal,
    struct fail *);

/* Gives it its name, for good. Frees in any case; on failure the partial one is gone. */
int backup_folder_finish(struct backup_folder *, struct fail *);

/* Removes the partial one and frees. */
void backup_folder_abandon(struct backup_folder *);

#endif
