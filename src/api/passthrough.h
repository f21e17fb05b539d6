#ifndef API_PASSTHROUGH_H
#define API_PASSTHROUGH_H

#include "api/api_impl.h"

/*
 * Requests that are passed on as they are: to Bluejay (/v1/…, with the key) and to the
 * local tool's server (everything that is not the gateway's own). Bodies stream both
 * ways with bounded buffers.
 */

/* Makes what the configuration asks for; NULL with a sentence on failure. */
struct passthrough *passthrough_new(struct api *, struct fail *);
/* Makes it what another snapshot asks for; what is being passed on ends as it began. -1
 * with a sentence, and nothing has changed. */
int passthrough_adjust(struct passthrough *, const struct snapshot *, struct fail *);
void passthrough_free(struct passthrough *); /* after the servers that use it */

/* True when the request of a client (NULL: anyone) is passed on, or was answered because
 * it must not be; else nothing was done with it. */
bool passthrough_takes(struct passthrough *, struct http_exchange *, const struct config_client *);

/* Notes of a request that was refused before whether it would have been passed on, and where
 * to, for the log; false when not. */
bool passthrough_would_take(struct passthrough *, struct http_exchange *);

#endif
