#ifndef BULK_INDEX_H
#define BULK_INDEX_H

#include "base/fail.h"
#include "bulk/bulk_item.h"
#include "bulk/bulk_reader.h"

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

/*
 * The personas of a file by their name or id. The contents stay in the file and are read
 * again when they are asked for, so that a persona takes about 130 bytes here whatever it
 * holds.
 */
struct bulk_entry {
	unsigned char key[BULK_DIGEST_SIZE]; /* of the name or id */
	off_t at;
	size_t len;
	uint64_t line;
	unsigned times;  /* that the name or id is there */
	bool met;        /* for who walks through both sides */
	UT_hash_handle hh;
};

struct bulk_index;

/* Reads a whole regular file, which is the index's from now on, also on failure. `by` is
 * "name" or "id"; `what` names the file in sentences. NULL with a sentence when it cannot
 * be read, or when a persona in it cannot. */
struct bulk_index *bulk_index_read(int fd, enum bulk_form, const char *by, const char *what,
    struct fail *);
void bulk_index_free(struct bulk_index *);

size_t bulk_index_count(const struct bulk_index *);
/* The first one of a name or id; NULL: there is none. */
struct bulk_entry *bulk_index_find(const struct bulk_index *, const char *key, size_t len);
/* The one that has the same name or id as an entry of another index. */
struct bulk_entry *bulk_index_twin(const struct bulk_index *, const struct bulk_entry *);
/* In the order of the file: the first one (after NULL), and the next. */
struct bulk_entry *bulk_index_next(const struct bulk_index *, struct bulk_entry *);

/* Reads one again; false with a sentence when the file is another by now. */
bool bulk_index_load(const struct bulk_index *, const struct bulk_entry *, struct bulk_item *,
    struct fail *);

/* Whether one of the personas has such a member; a bulk_keeps_fn. */
bool bulk_index_keeps(void *index, const char *member);

#endif
