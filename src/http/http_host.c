#include "config.h"

#include "http/http_host.h"
#include "base/octet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

/* The bytes before the port. */
static size_t
http_host_name_len(const char *host, size_t len)
{
	const char *end;

	if (len > 0 && host[0] == '[') {
		end = memchr(host, ']', len);
		return end != NULL ? (size_t)(end - host) + 1 : len;
	}
	end = memchr(host, ':', len);
	return end != NULL ? (size_t)(end - host) : len;
}

/* Reads a bracketed IPv6 address. */
static bool
http_host_ipv6(const char *name, size_t len, struct in6_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	if (len < 4 || len - 2 >= sizeof text || name[0] != '[' || name[len - 1] != ']')
		return false;
	memcpy(text, name + 1, len - 2);
	text[len - 2] = '\0';
	return inet_pton(AF_INET6, text, addr) == 1;
}

/* Checks ":1" to ":65535", leading zeros included. */
static bool
http_host_port(const char *p, size_t len)
{
	unsigned port = 0;

	if (len < 2 || len > 6 || p[0] != ':')
		return false;
	for (size_t i = 1; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		port = port * 10 + (unsigned)(p[i] - '0');
	}
	return port <= 65535;
}

/* Checks the form. */
bool
http_host_valid(const char *host, size_t len)
{
	size_t name = http_host_name_len(host, len);
	struct in6_addr addr;

	if (name == 0 || (name < len && !http_host_port(host + name, len - name)))
		return false;
	if (host[0] == '[')
		return http_host_ipv6(host, name, &addr);
	for (size_t i = 0; i < name; i++)
		if (!octet_is(host[i], OCTET_NAME))
			return false;
	return true;
}

/* Whether the name leads to this machine wherever it is asked. */
static bool
http_host_loopback(const char *name, size_t len)
{
	static const char local[] = "localhost";
	const size_t n = sizeof local - 1;
	char text[INET_ADDRSTRLEN];
	struct in6_addr addr6;
	struct in_addr addr4;

	if (len >= n && strncasecmp(name + len - n, local, n) == 0)
		return len == n || (len > n + 1 && name[len - n - 1] == '.');
	if (name[0] == '[')
		return http_host_ipv6(name, len, &addr6) && IN6_IS_ADDR_LOOPBACK(&addr6);
	if (len >= sizeof text)
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	return inet_pton(AF_INET, text, &addr4) == 1 && ntohl(addr4.s_addr) >> 24 == 127;
}

/* Looks the host up. */
bool
http_host_allowed(const char *host, const char *const *allowed)
{
	size_t name = http_host_name_len(host, strlen(host));

	if (http_host_loopback(host, name))
		return true;
	for (; *allowed != NULL; allowed++) {
		if (strcasecmp(*allowed, host) == 0)
			return true;
		if (strlen(*allowed) == name && strncasecmp(*allowed, host, name) == 0)
			return true;
	}
	return false;
}
