#include "config.h"

#include "base/header.h"
#include "base/mem.h"
#include "base/octet.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Whether it is a token. */
static bool
header_is_token(const char *name)
{
	size_t n = 0;

	while (octet_is(name[n], OCTET_TOKEN))
		n++;
	return n > 0 && name[n] == '\0';
}

/* Whether it can be a value. */
static bool
header_is_value(const char *value)
{
	for (; *value != '\0'; value++)
		if (!octet_is(*value, OCTET_TEXT) || *value == '\t')
			return false;
	return true;
}

/* Whether a name begins so. */
bool
header_begins(const char *name, const char *start)
{
	for (; *start != '\0'; name++, start++)
		if (tolower((unsigned char)(*name == '_' ? '-' : *name)) !=
		    tolower((unsigned char)*start))
			return false;
	return true;
}

/* Whether it is this one. */
bool
header_is(const char *name, const char *known)
{
	return header_begins(name, known) && name[strlen(known)] == '\0';
}

/* Whether users may not choose it. */
bool
header_is_reserved(const char *name)
{
	static const char *const names[] = {
	    "X-API-Key", "X-Request-Id", "Accept", "Accept-Encoding", /* the gateway's */
	    "Content-Type", "Content-Encoding", "Content-Length", "Content-Range",
	    "Host", "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade",
	    "HTTP2-Settings", "Expect",                               /* the connection's */
	    "Range",                                                  /* another call */
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (header_is(name, names[i]))
			return true;
	return header_begins(name, "Proxy-") || header_begins(name, "If-");
}

/* What speaks against a header. */
static enum header_fault
header_check(const char *name, const char *value)
{
	if (!header_is_token(name))
		return HEADER_BAD_NAME;
	if (header_is_reserved(name))
		return HEADER_RESERVED;
	return header_is_value(value) ? HEADER_GOOD : HEADER_BAD_VALUE;
}

/* Finds one. */
const struct header *
header_list_find(const struct header_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

/* Frees one. */
static void
header_free(struct header *h)
{
	free(h->name);
	mem_wipe_free(h->value);
}

/* The bytes that one takes of the list's. */
static size_t
header_size(const char *name, const char *value)
{
	return strlen(name) + strlen(value);
}

/* Puts one. */
enum header_fault
header_list_put(struct header_list *list, const char *name, const char *value)
{
	const struct header *old = header_list_find(list, name);
	size_t at = old != NULL ? (size_t)(old - list->items) : list->count;
	size_t bytes = list->bytes - (old != NULL ? header_size(old->name, old->value) : 0);
	enum header_fault fault = header_check(name, value);

	if (fault != HEADER_GOOD)
		return fault;
	if (at == HEADER_MAX || bytes + header_size(name, value) > HEADER_BYTES_MAX)
		return HEADER_TOO_MANY;
	if (old != NULL)
		header_free(&list->items[at]);
	else
		list->count++;
	list->items[at] = (struct header){mem_string(name), mem_string(value)};
	list->bytes = bytes + header_size(name, value);
	return HEADER_GOOD;
}

/* Copies all. */
void
header_list_copy(struct header_list *to, const struct header_list *from)
{
	for (size_t i = 0; i < from->count; i++)
		header_list_put(to, from->items[i].name, from->items[i].value);
}

/* Frees all. */
void
header_list_clear(struct header_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		header_free(&list->items[i]);
	list->count = list->bytes = 0;
}
