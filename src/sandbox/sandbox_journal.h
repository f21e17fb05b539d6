#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H

#include "base/buf.h"
#include "base/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A file of lines that grows by one write(2) a line, so that a killed process
 * leaves at most a last line without its end. One process at a time: the file
 * is locked while it is open.
 */
struct sandbox_journal;

/* Opens or makes the file (mode 0600). NULL with a sentence on failure. */
struct sandbox_journal *sandbox_journal_open(const char *path, struct fail *);
void sandbox_journal_close(struct sandbox_journal *);

/* Gives every whole line without its end, numbered from 1; a last line without
 * an end is dropped and cut off. Stops with -1 when `line` returns -1. */
typedef int (*sandbox_line_fn)(void *arg, const char *line, size_t len, uint64_t number,
    struct fail *);
int sandbox_journal_read(struct sandbox_journal *, sandbox_line_fn line, void *arg, struct fail *);

/* Appends one line, its end included in `line`. False: nothing was written. */
bool sandbox_journal_append(struct sandbox_journal *, const char *line, size_t len);

/* Writes the file anew: `fill` calls sandbox_journal_line() for each line. The
 * old file stays when it fails. */
typedef void (*sandbox_fill_fn)(void *arg, struct sandbox_journal *);
int sandbox_journal_rewrite(struct sandbox_journal *, sandbox_fill_fn fill, void *arg,
    struct fail *);
void sandbox_journal_line(struct sandbox_journal *, const char *line, size_t len);

/* True when the file has grown so much that it is worth writing anew. */
bool sandbox_journal_is_long(const struct sandbox_journal *);

#endif
