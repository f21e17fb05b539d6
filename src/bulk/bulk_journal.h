#ifndef BULK_JOURNAL_H
#define BULK_JOURNAL_H

#include "base/fail.h"
#include "bulk/bulk_item.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What an import has done, in a file, so that another run goes on where one ended however
 * it ended. Its first line names source, target and the run, whose random id is part of
 * every Idempotency-Key: it is on the disk before anything is sent, so a later run sends
 * what was under way with the same keys. Then comes a line for each persona that is done.
 * Lines are gathered and synced to the disk together; a line that a crash has lost, or
 * left half written, costs one question that has its answer already.
 */
struct bulk_journal;

/* Opens a journal, or begins one. NULL with a sentence: it is another import's, another run
 * uses it, it is no journal, or it cannot be written. `from` and `to` say what is imported
 * into what. `look`: it is only read, and nothing but has() and count() may be asked of it; one
 * that is not there is empty then. */
struct bulk_journal *bulk_journal_open(const char *path, bool look, const char *from,
    const char *to, struct fail *);
void bulk_journal_close(struct bulk_journal *); /* what was not synced is lost */

const char *bulk_journal_run(const struct bulk_journal *); /* the run's id */
size_t bulk_journal_count(const struct bulk_journal *);    /* personas that earlier runs did */
bool bulk_journal_has(const struct bulk_journal *, const unsigned char digest[BULK_DIGEST_SIZE]);

/* Notes that a persona is done; the id may be NULL. */
void bulk_journal_add(struct bulk_journal *, const unsigned char digest[BULK_DIGEST_SIZE],
    const char *outcome, const char *name, size_t name_len, const char *id);
/* Puts what was noted onto the disk. -1 with a sentence. */
int bulk_journal_sync(struct bulk_journal *, struct fail *);

#endif
