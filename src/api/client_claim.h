#ifndef API_CLIENT_CLAIM_H
#define API_CLIENT_CLAIM_H

#include "base/digest.h"
#include "http/http_message.h"

/*
 * The token that a request shows: Authorization: Bearer (RFC 6750, 2.1), the password
 * of Authorization: Basic (RFC 7617, whatever the user's name), or X-API-Key. An empty
 * one and other schemes are none.
 */
enum client_claim { CLIENT_CLAIM_NONE, CLIENT_CLAIM_ONE, CLIENT_CLAIM_TWO };

/* Writes the SHA-256 of the token; of an empty text when there is none, so that the
 * rest is the same work. TWO when a request shows tokens that differ. */
enum client_claim client_claim_read(const struct http_request *, char digest[DIGEST_HEX_SIZE]);

/* Whether a request shows a token in the way in which a browser sends it by itself, for
 * whatever page: Basic. */
bool client_claim_by_browser(const struct http_request *);

/* Whether a field shows a token. */
bool client_claim_is(const char *name, const char *value);

#endif
