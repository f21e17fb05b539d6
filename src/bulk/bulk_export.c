#include "config.h"

#include "bulk/bulk_export.h"
#include "bulk/bulk_item.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

/* Writes one persona; `before` is what stands in front of it. */
static int
bulk_export_item(const struct bulk_piece *piece, const char *before, const char *after,
    const struct bulk_side *side, struct bulk_out *out, struct fail *f)
{
	struct bulk_item item;
	struct fail why;
	char *text;
	size_t len;
	int rc;

	if (!bulk_item_read(&item, piece->text, piece->len, &why))
		return fail_set(f, "%s, line %llu: a persona %s", side->name, (unsigned long long)piece->line,
		    why.text);
	text = json_print(item.all, &len);
	rc = bulk_out_write(out, before, strlen(before), f);
	if (rc == 0)
		rc = bulk_out_write(out, text, len, f);
	if (rc == 0)
		rc = bulk_out_write(out, after, strlen(after), f);
	free(text);
	bulk_item_clear(&item);
	return rc;
}

/* Writes all. */
int
bulk_export(const struct bulk_side *side, bool lines, struct bulk_out *out, uint64_t *count,
    struct fail *f)
{
	struct bulk_reader *r = bulk_reader_new(side->fd, side->form, BULK_ITEM_MAX);
	struct bulk_piece piece;
	enum bulk_read got;
	int rc = 0;

	*count = 0;
	while (rc == 0 && (got = bulk_reader_next(r, &piece)) != BULK_READ_END) {
		if (got == BULK_READ_PIECE)
			rc = bulk_export_item(&piece, lines ? "" : *count == 0 ? "[\n" : ",\n", lines ? "\n" : "",
			    side, out, f);
		else if (got == BULK_READ_LONG)
			rc = fail_set(f, "%s, line %llu: a persona is longer than %zu MiB", side->name,
			    (unsigned long long)piece.line, BULK_ITEM_MAX >> 20);
		else
			rc = fail_set(f, "%s cannot be read: %s", side->name,
			    piece.why != NULL ? piece.why : "interrupted");
		*count += rc == 0;
	}
	bulk_reader_free(r);
	if (rc == 0 && !lines)
		rc = *count == 0 ? bulk_out_write(out, "[]\n", 3, f) : bulk_out_write(out, "\n]\n", 3, f);
	return rc;
}
