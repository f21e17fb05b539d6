#include "config.h"

#include "base/log.h"
#include "base/log_line.h"
#include "base/log_writer.h"
#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct log {
	int fd;
	char *path; /* NULL: the descriptor is the caller's */
	_Atomic enum log_level level; /* several threads ask for it */
	bool json;
	struct log_writer *writer; /* NULL: lines are written at once */
};

/* Milliseconds since 1970. */
static int64_t
log_wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Opens a log on a descriptor. */
struct log *
log_new(int fd, enum log_level level, enum log_format format)
{
	struct log *l = mem_zero(1, sizeof *l);

	l->fd = fd;
	l->level = level;
	l->json = format == LOG_FORMAT_JSON || (format == LOG_FORMAT_AUTO && !isatty(fd));
	return l;
}

/* Opens a log in a file. */
struct log *
log_new_file(const char *path, enum log_level level, enum log_format format, struct fail *f)
{
	int fd = log_writer_open(path);
	struct log *l;

	if (fd < 0) {
		fail_set(f, "log.file %s cannot be written: %s", path, strerror(errno));
		return NULL;
	}
	l = log_new(fd, level, format);
	l->path = mem_string(path);
	return l;
}

/* Frees the log. */
void
log_free(struct log *l)
{
	if (l == NULL)
		return;
	if (l->writer != NULL)
		log_writer_free(l->writer); /* closes its file */
	else if (l->path != NULL)
		close(l->fd);
	free(l->path);
	free(l);
}

/* Tells what happened to the log itself; on the writer's thread. */
static size_t
log_say(void *arg, enum log_writer_event event, int64_t number, char *out, size_t size)
{
	const struct log *l = arg;
	struct log_field fields[] = {LOG_I("lines", number), LOG_END};
	const char *what = "log lines were dropped: they came faster than they could be written";
	struct log_line line;

	if (event == LOG_WRITER_REOPEN_FAILED) {
		what = "the log file cannot be opened again; the old one is used on";
		fields[0] = LOG_S("reason", strerror((int)number));
	}
	log_line_make(&line, l->json, log_wall(), LOG_LEVEL_WARN, what, fields);
	if (line.len > size)
		return 0;
	memcpy(out, line.text, line.len);
	return line.len;
}

/* Starts the thread that writes. */
int
log_start(struct log *l, struct fail *f)
{
	l->writer = log_writer_new(l->fd, l->path, log_say, l);
	return l->writer != NULL ? 0 : fail_set(f, "the log's thread cannot be started");
}

/* Opens the file again. */
void
log_reopen(struct log *l)
{
	if (l->writer != NULL)
		log_writer_reopen(l->writer);
}

/* Lines that are missing. */
uint64_t
log_dropped(struct log *l)
{
	return l != NULL && l->writer != NULL ? log_writer_dropped(l->writer) : 0;
}

/* Bytes that wait. */
size_t
log_waiting(struct log *l)
{
	return l != NULL && l->writer != NULL ? log_writer_waiting(l->writer) : 0;
}

/* Takes another level. */
void
log_set_level(struct log *l, enum log_level level)
{
	if (l != NULL)
		l->level = level;
}

/* Whether a level is written. */
int
log_wants(const struct log *l, enum log_level level)
{
	return l != NULL && level >= l->level;
}

/* Writes one line, whatever its level. */
static void
log_put(struct log *l, enum log_level level, const char *event, const struct log_field *f)
{
	struct log_line line;
	ssize_t ignored;

	log_line_make(&line, l->json, log_wall(), level, event, f);
	if (l->writer != NULL) {
		log_writer_put(l->writer, line.text, line.len, level >= LOG_LEVEL_WARN);
		return;
	}
	ignored = write(l->fd, line.text, line.len);
	(void)ignored;
}

/* Writes one line, if its level is wanted. */
void
log_emit(struct log *l, enum log_level level, const char *event, const struct log_field *f)
{
	if (log_wants(l, level))
		log_put(l, level, event, f);
}

/* Writes a line of the audit. */
void
log_audit(struct log *l, const struct log_field *f)
{
	if (l != NULL)
		log_put(l, LOG_LEVEL_INFO, "audit", f);
}
