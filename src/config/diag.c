#include "config.h"

#include "config/diag.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIAG_SHOWN 60    /* bytes of the file that a sentence repeats */
#define DIAG_WORD_MAX 64 /* longer words are never taken for a slip */

/* Appends one entry. */
static void __attribute__((format(printf, 6, 0)))
diag_append(struct diag_list *list, bool warning, const char *file, int line, int column,
    const char *fmt, va_list ap)
{
	struct diag *d;
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		text = mem_string(fmt);
	/* One entry is one line, also on a terminal. */
	for (char *c = text; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	if ((list->count & (list->count - 1)) == 0)
		list->items = mem_resize(list->items,
		    (list->count == 0 ? 1 : list->count * 2) * sizeof *list->items);
	d = &list->items[list->count++];
	d->file = mem_string(file);
	d->line = line;
	d->column = column;
	d->text = text;
	d->warning = warning;
	if (!warning)
		list->errors++;
}

/* Notes a mistake. */
void
diag_add(struct diag_list *list, const char *file, int line, int column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_append(list, false, file, line, column, fmt, ap);
	va_end(ap);
}

/* Notes something that works but deserves a look. */
void
diag_warn(struct diag_list *list, const char *file, int line, int column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_append(list, true, file, line, column, fmt, ap);
	va_end(ap);
}

/* Measures what to show of a text. */
int
diag_clip(const char *text)
{
	size_t n = strlen(text);

	if (n > DIAG_SHOWN)
		for (n = DIAG_SHOWN; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
			n--;
	return (int)n;
}

/* Measures what to show of a name. */
int
diag_clip_name(const char *text)
{
	int clip = diag_clip(text), name = (int)strcspn(text, ":=");

	return name < clip ? name : clip;
}

/* An entry and the place it had, since qsort() does not keep equal ones in order. */
struct diag_ranked {
	struct diag diag;
	size_t rank;
};

/* Compares by file, line, column, then age. */
static int
diag_compare(const void *left, const void *right)
{
	const struct diag_ranked *a = left, *b = right;
	int order = strcmp(a->diag.file, b->diag.file);

	if (order != 0)
		return order;
	if (a->diag.line != b->diag.line)
		return a->diag.line < b->diag.line ? -1 : 1;
	if (a->diag.column != b->diag.column)
		return a->diag.column < b->diag.column ? -1 : 1;
	return a->rank < b->rank ? -1 : 1;
}

/* Sorts a list by place. */
void
diag_sort(struct diag_list *list)
{
	struct diag_ranked *ranked;

	if (list->count < 2)
		return;
	ranked = mem_alloc(list->count * sizeof *ranked);
	for (size_t i = 0; i < list->count; i++)
		ranked[i] = (struct diag_ranked){list->items[i], i};
	qsort(ranked, list->count, sizeof *ranked, diag_compare);
	for (size_t i = 0; i < list->count; i++)
		list->items[i] = ranked[i].diag;
	free(ranked);
}

/* Writes one entry as a line without its end. */
char *
diag_format(const struct diag *d)
{
	const char *mark = d->warning ? "warning: " : "";

	if (d->line <= 0)
		return mem_format("%s: %s%s", d->file, mark, d->text);
	return mem_format("%s:%d:%d: %s%s", d->file, d->line, d->column, mark, d->text);
}

/* Writes the entries. */
void
diag_print(struct diag_list *list, FILE *to)
{
	diag_sort(list);
	for (size_t i = 0; i < list->count; i++) {
		char *line = diag_format(&list->items[i]);

		fprintf(to, "%s\n", line);
		free(line);
	}
}

/* Empties a list. */
void
diag_free(struct diag_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].file);
		free(list->items[i].text);
	}
	free(list->items);
	memset(list, 0, sizeof *list);
}

/* Two letters that a slip of the shift key, or the other way to join words, exchanges. */
static bool
diag_alike(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b) ||
	    ((a == '-' || a == '_') && (b == '-' || b == '_'));
}

/* The number of letters to insert, drop, replace, or swap with a neighbour. */
static size_t
diag_distance(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t rows[3][DIAG_WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2], *spare;

	for (size_t j = 0; j <= blen; j++)
		last[j] = j;
	for (size_t i = 1; i <= alen; i++) {
		now[0] = i;
		for (size_t j = 1; j <= blen; j++) {
			size_t best = last[j - 1] + (diag_alike(a[i - 1], b[j - 1]) ? 0 : 1);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && diag_alike(a[i - 1], b[j - 2]) &&
			    diag_alike(a[i - 2], b[j - 1]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[blen];
}

/* Finds the likely meaning of a mistyped word: at most one slip in three letters. */
const char *
diag_nearest(const char *word, const char *const *candidates, size_t count)
{
	size_t len = strlen(word), best = 0;
	const char *nearest = NULL;

	if (len == 0 || len > DIAG_WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]);
		size_t longer = other > len ? other : len;
		size_t distance;

		if (other > DIAG_WORD_MAX)
			continue;
		distance = diag_distance(word, len, candidates[i], other);
		if (distance > (longer + 1) / 3 || distance >= longer)
			continue;
		if (nearest == NULL || distance < best) {
			nearest = candidates[i];
			best = distance;
		}
	}
	return nearest;
}
