#include "config.h"

#include "core/image_type.h"

#include <string.h>

/* Whether these bytes stand at a place. */
static int
image_type_has(const char *bytes, size_t len, size_t at, const char *want, size_t count)
{
	return len >= at + count && memcmp(bytes + at, want, count) == 0;
}

/* Tells images apart. */
const struct image_type *
image_type_of(const char *bytes, size_t len)
{
	static const struct image_type png = {"image/png", ".png"}, jpeg = {"image/jpeg", ".jpg"},
	    webp = {"image/webp", ".webp"}, gif = {"image/gif", ".gif"};

	/* PNG, 5.2 and 11.2.1: the signature, then IHDR with 13 bytes */
	if (image_type_has(bytes, len, 0, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16) && len >= 33)
		return &png;
	if (image_type_has(bytes, len, 0, "\xff\xd8\xff", 3) && len >= 20)
		return &jpeg;
	if (image_type_has(bytes, len, 0, "RIFF", 4) &&
	    image_type_has(bytes, len, 8, "WEBPVP8", 7) && len >= 20)
		return &webp;
	if ((image_type_has(bytes, len, 0, "GIF87a", 6) ||
	        image_type_has(bytes, len, 0, "GIF89a", 6)) &&
	    len >= 13)
		return &gif;
	return NULL;
}
