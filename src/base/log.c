#include "config.h"

#include "base/log.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/timestamp.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_MAX 8192

struct log {
	int fd;
	enum log_level level;
	bool json;
};

static const char *const log_level_names[] = {"debug", "info", "warn", "error"};

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

/* Frees the log; the descriptor stays open. */
void
log_free(struct log *l)
{
	free(l);
}

/* Adds a JSON string: quotes, backslashes and control bytes escaped. */
static void
log_add_quoted(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_addf(b, "\\u%04x", c);
		else
			buf_addc(b, (char)c);
	}
	buf_addc(b, '"');
}

/* Adds one field in the log's form. */
static void
log_add_field(const struct log *l, struct buf *b, const struct log_field *f)
{
	if (l->json) {
		buf_addc(b, ',');
		log_add_quoted(b, f->key);
		buf_addc(b, ':');
	} else {
		buf_addf(b, " %s=", f->key);
	}
	if (f->text == NULL)
		buf_addf(b, "%lld", (long long)f->number);
	else if (l->json || strpbrk(f->text, " \"\t\r\n=") != NULL || *f->text == '\0')
		log_add_quoted(b, f->text);
	else
		buf_adds(b, f->text);
}

/* Writes one line. */
void
log_emit(struct log *l, enum log_level level, const char *event, const struct log_field *f)
{
	char when[TIMESTAMP_SIZE];
	struct timespec ts;
	struct buf b;
	ssize_t ignored;

	if (l == NULL || level < l->level)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	timestamp_format((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000, when);
	buf_init(&b, LOG_LINE_MAX);
	if (l->json) {
		buf_addf(&b, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", when, log_level_names[level]);
		log_add_quoted(&b, event);
	} else {
		buf_addf(&b, "%s %-5s %s", when, log_level_names[level], event);
	}
	for (; f != NULL && f->key != NULL; f++)
		log_add_field(l, &b, f);
	b.max += 2; /* the ending always fits */
	b.full = false;
	buf_adds(&b, l->json ? "}\n" : "\n");
	ignored = write(l->fd, b.data, b.len);
	(void)ignored;
	buf_free(&b);
}
