#include "config.h"

#include "api/client_claim.h"
#include "base/base64.h"

#include <string.h>
#include <strings.h>

/* What follows the scheme of an Authorization field; NULL when it has another one. */
static const char *
client_claim_scheme(const char *value, const char *scheme)
{
	size_t len = strlen(scheme);

	if (strncasecmp(value, scheme, len) != 0 || value[len] != ' ')
		return NULL;
	return value + len + strspn(value + len, " ");
}

/* Decodes a user's name and password; the password, in b, or NULL. */
static const char *
client_claim_basic(const char *text, struct buf *b, size_t *len)
{
	struct base64 decoder = {0};
	const char *colon;

	if (!base64_decode(&decoder, text, strlen(text), b) || !base64_ends(&decoder) || b->len == 0)
		return NULL;
	colon = memchr(b->data, ':', b->len);
	if (colon == NULL)
		return NULL;
	*len = b->len - (size_t)(colon + 1 - b->data);
	return colon + 1;
}

/* The token in a field, or NULL; one that is decoded lies in b. */
static const char *
client_claim_token(const char *name, const char *value, struct buf *b, size_t *len)
{
	const char *token = NULL, *basic;

	if (strcasecmp(name, "x-api-key") == 0)
		token = value;
	else if (strcasecmp(name, "authorization") != 0)
		return NULL;
	else if ((basic = client_claim_scheme(value, "Basic")) != NULL)
		return client_claim_basic(basic, b, len);
	else
		token = client_claim_scheme(value, "Bearer");
	if (token != NULL)
		*len = strlen(token);
	return token;
}

/* Hashes the token in a field; false when it has none. */
static bool
client_claim_digest(const char *name, const char *value, char digest[DIGEST_HEX_SIZE])
{
	struct buf b = {.secret = true};
	size_t len = 0;
	const char *token = client_claim_token(name, value, &b, &len);

	if (token != NULL && len > 0)
		digest_hex(token, len, digest);
	buf_free(&b);
	return token != NULL && len > 0;
}

/* Reads the token of a request. */
enum client_claim
client_claim_read(const struct http_request *q, char digest[DIGEST_HEX_SIZE])
{
	enum client_claim claim = CLIENT_CLAIM_NONE;
	char other[DIGEST_HEX_SIZE];

	for (size_t i = 0; i < q->field_count; i++) {
		if (!client_claim_digest(q->fields[i].name, q->fields[i].value, other))
			continue;
		if (claim != CLIENT_CLAIM_NONE && strcmp(digest, other) != 0)
			return CLIENT_CLAIM_TWO;
		memcpy(digest, other, sizeof other);
		claim = CLIENT_CLAIM_ONE;
	}
	if (claim == CLIENT_CLAIM_NONE)
		digest_hex("", 0, digest);
	return claim;
}

/* Whether a token came as a browser sends it by itself. */
bool
client_claim_by_browser(const struct http_request *q)
{
	const char *value = http_request_field(q, "authorization");

	return value != NULL && client_claim_scheme(value, "Basic") != NULL;
}

/* Whether a field shows a token. */
bool
client_claim_is(const char *name, const char *value)
{
	char digest[DIGEST_HEX_SIZE];

	return client_claim_digest(name, value, digest);
}
