#ifndef CORE_CREATE_BODY_H
#define CORE_CREATE_BODY_H

#include "base/fail.h"
#include "mapping/mapping.h"
#include "store/store.h"

/* The local answer for the item that an intent's create made; NULL with a
 * sentence when it does not have the declared shape. The caller frees. */
char *create_body_make(const struct mapping *, const struct store_intent *,
    struct json_object *item, const char *id, int64_t created_ms, struct fail *);

#endif
