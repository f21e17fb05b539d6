#ifndef API_H
#define API_H

#include "base/log.h"
#include "base/loop.h"
#include "core/gateway.h"
#include "http/http_server.h"

/*
 * The local API's endpoints: HTTP requests become operations of the core, and
 * their results become HTTP answers.
 */
struct api;

struct api *api_new(struct loop *, struct gateway *, struct log *);
void api_free(struct api *); /* after the servers that use it */

/* Serves the local API; give it to a server as its service, with the api as argument. */
void api_serve(void *api, struct http_exchange *);

/* Serves the admin address: /healthz, /readyz, /intents. */
void api_serve_admin(void *api, struct http_exchange *);

#endif
