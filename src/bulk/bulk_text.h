#ifndef BULK_TEXT_H
#define BULK_TEXT_H

#include "base/buf.h"

#include <stddef.h>

/* Text of others on its way to a terminal, which would obey control characters. */

/* Appends UTF-8 text as a JSON string in which nothing is left that a terminal obeys or
 * that changes the direction of what follows. More than `max` bytes are cut between
 * characters, which "…" behind the quote says. */
void bulk_text_quote(struct buf *, const char *s, size_t len, size_t max);

/* Appends a sentence of a server: on one line, control bytes as '?', cut after `max` bytes. */
void bulk_text_plain(struct buf *, const char *s, size_t max);

/* Appends what the body of an answer says is wrong (`{"error": "…"}`), as a sentence; nothing
 * when it says nothing. */
void bulk_text_error(struct buf *, const char *body, size_t len, size_t max);

#endif
