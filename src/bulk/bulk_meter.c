#include "config.h"

#include "bulk/bulk_meter.h"
#include "base/mem.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BULK_METER_COLUMNS 80 /* of a terminal that does not say how wide it is */

struct bulk_meter {
	struct loop *loop;
	FILE *out;
	unsigned columns;
	struct bulk_progress progress;
	bulk_meter_fn ask;
	void *arg;
	struct loop_timer timer;
	bool drawn; /* the line is there */
};

/* How wide a terminal is. */
unsigned
bulk_meter_columns(FILE *f)
{
	struct winsize size;
	int fd = fileno(f);

	if (fd < 0 || !isatty(fd))
		return 0;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : BULK_METER_COLUMNS;
}

/* Takes the drawn line away. */
static void
bulk_meter_hide(struct bulk_meter *m)
{
	if (m->drawn)
		fputs("\r\033[K", m->out);
	m->drawn = false;
}

/* Shows how far it is. */
static void
bulk_meter_show(struct bulk_meter *m)
{
	int64_t now = loop_now(m->loop);
	unsigned columns = bulk_meter_columns(m->out);
	struct buf b;

	buf_init(&b, 0);
	m->ask(m->arg, &m->progress, now);
	if (m->columns > 0)
		bulk_progress_bar(&m->progress, now, columns > 0 ? columns : m->columns, &b);
	else
		bulk_progress_plain(&m->progress, now, &b);
	if (b.len > 0) {
		bulk_meter_hide(m);
		fprintf(m->out, m->columns > 0 ? "%s" : "%s\n", b.data);
		fflush(m->out);
		m->drawn = m->columns > 0;
	}
	buf_free(&b);
}

/* It is time to show it. */
static void
bulk_meter_on_timer(void *arg)
{
	struct bulk_meter *m = arg;

	bulk_meter_show(m);
	loop_timer_set(&m->timer, m->columns > 0 ? BULK_METER_DRAW_MS : BULK_METER_LINE_MS);
}

/* Makes one. */
struct bulk_meter *
bulk_meter_new(struct loop *loop, FILE *out, unsigned columns, const char *what, bulk_meter_fn ask,
    void *arg)
{
	struct bulk_meter *m = mem_zero(1, sizeof *m);

	m->loop = loop;
	m->out = out;
	m->columns = columns;
	m->ask = ask;
	m->arg = arg;
	bulk_progress_init(&m->progress, what, loop_now(loop));
	loop_timer_init(&m->timer, loop, bulk_meter_on_timer, m);
	loop_timer_set(&m->timer, columns > 0 ? BULK_METER_DRAW_MS : BULK_METER_LINE_MS);
	return m;
}

/* Ends it. */
void
bulk_meter_free(struct bulk_meter *m)
{
	if (m == NULL)
		return;
	loop_timer_cancel(&m->timer);
	bulk_meter_hide(m);
	fflush(m->out);
	free(m);
}

/* Writes another line. */
void
bulk_meter_print(struct bulk_meter *m, FILE *to, const char *line)
{
	if (m != NULL && m->drawn) {
		bulk_meter_hide(m);
		fflush(m->out);
	}
	fprintf(to, "%s\n", line);
}
