#ifndef BULK_SITE_IMPL_H
#define BULK_SITE_IMPL_H

#include "bulk/bulk_site.h"
#include "upstream/relay.h"

/* What bulk_site.c and bulk_fetch.c share. */
struct bulk_site {
	struct loop *loop;
	struct upstream *calls;
	struct relay *listings;
	char *path;   /* of the collection, with the URL's base */
	char *name;
	char *bearer; /* "Bearer …", NULL: none; secret */
	char *token;  /* the same without its scheme */
	int64_t patience_ms;
};

#endif
