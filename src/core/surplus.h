#ifndef CORE_SURPLUS_H
#define CORE_SURPLUS_H

#include "core/gateway_impl.h"

#include <json-c/json_object.h>

/*
 * An item that a create of this gateway made after another gateway had taken the create
 * over and brought it to its end: if it is not what that one recorded, it is nobody's and
 * a duplicate. It is adopted, so that it is known, and then deleted like any other, so
 * that it is under an intent and leaves a tombstone, whatever stops this gateway. What a
 * create has recorded meanwhile, and what was deleted, is left alone.
 */
void surplus_check(struct gateway *, const struct project *, struct json_object *item);

void surplus_free_all(struct gateway *);

#endif
