#ifndef BULK_ITEM_H
#define BULK_ITEM_H

#include "base/fail.h"

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One persona as text of a file or of an answer: what is said of it, and what every side
 * makes by itself. The latter, `id`, `createdAt`, `updatedAt` and `imageUrl` (which names an
 * image that the other side has), is neither sent nor compared; members that are null are
 * absent.
 */
#define BULK_ITEM_MAX ((size_t)4 << 20) /* bytes of one */
#define BULK_DIGEST_SIZE 16             /* bytes by which contents are known */
#define BULK_DIFFER_MAX 16              /* members that are named of a difference */

struct bulk_item {
	struct json_object *all;  /* as it was read */
	struct json_object *body; /* what is said of it */
	const char *name;         /* in body; may hold NUL bytes; "": Bluejay has such ones, too */
	size_t name_len;
	unsigned char digest[BULK_DIGEST_SIZE]; /* of the body */
	uint64_t line;            /* of the source; who reads it may say it */
};

/* Reads one; false with a sentence that goes on after what is named. */
bool bulk_item_read(struct bulk_item *, const char *text, size_t len, struct fail *);
void bulk_item_clear(struct bulk_item *);

/* A digest of bytes. */
void bulk_digest(const void *bytes, size_t len, unsigned char out[BULK_DIGEST_SIZE]);
#define BULK_DIGEST_TEXT_SIZE (2 * BULK_DIGEST_SIZE + 1)
void bulk_digest_text(const unsigned char digest[BULK_DIGEST_SIZE], char out[BULK_DIGEST_TEXT_SIZE]);
bool bulk_digest_read(const char *text, unsigned char out[BULK_DIGEST_SIZE]);

/* Whether a member is one that is said, not made. */
bool bulk_item_says(const char *member);

/* Which members of two bodies differ. */
struct bulk_differ {
	const char *names[BULK_DIFFER_MAX]; /* in the bodies */
	unsigned count;
	bool more;     /* than there is room for */
	bool writable; /* the first body holds one of them */
};

/* Whether the second side keeps a member of this name at all. */
typedef bool (*bulk_keeps_fn)(void *arg, const char *member);

/* Compares; true when nothing differs. What the second side does not keep is not compared
 * (`keeps` NULL: it keeps everything). */
bool bulk_item_compare(struct json_object *a, struct json_object *b, bulk_keeps_fn keeps, void *arg,
    struct bulk_differ *);

#endif
