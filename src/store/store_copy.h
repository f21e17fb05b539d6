#ifndef STORE_COPY_H
#define STORE_COPY_H

#include "base/fail.h"
#include "store/store_backup.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Moves everything that a store keeps into an empty one, of the same kind or another. For
 * commands: all of it blocks. No gateway may be at work on either; while this runs none can
 * begin to be. The new store is there whole or not at all: what was cut off is done again by
 * the same call. Before it is there, everything is read back and compared.
 */
#define STORE_COPY_TABLES 9

struct store_copy_options {
	/* sqlite:FOLDER, or a URL that begins with postgresql:// or postgres:// and holds no
	 * password: it is a word of a command line */
	const char *from, *to;
	const char *journal; /* a file beside a store that goes along; its name in the folder */
	/* How far it is, in rows and images; ends the work by answering false. May be NULL. */
	store_step_fn step;
	void *arg;
};

/* What was copied, and compared. */
struct store_copied {
	struct {
		const char *what;
		uint64_t count;
		char digest[65]; /* of all rows, in any order */
	} tables[STORE_COPY_TABLES];
	uint64_t image_bytes;
	bool journal_left; /* there is a journal, and the other store has no folder for it */
};

/* -1 with a sentence, which never holds a password. */
int store_copy(const struct store_copy_options *, struct store_copied *, struct fail *);

#endif
