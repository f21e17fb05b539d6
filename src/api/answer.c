#include "config.h"

#include "api/api_impl.h"
#include "base/decimal.h"
#include "base/mem.h"
#include "json/json_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ANSWER_FIELDS_MAX 10

static const char answer_type[] = "application/json; charset=utf-8";

/* Answers with JSON text. */
void
api_answer_json(struct http_exchange *ex, int status, const char *body, size_t len)
{
	const struct http_field fields[] = {{"Content-Type", answer_type}, {NULL, NULL}};

	http_answer(ex, status, fields, body, len);
}

/* Answers an error. */
void
api_answer_error(struct http_exchange *ex, int status, const char *fmt, ...)
{
	char *text, *body;
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	body = json_error_body(text, &len);
	api_answer_json(ex, status, body, len);
	free(body);
	free(text);
}

/* Answers what no route serves. */
bool
api_refuse_route(struct http_exchange *ex, enum http_route_result found,
    const struct http_match *match)
{
	struct http_field fields[] = {{"Content-Type", answer_type}, {"Allow", match->allow}, {NULL, NULL}};
	char *body;
	size_t len;

	if (found == HTTP_ROUTE_FOUND && match->text)
		return false;
	switch (found) {
	case HTTP_ROUTE_FOUND:
	case HTTP_ROUTE_NONE:
		api_answer_error(ex, 404, "Not found");
		return true;
	case HTTP_ROUTE_BAD:
		api_answer_error(ex, 400,
		    "The path holds \".\" or \"..\" as a segment, or an escape that is not allowed");
		return true;
	case HTTP_ROUTE_METHOD:
		break;
	}
	body = json_error_body("Method not allowed", &len);
	http_answer(ex, 405, fields, body, len);
	free(body);
	return true;
}

/* Whether a media type is application/json. */
bool
api_is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t len = strcspn(type, "; \t");

	return len == sizeof json - 1 && strncasecmp(type, json, len) == 0;
}

/* Refuses a body that is not declared as JSON; true when it answered. */
bool
api_refuse_type(struct http_exchange *ex)
{
	const struct http_request *q = http_exchange_request(ex);
	const char *type = http_request_field(q, "content-type");

	if (type != NULL ? api_is_json(type) : !q->has_body)
		return false;
	if (type == NULL || *type == '\0')
		type = "none";
	api_answer_error(ex, 415, "Unsupported Media Type: %.200s", type);
	return true;
}

/* Whether If-None-Match names this tag (RFC 9110, 13.1.2: weak comparison). */
bool
api_etag_matches(const char *header, const char *etag)
{
	size_t len = strlen(etag);

	for (const char *p = header; *p != '\0'; p += strcspn(p, ",")) {
		p += strspn(p, ", \t");
		if (*p == '*')
			return true;
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		if (strncmp(p, etag, len) == 0)
			return true;
	}
	return false;
}

/* Whether the client has this answer already. */
static bool
answer_not_modified(const struct http_request *q, const struct result *r)
{
	const char *have = http_request_field(q, "if-none-match");

	return have != NULL && r->status == 200 && r->etag[0] != '\0' &&
	    (strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0) &&
	    api_etag_matches(have, r->etag);
}

/* Answers with a result. */
void
api_answer_result(struct http_exchange *ex, const struct result *r)
{
	const struct http_request *q = http_exchange_request(ex);
	struct http_field fields[ANSWER_FIELDS_MAX];
	char age[DECIMAL_SIZE], retry[DECIMAL_SIZE];
	size_t n = 0;

	traffic_note_result(ex, r);
	if (r->etag[0] != '\0') {
		fields[n++] = (struct http_field){"ETag", r->etag};
		fields[n++] = (struct http_field){"Cache-Control", "private, no-cache"};
	}
	if (r->cache != NULL)
		fields[n++] = (struct http_field){"X-Cache", r->cache};
	if (r->age >= 0) {
		fields[n++] = (struct http_field){"Age", decimal_text(age, r->age)};
	}
	if (r->retry_after >= 0) {
		int64_t s = (r->retry_after + 999) / 1000;

		fields[n++] = (struct http_field){"Retry-After", decimal_text(retry, s > 0 ? s : 1)};
	}
	if (answer_not_modified(q, r)) {
		fields[n] = (struct http_field){NULL, NULL};
		http_answer(ex, 304, fields, NULL, 0);
		return;
	}
	if (r->body != NULL)
		fields[n++] = (struct http_field){"Content-Type", answer_type};
	fields[n] = (struct http_field){NULL, NULL};
	http_answer(ex, r->status, fields, r->body, r->len);
}
