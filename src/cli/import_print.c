#include "config.h"

#include "cli/import_print.h"
#include "base/buf.h"
#include "bulk/bulk_text.h"
#include "json/json_text.h"

#include <inttypes.h>
#include <string.h>

#define IMPORT_PRINT_NAME_MAX 120 /* bytes of a name on a line */

/* The words for an outcome: what is, or what would be. */
static const char *
import_print_word(const struct import_print *p, enum bulk_outcome outcome)
{
	static const char *const words[][BULK_OUTCOMES] = {{"created", "renamed", "updated", "unchanged",
	    "done earlier", "skipped", "failed"}, {"would be created", "would be renamed",
	    "would be updated", "unchanged", "done earlier", "would be skipped", "would fail"}};

	return words[p->dry_run][outcome];
}

/* Adds the members that differ. */
static void
import_print_differ(struct buf *b, const struct bulk_differ *d)
{
	for (unsigned i = 0; i < d->count; i++) {
		buf_adds(b, i > 0 ? ", " : "");
		bulk_text_plain(b, d->names[i], IMPORT_PRINT_NAME_MAX);
	}
	if (d->more)
		buf_adds(b, " and others");
}

/* Writes the line of the report. */
static void
import_print_report(struct import_print *p, const struct bulk_told *t)
{
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "{\"line\":%" PRIu64 ",\"outcome\":\"%s\"%s", t->line, bulk_outcome_name(t->outcome),
	    p->dry_run ? ",\"dryRun\":true" : "");
	if (t->name != NULL) {
		buf_adds(&b, ",\"name\":");
		json_add_string(&b, t->name, t->name_len);
	}
	if (t->new_name != NULL) {
		buf_adds(&b, ",\"newName\":");
		json_add_string(&b, t->new_name, t->new_name_len);
	}
	if (t->id != NULL) {
		buf_adds(&b, ",\"id\":");
		json_add_string(&b, t->id, strlen(t->id));
	}
	for (unsigned i = 0; t->differ != NULL && i < t->differ->count; i++) {
		buf_adds(&b, i == 0 ? ",\"differs\":[" : ",");
		json_add_string(&b, t->differ->names[i], strlen(t->differ->names[i]));
		buf_adds(&b, i + 1 == t->differ->count ? "]" : "");
	}
	if (t->why != NULL) {
		buf_adds(&b, ",\"error\":");
		json_add_string(&b, t->why, strlen(t->why));
	}
	buf_adds(&b, "}\n");
	fwrite(b.data, 1, b.len, p->report);
	buf_free(&b);
}

/* Whether an outcome has a line on the screen. */
static bool
import_print_shows(const struct import_print *p, const struct bulk_told *t)
{
	switch (t->outcome) {
	case BULK_CREATED:
		return p->dry_run;
	case BULK_SAME:
	case BULK_EARLIER:
		return false;
	case BULK_RENAMED:
	case BULK_UPDATED:
	case BULK_SKIPPED:
	case BULK_FAILED:
		break;
	}
	return true;
}

/* Shows one. */
void
import_print_told(struct import_print *p, const struct bulk_told *t)
{
	bool failed = t->outcome == BULK_FAILED;
	struct buf b;

	if (p->report != NULL)
		import_print_report(p, t);
	if (!import_print_shows(p, t))
		return;
	buf_init(&b, 0);
	buf_addf(&b, "line %" PRIu64 ": ", t->line);
	if (t->name != NULL)
		bulk_text_quote(&b, t->name, t->name_len, IMPORT_PRINT_NAME_MAX);
	else
		buf_adds(&b, "a persona");
	if (t->name != NULL)
		buf_addf(&b, " %s%s", import_print_word(p, t->outcome), failed ? ":" : "");
	if (failed) {
		buf_addc(&b, ' ');
		bulk_text_plain(&b, t->why, sizeof(struct fail));
	}
	if (t->new_name != NULL) {
		buf_adds(&b, " to ");
		bulk_text_quote(&b, t->new_name, t->new_name_len, IMPORT_PRINT_NAME_MAX);
	}
	if (t->differ != NULL && t->outcome != BULK_RENAMED) {
		buf_adds(&b, "; differs in ");
		import_print_differ(&b, t->differ);
	}
	bulk_meter_print(p->meter, failed ? stderr : p->lines, b.data);
	buf_free(&b);
}

/* Shows what it came to. */
void
import_print_summary(const struct import_print *p, const struct bulk_import_state *s, int64_t ms)
{
	const char *separator = ": ";
	uint64_t written = s->told[BULK_CREATED] + s->told[BULK_RENAMED] + s->told[BULK_UPDATED];

	fprintf(p->lines, "%s%" PRIu64 " persona%s", p->dry_run ? "dry run, nothing was written: " : "", s->items,
	    s->items == 1 ? "" : "s");
	for (unsigned i = 0; i < BULK_OUTCOMES; i++) {
		if (s->told[i] == 0)
			continue;
		fprintf(p->lines, "%s%" PRIu64 " %s", separator, s->told[i], import_print_word(p, i));
		separator = ", ";
	}
	fprintf(p->lines, " in %" PRId64 ".%d s", ms / 1000, (int)(ms % 1000 / 100));
	if (written > 0 && ms > 0 && !p->dry_run)
		fprintf(p->lines, ", %" PRIu64 "/s", written * 1000 / (uint64_t)ms);
	fprintf(p->lines, "\n");
}
