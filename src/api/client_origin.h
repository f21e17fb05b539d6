#ifndef API_CLIENT_ORIGIN_H
#define API_CLIENT_ORIGIN_H

#include "config/config_values.h"
#include "http/http_message.h"

#include <stdbool.h>

/*
 * What a browser says of the page that has it ask: Origin (RFC 6454, 7) and
 * Sec-Fetch-Site (Fetch Metadata). Both are the browser's own words, which no page can
 * change; other programs have no reason to send them.
 */

/* Whether a method only reads (RFC 9110, 9.2.1), TRACE apart. */
bool client_origin_reads(const char *method);

/* Whether a request may change something: a WebSocket could, too. */
bool client_origin_writes(const struct http_request *);

/* Whether a page of another origin has the browser write with the password that it
 * knows: it would send that along with a form, for any page. */
bool client_origin_is_forged(const struct config *, const struct http_request *);

/* Where no token is needed: whether a browser says that a page of another site has it
 * write, and that is not one of this machine, of allowed_hosts or of cors.origins. A form
 * needs no leave of CORS, nor does a WebSocket. */
bool client_origin_is_foreign(const struct config *, const struct http_request *);

#endif
