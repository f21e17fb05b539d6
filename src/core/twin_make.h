#ifndef CORE_TWIN_MAKE_H
#define CORE_TWIN_MAKE_H

#include "core/gateway_impl.h"

/*
 * Makes a twin in the local tool. When the tool has a persona of this name already,
 * that one becomes the twin, if the gateway does not know it: it was left over, or
 * the tool's user made it. Names are unique there, so a repeated POST doubles nothing.
 */
struct twin_want {
	const char *project, *scope;
	struct json_object *body; /* a reference is taken */
	int64_t since_ms;         /* wall time: one of this content made since then is the twin asked for */
	int64_t deadline;
};

enum twin_made {
	TWIN_MADE,  /* it is new, or was made by this call */
	TWIN_FOUND, /* it was there before, and is as it was */
	TWIN_FAILED /* `answer` says why; NULL: the store does not work */
};

struct twin_made_view {
	enum twin_made made;
	const char *id;
	struct json_object *persona; /* as the tool has it; borrowed */
	const struct upstream_answer *answer;
};

struct twin_make;
typedef void (*twin_make_fn)(void *arg, const struct twin_made_view *);

/* The callback comes later, once, unless it is ended before. Nobody else makes or removes
 * a twin of this name meanwhile, until twin_make_end(): end it when the store knows the
 * twin. It may be ended inside the callback. */
struct twin_make *twin_make_start(struct gateway *, const struct twin_want *, twin_make_fn, void *arg);
void twin_make_end(struct twin_make *);

/* The key of gateway.serial under which a name of a project's twins is reserved. The
 * caller frees. */
char *twin_make_key(const char *project, const char *name);

#endif
