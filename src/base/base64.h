#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Base64 (RFC 4648, section 4), strict: no other characters, padding where it
 * belongs, no bits set that carry nothing. The decoder takes its text in pieces;
 * a zeroed struct begins.
 */
struct base64 {
	uint32_t bits;  /* of the group that is not whole */
	unsigned count; /* characters in it, padding included */
	unsigned pads;
	bool bad;
};

/* Appends what the piece means; false once the text was wrong or the buffer full. */
bool base64_decode(struct base64 *, const char *text, size_t len, struct buf *out);

/* Whether the text may end here. */
bool base64_ends(const struct base64 *);

/* Appends the bytes' text; false when the buffer is full. */
bool base64_encode(struct buf *out, const void *bytes, size_t len);

#endif
