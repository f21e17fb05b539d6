#ifndef CORE_PROJECTS_H
#define CORE_PROJECTS_H

#include "core/gateway.h"

/* 200 [{"id": …, "name": …}, …]: the projects of the file in its order, then, when
 * the file admits every id, those that hold personas. Of these, only those with an id in `only`, which ends with NULL and
 * belongs to the snapshot (NULL: every one). Nothing is asked upstream. */
struct work *projects_list(struct gateway *, const char *const *only, work_done_fn, void *arg);

#endif
