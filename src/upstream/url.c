#include "config.h"

#include "upstream/url.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Reads one part of a URL; NULL when it has none. The caller frees with curl_free(). */
static char *
url_part(CURLU *h, CURLUPart part)
{
	char *text = NULL;

	return curl_url_get(h, part, &text, 0) == CURLUE_OK ? text : NULL;
}

/* Whether the parsed URL has nothing but scheme, host, port and path. */
static bool
url_is_plain(CURLU *h)
{
	static const CURLUPart none[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
	    CURLUPART_FRAGMENT};
	bool ok = true;

	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		char *text = url_part(h, none[i]);

		ok = ok && text == NULL;
		curl_free(text);
	}
	return ok;
}

/* Checks a URL. */
int
url_check(const char *url, struct fail *f)
{
	CURLU *h = curl_url();
	char *scheme = NULL;
	int rc = 0;

	if (h == NULL || curl_url_set(h, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    (scheme = url_part(h, CURLUPART_SCHEME)) == NULL ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		rc = fail_set(f, "the upstream's url must be http://host or https://host");
	else if (!url_is_plain(h))
		rc = fail_set(f, "the upstream's url may not hold a user, a query or a fragment");
	curl_free(scheme);
	curl_url_cleanup(h);
	return rc;
}

/* Checks how it is reached. */
int
url_check_way(const char *proxy, const char *ca_file, struct fail *f)
{
	CURLU *h = curl_url();
	int rc = 0;

	if (proxy != NULL && (h == NULL || curl_url_set(h, CURLUPART_URL, proxy,
	        CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK))
		rc = fail_set(f, "the upstream's proxy is not an address that can be read");
	else if (ca_file != NULL && access(ca_file, R_OK) < 0)
		rc = fail_set(f, "the upstream's ca_file %s cannot be read", ca_file);
	curl_url_cleanup(h);
	return rc;
}

/* The length of scheme, host and port. */
size_t
url_origin(const char *url)
{
	const char *host = strstr(url, "://");

	host = host != NULL ? host + 3 : url;
	return (size_t)(host - url) + strcspn(host, "/");
}
