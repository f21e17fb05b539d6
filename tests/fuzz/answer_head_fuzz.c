#include "config.h"

#include "fuzz.h"
#include "upstream/answer_reader.h"

#include <stdlib.h>
#include <string.h>

/*
 * Feeds the bytes of an answer to the reader of its head, once whole and once cut in
 * two, with and without a change of the protocol. Both must tell the same, and what is
 * told must be well-formed.
 */

/* What came of an input. */
struct told {
	enum answer_read read;
	size_t used;
	struct answer_reader reader;
};

/* Reads an input whose first bytes come alone. */
static void
play(struct told *t, const char *bytes, size_t size, size_t first, bool upgrade)
{
	size_t more = 0;

	answer_reader_init(&t->reader);
	t->reader.upgrade = upgrade;
	t->used = 0;
	t->read = answer_reader_feed(&t->reader, bytes, first, &t->used);
	if (t->read == ANSWER_READ_MORE) {
		t->read = answer_reader_feed(&t->reader, bytes + first, size - first, &more);
		t->used += more;
	}
}

/* Whether a told head keeps what the reader promises. */
static void
check(const struct told *t)
{
	const struct answer_head *h = &t->reader.head;
	struct wire_field *list = answer_reader_fields(&t->reader);

	if (t->read != ANSWER_READ_HEAD) {
		free(list);
		return;
	}
	if (h->ambiguous || !(h->status == 101 || (h->status >= 200 && h->status <= 599)))
		abort();
	for (struct wire_field *f = list; f->name != NULL; f++)
		if (f->name[0] == '\0' || strpbrk(f->name, " :\r\n") != NULL ||
		    strpbrk(f->value, "\r\n") != NULL)
			abort();
	free(list);
}

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cut = size > 0 ? (data[size - 1] * size) / 256 : 0;

	for (int upgrade = 0; upgrade < 2; upgrade++) {
		struct told whole, halves;

		play(&whole, (const char *)data, size, size, upgrade == 1);
		play(&halves, (const char *)data, size, cut, upgrade == 1);
		if (whole.read != halves.read ||
		    (whole.read == ANSWER_READ_HEAD && whole.used != halves.used) ||
		    whole.reader.head.status != halves.reader.head.status ||
		    whole.reader.field_count != halves.reader.field_count)
			abort();
		check(&whole);
		answer_reader_free(&whole.reader);
		answer_reader_free(&halves.reader);
	}
	return 0;
}
