#ifndef SQLITE_SCHEMA_H
#define SQLITE_SCHEMA_H

#include "base/fail.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Brings a database to the newest schema in one transaction, and binds it to
 * an upstream (binding; NULL: any). `where` names the store in sentences. -1
 * with a sentence, and nothing changed, when the database is not a store, was
 * written by a newer program, belongs to another upstream, or is damaged.
 */
int sqlite_schema_open(sqlite3 *, const char *where, const char *binding, bool rebind,
    struct fail *);

/* Refuses (-1 with a sentence) what is not a store, or one of a newer program; gives
 * its schema, 0 for an empty database. Changes nothing. */
int sqlite_schema_look(sqlite3 *, const char *where, int64_t *schema, struct fail *);

/* The number of the newest schema, as PRAGMA user_version holds it. */
int sqlite_schema_newest(void);

/* Says what an SQLite error at opening means, and returns -1. */
int sqlite_schema_fail(sqlite3 *, const char *where, struct fail *);

#endif
