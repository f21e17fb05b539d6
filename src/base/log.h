#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

/*
 * The log: one line per event, as text for a person or as one JSON object for
 * a machine. A line is written with one write(2), so lines of several threads
 * do not mix. A NULL log swallows everything. Nothing secret and no persona's
 * content is ever passed here; callers log ids, names of fields and counts.
 */
struct log;

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_field {
	const char *key; /* NULL ends the list */
	const char *text; /* NULL: the number counts */
	int64_t number;
};

/* A text field; NULL is shown as empty. */
static inline struct log_field
LOG_S(const char *key, const char *text)
{
	return (struct log_field){key, text ? text : "", 0};
}

#define LOG_I(k, v) ((struct log_field){(k), NULL, (int64_t)(v)})
#define LOG_END ((struct log_field){NULL, NULL, 0})

/* AUTO is text when fd is a terminal. The descriptor stays the caller's. */
struct log *log_new(int fd, enum log_level, enum log_format);
void log_free(struct log *);

/* `event` is a short fixed text; fields end with LOG_END. */
void log_emit(struct log *, enum log_level, const char *event, const struct log_field *);

/* At least one field; use log_plain() for none. */
#define log_with(l, level, event, ...) \
	log_emit((l), (level), (event), (const struct log_field[]){__VA_ARGS__, LOG_END})
#define log_debug(l, event, ...) log_with((l), LOG_LEVEL_DEBUG, (event), __VA_ARGS__)
#define log_info(l, event, ...) log_with((l), LOG_LEVEL_INFO, (event), __VA_ARGS__)
#define log_warn(l, event, ...) log_with((l), LOG_LEVEL_WARN, (event), __VA_ARGS__)
#define log_error(l, event, ...) log_with((l), LOG_LEVEL_ERROR, (event), __VA_ARGS__)
#define log_plain(l, level, event) log_emit((l), (level), (event), NULL)

#endif
