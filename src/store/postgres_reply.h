#ifndef POSTGRES_REPLY_H
#define POSTGRES_REPLY_H

#include "store/store_call.h"

#include <libpq-fe.h>

/* Adds the rows of a result, of the form of type `answer` (postgres_answer.sql), to a reply;
 * a status replaces what was there, a number is added to it. */
void postgres_reply_read(struct store_reply *, const PGresult *);

/* A text of a row; NULL for null. Borrowed from the result. */
const char *postgres_reply_field(const PGresult *, int row, int column);

#endif
