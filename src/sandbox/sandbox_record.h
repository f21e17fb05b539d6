#ifndef SANDBOX_RECORD_H
#define SANDBOX_RECORD_H

#include "base/buf.h"
#include "base/fail.h"
#include "sandbox/sandbox_item.h"

/*
 * The lines of the journal, one JSON object each:
 *   {"org_id":…,"last_us":…,"deleted":…}   the first line
 *   {"persona":{…}} {"community":{…}}      an item as it is from here on
 *   {"delete":"<id>"}                      an item that goes
 *   {"reset":true}                         everything goes
 */
enum sandbox_record_kind {
	SANDBOX_RECORD_HEAD,
	SANDBOX_RECORD_ITEM,
	SANDBOX_RECORD_DELETE,
	SANDBOX_RECORD_RESET
};

struct sandbox_record {
	enum sandbox_record_kind kind;
	char id[UUID_SIZE]; /* HEAD: the organisation; DELETE: the item */
	int64_t last_us;    /* HEAD */
	int64_t deleted;    /* HEAD */
	struct sandbox_item *item; /* ITEM: the caller's */
};

/* Each appends one line with its end. */
void sandbox_record_head(struct buf *, const char *org, int64_t last_us, uint64_t deleted);
void sandbox_record_item(struct buf *, const struct sandbox_item *);
void sandbox_record_delete(struct buf *, const char *id);
void sandbox_record_reset(struct buf *);

/* Reads one line; -1 when it is none of these. */
int sandbox_record_read(const char *line, size_t len, struct sandbox_record *);

#endif
