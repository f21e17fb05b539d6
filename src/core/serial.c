#include "config.h"

#include "core/serial.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct serial_line;

struct serial_ticket {
	struct serial_line *line;
	struct loop_timer grant; /* calls granted outside the caller's stack */
	loop_fn granted;
	void *arg;
	TAILQ_ENTRY(serial_ticket) link;
};

struct serial_line {
	struct serial *serial;
	char *key;
	TAILQ_HEAD(, serial_ticket) tickets; /* the first holds the key */
	UT_hash_handle hh;
};

struct serial {
	struct loop *loop;
	struct serial_line *lines;
};

/* Makes an empty set of lines. */
struct serial *
serial_new(struct loop *loop)
{
	struct serial *s = mem_zero(1, sizeof *s);

	s->loop = loop;
	return s;
}

/* Frees the set. */
void
serial_free(struct serial *s)
{
	free(s);
}

/* A ticket's turn has come. */
static void
serial_on_grant(void *arg)
{
	struct serial_ticket *t = arg;

	t->granted(t->arg);
}

/* Joins the line of a key. */
struct serial_ticket *
serial_enter(struct serial *s, const char *key, loop_fn granted, void *arg)
{
	struct serial_ticket *t = mem_zero(1, sizeof *t);
	struct serial_line *line;

	HASH_FIND_STR(s->lines, key, line);
	if (line == NULL) {
		line = mem_zero(1, sizeof *line);
		line->serial = s;
		line->key = mem_string(key);
		TAILQ_INIT(&line->tickets);
		HASH_ADD_KEYPTR(hh, s->lines, line->key, strlen(line->key), line);
	}
	t->line = line;
	t->granted = granted;
	t->arg = arg;
	loop_timer_init(&t->grant, s->loop, serial_on_grant, t);
	if (TAILQ_EMPTY(&line->tickets))
		loop_timer_set(&t->grant, 0);
	TAILQ_INSERT_TAIL(&line->tickets, t, link);
	return t;
}

/* Leaves the line. */
void
serial_leave(struct serial_ticket *t)
{
	struct serial_line *line = t->line;
	bool first = TAILQ_FIRST(&line->tickets) == t;

	loop_timer_cancel(&t->grant);
	TAILQ_REMOVE(&line->tickets, t, link);
	free(t);
	if (TAILQ_EMPTY(&line->tickets)) {
		HASH_DEL(line->serial->lines, line);
		free(line->key);
		free(line);
	} else if (first) {
		loop_timer_set(&TAILQ_FIRST(&line->tickets)->grant, 0);
	}
}
