#ifndef BULK_IMPORT_H
#define BULK_IMPORT_H

#include "bulk/bulk_journal.h"
#include "bulk/bulk_plan.h"
#include "bulk/bulk_reader.h"
#include "bulk/bulk_site.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * An import: personas come one by one from a file, several writes are under way at a time,
 * and each persona's outcome is told once. It ends when all are told, or early: on a stop,
 * on an answer that every other write would get too, on a journal that cannot be written,
 * on a source that cannot be read further. Then what was under way is ended first.
 */
enum bulk_outcome {
	BULK_CREATED,
	BULK_RENAMED, /* created, with another name */
	BULK_UPDATED,
	BULK_SAME,    /* the target has it */
	BULK_EARLIER, /* the journal says that an earlier run did it */
	BULK_SKIPPED,
	BULK_FAILED
};
#define BULK_OUTCOMES (BULK_FAILED + 1)
const char *bulk_outcome_name(enum bulk_outcome); /* "created" */

/* What became of one persona; valid during the call. */
struct bulk_told {
	enum bulk_outcome outcome;
	uint64_t line;
	const char *name; /* in the source; NULL: it could not be read */
	size_t name_len;
	const char *new_name; /* RENAMED, or SAME as such a one; else NULL */
	size_t new_name_len;
	const char *id;       /* in the target; NULL: not known */
	const struct bulk_differ *differ; /* from what was there; NULL: nothing was */
	const char *why;      /* FAILED */
};
typedef void (*bulk_told_fn)(void *arg, const struct bulk_told *);

struct bulk_import_config {
	struct loop *loop;
	struct bulk_site *to;
	struct bulk_index *target;    /* what it has; the import's from now on */
	int from;                     /* the source stays the caller's */
	enum bulk_form form;
	struct bulk_journal *journal; /* stays the caller's; NULL: none */
	enum bulk_policy policy;
	unsigned jobs;
	bool dry_run;                 /* tells, and writes nothing */
	bulk_told_fn told;
	void (*over)(void *arg);      /* once, never before bulk_import_start() returns */
	void *arg;
};

struct bulk_import;

struct bulk_import *bulk_import_start(const struct bulk_import_config *);
void bulk_import_free(struct bulk_import *); /* not from inside a callback */

/* Begins nothing new; ends when what is under way has ended. */
void bulk_import_stop(struct bulk_import *);

struct bulk_import_state {
	uint64_t told[BULK_OUTCOMES];
	uint64_t items; /* told in all */
	uint64_t bytes; /* of the source that were read */
	uint64_t left;  /* under way when a stop came, and not known to be done */
	bool early;     /* not everything of the source was told */
	const char *why; /* the reason for an early end, or what went wrong at the very end: the journal
	                    could not be written; NULL: nothing did, or an end was asked for */
};
void bulk_import_state(const struct bulk_import *, struct bulk_import_state *);

#endif
