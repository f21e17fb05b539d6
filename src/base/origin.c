#include "config.h"

#include "base/origin.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN_SCHEME_MAX 32
#define ORIGIN_HOST_MAX 253 /* of a DNS name (RFC 1035, 2.3.4, in text form) */
#define ORIGIN_PORT_MAX 65535

#define ORIGIN_LETTERS "abcdefghijklmnopqrstuvwxyz"
#define ORIGIN_DIGITS "0123456789"

/* Copies in lower case. */
static void
origin_lower(char *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	out[len] = '\0';
}

/* Copies the scheme (RFC 3986, 3.1); its length, 0 when it is none. */
static size_t
origin_scheme(const char *text, char out[ORIGIN_SCHEME_MAX + 1])
{
	size_t len = strcspn(text, ":");

	if (len == 0 || len > ORIGIN_SCHEME_MAX || strncmp(text + len, "://", 3) != 0)
		return 0;
	origin_lower(out, text, len);
	if (strspn(out, ORIGIN_LETTERS) == 0 ||
	    strspn(out, ORIGIN_LETTERS ORIGIN_DIGITS "+-.") != len)
		return 0;
	return len;
}

/* Copies an IPv6 address in brackets; false when it is none. */
static bool
origin_bracketed(const char *text, size_t len, char out[ORIGIN_HOST_MAX + 1])
{
	char inside[INET6_ADDRSTRLEN], shortest[INET6_ADDRSTRLEN];
	struct in6_addr in;

	if (len < 4 || len - 2 >= sizeof inside || text[len - 1] != ']')
		return false;
	memcpy(inside, text + 1, len - 2);
	inside[len - 2] = '\0';
	if (inet_pton(AF_INET6, inside, &in) != 1)
		return false;
	inet_ntop(AF_INET6, &in, shortest, sizeof shortest);
	snprintf(out, ORIGIN_HOST_MAX + 1, "[%s]", shortest);
	return true;
}

/* Copies the host; false when it is none. */
static bool
origin_host(const char *text, size_t len, char out[ORIGIN_HOST_MAX + 1])
{
	if (len == 0 || len > ORIGIN_HOST_MAX)
		return false;
	if (text[0] == '[')
		return origin_bracketed(text, len, out);
	origin_lower(out, text, len);
	return strspn(out, ORIGIN_LETTERS ORIGIN_DIGITS "-._") == len;
}

/* The port that a scheme means; 0 for those without. */
static long
origin_default_port(const char *scheme)
{
	return strcmp(scheme, "http") == 0 ? 80 : strcmp(scheme, "https") == 0 ? 443 : 0;
}

/* Writes the normal form. */
bool
origin_normal(const char *text, char out[ORIGIN_SIZE])
{
	char scheme[ORIGIN_SCHEME_MAX + 1], host[ORIGIN_HOST_MAX + 1];
	size_t scheme_len = origin_scheme(text, scheme), host_len, digits;
	const char *rest = text + scheme_len + 3;
	long port;

	if (scheme_len == 0)
		return false;
	host_len = rest[0] == '[' ? strcspn(rest, "]") + 1 : strcspn(rest, ":");
	if (host_len > strlen(rest) || !origin_host(rest, host_len, host))
		return false;
	rest += host_len;
	if (rest[0] == '\0') {
		snprintf(out, ORIGIN_SIZE, "%s://%s", scheme, host);
		return true;
	}
	digits = strspn(rest + 1, ORIGIN_DIGITS);
	if (rest[0] != ':' || digits == 0 || digits > 5 || rest[1 + digits] != '\0')
		return false;
	port = strtol(rest + 1, NULL, 10);
	if (port == 0 || port > ORIGIN_PORT_MAX)
		return false;
	if (port == origin_default_port(scheme))
		snprintf(out, ORIGIN_SIZE, "%s://%s", scheme, host);
	else
		snprintf(out, ORIGIN_SIZE, "%s://%s:%ld", scheme, host, port);
	return true;
}
