#ifndef CORE_IMAGES_H
#define CORE_IMAGES_H

#include "core/gateway.h"
#include "store/store_image.h"

/*
 * A project's images. Nothing here asks the upstream; a project sees its own
 * images only.
 */
#define IMAGE_BYTES_MAX ((size_t)10 << 20) /* of one image */
#define IMAGE_ROLE_MAX 100                 /* bytes */
#define IMAGE_NAME_MAX 255                 /* bytes of a file's name */

/* 201 {"id": …}, or 400 when the bytes are no image. Takes the bytes over. */
struct work *image_add(struct gateway *, const struct project *, const char *role,
    const char *filename, char *bytes, size_t len, work_done_fn, void *arg);

/* 200 {"ids": […]}, oldest first. */
struct work *image_ids(struct gateway *, const struct project *, const char *role, work_done_fn,
    void *arg);

/* 204, or 404. */
struct work *image_delete(struct gateway *, const struct project *, const char *id, work_done_fn,
    void *arg);

enum image_status { IMAGE_FOUND, IMAGE_NONE, IMAGE_TROUBLE };

struct image_piece {
	enum image_status status;
	const struct store_image *image; /* FOUND */
	const char *bytes; /* from the offset asked for on; NULL: none were asked for */
	size_t len;
	bool whole; /* bytes are the whole image, whatever was asked for */
};

struct image_read;
typedef void (*image_read_fn)(void *arg, const struct image_piece *);

/* Finds an image and reads up to max bytes of it (0: a large one's are not read).
 * The callback comes later, once; the read is over then. */
struct image_read *image_read(struct gateway *, const struct project *, const char *id,
    int64_t offset, size_t max, image_read_fn, void *arg);
void image_read_cancel(struct image_read *);

#endif
