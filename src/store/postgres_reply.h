#ifndef POSTGRES_REPLY_H
#define POSTGRES_REPLY_H

#include "store/store_call.h"

#include <libpq-fe.h>

/* Adds the rows of a result, of the form of type `answer` (postgres_answer.sql), to a reply;
 * a status replaces what was there, a number is added to it. */
void postgres_reply_read(struct store_reply *, const PGresult *);

/* The SQLSTATE of an error, "" when there is none, and what it says. */
#define POSTGRES_STATE_FORGOTTEN "26000" /* what was prepared is not */
#define POSTGRES_STATE_PREPARED "42P05"  /* what was not is */
#define POSTGRES_STATE_THERE "23505"     /* a row that must be unique */
const char *postgres_reply_state(const PGresult *);
const char *postgres_reply_words(const PGresult *);

/* Whether the same may go well when it is tried again: another transaction was in the way, or
 * the server knows otherwise than we do what is prepared. */
bool postgres_reply_may_try(const char *state);

/* A text of a row; NULL for null. Borrowed from the result. */
const char *postgres_reply_field(const PGresult *, int row, int column);

#endif
