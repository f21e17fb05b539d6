#ifndef STORE_BACKUP_MANIFEST_H
#define STORE_BACKUP_MANIFEST_H

#include "base/digest.h"
#include "base/fail.h"
#include "base/timestamp.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The list of a backup's files with their digests, as sha256sum(1) writes and checks
 * it; what else is to be known stands in its first lines, as comments.
 */
#define BACKUP_DATABASE "store.db"
#define BACKUP_IMAGES "images"
#define BACKUP_MANIFEST "manifest.sha256"

struct backup_entry {
	char *name; /* of a file in the folder: the database, the journal, or images/… */
	char digest[DIGEST_HEX_SIZE];
};

struct backup_manifest {
	struct backup_entry *entries;
	size_t count;
	char made[TIMESTAMP_SIZE];
};

void backup_manifest_add(struct backup_manifest *, const char *name,
    const char digest[DIGEST_HEX_SIZE]);

/* Writes it into the folder, durably. `program` and `schema` are for people. */
int backup_manifest_write(const struct backup_manifest *, const char *folder, const char *program,
    int64_t schema, struct fail *);

/* Reads that of the folder, in the order of names; *m is set in any case. Refused when it is not whole, or
 * names what no backup has: `journal` is the name that a journal may have, or NULL. */
int backup_manifest_read(struct backup_manifest *, const char *folder, const char *journal,
    struct fail *);

/* The digest of a file by its name, of a manifest that was read; NULL when it is not
 * listed. */
const char *backup_manifest_find(const struct backup_manifest *, const char *name);

void backup_manifest_clear(struct backup_manifest *);

#endif
