#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/fail.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The log: one line per event, as text for a person or as one JSON object for
 * a machine. A line is written whole, so lines of several threads do not mix.
 * Nothing here ever makes a caller wait once log_start() was called
 * (log_writer.h). A NULL log swallows everything. Nothing secret and no persona's
 * content is ever passed here; callers log ids, names of fields and counts.
 */
struct log;

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum log_kind { LOG_KIND_TEXT, LOG_KIND_NUMBER, LOG_KIND_THOUSANDTHS };

struct log_field {
	const char *key; /* NULL ends the list */
	const char *text; /* NULL: the number counts */
	int64_t number;
	enum log_kind kind;
};

/* A text field; NULL is shown as empty. */
static inline struct log_field
LOG_S(const char *key, const char *text)
{
	return (struct log_field){key, text ? text : "", 0, LOG_KIND_TEXT};
}

#define LOG_I(k, v) ((struct log_field){(k), NULL, (int64_t)(v), LOG_KIND_NUMBER})
/* Microseconds, shown as milliseconds with three decimals. */
#define LOG_MS(k, us) ((struct log_field){(k), NULL, (int64_t)(us), LOG_KIND_THOUSANDTHS})
#define LOG_END ((struct log_field){NULL, NULL, 0, LOG_KIND_TEXT})

/* AUTO is text when fd is a terminal. The descriptor stays the caller's. Lines are
 * written at once until log_start(). */
struct log *log_new(int fd, enum log_level, enum log_format);
/* The same into a file, to which is appended. NULL with a sentence. */
struct log *log_new_file(const char *path, enum log_level, enum log_format, struct fail *);
/* Writes what waits, for a bounded time. */
void log_free(struct log *);

/* Lets a thread write from now on; -1 with a sentence. Call once, and before other
 * threads use the log. */
int log_start(struct log *, struct fail *);

/* Opens the file again after somebody moved it; nothing without a file. */
void log_reopen(struct log *);

/* Lines that could not be written, or not in time. */
uint64_t log_dropped(struct log *);

/* Bytes that are not written yet. */
size_t log_waiting(struct log *);

/* Writes lines of another level and above from now on. */
void log_set_level(struct log *, enum log_level);

/* Whether lines of this level are written. */
int log_wants(const struct log *, enum log_level);

/* `event` is a short fixed text; fields end with LOG_END. */
void log_emit(struct log *, enum log_level, const char *event, const struct log_field *);

/* Writes a line that no level leaves out, as of LOG_LEVEL_INFO: who changed what. */
void log_audit(struct log *, const struct log_field *);

/* At least one field; use log_plain() for none. */
#define log_with(l, level, event, ...) \
	log_emit((l), (level), (event), (const struct log_field[]){__VA_ARGS__, LOG_END})
#define log_debug(l, event, ...) log_with((l), LOG_LEVEL_DEBUG, (event), __VA_ARGS__)
#define log_info(l, event, ...) log_with((l), LOG_LEVEL_INFO, (event), __VA_ARGS__)
#define log_warn(l, event, ...) log_with((l), LOG_LEVEL_WARN, (event), __VA_ARGS__)
#define log_error(l, event, ...) log_with((l), LOG_LEVEL_ERROR, (event), __VA_ARGS__)
#define log_plain(l, level, event) log_emit((l), (level), (event), NULL)

#endif
