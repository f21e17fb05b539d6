#ifndef CORE_PORTRAIT_ASK_H
#define CORE_PORTRAIT_ASK_H

#include "base/buf.h"
#include "core/result.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What the provider of images is asked and what its answers mean. Pure: no loop,
 * no calls. The API is OpenAI's (https://platform.openai.com/docs/api-reference/images).
 */
struct portrait_ask {
	const char *model, *size;
	const char *name;          /* of the persona */
	const char *system_prompt;
	bool with_style;           /* images of the style are sent along */
};

/* Appends the prompt, in our words, from name and system prompt. */
void portrait_ask_prompt(struct buf *, const struct portrait_ask *);

/* Appends the JSON body for /v1/images/generations. */
void portrait_ask_json(struct buf *, const struct portrait_ask *);

/* The form for /v1/images/edits (RFC 7578): begin, any number of images, end. The
 * boundary must not occur in what is sent: make it random. */
void portrait_ask_form(struct buf *, const char *boundary, const struct portrait_ask *);
void portrait_ask_image(struct buf *, const char *boundary, const char *media, const char *name,
    const char *bytes, size_t len);
void portrait_ask_end(struct buf *, const char *boundary);

/* Whether the edits endpoint takes this media type. */
bool portrait_ask_takes(const char *media);

/* Reads a 200 answer: *bytes (image) or *url, the caller's. False: neither. */
bool portrait_ask_read(const char *body, size_t len, char **bytes, size_t *bytes_len, char **url);

/* What a client is told when there is no usable answer. Nothing of the provider's
 * own text is passed on. */
void portrait_ask_trouble(struct result *, const struct upstream_answer *);

/* Takes a link apart: origin ("https://host") and path with query, the caller's.
 * False when it may not be followed: not https (unless `local`), or not a link. */
bool portrait_ask_link(const char *url, bool local, char **origin, char **path);

#endif
