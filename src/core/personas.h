#ifndef CORE_PERSONAS_H
#define CORE_PERSONAS_H

#include "core/gateway.h"

/* What personas have besides the operations of all items (items.h). */

/* generate-image: the local API's checks in its order, then a portrait is drawn,
 * stored, and made the persona's imageUrl. Equal requests share one portrait; once
 * it was asked for it is stored, whoever leaves. */
struct work *persona_portrait(struct gateway *, const struct project *, const char *id,
    work_done_fn, void *arg);

#endif
