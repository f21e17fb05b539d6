#include "config.h"

#include "upstream/site.h"
#include "base/mem.h"
#include "upstream/url.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#if LIBCURL_VERSION_NUM >= 0x075800
#define SITE_HOST_FLAGS CURLU_PUNYCODE
#else
#define SITE_HOST_FLAGS 0
#endif

/* Gives what Host is to say of an origin. */
static char *
site_host(const char *origin)
{
	CURLU *h = curl_url();
	char *host = NULL, *port = NULL, *text;

	if (h != NULL && curl_url_set(h, CURLUPART_URL, origin, 0) == CURLUE_OK) {
		if (curl_url_get(h, CURLUPART_HOST, &host, SITE_HOST_FLAGS) != CURLUE_OK)
			curl_url_get(h, CURLUPART_HOST, &host, 0);
		curl_url_get(h, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
	}
	text = mem_format("%s%s%s", host != NULL ? host : "", port != NULL ? ":" : "",
	    port != NULL ? port : "");
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(h);
	return text;
}

/* Takes a URL apart. */
struct site *
site_new(const char *url)
{
	struct site *s = mem_zero(1, sizeof *s);
	size_t origin = url_origin(url);

	s->refs = 1;
	s->origin = mem_copy(url, origin);
	s->base = mem_string(url + origin);
	s->host = site_host(s->origin);
	s->tls = strncasecmp(url, "https:", 6) == 0;
	return s;
}

/* Holds it too. */
struct site *
site_hold(struct site *s)
{
	s->refs++;
	return s;
}

/* Lets go of it. */
void
site_release(struct site *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	free(s->origin);
	free(s->host);
	free(s->base);
	free(s);
}
