#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "base/fail.h"
#include "base/timestamp.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Copies of a store on disk: made while a gateway works on it, checked, and put back.
 * For commands: all of it blocks. A copy is a folder with
 *
 *   store.db         the database as of one moment, without what was deleted before
 *   images/          the files of its images
 *   (journal)        of the simulated Bluejay, if the store's folder has one
 *   manifest.sha256  the digest of each file, as sha256sum(1) reads it
 *
 * The manifest is written last, and the folder has its name only when it is whole.
 */

/* How far it is, in bytes; ends the work by answering false. */
typedef bool (*store_step_fn)(void *arg, const char *what, uint64_t done, uint64_t total);

/* What a store holds. Freed by store_facts_clear(). */
struct store_facts {
	int64_t schema;
	char *binding; /* the upstream it belongs to; NULL: any */
	uint64_t personas;  /* records of personas, communities and so on that are shown */
	uint64_t unsettled; /* writes whose outcome is not known */
	uint64_t images;
	uint64_t bytes;             /* of all files */
	char made[TIMESTAMP_SIZE];  /* of a copy: when */
	char *replaced;             /* restore: where that is which was there before; NULL: nothing was */
};
void store_facts_clear(struct store_facts *);

struct store_backup_options {
	const char *from, *to; /* folders: of a store and of a copy, or the other way round */
	const char *journal;   /* name of a file of lines that are only added, copied along */
	const char *program;   /* name and version, for the manifest */
	bool replace;          /* restore: move away what is there */
	int64_t now_ms;
	store_step_fn step; /* may be NULL */
	void *arg;
};

/* Copies a store; it is checked before it gets its name. -1 with a sentence, and then
 * nothing is left of it. */
int store_backup_make(const struct store_backup_options *, struct store_facts *, struct fail *);

/* Checks the copy in `from`: its manifest, every file, the database. */
int store_backup_check(const struct store_backup_options *, struct store_facts *, struct fail *);

/* Checks the store in `from`, while a gateway works on it or not. */
int store_check(const struct store_backup_options *, struct store_facts *, struct fail *);

/* Checks a copy and puts it into a folder that no gateway uses. What Bluejay has got
 * since is to be looked for: every scope counts as never listed. -1 with a sentence;
 * what was in the folder is untouched then, unless the sentence says otherwise. */
int store_restore(const struct store_backup_options *, struct store_facts *, struct fail *);

/* Whether a restore into this folder was cut off while it changed the folder. */
bool store_restore_is_open(const char *dir);

#endif
