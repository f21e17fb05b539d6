#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

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
 * credit that begins with, and never exceeds, HTTP_CHUNK_CREDIT; each byte of
 * content gives HTTP_CHUNK_EARN back. Chunks of one byte pass for ever, long
 * extensions and trailers do not.
 */
#define HTTP_CHUNK_CREDIT 4096
#define HTTP_CHUNK_EARN 8

struct http_chunk {
	uint64_t left; /* content bytes of this chunk still to come */
	unsigned credit;
	unsigned char digits; /* of the size so far */
	unsigned char state;
};

enum http_chunk_result {
	HTTP_CHUNK_MORE, /* everything was used */
	HTTP_CHUNK_DATA, /* *piece holds *len bytes of content, within the input */
	HTTP_CHUNK_END,  /* the body is whole; what follows *used is the next request */
	HTTP_CHUNK_BAD   /* refuse and close */
};

void http_chunk_init(struct http_chunk *);

/* Decodes up to the next piece. *used is how many input bytes are done with,
 * the piece included. Call again with the rest until it says MORE. */
enum http_chunk_result http_chunk_next(struct http_chunk *, const char *in, size_t in_len,
    size_t *used, const char **piece, size_t *len);

#endif
