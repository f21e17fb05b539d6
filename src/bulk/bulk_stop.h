#ifndef BULK_STOP_H
#define BULK_STOP_H

#include "base/loop.h"

#include <stdbool.h>

/*
 * SIGINT, SIGTERM and SIGHUP: the first one asks for an end in good order, the second one
 * does what it always does. One that was ignored before, as by nohup(1), stays so. SIGPIPE
 * and SIGXFSZ become errors of their writes.
 */
struct bulk_stop;

struct bulk_stop *bulk_stop_new(struct loop *);
void bulk_stop_free(struct bulk_stop *);

/* What is told, on the loop, when the first one comes; NULL: nobody. */
void bulk_stop_tell(struct bulk_stop *, void (*fn)(void *arg), void *arg);
bool bulk_stop_asked(const struct bulk_stop *);

#endif
