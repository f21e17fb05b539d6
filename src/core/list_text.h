#ifndef CORE_LIST_TEXT_H
#define CORE_LIST_TEXT_H

#include "base/buf.h"
#include "core/result.h"

/*
 * The local answer of a list, put together from those of its items. Its entity tag is
 * made of the items' tags, which are there already and tell their bytes.
 */
struct list_text {
	struct buf body, tags;
	size_t *ends; /* of the items' bytes in body */
	size_t count, room;
};

/* Such an answer when it is ready, with where its items are in it. */
struct list_body {
	char *body; /* NULL: there is none */
	size_t len;
	char etag[RESULT_ETAG_SIZE];
	char *tags;   /* RESULT_ETAG_LENGTH bytes of each item */
	size_t *ends; /* an item begins after the byte that follows the one before it */
	size_t count;
};

void list_text_begin(struct list_text *);

/* Adds an item; nothing when body is NULL. */
void list_text_add(struct list_text *, const char *body, size_t len, const char *etag);

/* Adds the i-th item of another list. */
void list_text_add_from(struct list_text *, const struct list_body *, size_t i);

/* Ends it; *out, which had none, is to be cleared. */
void list_text_end(struct list_text *, struct list_body *out);
void list_body_clear(struct list_body *);

#endif
