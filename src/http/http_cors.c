#include "config.h"

#include "http/http_cors.h"
#include "base/octet.h"
#include "base/origin.h"

#include <string.h>
#include <strings.h>

#define HTTP_CORS_LINES 320 /* enough for the names of all lines and a number */

/* Whether a request's origin is allowed. */
static bool
http_cors_allows(const struct http_cors *cors, const char *origin)
{
	char normal[ORIGIN_SIZE];

	if (cors->any)
		return true;
	if (!origin_normal(origin, normal))
		return false;
	for (const char *const *o = cors->origins; *o != NULL; o++)
		if (strcmp(*o, normal) == 0)
			return true;
	return false;
}

/* Whether a text is one token (RFC 9110, 5.6.2). */
static bool
http_cors_token(const char *text)
{
	size_t n = 0;

	while (octet_is(text[n], OCTET_TOKEN))
		n++;
	return n > 0 && text[n] == '\0';
}

/* Whether a text is a list of field names, not too many and not too long. */
static bool
http_cors_names(const char *text)
{
	unsigned count = 0;

	if (strlen(text) > HTTP_CORS_HEADERS_MAX)
		return false;
	while (*text != '\0') {
		const char *name = text;

		while (octet_is(*text, OCTET_TOKEN))
			text++;
		if (text > name && ++count > HTTP_CORS_NAMES_MAX)
			return false;
		while (octet_is(*text, OCTET_SPACE))
			text++;
		if (*text != ',' && *text != '\0')
			return false;
		text += *text == ',';
		while (octet_is(*text, OCTET_SPACE))
			text++;
	}
	return true;
}

/* Decides about a preflight (Fetch, 4.8 "CORS-preflight fetch"). */
static int
http_cors_preflight(const struct http_cors *cors, const struct http_request *q,
    struct http_cors_ask *ask, const char **why)
{
	const char *method = http_request_field(q, "access-control-request-method");
	const char *headers = http_request_field(q, "access-control-request-headers");

	ask->preflight = true;
	*why = cors->refusal;
	if (ask->origin == NULL)
		return 403;
	*why = "Access-Control-Request-Method is not a method";
	if (!http_cors_token(method))
		return 400;
	*why = "Access-Control-Request-Headers is not a list of header names, or too long";
	if (headers != NULL && !http_cors_names(headers))
		return 400;
	ask->headers = headers != NULL && headers[0] != '\0' ? headers : NULL;
	return 204;
}

/* Looks at a request. */
int
http_cors_look(const struct http_cors *cors, const struct http_request *q,
    struct http_cors_ask *ask, const char **why)
{
	const char *origin = http_request_field(q, "origin");

	if (origin != NULL && http_cors_allows(cors, origin))
		ask->origin = origin;
	if (origin == NULL || strcmp(q->method, "OPTIONS") != 0 ||
	    http_request_field(q, "access-control-request-method") == NULL)
		return 0;
	return http_cors_preflight(cors, q, ask, why);
}

/* Adds one line. */
static void
http_cors_line(struct buf *b, const char *name, const char *value)
{
	buf_adds(b, name);
	buf_adds(b, ": ");
	buf_adds(b, value);
	buf_adds(b, "\r\n");
}

/* Adds the lines of an answer. When every origin is allowed, all answers say so, those
 * to requests without one too: a copy in a cache may serve either (Fetch, "CORS
 * protocol and HTTP caches"). */
void
http_cors_add(struct buf *b, const struct http_cors *cors, const struct http_cors_ask *ask)
{
	if (!cors->any && ask->origin == NULL)
		return;
	http_cors_line(b, "Access-Control-Allow-Origin", cors->any ? "*" : ask->origin);
	if (cors->credentials)
		http_cors_line(b, "Access-Control-Allow-Credentials", "true");
	if (!ask->preflight) {
		http_cors_line(b, "Access-Control-Expose-Headers", cors->exposed);
		return;
	}
	http_cors_line(b, "Access-Control-Allow-Methods", cors->methods);
	if (ask->headers != NULL)
		http_cors_line(b, "Access-Control-Allow-Headers", ask->headers);
	buf_addf(b, "Access-Control-Max-Age: %lld\r\n", (long long)cors->max_age);
}

/* How long the lines can be. */
size_t
http_cors_room(const struct http_cors *cors, const struct http_cors_ask *ask)
{
	size_t room = HTTP_CORS_LINES + strlen(cors->methods) + strlen(cors->exposed);

	if (ask->origin != NULL)
		room += strlen(ask->origin);
	if (ask->headers != NULL)
		room += strlen(ask->headers);
	return room;
}

/* What an answer varies by. */
const char *
http_cors_vary(const struct http_cors *cors, const struct http_cors_ask *ask)
{
	if (ask->preflight)
		return cors->any ? "Access-Control-Request-Headers"
		                 : "Origin, Access-Control-Request-Headers";
	return cors->any ? NULL : "Origin";
}

/* Whether a service's field is left out. */
bool
http_cors_owns(const char *name)
{
	return strncasecmp(name, "access-control-", 15) == 0;
}
