#ifndef BASE_LOG_WRITER_H
#define BASE_LOG_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A thread that writes the lines of a log, so that nobody waits for a slow disk
 * or for a pipe that is not read. What waits is bounded: lines beyond are dropped
 * and counted, and a line says how many as soon as one can be written again. A line of
 * which a full disk took a part only is lost, and ended before the next one. Lines
 * wait for each other for a moment, unless they are urgent.
 */
#define LOG_WRITER_MAX ((size_t)1 << 20)   /* bytes that wait: some 4,000 lines */
#define LOG_WRITER_GATHER_MS 10            /* how long a line waits for others */
#define LOG_WRITER_STOP_MS 2000            /* how long the end waits for the last lines */

enum log_writer_event {
	LOG_WRITER_DROPPED,      /* number: of lines */
	LOG_WRITER_REOPEN_FAILED /* number: errno; the old file is written on */
};

/* Makes a whole line that tells an event and returns its length. Called on the
 * writer's thread. */
typedef size_t (*log_writer_say_fn)(void *arg, enum log_writer_event, int64_t number, char *out,
    size_t size);

struct log_writer;

/* Writes to fd, which stays the caller's unless there is a path: then it is what
 * was opened at that path, and the writer's. NULL when no thread can be started. */
struct log_writer *log_writer_new(int fd, const char *path, log_writer_say_fn, void *arg);

/* Ends the thread after the last line, or when that takes too long. */
void log_writer_free(struct log_writer *);

/* Takes whole lines, from any thread, without waiting; false when they were dropped. */
bool log_writer_put(struct log_writer *, const char *line, size_t len, bool urgent);

/* Has the file at the path opened again, before the next line: what was there may
 * have been moved away. Nothing without a path. */
void log_writer_reopen(struct log_writer *);

/* Lines that were dropped or could not be written; from any thread. */
uint64_t log_writer_dropped(struct log_writer *);

/* Bytes that are not written yet; from any thread. */
size_t log_writer_waiting(struct log_writer *);

/* Opens a log file for appending; -1 with errno. */
int log_writer_open(const char *path);

#endif
