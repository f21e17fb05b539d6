#ifndef SANDBOX_PORTRAIT_H
#define SANDBOX_PORTRAIT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Portraits of the simulated image service: a simple face whose colours and
 * features follow from the prompt, so that each persona has its own and gets the
 * same one again.
 */
#define SANDBOX_PORTRAIT_MIN 16
#define SANDBOX_PORTRAIT_MAX 2048

/* Appends the portrait as a PNG; false when the buffer is full. */
bool sandbox_portrait(struct buf *, const char *prompt, size_t len, unsigned width,
    unsigned height);

#endif
