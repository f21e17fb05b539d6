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

/* NULL with a sentence on failure. */
struct api *api_new(struct loop *, struct gateway *, struct log *, struct fail *);
void api_free(struct api *); /* after the servers that use it */

/* The API of another loop, with a helper of the gateway's crew (core/crew.h); made before
 * the loops run. It serves the local API; what it counts is shown by the first one, before
 * which it is freed. */
struct api *api_help(struct api *, struct loop *, struct gateway *helper, struct fail *);

/* For pages on other origins (http_cors.h): the methods that are served or passed on,
 * and the fields of answers that a script may want to see beside those that it always
 * may (Fetch, 2.2.2 "CORS-safelisted response-header name"). */
#define API_METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"
#define API_EXPOSED                                                                           \
	"ETag, X-Cache, X-Request-Id, Age, Retry-After, Location, Content-Range, Accept-Ranges, " \
	"Allow, Content-Disposition, Date, RateLimit, RateLimit-Policy"

/* Serves the local API; give it to a server as its service, with the api as argument. */
void api_serve(void *api, struct http_exchange *);

/* Serves the admin address: /healthz, /readyz, /metrics, /drift, /intents. */
void api_serve_admin(void *api, struct http_exchange *);

/* Counts and logs what was served; the report of every server that has one of these
 * services. */
void api_report(void *api, const struct http_report *);

/* Has POST /reload call this; it is to read the configuration again, if need be after
 * the reading that runs. */
void api_on_reload(struct api *, loop_fn reload, void *arg);
/* The reading begins: its outcome is for all who asked before. Then the outcome, as JSON. */
void api_reload_begin(struct api *);
void api_reload_end(struct api *, int status, const char *body, size_t len);

/* Another snapshot is in force in the gateway: what is passed on follows. -1 with a
 * sentence, and that is done as before. */
int api_adjust(struct api *, struct fail *);

/* The gateway stops: it is not ready any more. */
void api_stopping(struct api *);

/* Has /metrics show the connections of the two servers, each of which may be NULL. */
void api_watch(struct api *, const struct http_server *, const struct http_server *admin);

#endif
