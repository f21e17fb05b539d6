#ifndef API_IMPL_H
#define API_IMPL_H

#include "api/api.h"
#include "http/http_route.h"

/* Shared by the files of this room only. */

struct api {
	struct loop *loop;
	struct gateway *gw;
	struct log *log;
};

/* Answers 404, 405 or 400 for a target that no route serves; false when one does. */
bool api_refuse_route(struct http_exchange *, enum http_route_result, const struct http_match *);

/* Answers an error with a sentence that may hold anything. */
void api_answer_error(struct http_exchange *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Answers with a result of the core; moves nothing out of it. Honours
 * If-None-Match for 200 answers to GET and HEAD. */
void api_answer_result(struct http_exchange *, const struct result *);

/* Answers 200 (or another status) with JSON text. */
void api_answer_json(struct http_exchange *, int status, const char *body, size_t len);

#endif
