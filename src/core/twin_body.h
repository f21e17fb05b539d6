#ifndef CORE_TWIN_BODY_H
#define CORE_TWIN_BODY_H

#include "base/digest.h"
#include "mapping/mapping.h"
#include "store/store.h"

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What a twin holds: the fields of a local persona that the local tool keeps, which
 * are those of its Personas API (name, description, systemPrompt, headers, imageUrl).
 * Pure functions; objects that are returned belong to the caller and share their
 * values with what they were made of.
 */

/* Those fields of a local persona, as a client sent it or as the gateway answers it;
 * null counts as absent. */
struct json_object *twin_body(struct json_object *local);

/* Those of a recorded persona; NULL when its content does not have the declared shape. */
struct json_object *twin_body_of(const struct mapping *, const struct store_record *);

/* The same body under another name. */
struct json_object *twin_body_named(struct json_object *body, const char *name);

/* A short form of a body, without imageUrl, which a create in the local tool ignores. */
void twin_body_digest(struct json_object *body, char out[DIGEST_HEX_SIZE]);

/* Whether the persona of the local tool shows what the body says. A field that the
 * body lacks may be empty there, since the tool's API cannot take a field away. */
bool twin_body_shown(struct json_object *body, struct json_object *twin);

/* What to send so that it does: the fields that differ; those that the body lacks are
 * emptied. */
struct json_object *twin_body_change(struct json_object *body, struct json_object *twin);

/* Whether a persona of the local tool is one that was made to be a twin: it has that
 * digest and is not older than the moment. */
bool twin_body_is_made(struct json_object *twin, const char *digest, int64_t since_ms);

/* Another name for when the right one is taken: `NAME (WHAT xxxxxxxx)`, with the
 * beginning of an id; `what` may be empty. The caller frees. */
char *twin_body_other_name(const char *name, const char *what, const char *id);

#endif
