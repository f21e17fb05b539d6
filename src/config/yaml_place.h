#ifndef CONFIG_YAML_PLACE_H
#define CONFIG_YAML_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Where in a text: lines and columns from 1 as an editor counts them (lines
 * end at LF, CR LF or CR; a column is a code point). libyaml's own line
 * numbers also count NEL, LS and PS, and are 0 for errors of its reader.
 */
struct yaml_place {
	const char *text;
	size_t len;
	size_t byte, point; /* where the cursor stands, in bytes and in code points */
	int line, column;
};

void yaml_place_init(struct yaml_place *, const char *text, size_t len);

/* Move the cursor to a byte or to a code point, at most to the end. Moving
 * forward is cheap, moving back starts again at the front. */
void yaml_place_byte(struct yaml_place *, size_t byte);
void yaml_place_point(struct yaml_place *, size_t point);

#endif
