#ifndef BULK_OUT_H
#define BULK_OUT_H

#include "base/fail.h"

#include <stddef.h>

/*
 * A file that is written whole or not at all: under another name in the same folder, synced,
 * and renamed at the end. Only its owner may read it. Standard output and what is no
 * regular file (a pipe, a device) are written as they are.
 */
struct bulk_out;

/* `path` "-" or NULL: standard output. NULL with a sentence. */
struct bulk_out *bulk_out_open(const char *path, struct fail *);
/* -1 with a sentence. */
int bulk_out_write(struct bulk_out *, const char *bytes, size_t len, struct fail *);
/* Everything was written: now it is there. Frees it, also on failure. */
int bulk_out_commit(struct bulk_out *, struct fail *);
/* Nothing is to be there. NULL is fine. */
void bulk_out_drop(struct bulk_out *);

#endif
