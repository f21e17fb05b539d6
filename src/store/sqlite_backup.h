#ifndef SQLITE_BACKUP_H
#define SQLITE_BACKUP_H

#include "store/store_backup.h"
#include "store/store_image.h"

#include <sqlite3.h>

/*
 * What backups need of a store's database, on connections of their own, beside those
 * of a gateway in another process. Functions give -1 with a sentence; `where` names
 * the store in it.
 */

/* Opens the database in a folder for reading, and looks whether this program knows its
 * schema. NULL with a sentence. */
sqlite3 *sqlite_backup_open(const char *dir, int64_t *schema, struct fail *);

/* How many bytes a copy will have, about; and the files of its images. */
uint64_t sqlite_backup_size(sqlite3 *);
uint64_t sqlite_backup_images_size(sqlite3 *);

/* Copies the database as of this moment into a file that is not there yet. Neither
 * readers nor writers wait for it; what was deleted before is not in the copy. */
struct backup_meter;
int sqlite_backup_copy(sqlite3 *, const char *where, const char *path, struct backup_meter *,
    struct fail *);

/* Looks at every page and every index. */
int sqlite_backup_check(sqlite3 *, const char *where, struct backup_meter *, struct fail *);

/* Reads what the store holds; bytes are not its affair. */
int sqlite_backup_facts(sqlite3 *, const char *where, struct store_facts *, struct fail *);

/* One image: its id, digest and size; its bytes, or NULL when they are in a file. */
typedef int (*sqlite_backup_image_fn)(void *arg, const struct store_image *, const void *bytes,
    struct fail *);

/* Calls for each image, in order; ends with the first that gives -1. */
int sqlite_backup_images(sqlite3 *, const char *where, sqlite_backup_image_fn, void *arg,
    struct fail *);

/* Whether the store has that image now: 1, 0, or -1 with a sentence. */
int sqlite_backup_has_image(sqlite3 *, const char *where, const char *id, struct fail *);

/* Makes changes to the copy in a folder: takes out the images with these ids, and with
 * `restored` forgets when scopes were listed. */
int sqlite_backup_adjust(const char *dir, char *const *images, size_t count, bool restored,
    struct fail *);

#endif
