#ifndef BASE_CHUNKED_H
#define BASE_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

/*
 * Incremental decoder of the chunked coding (RFC 9112, 7.1). Strict: a size is
 * 1 to 16 hexadecimal digits below 2^63 and nothing else, every line ends with
 * CRLF, no white space anywhere in the framing.
 *
 * Chunk extensions must be ignored by a recipient that does not know them
 * (7.1.1), so they are: `;name`, `;name=token` and `;name="quoted"` are checked
 * and dropped. Since control bytes and lone CR or LF are refused everywhere, an
 * extension cannot hide a line end. Trailer lines are checked and dropped.
 *
 * What framing costs is bounded as it goes: each framing byte takes one from a
 * credit that begins with, and never exceeds, CHUNKED_CREDIT; each byte of
 * content gives CHUNKED_EARN back. Chunks of one byte pass for ever, long
 * extensions and trailers do not.
 */
#define CHUNKED_CREDIT 4096
#define CHUNKED_EARN 8

struct chunked {
	uint64_t left; /* content bytes of this chunk still to come */
	unsigned credit;
	unsigned char digits; /* of the size so far */
	unsigned char state;
};

enum chunked_result {
	CHUNKED_MORE, /* everything was used */
	CHUNKED_DATA, /* *piece holds *len bytes of content, within the input */
	CHUNKED_END,  /* the body is whole; what follows *used is the next request */
	CHUNKED_BAD   /* refuse and close */
};

void chunked_init(struct chunked *);

/* Decodes up to the next piece. *used is how many input bytes are done with,
 * the piece included. Call again with the rest until it says MORE. */
enum chunked_result chunked_next(struct chunked *, const char *in, size_t in_len,
    size_t *used, const char **piece, size_t *len);

#endif
