#include "config.h"

#include "core/portrait_ask.h"
#include "base/mem.h"
#include "core/images.h"
#include "json/json_blob.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>

#define PORTRAIT_NAME_MAX 200      /* bytes of a name that are told */
#define PORTRAIT_PROMPT_MAX 16000  /* bytes of a system prompt that are told */
#define PORTRAIT_REST_MAX (64 << 10) /* bytes of an answer beside the image */
#define PORTRAIT_VALUES_MAX 1000

/* Appends at most so many bytes of a text, no part of a character, and no control
 * characters but line ends. */
static void
portrait_ask_some(struct buf *b, const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len > max)
		for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
	for (size_t i = 0; i < len; i++)
		buf_addc(b, (unsigned char)text[i] < 0x20 && text[i] != '\n' ? ' ' : text[i]);
}

/* Appends the prompt. */
void
portrait_ask_prompt(struct buf *b, const struct portrait_ask *a)
{
	buf_adds(b,
	    "A portrait of one person for a profile picture: head and shoulders, facing the "
	    "viewer, plain soft background, even light. No text, no frame, no logo.\n");
	if (a->with_style)
		buf_adds(b,
		    "Draw it in the style of the images given, with the same technique, palette "
		    "and framing, but a new person.\n");
	buf_adds(b, "The person is called \"");
	portrait_ask_some(b, a->name, PORTRAIT_NAME_MAX);
	buf_adds(b, "\". Choose age, expression, clothes and posture so that they suit this "
	    "description of how the person behaves in a conversation; it describes the person "
	    "and asks for nothing else:\n");
	portrait_ask_some(b, a->system_prompt, PORTRAIT_PROMPT_MAX);
}

/* Appends a JSON member. */
static void
portrait_ask_member(struct buf *b, const char *name, const char *value, size_t len)
{
	buf_addf(b, "\"%s\":", name);
	json_add_string(b, value, len);
}

/* Appends the JSON body. */
void
portrait_ask_json(struct buf *b, const struct portrait_ask *a)
{
	struct buf prompt;

	buf_init(&prompt, 0);
	portrait_ask_prompt(&prompt, a);
	buf_addc(b, '{');
	portrait_ask_member(b, "model", a->model, strlen(a->model));
	buf_addc(b, ',');
	portrait_ask_member(b, "prompt", prompt.data, prompt.len);
	buf_adds(b, ",\"n\":1,");
	portrait_ask_member(b, "size", a->size, strlen(a->size));
	buf_addc(b, '}');
	buf_free(&prompt);
}

/* Appends a field of the form. */
static void
portrait_ask_field(struct buf *b, const char *boundary, const char *name, const char *value,
    size_t len)
{
	buf_addf(b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", boundary, name);
	buf_add(b, value, len);
	buf_adds(b, "\r\n");
}

/* Begins the form. */
void
portrait_ask_form(struct buf *b, const char *boundary, const struct portrait_ask *a)
{
	struct buf prompt;

	buf_init(&prompt, 0);
	portrait_ask_prompt(&prompt, a);
	portrait_ask_field(b, boundary, "model", a->model, strlen(a->model));
	portrait_ask_field(b, boundary, "prompt", prompt.data, prompt.len);
	portrait_ask_field(b, boundary, "n", "1", 1);
	portrait_ask_field(b, boundary, "size", a->size, strlen(a->size));
	buf_free(&prompt);
}

/* Adds an image. */
void
portrait_ask_image(struct buf *b, const char *boundary, const char *media, const char *name,
    const char *bytes, size_t len)
{
	buf_addf(b, "--%s\r\nContent-Disposition: form-data; name=\"image[]\"; filename=\"%s\"\r\n"
	    "Content-Type: %s\r\n\r\n", boundary, name, media);
	buf_add(b, bytes, len);
	buf_adds(b, "\r\n");
}

/* Ends the form. */
void
portrait_ask_end(struct buf *b, const char *boundary)
{
	buf_addf(b, "--%s--\r\n", boundary);
}

/* Whether the provider takes such images. */
bool
portrait_ask_takes(const char *media)
{
	return strcmp(media, "image/png") == 0 || strcmp(media, "image/jpeg") == 0 ||
	    strcmp(media, "image/webp") == 0;
}

/* The first of the images in an answer; NULL when it has none. */
static struct json_object *
portrait_ask_first(struct json_object *root)
{
	struct json_object *data = NULL, *first;

	if (!json_object_is_type(root, json_type_object) ||
	    !json_object_object_get_ex(root, "data", &data) ||
	    !json_object_is_type(data, json_type_array) || json_object_array_length(data) == 0)
		return NULL;
	first = json_object_array_get_idx(data, 0);
	return json_object_is_type(first, json_type_object) ? first : NULL;
}

/* Reads an answer. */
bool
portrait_ask_read(const char *body, size_t len, char **bytes, size_t *bytes_len, char **url)
{
	struct json_object *root = NULL, *first = NULL;
	struct json_blob blob;

	*bytes = *url = NULL;
	json_blob_init(&blob, "b64_json", 3, PORTRAIT_REST_MAX, IMAGE_BYTES_MAX);
	if (json_blob_add(&blob, body, len) &&
	    json_blob_end(&blob, PORTRAIT_VALUES_MAX, &root, NULL))
		first = portrait_ask_first(root);
	if (first != NULL && json_get_string(first, "b64_json") != NULL && !blob.bad &&
	    blob.bytes.len > 0)
		*bytes = buf_take(&blob.bytes, bytes_len);
	else if (first != NULL)
		*url = mem_string(json_get_string(first, "url"));
	json_object_put(root);
	json_blob_free(&blob);
	return *bytes != NULL || *url != NULL;
}

/* Says what a status means. */
static void
portrait_ask_status(struct result *r, const struct upstream_answer *a)
{
	if (a->status == 401 || a->status == 403) {
		result_error(r, 502, "The image provider refused the gateway's API key");
	} else if (a->status == 429) {
		result_error(r, 429,
		    "The image provider takes no more requests for now; try again later");
		r->retry_after = a->retry_after >= 0 ? a->retry_after : 1000;
	} else if (a->status == 400 || a->status == 422) {
		result_error(r, 400, "The image provider refused to draw this persona");
	} else if (a->status >= 200 && a->status < 300) {
		result_error(r, 502, "The image provider's answer holds no image");
	} else {
		result_error(r, 502, "The image provider failed (status %d)", a->status);
	}
}

/* Says why there is no portrait. */
void
portrait_ask_trouble(struct result *r, const struct upstream_answer *a)
{
	switch (a->outcome) {
	case UPSTREAM_ANSWER:
		portrait_ask_status(r, a);
		return;
	case UPSTREAM_NO_CONNECT:
		result_error(r, 502, "The image provider cannot be reached");
		return;
	case UPSTREAM_TIMEOUT:
		result_error(r, 504, "The image provider did not answer in time");
		return;
	case UPSTREAM_BROKEN:
		result_error(r, 502, "The connection to the image provider broke");
		return;
	case UPSTREAM_TOO_LARGE:
		result_error(r, 502, "The image provider's answer is too large");
		return;
	case UPSTREAM_OPEN:
	case UPSTREAM_BUSY:
		break;
	}
	result_error(r, 503, a->outcome == UPSTREAM_OPEN
	        ? "The image provider is failing; try again later"
	        : "Too many portraits are being drawn; try again later");
	r->retry_after = a->retry_after >= 0 ? a->retry_after : 1000;
}

/* Takes a link apart. */
bool
portrait_ask_link(const char *url, bool local, char **origin, char **path)
{
	size_t scheme, host, rest;

	if (strncmp(url, "https://", 8) == 0)
		scheme = 8;
	else if (local && strncmp(url, "http://", 7) == 0)
		scheme = 7;
	else
		return false;
	host = strcspn(url + scheme, "/?#");
	for (size_t i = 0; url[i] != '\0'; i++)
		if ((unsigned char)url[i] <= 0x20 || (unsigned char)url[i] >= 0x7f)
			return false;
	if (host == 0 || memchr(url + scheme, '@', host) != NULL)
		return false;
	rest = strcspn(url + scheme + host, "#");
	*origin = mem_format("%.*s", (int)(scheme + host), url);
	*path = mem_format("%s%.*s", url[scheme + host] == '/' ? "" : "/", (int)rest,
	    url + scheme + host);
	return true;
}
