#include "config.h"

#include "http/http_forwarded.h"
#include "base/octet.h"
#include "http/http_host.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A piece of a field's value. */
struct http_forwarded_text {
	const char *at; /* NULL: it is not there */
	size_t len;
	bool quoted; /* it stood in quotes, and may hold backslashes before bytes */
};

/* What one proxy says. */
struct http_forwarded_entry {
	struct http_forwarded_text node, proto, host;
};

/* The last entries of a list; the k-th from the right is at (count - 1 - k). */
struct http_forwarded_list {
	struct http_forwarded_entry last[HTTP_FORWARDED_HOPS];
	size_t count; /* all that there were */
};

enum http_forwarded_node { HTTP_FORWARDED_BAD, HTTP_FORWARDED_NAME, HTTP_FORWARDED_ADDRESS };

/* ---- lists ---- */

/* Adds an entry at the right. */
static void
http_forwarded_push(struct http_forwarded_list *l, const struct http_forwarded_entry *e)
{
	l->last[l->count++ % HTTP_FORWARDED_HOPS] = *e;
}

/* The k-th entry from the right, NULL beyond the first. */
static const struct http_forwarded_entry *
http_forwarded_at(const struct http_forwarded_list *l, size_t k)
{
	return k < l->count && k < HTTP_FORWARDED_HOPS
	    ? &l->last[(l->count - 1 - k) % HTTP_FORWARDED_HOPS] : NULL;
}

/* Skips spaces. */
static const char *
http_forwarded_space(const char *p)
{
	while (octet_is(*p, OCTET_SPACE))
		p++;
	return p;
}

/* Adds the items of a plain list. */
static void
http_forwarded_items(struct http_forwarded_list *l, const char *p)
{
	for (;;) {
		struct http_forwarded_entry e = {0};
		size_t len;

		p = http_forwarded_space(p);
		len = strcspn(p, ",");
		e.node = (struct http_forwarded_text){p, len, false};
		while (e.node.len > 0 && octet_is(p[e.node.len - 1], OCTET_SPACE))
			e.node.len--;
		if (e.node.len > 0)
			http_forwarded_push(l, &e);
		if (p[len] == '\0')
			return;
		p += len + 1;
	}
}

/* Takes a token or a quoted string (RFC 9110, 5.6.2 and 5.6.4); NULL when it is neither. */
static const char *
http_forwarded_value(const char *p, struct http_forwarded_text *t)
{
	t->quoted = *p == '"';
	t->at = t->quoted ? p + 1 : p;
	if (!t->quoted) {
		while (octet_is(*p, OCTET_TOKEN))
			p++;
		t->len = (size_t)(p - t->at);
		return t->len > 0 ? p : NULL;
	}
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0')
			return NULL;
	}
	t->len = (size_t)(p - t->at);
	return p + 1;
}

/* Where a pair's value belongs; NULL for what is not used here. */
static struct http_forwarded_text *
http_forwarded_slot(struct http_forwarded_entry *e, const char *name, size_t len)
{
	if (len == 3 && strncasecmp(name, "for", 3) == 0)
		return &e->node;
	if (len == 5 && strncasecmp(name, "proto", 5) == 0)
		return &e->proto;
	if (len == 4 && strncasecmp(name, "host", 4) == 0)
		return &e->host;
	return NULL;
}

/* Takes one "name=value"; NULL when it is none, or there twice (RFC 7239, 4). */
static const char *
http_forwarded_pair(const char *p, struct http_forwarded_entry *e)
{
	struct http_forwarded_text value, *slot;
	const char *name = p;

	while (octet_is(*p, OCTET_TOKEN))
		p++;
	if (p == name || *p != '=')
		return NULL;
	slot = http_forwarded_slot(e, name, (size_t)(p - name));
	if (slot != NULL && slot->at != NULL)
		return NULL;
	p = http_forwarded_value(p + 1, slot != NULL ? slot : &value);
	return p != NULL ? http_forwarded_space(p) : NULL;
}

/* Takes the elements of a Forwarded field. */
static bool
http_forwarded_elements(struct http_forwarded_list *l, const char *p)
{
	struct http_forwarded_entry e = {0};
	bool any = false;

	for (;;) {
		p = http_forwarded_space(p);
		if (*p != ';' && *p != ',' && *p != '\0') {
			if ((p = http_forwarded_pair(p, &e)) == NULL)
				return false;
			any = true;
		}
		if ((*p == ',' || *p == '\0') && any) {
			http_forwarded_push(l, &e);
			memset(&e, 0, sizeof e);
			any = false;
		}
		if (*p == '\0')
			return true;
		if (*p != ';' && *p != ',')
			return false;
		p++;
	}
}

/* Takes all fields of a name, which make one list. */
static bool
http_forwarded_take(const struct http_request *q, const char *name, struct http_forwarded_list *l)
{
	bool plain = strcmp(name, "forwarded") != 0;

	l->count = 0;
	for (size_t i = 0; i < q->field_count; i++) {
		if (strcmp(q->fields[i].name, name) != 0)
			continue;
		if (plain)
			http_forwarded_items(l, q->fields[i].value);
		else if (!http_forwarded_elements(l, q->fields[i].value))
			return false;
	}
	return true;
}

/* ---- values ---- */

/* Copies a text, backslashes taken out; false when it is too long. */
static bool
http_forwarded_copy(const struct http_forwarded_text *t, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < t->len; i++) {
		if (t->quoted && t->at[i] == '\\')
			i++;
		if (n + 1 == size)
			return false;
		out[n++] = t->at[i];
	}
	out[n] = '\0';
	return true;
}

/* Whether it is a name in place of an address or port (RFC 7239, 6.3). */
static bool
http_forwarded_is_name(const char *s)
{
	return s[0] == '_' && s[1] != '\0' && s[1 + strspn(s + 1, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

/* Whether it is a port, or a name in place of one. */
static bool
http_forwarded_is_port(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return (digits > 0 && digits <= 5 && s[digits] == '\0') || http_forwarded_is_name(s);
}

/* Reads who is named (RFC 7239, 6); `plain`: in X-Forwarded-For, where IPv6 may also stand
 * without brackets. The address in its usual form, or the name, is written. */
static enum http_forwarded_node
http_forwarded_node(const struct http_forwarded_text *t, bool plain,
    char out[HTTP_FORWARDED_NAME_MAX + 1])
{
	char text[HTTP_FORWARDED_NAME_MAX + 1], *port;
	size_t len;

	if (t->at == NULL) {
		strcpy(out, "unknown");
		return HTTP_FORWARDED_NAME;
	}
	if (!http_forwarded_copy(t, text, sizeof text))
		return HTTP_FORWARDED_BAD;
	if (plain && strchr(text, ':') != strrchr(text, ':') && text[0] != '[')
		return network_normal(text, strlen(text), out) ? HTTP_FORWARDED_ADDRESS
		                                                : HTTP_FORWARDED_BAD;
	len = text[0] == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":");
	if (len > strlen(text))
		return HTTP_FORWARDED_BAD;
	port = text + len;
	if (*port == ':' ? !http_forwarded_is_port(port + 1) : *port != '\0')
		return HTTP_FORWARDED_BAD;
	*port = '\0';
	if (strcasecmp(text, "unknown") == 0 || http_forwarded_is_name(text)) {
		strcpy(out, text[0] == '_' ? text : "unknown");
		return HTTP_FORWARDED_NAME;
	}
	if (text[0] == '[')
		return strchr(text, ':') != NULL && network_normal(text + 1, len - 2, out)
		    ? HTTP_FORWARDED_ADDRESS : HTTP_FORWARDED_BAD;
	return network_normal(text, len, out) ? HTTP_FORWARDED_ADDRESS : HTTP_FORWARDED_BAD;
}

/* Takes a scheme; others than these say nothing. */
static void
http_forwarded_scheme(const struct http_forwarded_text *t, struct http_forwarded *f)
{
	char text[8];

	if (t->at == NULL || !http_forwarded_copy(t, text, sizeof text))
		return;
	if (strcasecmp(text, "https") == 0 || strcasecmp(text, "wss") == 0)
		f->scheme = "https";
	else if (strcasecmp(text, "http") == 0 || strcasecmp(text, "ws") == 0)
		f->scheme = "http";
}

/* Takes a host; false when it is none. */
static bool
http_forwarded_host(const struct http_forwarded_text *t, struct http_forwarded *f)
{
	if (t->at == NULL)
		return true;
	return http_forwarded_copy(t, f->host, sizeof f->host) &&
	    http_host_valid(f->host, strlen(f->host));
}

/* ---- both kinds ---- */

/* Puts one more in front of the chain. */
static bool
http_forwarded_chain(struct http_forwarded *f, const char *name)
{
	size_t have = strlen(f->chain), more = strlen(name) + (have > 0 ? 2 : 0);

	if (have + more >= sizeof f->chain)
		return false;
	memmove(f->chain + more, f->chain, have + 1);
	memcpy(f->chain, name, strlen(name));
	if (have > 0)
		memcpy(f->chain + more - 2, ", ", 2);
	return true;
}

/* Walks from the right to the client. How many entries that were, or -1. */
static int
http_forwarded_walk(const struct http_forwarded_list *l, bool plain, const struct network *trusted,
    size_t count, struct http_forwarded *f)
{
	char name[HTTP_FORWARDED_NAME_MAX + 1];
	const struct http_forwarded_entry *e;
	size_t k = 0;

	while ((e = http_forwarded_at(l, k)) != NULL) {
		enum http_forwarded_node node = http_forwarded_node(&e->node, plain, name);

		if (node == HTTP_FORWARDED_BAD || !http_forwarded_chain(f, name))
			return -1;
		k++;
		if (node == HTTP_FORWARDED_NAME)
			return (int)k;
		strcpy(f->peer, name);
		if (!network_holds(trusted, count, f->peer))
			return (int)k;
	}
	return k < l->count ? -1 : (int)k;
}

/* Reads Forwarded. */
static bool
http_forwarded_new(const struct http_request *q, const struct network *trusted, size_t count,
    struct http_forwarded *f)
{
	const struct http_forwarded_entry *e;
	struct http_forwarded_list l;
	int hops;

	if (!http_forwarded_take(q, "forwarded", &l) ||
	    (hops = http_forwarded_walk(&l, false, trusted, count, f)) < 0)
		return false;
	if (hops == 0)
		return true;
	e = http_forwarded_at(&l, (size_t)hops - 1);
	http_forwarded_scheme(&e->proto, f);
	return http_forwarded_host(&e->host, f);
}

/* The item of a list that belongs to so many hops: the first one where there are fewer. */
static const struct http_forwarded_text *
http_forwarded_item(const struct http_request *q, const char *name, size_t hops,
    struct http_forwarded_list *l)
{
	static const struct http_forwarded_text none;
	size_t k = hops > 0 ? hops - 1 : 0;

	http_forwarded_take(q, name, l);
	if (l->count == 0)
		return &none;
	return &http_forwarded_at(l, k < l->count ? k : l->count - 1)->node;
}

/* Reads the fields whose names begin with X-. */
static bool
http_forwarded_old(const struct http_request *q, const struct network *trusted, size_t count,
    struct http_forwarded *f)
{
	struct http_forwarded_list l;
	int hops;

	http_forwarded_take(q, "x-forwarded-for", &l);
	hops = http_forwarded_walk(&l, true, trusted, count, f);
	if (hops < 0)
		return false;
	http_forwarded_scheme(http_forwarded_item(q, "x-forwarded-proto", (size_t)hops, &l), f);
	return http_forwarded_host(http_forwarded_item(q, "x-forwarded-host", (size_t)hops, &l), f);
}

/* Leaves of two what both say; false when they contradict each other. */
static bool
http_forwarded_merge(struct http_forwarded *f, const struct http_forwarded *other)
{
	if ((f->chain[0] == '\0') != (other->chain[0] == '\0') || strcmp(f->peer, other->peer) != 0)
		return false;
	if (f->scheme == NULL || other->scheme == NULL)
		f->scheme = NULL;
	else if (strcmp(f->scheme, other->scheme) != 0)
		return false;
	if (f->host[0] == '\0' || other->host[0] == '\0')
		f->host[0] = '\0';
	else if (strcasecmp(f->host, other->host) != 0)
		return false;
	return true;
}

/* Which kinds of fields a request has: 1 for Forwarded, 2 for the others. */
static int
http_forwarded_kinds(const struct http_request *q)
{
	int kinds = 0;

	for (size_t i = 0; i < q->field_count; i++) {
		const char *name = q->fields[i].name;

		if (strcmp(name, "forwarded") == 0)
			kinds |= 1;
		else if (name[0] == 'x' && (strcmp(name, "x-forwarded-for") == 0 ||
		    strcmp(name, "x-forwarded-proto") == 0 || strcmp(name, "x-forwarded-host") == 0))
			kinds |= 2;
	}
	return kinds;
}

/* Prepares what says nothing. */
static void
http_forwarded_clear(struct http_forwarded *f, const char *near)
{
	snprintf(f->peer, sizeof f->peer, "%s", near);
	f->chain[0] = f->host[0] = '\0';
	f->scheme = NULL;
}

/* Reads the fields. */
int
http_forwarded_read(const struct http_request *q, const char *near,
    const struct network *trusted, size_t count, struct http_forwarded *f, const char **why)
{
	int kinds = http_forwarded_kinds(q);
	struct http_forwarded other;

	http_forwarded_clear(f, near);
	if (kinds == 0)
		return 0;
	*why = "The Forwarded header is not well-formed";
	if ((kinds & 1) != 0 && !http_forwarded_new(q, trusted, count, f))
		return -1;
	if ((kinds & 2) == 0)
		return 1;
	*why = "The X-Forwarded headers are not well-formed";
	http_forwarded_clear(&other, near);
	if (!http_forwarded_old(q, trusted, count, kinds == 2 ? f : &other))
		return -1;
	*why = "Forwarded and the X-Forwarded headers contradict each other";
	return kinds == 2 || http_forwarded_merge(f, &other) ? 1 : -1;
}
