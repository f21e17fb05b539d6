#ifndef STORE_IMAGE_H
#define STORE_IMAGE_H

#include "store/store.h"

/*
 * Images of projects, beside the records of store.h and under its rules, with
 * two differences: a write of an image is not ordered with other writes, and
 * bytes are handed over rather than copied. Small images lie in the database;
 * larger ones are files in a folder of the store, made durable before their row
 * is, and removed after it; what a crash leaves between the two goes at the next
 * start. In memory all of them lie in the database.
 */
#define STORE_IMAGE_INLINE ((size_t)64 << 10) /* bytes; larger ones are files */
#define STORE_IMAGE_ID_SIZE 48
#define STORE_IMAGE_DIGEST_SIZE 65

/* What is known of an image. Strings belong to the struct. */
struct store_image {
	char *project; /* whose it is: no other project finds it */
	char *id;      /* unique in the store: letters, digits, '-' and '.', no '.' first */
	char *role;
	char *type;     /* media type */
	char *filename; /* as the client called it; only kept; NULL: none */
	char *maker;    /* local id of the persona that it was made for; NULL: none */
	char *digest;   /* SHA-256 of the bytes in hex; filled in by the store */
	int64_t size;
	int64_t created_ms;
};

/* Stores the bytes, which the store takes over (from malloc). OK with images[0]. */
struct store_call *store_image_put(struct store_port *, const struct store_image *, char *bytes,
    size_t len, store_done_fn, void *arg);

/* OK with images[0], and in bytes and len the bytes from offset on, at most max of
 * them (0: none are read; of an image in the database all are given from 0 on, in
 * any case: number is then 0, else the offset). NONE: the project has no such image. */
struct store_call *store_image_get(struct store_port *, const char *project, const char *id,
    int64_t offset, size_t max, store_done_fn, void *arg);

/* OK with the images of a role, oldest first. */
struct store_call *store_image_list(struct store_port *, const char *project, const char *role,
    store_done_fn, void *arg);

/* OK or NONE. */
struct store_call *store_image_delete(struct store_port *, const char *project, const char *id,
    store_done_fn, void *arg);

/* A persona of the scope is gone: deletes the images made for it that the kept
 * object of no other persona of the scope mentions. OK; number counts them. */
struct store_call *store_image_release(struct store_port *, const char *scope, const char *local_id,
    store_done_fn, void *arg);

void store_image_copy(struct store_image *to, const struct store_image *from);
void store_image_clear(struct store_image *); /* frees strings, zeroes */

#endif
