#ifndef CORE_IMAGE_TYPE_H
#define CORE_IMAGE_TYPE_H

#include <stddef.h>

/* A kind of image that is served. */
struct image_type {
	const char *media;     /* "image/png" */
	const char *extension; /* ".png" */
};

/* What the bytes are, from the bytes alone; NULL when they are no PNG, JPEG, WebP
 * or GIF. Looks at signature and first header, not at the picture. */
const struct image_type *image_type_of(const char *bytes, size_t len);

#endif
