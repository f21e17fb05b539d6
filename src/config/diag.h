#ifndef CONFIG_DIAG_H
#define CONFIG_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Every mistake found in a file, with its place. Lines and columns count from 1.
 * A list starts as zeroed memory. */
struct diag {
	char *file;
	int line; /* 0: the file as a whole */
	int column;
	char *text; /* what is wrong, and what would be right; control characters became '?' */
	bool warning;
};

struct diag_list {
	struct diag *items;
	size_t count;
	size_t errors; /* items that are not warnings */
};

void diag_add(struct diag_list *, const char *file, int line, int column, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void diag_warn(struct diag_list *, const char *file, int line, int column, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* How many bytes of a text a sentence should repeat: at most 60, whole
 * characters. For "%.*s". */
int diag_clip(const char *text);

/* The same for a key or another name, up to what a value may begin with: without a space
 * after its colon, a key and its value, which may be secret, are one text. */
int diag_clip_name(const char *text);

/* Sorts by file, line and column; equal places keep their order. */
void diag_sort(struct diag_list *);

/* "file:line:column: text", or "file: text" without a place; "warning: " stands
 * before the text of a warning. The caller frees. */
char *diag_format(const struct diag *);
/* Writes every entry as a line, sorted by place. */
void diag_print(struct diag_list *, FILE *);

void diag_free(struct diag_list *); /* also makes it empty and usable again */

/* The candidate nearest to `word` by edit distance, or NULL when none is near
 * enough to be a likely slip. */
const char *diag_nearest(const char *word, const char *const *candidates, size_t count);

#endif
