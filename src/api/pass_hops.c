#include "config.h"

#include "api/pass_hops.h"
#include "base/header.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A name within the value of a Connection field. */
struct pass_hop {
	const char *at;
	size_t len;
};

/* Orders names: by their length, then as text in any case. */
static int
pass_hops_compare(const void *one, const void *other)
{
	const struct pass_hop *a = one, *b = other;

	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return strncasecmp(a->at, b->at, a->len);
}

/* Adds the names of a list. */
static void
pass_hops_add(struct pass_hops *h, const char *list)
{
	size_t len;

	for (const char *p = list + strspn(list, ", \t"); *p != '\0'; p += strspn(p, ", \t")) {
		len = strcspn(p, ", \t");
		if (h->count == h->room) {
			h->room = h->room > 0 ? 2 * h->room : 16;
			h->listed = mem_resize(h->listed, h->room * sizeof *h->listed);
		}
		h->listed[h->count++] = (struct pass_hop){p, len};
		p += len;
	}
}

/* Reads the lists. */
void
pass_hops_read(struct pass_hops *h, const struct wire_field *f)
{
	memset(h, 0, sizeof *h);
	for (; f->name != NULL; f++)
		if (strcasecmp(f->name, "connection") == 0)
			pass_hops_add(h, f->value);
	if (h->count > 0)
		qsort(h->listed, h->count, sizeof *h->listed, pass_hops_compare);
}

/* Forgets them. */
void
pass_hops_free(struct pass_hops *h)
{
	free(h->listed);
	memset(h, 0, sizeof *h);
}

/* Looks a name up. */
bool
pass_hops_has(const struct pass_hops *h, const char *name)
{
	static const char *const own[] = {"connection", "keep-alive", "proxy-connection", "te",
	    "trailer", "transfer-encoding", "upgrade", "content-length", "expect", NULL};
	const struct pass_hop wanted = {name, strlen(name)};

	for (size_t i = 0; own[i] != NULL; i++)
		if (header_is(name, own[i]))
			return true;
	return h->count > 0 &&
	    bsearch(&wanted, h->listed, h->count, sizeof *h->listed, pass_hops_compare) != NULL;
}
