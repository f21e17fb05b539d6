#include "config.h"

#include "config/config_address.h"

#include "base/mem.h"
#include "base/network.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CONFIG_ADDRESS_FORM \
	"must be an address such as 127.0.0.1:3000, [::1]:3000 or unix:/run/gateway.sock"
#define CONFIG_ADDRESS_NAME_MAX 253 /* of a DNS name, RFC 1035, 2.3.4 in text form */
#define CONFIG_ADDRESS_LABEL_MAX 63

/* Whether it is a port: digits up to 65535. */
static bool
config_address_port(const char *s)
{
	size_t len = strlen(s);

	return len >= 1 && len <= 5 && strspn(s, "0123456789") == len && atoi(s) <= 65535;
}

/* Whether IPv4 text is an address, and whether it is a loopback one. */
static bool
config_address_v4(const char *s, bool *loopback)
{
	struct in_addr in;

	if (inet_pton(AF_INET, s, &in) != 1)
		return false;
	*loopback = ntohl(in.s_addr) >> 24 == 127;
	return true;
}

/* Whether IPv6 text is an address, and whether it is a loopback one. */
static bool
config_address_v6(const char *s, bool *loopback)
{
	struct in6_addr in;

	if (inet_pton(AF_INET6, s, &in) != 1)
		return false;
	*loopback = IN6_IS_ADDR_LOOPBACK(&in) ||
	    (IN6_IS_ADDR_V4MAPPED(&in) && in.s6_addr[12] == 127);
	return true;
}

/* Checks the path of a local socket. */
static enum config_reach
config_address_local(const char *path, struct fail *fail)
{
	size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (path[0] == '\0') {
		fail_set(fail, "must name a path after unix:, such as unix:/run/gateway.sock");
		return CONFIG_REACH_BAD;
	}
	if (strlen(path) > room) {
		fail_set(fail, "has a path of %zu bytes; a local socket's path has at most %zu",
		    strlen(path), room);
		return CONFIG_REACH_BAD;
	}
	return CONFIG_REACH_LOCAL;
}

/* Says what is wrong with text that is no address, with the likely right form. */
static void
config_address_hint(const char *address, struct fail *fail)
{
	const char *port = address + strcspn(address, ":");

	if (config_address_port(address))
		fail_set(fail, "needs a host before the port: write 127.0.0.1:%s", address);
	else if (port[0] == ':' && config_address_port(port + 1) &&
	    (port == address || strncmp(address, "*:", 2) == 0))
		fail_set(fail, "needs a host before the port: write 127.0.0.1%s, or 0.0.0.0%s for "
		    "every address of this machine", port, port);
	else if (strncasecmp(address, "localhost:", 10) == 0 && config_address_port(port + 1))
		fail_set(fail, "must be a number, since names are not looked up: write "
		    "127.0.0.1%s or [::1]%s", port, port);
	else if (strstr(address, "://") != NULL)
		fail_set(fail, CONFIG_ADDRESS_FORM ", without http://");
	else
		fail_set(fail, CONFIG_ADDRESS_FORM);
}

/* Leaves the scheme out. */
const char *
config_address_bare(const char *address)
{
	if (strncmp(address, "http://", 7) == 0)
		return address + 7;
	return strncmp(address, "https://", 8) == 0 ? address + 8 : address;
}

/* Checks an address to listen on. */
enum config_reach
config_address_reach(const char *address, struct fail *fail)
{
	const char *colon = strrchr(address, ':');
	bool bracket = address[0] == '[', valid = false, loopback = false;
	size_t len;
	char *host;

	if (strncmp(address, "unix:", 5) == 0)
		return config_address_local(address + 5, fail);
	if (colon != NULL && config_address_port(colon + 1)) {
		len = (size_t)(colon - address);
		if (bracket && len >= 2 && address[len - 1] == ']') {
			host = mem_copy(address + 1, len - 2);
			valid = config_address_v6(host, &loopback);
		} else {
			host = mem_copy(address, len);
			valid = config_address_v4(host, &loopback);
		}
		free(host);
	}
	if (!valid) {
		config_address_hint(address, fail);
		return CONFIG_REACH_BAD;
	}
	return loopback ? CONFIG_REACH_LOCAL : CONFIG_REACH_OUTSIDE;
}

/* Whether it has the form of a DNS name; underscores are common in test networks. */
static bool
config_address_name(const char *s)
{
	size_t label = 0;

	if (s[0] == '\0' || strlen(s) > CONFIG_ADDRESS_NAME_MAX)
		return false;
	for (; *s != '\0'; s++) {
		if (*s == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!isalnum((unsigned char)*s) && *s != '-' && *s != '_') {
			return false;
		} else if (++label > CONFIG_ADDRESS_LABEL_MAX)
			return false;
	}
	return label > 0;
}

/* Whether it is [IPv6]. */
static bool
config_address_bracketed(const char *s, bool *loopback)
{
	size_t len = strlen(s);
	char *inside;
	bool valid;

	if (len < 2 || s[0] != '[' || s[len - 1] != ']')
		return false;
	inside = mem_copy(s + 1, len - 2);
	valid = config_address_v6(inside, loopback);
	free(inside);
	return valid;
}

/* Checks a host. */
int
config_address_host(const char *host, struct fail *fail)
{
	const char *colon = strrchr(host, ':');
	bool loopback;

	if (config_address_bracketed(host, &loopback) || config_address_name(host))
		return 0;
	if (strstr(host, "://") != NULL)
		return fail_set(fail, "must be a name alone, without http:// and path");
	if (config_address_v6(host, &loopback))
		return fail_set(fail, "must have brackets around an IPv6 address, such as [::1]");
	if (colon != NULL && config_address_port(colon + 1))
		return fail_set(fail, "must be a name without a port: leave \"%s\" out", colon);
	if (strchr(host, '*') != NULL)
		return fail_set(fail, "must be a whole name: * is not understood here");
	return fail_set(fail, "must be a host name such as gateway.example.com");
}

/* Checks an address or a range. */
int
config_address_network(const char *text, struct fail *fail)
{
	char base[NETWORK_TEXT_SIZE + 4];
	const char *slash = strchr(text, '/');
	struct network n;

	if (network_read(text, &n, base))
		return 0;
	if (base[0] != '\0')
		return fail_set(fail, "has a range whose address goes on beyond the bits that count: "
		    "write %s, or the address alone", base);
	if (text[0] == '[' || (strncmp(text, "unix:", 5) == 0))
		return fail_set(fail, "must be an address without brackets and port, or unix alone");
	if (slash != NULL && slash > text && strspn(slash + 1, "0123456789") == strlen(slash + 1))
		return fail_set(fail, "must be a range such as 10.0.0.0/8 or 2001:db8::/32: an address "
		    "and how many of its bits count, at most 32 or 128");
	return fail_set(fail, "must be an address such as 127.0.0.1 or ::1, a range such as "
	    "10.0.0.0/8, or unix; names are not looked up");
}

/* Tells whether a host is this machine. */
bool
config_address_is_loopback(const char *host)
{
	size_t len = strlen(host);
	bool loopback = false;

	if (config_address_v4(host, &loopback) || config_address_bracketed(host, &loopback))
		return loopback;
	/* RFC 6761, 6.3: localhost and every name below it. */
	return strcasecmp(host, "localhost") == 0 ||
	    (len > 10 && strcasecmp(host + len - 10, ".localhost") == 0);
}

/* Where the authority of a URL begins; NULL for other schemes. */
static const char *
config_address_authority(const char *url)
{
	if (strncasecmp(url, "http://", 7) == 0)
		return url + 7;
	if (strncasecmp(url, "https://", 8) == 0)
		return url + 8;
	return NULL;
}

/* The host of a URL and its port (NULL: none), both in one allocation. */
static char *
config_address_split(const char *authority, const char **port)
{
	char *host = mem_copy(authority, strcspn(authority, "/"));
	char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');

	*port = NULL;
	if (colon != NULL && (bracket == NULL || colon > bracket)) {
		*colon = '\0';
		*port = colon + 1;
	}
	return host;
}

/* Checks a URL. */
int
config_address_url(const char *url, bool proxy, struct fail *fail)
{
	const char *authority = config_address_authority(url), *path, *port;
	int result = 0;
	char *host;

	if (authority == NULL)
		return fail_set(fail, "must start with %s", proxy ? "http:// or https://" :
		    "https:// (or http://)");
	for (const char *c = url; *c != '\0'; c++)
		if (!isgraph((unsigned char)*c) || strchr("\"\\<>^`{|}", *c) != NULL)
			return fail_set(fail, "must be a URL without spaces and special "
			    "characters");
	if (authority[strcspn(authority, "?#")] != '\0')
		return fail_set(fail, "must not hold a query (?) or fragment (#)");
	if (memchr(authority, '@', strcspn(authority, "/")) != NULL)
		return fail_set(fail, "must not hold a user name or password");
	path = authority + strcspn(authority, "/");
	if (proxy && strspn(path, "/") != strlen(path))
		return fail_set(fail, "must be a host and a port, without a path");
	host = config_address_split(authority, &port);
	if (host[0] == '\0')
		result = fail_set(fail, "must name a host");
	else if (config_address_host(host, NULL) != 0)
		result = fail_set(fail, "has a host that is neither a name nor an address");
	else if (port != NULL && (!config_address_port(port) || atoi(port) == 0))
		result = fail_set(fail, "has a port that is not a number from 1 to 65535");
	free(host);
	return result;
}

/* Says what is wrong with text that is no origin, with the likely right form. */
static int
config_address_no_origin(const char *text, struct fail *fail)
{
	const char *host = strstr(text, "://");
	char normal[ORIGIN_SIZE];
	int len;

	if (strcmp(text, "null") == 0)
		return fail_set(fail, "must not be null, which stands for every page without an "
		    "origin of its own; \"*\" alone allows those too");
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			return fail_set(fail, "must be an origin as browsers write it: names "
			    "beyond ASCII begin with xn--");
	if (host == NULL)
		return fail_set(fail, "must begin with a scheme: http:// or https://");
	if (strchr(host, '*') != NULL)
		return fail_set(fail, "must be a whole origin, since * is not understood in it: "
		    "list each one, or write \"*\" alone for every one");
	if (strchr(host, '@') != NULL)
		return fail_set(fail, "must not hold a user name or password");
	len = (int)(host - text) + 3 + (int)strcspn(host + 3, "/?#");
	if (text[len] != '\0') {
		char *shorter = mem_copy(text, (size_t)len);
		bool good = origin_normal(shorter, normal);

		free(shorter);
		if (good)
			return fail_set(fail, "must be an origin without a path or a slash at its end");
	}
	return fail_set(fail, "must be an origin such as http://localhost:5173: a scheme, a host, "
	    "and a port if it is not the usual one");
}

/* Reads an origin. */
int
config_address_origin(const char *text, char out[ORIGIN_SIZE], struct fail *fail)
{
	if (strcmp(text, "*") == 0) {
		strcpy(out, text);
		return 0;
	}
	return origin_normal(text, out) ? 0 : config_address_no_origin(text, fail);
}

/* Gives the host of a URL. */
char *
config_address_url_host(const char *url)
{
	const char *port;

	return config_address_split(config_address_authority(url), &port);
}

/* Tells whether a URL leads to a listener. Port 0 is not known yet. */
bool
config_address_url_is(const char *url, const char *listen)
{
	const char *port, *colon = strrchr(listen, ':');
	char *host = config_address_split(config_address_authority(url), &port);
	size_t len = colon != NULL ? (size_t)(colon - listen) : 0;
	bool same = false, any, local;
	int number = 80;

	if (port != NULL)
		number = atoi(port);
	else if (strncasecmp(url, "https:", 6) == 0)
		number = 443;
	if (strncmp(listen, "unix:", 5) != 0 && colon != NULL && atoi(colon + 1) == number) {
		any = strncmp(listen, "0.0.0.0:", 8) == 0 || strncmp(listen, "[::]:", 5) == 0;
		local = strncmp(listen, "127.0.0.1:", 10) == 0 || strncmp(listen, "[::1]:", 6) == 0;
		same = (strlen(host) == len && strncasecmp(host, listen, len) == 0) ||
		    (any && config_address_is_loopback(host)) ||
		    (local && strcasecmp(host, "localhost") == 0);
	}
	free(host);
	return same;
}
