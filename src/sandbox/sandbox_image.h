#ifndef SANDBOX_IMAGE_H
#define SANDBOX_IMAGE_H

#include "sandbox/sandbox_api.h"

/*
 * The simulated images API of OpenAI: /v1/images/generations (JSON) and
 * /v1/images/edits (multipart/form-data with at least one image[]).
 */
#define SANDBOX_IMAGE_BODY_MAX ((size_t)64 << 20)

/* Whether a path is one of these. */
bool sandbox_image_path(const char *path);

void sandbox_image_generate(const char *api_key, const struct sandbox_request *,
    struct sandbox_answer *);
void sandbox_image_edit(const char *api_key, const struct sandbox_request *,
    struct sandbox_answer *);

#endif
