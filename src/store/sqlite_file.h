#ifndef SQLITE_FILE_H
#define SQLITE_FILE_H

#include "base/fail.h"

#include <sqlite3.h>

/*
 * The folder of a store, its lock and its database file. The folder is made
 * when it is missing (0700), files are made for their owner alone (0600).
 */

/* Makes the folder and takes its lock: a descriptor to close when the store is
 * closed, -1 with a sentence, which names the process that holds the lock. */
int sqlite_file_lock(const char *dir, struct fail *);

/* Opens the database for the one connection that writes; NULL for `dir`: in
 * memory. NULL with a sentence. */
sqlite3 *sqlite_file_open_writer(const char *dir, struct fail *);

/* Switches the database to its write-ahead log, after its schema was checked. */
int sqlite_file_prepare(sqlite3 *writer, const char *dir, struct fail *);

/* Opens the database for reading. NULL with a sentence. */
sqlite3 *sqlite_file_open_reader(const char *dir, struct fail *);

#endif
