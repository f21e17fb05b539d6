#ifndef BULK_METER_H
#define BULK_METER_H

#include "base/loop.h"
#include "bulk/bulk_progress.h"

#include <stdio.h>

/*
 * Shows progress while a loop runs: on a terminal a line that is drawn again and again, else
 * a plain line every few seconds. Other lines go through it, so that they do not mix.
 */
#define BULK_METER_DRAW_MS 100
#define BULK_METER_LINE_MS 5000

struct bulk_meter;

/* Asks how far it is: sets the progress. */
typedef void (*bulk_meter_fn)(void *arg, struct bulk_progress *, int64_t now);

/* `columns` 0: `out` is no terminal; else its width, unless the terminal says another. */
struct bulk_meter *bulk_meter_new(struct loop *, FILE *out, unsigned columns, const char *what,
    bulk_meter_fn, void *arg);
/* Shows nothing any more, and takes the drawn line away. */
void bulk_meter_free(struct bulk_meter *);

/* Writes a line (without its end) to `to`, which may be the same terminal. */
void bulk_meter_print(struct bulk_meter *, FILE *to, const char *line);

/* The width of a terminal; 0: the stream is none. */
unsigned bulk_meter_columns(FILE *);

#endif
