#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H

#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * One line of the log in memory: text for a person or one JSON object. A line that
 * becomes too long is cut so that it stays well-formed. What could end the line,
 * move a terminal's cursor or is not UTF-8 is escaped or replaced.
 */
#define LOG_LINE_MAX 8192 /* bytes, apart from what closes it */
#define LOG_LINE_SIZE (LOG_LINE_MAX + 16)

struct log_line {
	bool json;
	size_t len;
	char text[LOG_LINE_SIZE];
};

/* Makes a whole line with its newline; `fields` end with LOG_END or are NULL. */
void log_line_make(struct log_line *, bool json, int64_t wall_ms, enum log_level,
    const char *event, const struct log_field *fields);

#endif
