#ifndef CORE_PROBE_H
#define CORE_PROBE_H

#include "base/fail.h"
#include "base/loop.h"
#include "core/resource.h"
#include "core/snapshot.h"
#include "mapping/mapping_drift.h"
#include "upstream/upstream.h"

/*
 * Asks the real Bluejay once, with GETs alone, whether it is as the configuration
 * expects it: with each key in use its ping, and of every resource the listing and
 * its first thing. No call is repeated, and all of it takes a bounded time.
 */
struct probe;

#define PROBE_TIME_MS INT64_C(60000)     /* for everything; what is left then is not asked */
#define PROBE_DIFFERENCES 64             /* told of one answer; others are counted */

enum probe_question { PROBE_PING, PROBE_LIST, PROBE_ITEM };

struct probe_difference {
	enum mapping_drift_kind kind;
	char path[MAPPING_DRIFT_PATH_SIZE];
	const char *declared, *seen; /* as in struct mapping_drift */
	unsigned count;
};

/* What came of one question. Valid during the call. */
struct probe_report {
	const char *project; /* whose key was sent; NULL: bluejay.api_key */
	bool first;          /* the first one with this key */
	enum probe_question question;
	const struct resource *resource; /* NULL: PROBE_PING */
	const char *path;    /* NULL: not asked */
	const char *why;     /* not asked, and why */
	bool in_vain;        /* no answer to compare: none at all, another status than 200, not what
	                        was asked for, no time left */
	const struct upstream_answer *answer; /* NULL: not asked */
	int64_t ms;
	bool understood;     /* LIST and ITEM: it was what it should be, apart from differences */
	size_t items;        /* compared */
	const struct probe_difference *differences;
	size_t difference_count;
	unsigned beyond;     /* differences at further paths */
};

/* Whether nothing is wrong: new members break nothing. */
bool probe_is_good(const struct probe_report *);

typedef void (*probe_fn)(void *arg, const struct probe_report *);
typedef void (*probe_done_fn)(void *arg);

/* Starts; `url` NULL: the configured one. Reports come in the order of the questions, and
 * `done` after the last; neither before this returns. NULL with a sentence on failure. */
struct probe *probe_start(struct loop *, struct snapshot *, const char *url, probe_fn,
    probe_done_fn, void *arg, struct fail *);
void probe_free(struct probe *); /* at any time, but for inside its callbacks */

#endif
