#ifndef API_IMPL_H
#define API_IMPL_H

#include "api/api.h"
#include "api/client_gate.h"
#include "api/openapi.h"
#include "api/traffic.h"
#include "http/http_route.h"

#include <sys/queue.h>

/* Shared by the files of this room only. */

struct admin_reload;

struct api {
	struct loop *loop;
	struct gateway *gw;
	struct log *log;
	struct traffic *traffic;
	struct client_ledger *ledger; /* of all loops */
	struct client_gate *gate;
	struct api *owner;    /* of a helper's: where the ledger is from; NULL: it is our own */
	struct api **helpers; /* by the place of their gateways, from 1 */
	const struct http_server *server, *admin; /* whose connections /metrics shows; may be NULL */
	struct passthrough *pass;
	struct item_routes *items; /* of the configuration */
	unsigned uploads; /* running */
	loop_fn reload;   /* reads the configuration again; NULL: nobody does */
	void *reload_arg;
	uint64_t reloads_taken, reloads_refused;
	bool reload_refused_last;
	bool stopping;
	TAILQ_HEAD(, admin_reload) reloads; /* requests that wait for that */
};

/* What is served below /api/projects/:project. The first parameter of every route is the
 * project; a request is served only when it is configured, as one of the resource of the
 * route, or of personas for an image. */
void item_serve(struct api *, struct http_exchange *, const struct http_match *,
    const struct project *);
void image_serve(struct api *, struct http_exchange *, const struct http_match *,
    const struct project *);
extern const struct http_route image_routes[];
extern const size_t image_route_count;

/* GET /api/projects. */
extern const struct http_route project_routes[];
extern const size_t project_route_count;

/* Serves the list of projects that a client (NULL: anyone) may use; false when the
 * request is for something else. */
bool project_serve(struct api *, struct http_exchange *, const struct config_client *);

/* The admin address, beside the page. */
extern const struct http_route admin_routes[];
extern const size_t admin_route_count;

/* The i-th row of all route tables; false beyond the last. */
bool api_route(void *items, size_t i, struct openapi_route *);

/* Serves GET /drift of the admin address. */
void admin_drift(struct api *, struct http_exchange *);

/* Serves GET /requests and GET /requests/:id of the admin address. */
void admin_requests(struct api *, struct http_exchange *);
void admin_request(struct api *, struct http_exchange *, const char *id);

/* Serves one image of a project, for GET and HEAD. */
void image_serve_bytes(struct api *, struct http_exchange *, const struct project *, const char *id);

/* Answers 404, 405 or 400 for a target that no route serves; false when one does. An id that
 * is not UTF-8 is the id of nothing. */
bool api_refuse_route(struct http_exchange *, enum http_route_result, const struct http_match *);

/* Whether a media type is application/json, whatever its parameters. */
bool api_is_json(const char *type);

/* Refuses a body that is not declared as JSON; true when it answered. */
bool api_refuse_type(struct http_exchange *);

/* Whether a list of entity tags names this one (RFC 9110, 13.1.2: weak comparison). */
bool api_etag_matches(const char *header, const char *etag);

/* Answers an error with a sentence that may hold anything. */
void api_answer_error(struct http_exchange *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Answers with a result of the core; moves nothing out of it. Honours
 * If-None-Match for 200 answers to GET and HEAD. */
void api_answer_result(struct http_exchange *, const struct result *);

/* Answers 200 (or another status) with JSON text. */
void api_answer_json(struct http_exchange *, int status, const char *body, size_t len);

#endif
