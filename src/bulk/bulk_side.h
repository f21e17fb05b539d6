#ifndef BULK_SIDE_H
#define BULK_SIDE_H

#include "base/fail.h"
#include "base/loop.h"
#include "bulk/bulk_reader.h"
#include "bulk/bulk_stop.h"

#include <stdbool.h>
#include <stdint.h>

/* Where personas come from: a file, standard input, or a project at a server. */
struct bulk_side {
	const char *word;    /* a path, "-", or a URL (bulk_site.h) */
	const char *project; /* for a URL that has none */
	const char *token, *ca_file; /* for a URL; NULL: none */
	int64_t patience_ms;
	enum bulk_form form; /* of a file; of what a server answers it is known */
	bool again;          /* it will be read more than once: a pipe is kept in a file first */
	/* what came of it: */
	int fd;
	char *name;          /* for people and for journals; the caller frees */
};

/* Opens it, which fetches the listing of a server. -1 with a sentence. */
int bulk_side_open(struct loop *, struct bulk_side *, const struct bulk_stop *, struct fail *);
void bulk_side_close(struct bulk_side *);

#endif
