#ifndef JSON_PIECE_CHECK_H
#define JSON_PIECE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Whether json_pieces_read() says of a text what the tree of json_read() says, and takes
 * what it is to take; the same for an array of objects. For unit tests and the fuzzer. */
bool json_piece_check(const char *text, size_t len);

#endif
