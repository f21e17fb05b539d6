#ifndef API_CORE_WAIT_H
#define API_CORE_WAIT_H

#include "core/gateway.h"
#include "http/http_server.h"

/* An exchange that waits for work of the core: a part of what a handler keeps of its
 * request. A zeroed one has no work. */
struct core_wait {
	struct http_exchange *ex;
	struct work *work; /* NULL: none is running or to be told */
	bool done;         /* it has given its result */
};

/* The exchange is over: its work is told, or cancelled when the client left before. */
void core_wait_over(struct core_wait *, enum http_end);

/* For work that is started with the struct as its argument: its result is the answer. */
void core_wait_answer(void *wait, struct result *);

#endif
