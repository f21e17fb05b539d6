#ifndef CORE_DRIFT_H
#define CORE_DRIFT_H

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "core/snapshot.h"

#include <json-c/json_object.h>

/*
 * The drift sentinel: remembers where Bluejay's answers differ from what they are
 * declared to hold (mapping/mapping_drift.h). A difference is one kind at one path
 * of one resource; it is counted whenever it is seen and logged when it is first
 * seen, when it has not been seen for a while, and when it comes back. What is
 * remembered is bounded, and holds paths and types, never values.
 */
struct drift;

#define DRIFT_PATHS 64                  /* remembered for each kind of a resource; others are counted */
#define DRIFT_OVER_MS (INT64_C(600000)) /* answers without it for so long: it is over */

struct drift *drift_new(struct loop *, struct log *);
void drift_free(struct drift *);

/* What is shown of a path: another text when it holds a key of the project, since an answer
 * may have a member of that name. */
const char *drift_shown(const struct project *, const char *path);

/* Compares one thing of the project's resource, or a listing of such things, whose
 * array it returns as mapping_drift_list() does. True when it is as declared. */
bool drift_item(struct drift *, const struct project *, struct json_object *item);
struct json_object *drift_list(struct drift *, const struct project *,
    struct json_object *listing, bool *alike);

/* A listing of so many things, of which these may differ; the others are as declared. True
 * when all are. */
bool drift_listed(struct drift *, const struct project *, size_t items,
    struct json_object *const *others, size_t count);

/* An answer more whose text is that of an earlier one, which was as declared, with so
 * many things in it. */
void drift_alike(struct drift *, const struct project *, size_t items);

/* Appends the counts as Prometheus text; those at paths that are not remembered have
 * the path "(other)". */
void drift_metrics(const struct drift *, struct buf *);

/* Appends `{"resources": […]}`, in the order in which they were first seen. */
void drift_print(const struct drift *, struct buf *);

#endif
