#include "config.h"

#include "api/pass_fields.h"
#include "api/client_claim.h"
#include "api/pass_hops.h"
#include "base/buf.h"
#include "base/header.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PASS_FIELDS_VIA_MAX ((size_t)1 << 20)  /* bytes; a head is never so long */
#define PASS_FIELDS_FORWARDS_DIGITS 6          /* of Max-Forwards; more says as much as none */

/* Adds a field. */
void
pass_fields_add(struct pass_fields *l, const char *name, const char *value)
{
	if (l->count + 1 >= l->room) {
		l->room = l->room > 0 ? 2 * l->room : 32;
		l->list = mem_resize(l->list, l->room * sizeof *l->list);
	}
	l->list[l->count++] = (struct wire_field){name, value};
	l->list[l->count] = (struct wire_field){NULL, NULL};
}

/* Adds a field whose value was made for it. */
static void
pass_fields_make(struct pass_fields *l, const char *name, char *value)
{
	l->made[l->made_count++] = value;
	pass_fields_add(l, name, value);
}

/* Frees a list. */
void
pass_fields_free(struct pass_fields *l)
{
	for (size_t i = 0; i < l->made_count; i++)
		free(l->made[i]);
	free(l->list);
	memset(l, 0, sizeof *l);
}

/* Whether a name is one of a list that ends with NULL. */
static bool
pass_fields_in(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (header_is(name, *names))
			return true;
	return false;
}

/* Whether a field of a request stays behind. */
static bool
pass_fields_stays(const char *name, enum pass_way way)
{
	static const char *const always[] = {"host", "via", "x-request-id", "forwarded", NULL};
	static const char *const secret[] = {"x-api-key", "authorization", "cookie", NULL};

	if (pass_fields_in(name, always) || header_begins(name, "x-forwarded-"))
		return true;
	return way == PASS_TO_BLUEJAY &&
	    (pass_fields_in(name, secret) || header_begins(name, "proxy-"));
}

/* Adds Via: what stood there and ourselves. */
static void
pass_fields_add_via(struct pass_fields *l, const struct wire_field *all, int minor,
    const char *name)
{
	struct buf b;

	buf_init(&b, PASS_FIELDS_VIA_MAX);
	for (; all->name != NULL; all++)
		if (strcasecmp(all->name, "via") == 0 && all->value[0] != '\0')
			buf_addf(&b, "%s, ", all->value);
	buf_addf(&b, "1.%d %s", minor, name);
	pass_fields_make(l, "Via", buf_take(&b, NULL));
}

/* Whom the request has come from and by: the list of a trusted proxy, and who has our
 * connection; the caller frees. The peer of a local socket has no address. */
static char *
pass_fields_chain(const struct http_request *q)
{
	const char *near = strcmp(q->near, "unix") == 0 ? "unknown" : q->near;

	return q->chain != NULL ? mem_format("%s, %s", q->chain, near) : mem_string(near);
}

/* Adds for whom the request is passed on. The first of the list is the client, for whom
 * alone host and scheme hold. */
static void
pass_fields_add_forwarded(struct pass_fields *l, const struct http_request *q)
{
	char *chain = pass_fields_chain(q);
	size_t len;
	struct buf b;

	buf_init(&b, PASS_FIELDS_VIA_MAX);
	for (const char *p = chain; *p != '\0'; p += len) {
		bool first = p == chain;

		p += first ? 0 : 2;
		len = strcspn(p, ",");
		buf_addf(&b, memchr(p, ':', len) != NULL ? "%sfor=\"[%.*s]\"" : "%sfor=%.*s",
		    first ? "" : ", ", (int)len, p);
		if (first && q->asked_host[0] != '\0')
			buf_addf(&b, ";host=\"%s\"", q->asked_host);
		if (first)
			buf_addf(&b, ";proto=%s", q->scheme);
	}
	pass_fields_make(l, "Forwarded", buf_take(&b, NULL));
	if (strcmp(chain, "unknown") != 0)
		pass_fields_make(l, "X-Forwarded-For", mem_string(chain));
	if (q->asked_host[0] != '\0')
		pass_fields_add(l, "X-Forwarded-Host", q->asked_host);
	pass_fields_add(l, "X-Forwarded-Proto", q->scheme);
	free(chain);
}

/* The request's fields in the form that both messages have here. */
static struct wire_field *
pass_fields_copy(const struct http_request *q)
{
	struct wire_field *all = mem_zero(q->field_count + 1, sizeof *all);

	for (size_t i = 0; i < q->field_count; i++)
		all[i] = (struct wire_field){q->fields[i].name, q->fields[i].value};
	return all;
}

/* Whether a field of the caller's is the configuration's to say. */
static bool
pass_fields_replaced(const struct pass_along *along, const char *name)
{
	for (size_t i = 0; along != NULL && i < along->headers->count; i++)
		if (header_is(name, along->headers->items[i].name))
			return true;
	return false;
}

/* Makes the fields of a request. */
void
pass_fields_request(struct pass_fields *l, const struct http_request *q, enum pass_way way,
    bool known, const char *name, const struct pass_along *along)
{
	struct wire_field *all = pass_fields_copy(q);
	long forwards = pass_fields_forwards(q);
	struct pass_hops hops;

	memset(l, 0, sizeof *l);
	pass_hops_read(&hops, all);
	if (way == PASS_TO_LOCAL && q->host[0] != '\0')
		pass_fields_add(l, "Host", q->host);
	for (const struct wire_field *f = all; f->name != NULL; f++) {
		if (pass_hops_has(&hops, f->name) || pass_fields_stays(f->name, way) ||
		    (known && client_claim_is(f->name, f->value)) || pass_fields_replaced(along, f->name) ||
		    (forwards >= 0 && strcasecmp(f->name, "max-forwards") == 0))
			continue;
		pass_fields_add(l, f->name, f->value);
	}
	if (!q->has_body && http_request_field(q, "content-length") != NULL)
		pass_fields_add(l, "Content-Length", "0");
	pass_fields_add(l, "X-Request-Id", q->id);
	pass_fields_add_via(l, all, q->minor, name);
	if (forwards > 0)
		pass_fields_make(l, "Max-Forwards", mem_format("%ld", forwards - 1));
	if (way == PASS_TO_LOCAL)
		pass_fields_add_forwarded(l, q);
	for (size_t i = 0; along != NULL && i < along->headers->count; i++)
		pass_fields_add(l, along->headers->items[i].name, along->headers->items[i].value);
	if (along != NULL)
		pass_fields_add(l, "X-API-Key", along->key);
	pass_hops_free(&hops);
	free(all);
}

/* Makes the fields of an answer. */
void
pass_fields_answer(struct pass_fields *l, const struct wire_field *all, enum pass_way way,
    const char *name)
{
	struct pass_hops hops;

	memset(l, 0, sizeof *l);
	pass_hops_read(&hops, all);
	for (const struct wire_field *f = all; f->name != NULL; f++) {
		if (pass_hops_has(&hops, f->name) || strcasecmp(f->name, "via") == 0 ||
		    (way == PASS_TO_BLUEJAY && strcasecmp(f->name, "set-cookie") == 0))
			continue;
		pass_fields_add(l, f->name, f->value);
	}
	pass_hops_free(&hops);
	pass_fields_add_via(l, all, 1, name);
}

/* Whether our name stands in Via. */
bool
pass_fields_loop(const struct http_request *q, const char *name)
{
	for (size_t i = 0; i < q->field_count; i++)
		if (strcmp(q->fields[i].name, "via") == 0 && strstr(q->fields[i].value, name) != NULL)
			return true;
	return false;
}

/* Reads Max-Forwards where it counts. */
long
pass_fields_forwards(const struct http_request *q)
{
	const char *value = http_request_field(q, "max-forwards");
	size_t len;

	if (value == NULL || (strcmp(q->method, "TRACE") != 0 && strcmp(q->method, "OPTIONS") != 0))
		return -1;
	len = strspn(value, "0123456789");
	if (len == 0 || len > PASS_FIELDS_FORWARDS_DIGITS || value[len] != '\0')
		return -1;
	return strtol(value, NULL, 10);
}
