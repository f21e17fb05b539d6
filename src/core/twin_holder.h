#ifndef CORE_TWIN_HOLDER_H
#define CORE_TWIN_HOLDER_H

#include "core/gateway_impl.h"

/*
 * Who has a name in the local tool that a twin is to have, after the tool said 409. A
 * twin of ours that should not have the name any more (its persona was renamed or
 * deleted, and the tool does not know yet) gets another one for the moment and is put
 * right in the background.
 */
enum twin_holder_kind {
	TWIN_NAME_FREE,     /* nobody has it, or not any more: try again */
	TWIN_NAME_OURS,     /* the twin of another persona that is called so too */
	TWIN_NAME_STRANGER, /* a persona that the gateway does not know; `persona` is it */
	TWIN_NAME_UNKNOWN   /* it cannot be found out; `answer` says why, NULL: the store does not work */
};

struct twin_holder_view {
	enum twin_holder_kind kind;
	struct json_object *persona; /* borrowed */
	const struct upstream_answer *answer;
};

struct twin_holder;
typedef void (*twin_holder_fn)(void *arg, const struct twin_holder_view *);

/* `rename`: a stranger gets another name too, and then the name is free. The callback
 * comes later, once; the search is over then. */
struct twin_holder *twin_holder_find(struct gateway *, const char *project, const char *scope,
    const char *name, bool rename, int64_t deadline, twin_holder_fn, void *arg);
void twin_holder_cancel(struct twin_holder *);

#endif
