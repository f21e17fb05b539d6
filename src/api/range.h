#ifndef API_RANGE_H
#define API_RANGE_H

#include <stdint.h>

/*
 * The Range field of a request (RFC 9110, 14): one range of bytes. Several
 * ranges, other units and what cannot be read count as none, as the RFC allows.
 */
enum range { RANGE_WHOLE, RANGE_PART, RANGE_NONE_SUCH };

/* Which bytes of `size` are asked for; first and last are set for RANGE_PART. */
enum range range_read(const char *field, int64_t size, int64_t *first, int64_t *last);

#endif
