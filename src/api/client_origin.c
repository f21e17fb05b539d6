#include "config.h"

#include "api/client_origin.h"
#include "api/client_claim.h"
#include "http/http_host.h"

#include <string.h>
#include <strings.h>

/* Whether a method only reads. */
bool
client_origin_reads(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
	    strcmp(method, "OPTIONS") == 0;
}

/* Whether a request may change something. */
bool
client_origin_writes(const struct http_request *q)
{
	return !client_origin_reads(q->method) ||
	    (q->upgrade != NULL && strcasecmp(q->upgrade, "websocket") == 0);
}

/* The host of an origin; NULL for what is none, such as "null". */
static const char *
client_origin_host(const char *origin)
{
	const char *host = strstr(origin, "://");

	return host != NULL ? host + 3 : NULL;
}

/* Whether a page is the gateway's own, or what is served through it. One that came without
 * TLS is not that of an address with it: anybody on the way could have written it. */
static bool
client_origin_is_own(const struct http_request *q, const char *origin)
{
	const char *host = client_origin_host(origin);

	if (strcmp(q->scheme, "https") == 0 && strncasecmp(origin, "http://", 7) == 0)
		return false;
	return host != NULL && strcasecmp(host, q->asked_host) == 0;
}

/* Whether the file names an origin; "*" alone is every one. */
static bool
client_origin_is_named(const struct config *c, const char *origin)
{
	for (char **o = c->cors.origins; *o != NULL; o++)
		if (strcmp(*o, origin) == 0 || strcmp(*o, "*") == 0)
			return true;
	return false;
}

/* Whether a browser says that a page of another origin asks, without naming that. */
static bool
client_origin_is_elsewhere(const struct http_request *q)
{
	const char *site = http_request_field(q, "sec-fetch-site");

	return site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

/* Whether a page elsewhere writes with the browser's password. */
bool
client_origin_is_forged(const struct config *c, const struct http_request *q)
{
	const char *origin;

	if (!client_origin_writes(q) || !client_claim_by_browser(q))
		return false;
	origin = http_request_field(q, "origin");
	if (origin == NULL)
		return client_origin_is_elsewhere(q);
	return !client_origin_is_own(q, origin) &&
	    !(c->cors.credentials && client_origin_is_named(c, origin));
}

/* Whether a page elsewhere writes where no token is needed. Behind a proxy the browser's
 * site may be the page's although Host is not: its word of that wins. */
bool
client_origin_is_foreign(const struct config *c, const struct http_request *q)
{
	const char *site, *origin, *host;

	if (!client_origin_writes(q))
		return false;
	site = http_request_field(q, "sec-fetch-site");
	if (site == NULL || strcmp(site, "cross-site") != 0)
		return false;
	origin = http_request_field(q, "origin");
	host = origin != NULL ? client_origin_host(origin) : NULL;
	if (host == NULL)
		return true;
	return !client_origin_is_own(q, origin) && !client_origin_is_named(c, origin) &&
	    !(http_host_valid(host, strlen(host)) &&
	        http_host_allowed(host, (const char *const *)c->allowed_hosts));
}
