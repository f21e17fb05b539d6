#ifndef STORE_IMAGE_FILE_H
#define STORE_IMAGE_FILE_H

#include "base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Images as files of one folder. All of it blocks: for threads of the store
 * only. A name that image_file_name_ok() refuses is never used.
 */

/* Letters, digits, '-' and '.', no '.' first: nothing that leaves the folder. */
bool image_file_name_ok(const char *name);

/* Makes the folder `images` in the store's folder, and removes the files in it
 * that `known` does not know. NULL with a sentence, else its path, the caller's. */
char *image_file_open(const char *dir, bool (*known)(void *arg, const char *name), void *arg,
    struct fail *);

/* Writes a file that is there whole and for good, or not at all. -1 with a reason. */
int image_file_write(const char *folder, const char *name, const char *bytes, size_t len,
    struct fail *);

/* Reads up to *len bytes from the offset on; the file must have that size. NULL
 * with a reason, else bytes that the caller frees, *len of them. */
char *image_file_read(const char *folder, const char *name, int64_t size, int64_t offset,
    size_t *len, struct fail *);

void image_file_remove(const char *folder, const char *name);

#endif
