#ifndef SQLITE_TWIN_H
#define SQLITE_TWIN_H

#include "store/sqlite_statement.h"

/* Notes, inside the caller's transaction, that a create's twin may come to be in the
 * local tool. */
int sqlite_twin_expect(struct sqlite_conn *, const struct store_intent *);

#endif
