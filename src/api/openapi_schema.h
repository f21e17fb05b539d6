#ifndef API_OPENAPI_SCHEMA_H
#define API_OPENAPI_SCHEMA_H

#include "mapping/mapping.h"

#include <json-c/json_object.h>

/* What the local form of something looks like, as the mapping declares it. */
enum openapi_form { OPENAPI_ANSWER, OPENAPI_CREATE, OPENAPI_UPDATE };

/* A JSON Schema (2020-12) for one of the forms; the caller puts it. */
struct json_object *openapi_schema(const struct mapping *, const struct mapping_resource *,
    enum openapi_form);

#endif
