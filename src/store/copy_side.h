#ifndef STORE_COPY_SIDE_H
#define STORE_COPY_SIDE_H

#include "base/fail.h"
#include "store/backup_file.h"
#include "store/copy_table.h"

/*
 * One of the two stores of a copy, which an engine embeds as its first member. Functions
 * give -1 with a sentence. Rows are written within begin and end of their table; nothing is
 * there for good before finish().
 */
struct copy_side {
	const char *where; /* in sentences; no secret */
	const char *folder; /* NULL: it is none */
	int (*count)(struct copy_side *, const struct copy_table *, uint64_t *rows, struct fail *);
	/* Calls for each row, whose values last as long as the call; ends with the first that
	 * gives -1. No other call meanwhile. */
	int (*read)(struct copy_side *, const struct copy_table *,
	    int (*)(void *arg, const struct copy_value *, struct fail *), void *arg, struct fail *);
	/* The bytes of an image, by its row; the caller frees. */
	int (*read_image)(struct copy_side *, const struct copy_value *row, char **bytes, size_t *len,
	    struct fail *);
	int (*begin)(struct copy_side *, const struct copy_table *, struct fail *);
	int (*write)(struct copy_side *, const struct copy_table *, const struct copy_value *,
	    struct fail *);
	int (*end)(struct copy_side *, const struct copy_table *, struct fail *);
	int (*write_image)(struct copy_side *, const struct copy_value *row, const char *bytes,
	    size_t len, struct fail *);
	/* Takes a file that stands beside the other store; NULL: there is no place for it. */
	int (*take)(struct copy_side *, const char *path, const char *name, struct backup_meter *,
	    struct fail *);
	int (*finish)(struct copy_side *, struct fail *);
	/* Without finish() what was written goes. Frees. */
	void (*close)(struct copy_side *);
};

/* Open a store with nobody else at work on it: one to read, or an empty one to write. NULL
 * with a sentence. */
struct copy_side *copy_sqlite_open(const char *dir, bool writes, struct fail *);
struct copy_side *copy_postgres_open(const char *url, bool writes, struct fail *);

#endif
