#include "config.h"

#include "mapping/mapping_step.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Writes the sentence; the path begins at the value that is wrong. */
struct json_object *
mapping_trouble_set(struct mapping_trouble *trouble, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(trouble->text, sizeof trouble->text, fmt, ap);
	va_end(ap);
	trouble->path[0] = '\0';
	return NULL;
}

/* Puts a piece before the path; one that gets too long loses its end. */
static void
mapping_trouble_inside(struct mapping_trouble *trouble, const char *piece)
{
	size_t len = strlen(piece), rest = strlen(trouble->path), room = sizeof trouble->path - 1;

	if (len > room)
		len = room;
	if (rest > room - len)
		rest = room - len;
	memmove(trouble->path + len, trouble->path, rest);
	memcpy(trouble->path, piece, len);
	trouble->path[len + rest] = '\0';
}

/* The value is an element of a list. */
void
mapping_trouble_in_list(struct mapping_trouble *trouble, size_t index)
{
	char piece[32];

	snprintf(piece, sizeof piece, "[%zu]", index);
	mapping_trouble_inside(trouble, piece);
}

/* The value is a member of an object. */
void
mapping_trouble_in_object(struct mapping_trouble *trouble, const char *key)
{
	char piece[sizeof trouble->path];

	snprintf(piece, sizeof piece, ".%s", key);
	mapping_trouble_inside(trouble, piece);
}
