#ifndef CORE_INSPECT_H
#define CORE_INSPECT_H

#include "core/gateway.h"

/*
 * What the admin address shows of the gateway and of what it knows. Results are
 * JSON, made from memory and the store alone: nothing is asked upstream, so it may
 * be looked at as often as one likes. No secret is in them. docs/admin.md has the
 * members.
 */
#define INSPECT_PERSONAS 200                   /* shown of a project */
#define INSPECT_BYTES ((size_t)4 << 20)        /* of their content, about */
#define INSPECT_VALUE 2000                     /* bytes shown of one value */

/* 200 with the state of the gateway, its projects, and where personas' fields live. */
struct work *inspect_gateway(struct gateway *, work_done_fn, void *arg);

/* 200 with the first personas of a project as the gateway knows them, and its
 * unsettled writes. */
struct work *inspect_personas(struct gateway *, const struct project *, work_done_fn, void *arg);

#endif
