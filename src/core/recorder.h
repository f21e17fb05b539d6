#ifndef CORE_RECORDER_H
#define CORE_RECORDER_H

#include "base/buf.h"
#include "base/loop.h"
#include "core/result.h"
#include "core/snapshot.h"
#include "upstream/upstream.h"

#include <json-c/json_object.h>

/*
 * Remembers the last requests that went through a mapping, in memory and nowhere else:
 * the local body, the calls that were made for it with Bluejay's answers, and the local
 * answer. It is bounded in number and bytes; the oldest go first. It holds what people
 * wrote, so it is off unless the file says otherwise, and shown on the admin address
 * only; secrets are left out before anything is kept: of keys and the values of headers
 * only fingerprints, of constants from the environment nothing.
 *
 * NULL is a recorder that is off: every function takes it and does nothing.
 */
struct recorder;

#define RECORDER_CALLS 16 /* of one request; further ones are counted */

enum recorder_operation {
	RECORDER_CREATE,
	RECORDER_UPDATE,
	RECORDER_ADD,
	RECORDER_READ,
	RECORDER_LIST
};

/* NULL when no request is to be remembered. */
struct recorder *recorder_new(struct loop *, size_t requests, size_t bytes);
void recorder_free(struct recorder *);

/* Changes the bounds; what is beyond them is forgotten. With no requests the recorder
 * is freed. Gives the one that holds from now on. */
struct recorder *recorder_resize(struct recorder *, struct loop *, size_t requests, size_t bytes);

/* A request with this id (X-Request-Id) begins; the project's trace tells which calls
 * are for it. `body` NULL: it has none. Takes a reference of the project's snapshot. */
void recorder_begin(struct recorder *, const struct project *, enum recorder_operation,
    const char *id, struct json_object *body);

/* A call starts; `base` is where Bluejay is. Its trace says from here on which of the
 * request's calls it is. */
void recorder_sent(struct recorder *, const char *base, struct upstream_request *);

/* A call is over. */
void recorder_heard(struct recorder *, const struct upstream_answer *);

/* The request is answered. */
void recorder_told(struct recorder *, struct trace_ref, const struct result *);

/* Appends the list of what is remembered, newest first, without content. */
void recorder_list(const struct recorder *, struct buf *);

/* Appends the newest request of this id, with what happened to each field; false when
 * there is none. */
bool recorder_show(const struct recorder *, const char *id, struct buf *);

#endif
