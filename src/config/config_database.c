#include "config.h"

#include "config/config_database.h"

#include "base/mem.h"
#include "config/config_address.h"

#include <stdlib.h>
#include <string.h>

/* Whether a host of the list is this machine: a local socket, or a loopback name. */
static bool
config_database_is_here(const char *host, size_t len)
{
	size_t name = *host == '[' ? len : strcspn(host, ":,/?&"); /* without its port */
	char *text = mem_copy(host, name < len ? name : len);
	bool here;

	if (*text == '[' && strchr(text, ']') != NULL)
		strchr(text, ']')[1] = '\0';
	here = *text == '\0' || *text == '/' || strncmp(text, "%2F", 3) == 0 ||
	    strncmp(text, "%2f", 3) == 0 || config_address_is_loopback(text);
	free(text);
	return here;
}

/* Whether all hosts of a list, up to a byte of `end`, are this machine. */
static bool
config_database_are_here(const char *hosts, const char *end)
{
	const char *last = hosts + strcspn(hosts, end);

	for (size_t len; hosts <= last; hosts += len + 1) {
		len = strcspn(hosts, ",");
		len = len < (size_t)(last - hosts) ? len : (size_t)(last - hosts);
		if (!config_database_is_here(hosts, len))
			return false;
	}
	return true;
}

/* The value of an option in the query of a URL; NULL when it is not there. */
static const char *
config_database_option(const char *url, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strchr(url, '?'); at != NULL; at = strchr(at + 1, '&'))
		if (strncmp(at + 1, name, len) == 0 && at[1 + len] == '=')
			return at + 2 + len;
	return NULL;
}

/* Looks at a URL. */
bool
config_database_is_unchecked(const char *url)
{
	const char *at = strstr(url, "://"), *mode = config_database_option(url, "sslmode");
	const char *host = config_database_option(url, "host"), *user;

	if (at == NULL || config_database_option(url, "service") != NULL)
		return false;
	if (mode == NULL)
		mode = getenv("PGSSLMODE");
	if (mode != NULL && strncmp(mode, "verify-", 7) == 0)
		return false;
	at += 3;
	user = at + strcspn(at, "@/?"); /* what stands before it may hold a password */
	at = *user == '@' ? user + 1 : at;
	return !config_database_are_here(at, "/?") ||
	    (host != NULL && !config_database_are_here(host, "&"));
}
