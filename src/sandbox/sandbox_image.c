#include "config.h"

#include "sandbox/sandbox_image.h"
#include "base/base64.h"
#include "base/mem.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "sandbox/sandbox_portrait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SANDBOX_IMAGE_PROMPT_MAX 32000 /* bytes, as the real service has it for this model */
#define SANDBOX_IMAGE_REFERENCES_MAX 16
#define SANDBOX_IMAGE_SIDE 1024

/* What is asked for. */
struct sandbox_image {
	char *model, *prompt, *size;
	int64_t n;
	unsigned references;
};

/* Whether the path is of the images API. */
bool
sandbox_image_path(const char *path)
{
	static const char prefix[] = "/v1/images/";

	return strncmp(path, prefix, sizeof prefix - 1) == 0;
}

/* Answers an error in the service's form. */
static void
sandbox_image_error(struct sandbox_answer *a, int status, const char *code, const char *sentence)
{
	a->status = status;
	buf_clear(&a->body);
	buf_addf(&a->body, "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\","
	    "\"param\":null,\"code\":\"%s\"}}", sentence, code);
}

/* Whether the key is right; answers when not. */
static bool
sandbox_image_admit(const char *api_key, const char *given, struct sandbox_answer *a)
{
	static const char scheme[] = "Bearer ";

	if (given != NULL && strncasecmp(given, scheme, sizeof scheme - 1) == 0 &&
	    strcmp(given + sizeof scheme - 1, api_key) == 0)
		return true;
	sandbox_image_error(a, 401, "invalid_api_key", "Incorrect API key provided");
	return false;
}

/* Reads a size; false when it is none that can be drawn. */
static bool
sandbox_image_sides(const char *size, unsigned *width, unsigned *height)
{
	char rest;

	*width = *height = SANDBOX_IMAGE_SIDE;
	if (size == NULL || strcmp(size, "auto") == 0)
		return true;
	return strlen(size) <= 9 && sscanf(size, "%ux%u%c", width, height, &rest) == 2 &&
	    *width >= SANDBOX_PORTRAIT_MIN && *width <= SANDBOX_PORTRAIT_MAX &&
	    *height >= SANDBOX_PORTRAIT_MIN && *height <= SANDBOX_PORTRAIT_MAX;
}

/* Answers with the portrait. */
static void
sandbox_image_draw(const struct sandbox_image *i, struct sandbox_answer *a)
{
	unsigned width, height;
	struct buf png;

	if (i->prompt == NULL || *i->prompt == '\0') {
		sandbox_image_error(a, 400, "missing_required_parameter",
		    "Missing required parameter: 'prompt'.");
	} else if (strlen(i->prompt) > SANDBOX_IMAGE_PROMPT_MAX) {
		sandbox_image_error(a, 400, "string_above_max_length",
		    "Invalid 'prompt': string too long.");
	} else if (i->model == NULL || strncmp(i->model, "gpt-image-", 10) != 0) {
		sandbox_image_error(a, 400, "invalid_value", "Invalid value for 'model'.");
	} else if (i->n != 1) {
		sandbox_image_error(a, 400, "invalid_value",
		    "The sandbox draws one image at a time.");
	} else if (!sandbox_image_sides(i->size, &width, &height)) {
		sandbox_image_error(a, 400, "invalid_value", "Invalid value for 'size'.");
	} else {
		buf_init(&png, 0);
		sandbox_portrait(&png, i->prompt, strlen(i->prompt), width, height);
		buf_adds(&a->body, "{\"created\":1769594400,\"data\":[{\"b64_json\":\"");
		base64_encode(&a->body, png.data, png.len);
		buf_adds(&a->body, "\"}]}");
		buf_free(&png);
	}
}

/* Frees. */
static void
sandbox_image_clear(struct sandbox_image *i)
{
	free(i->model);
	free(i->prompt);
	free(i->size);
}

/* POST /v1/images/generations */
void
sandbox_image_generate(const char *api_key, const struct sandbox_request *r,
    struct sandbox_answer *a)
{
	struct sandbox_image i = {.n = 1};
	struct json_object *root = NULL;

	if (!sandbox_image_admit(api_key, r->authorization, a))
		return;
	if (r->content_type == NULL || strncasecmp(r->content_type, "application/json", 16) != 0 ||
	    !json_read(r->body, r->len, &root, NULL) || !json_object_is_type(root,
	    json_type_object)) {
		sandbox_image_error(a, 400, "invalid_json", "The body is not a JSON object.");
	} else {
		i.model = mem_string(json_get_string(root, "model"));
		i.prompt = mem_string(json_get_string(root, "prompt"));
		i.size = mem_string(json_get_string(root, "size"));
		if (json_object_object_get_ex(root, "n", NULL) && !json_get_int(root, "n", &i.n))
			i.n = 0;
		sandbox_image_draw(&i, a);
	}
	json_object_put(root);
	sandbox_image_clear(&i);
}

/* ---- multipart/form-data (RFC 7578, RFC 2046 5.1) ---- */

/* The line that parts begin with, "--" and the boundary; NULL when the type has
 * none. The caller frees. */
static char *
sandbox_image_boundary(const char *type)
{
	static const char media[] = "multipart/form-data";
	const char *p = type != NULL ? strcasestr(type, "boundary=") : NULL;
	size_t len;

	if (p == NULL || strncasecmp(type, media, sizeof media - 1) != 0)
		return NULL;
	p += strlen("boundary=");
	if (*p == '"')
		p++;
	len = strcspn(p, "\";, ");
	return len > 0 && len <= 70 ? mem_format("--%.*s", (int)len, p) : NULL;
}

/* Whether bytes begin as an image that the service takes. */
static bool
sandbox_image_is_one(const char *bytes, size_t len)
{
	return (len > 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) ||
	    (len > 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) ||
	    (len > 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0);
}

/* Takes one part; false when it is wrong. */
static bool
sandbox_image_part(struct sandbox_image *i, const char *head, const char *body, size_t len)
{
	const char *name = strcasestr(head, "name=\"");
	char **slot = NULL;

	if (name == NULL || strncasecmp(head, "Content-Disposition: form-data;", 31) != 0)
		return false;
	name += strlen("name=\"");
	if (strncmp(name, "image[]\"", 8) == 0) {
		i->references++;
		return sandbox_image_is_one(body, len) && strcasestr(head,
		    "Content-Type: image/") != NULL &&
		    i->references <= SANDBOX_IMAGE_REFERENCES_MAX;
	}
	if (strncmp(name, "n\"", 2) == 0) {
		i->n = len == 1 && *body >= '0' && *body <= '9' ? *body - '0' : 0;
		return true;
	}
	if (strncmp(name, "model\"", 6) == 0)
		slot = &i->model;
	else if (strncmp(name, "prompt\"", 7) == 0)
		slot = &i->prompt;
	else if (strncmp(name, "size\"", 5) == 0)
		slot = &i->size;
	if (slot == NULL || *slot != NULL)
		return false;
	*slot = mem_copy(body, len);
	return true;
}

/* Takes a body apart; false when it is not well-formed. */
static bool
sandbox_image_parts(struct sandbox_image *i, const char *line, const char *body, size_t len)
{
	size_t line_len = strlen(line);
	const char *end = body + len, *p = body;

	if (len < line_len || memcmp(p, line, line_len) != 0)
		return false;
	for (p += line_len; end - p >= 2 && memcmp(p, "\r\n", 2) == 0;) {
		const char *content = memmem(p, (size_t)(end - p), "\r\n\r\n", 4), *next;
		char *head;
		bool ok;

		if (content == NULL)
			return false;
		head = mem_copy(p + 2, (size_t)(content - p - 2));
		content += 4;
		next = content;
		do {
			next = memmem(next, (size_t)(end - next), "\r\n", 2);
			if (next == NULL || (size_t)(end - next) < 2 + line_len)
				break;
			next += 2;
		} while (memcmp(next, line, line_len) != 0);
		ok = next != NULL && (size_t)(end - next) >= line_len &&
		    memcmp(next, line, line_len) == 0 &&
		    sandbox_image_part(i, head, content, (size_t)(next - 2 - content));
		free(head);
		if (!ok)
			return false;
		p = next + line_len;
	}
	return end - p >= 2 && memcmp(p, "--", 2) == 0;
}

/* POST /v1/images/edits */
void
sandbox_image_edit(const char *api_key, const struct sandbox_request *r, struct sandbox_answer *a)
{
	struct sandbox_image i = {.n = 1};
	char *line;

	if (!sandbox_image_admit(api_key, r->authorization, a))
		return;
	line = sandbox_image_boundary(r->content_type);
	if (line == NULL || !sandbox_image_parts(&i, line, r->body, r->len))
		sandbox_image_error(a, 400, "invalid_multipart",
		    "The body is not a form that can be read.");
	else if (i.references == 0)
		sandbox_image_error(a, 400, "missing_required_parameter",
		    "Missing required parameter: 'image'.");
	else
		sandbox_image_draw(&i, a);
	free(line);
	sandbox_image_clear(&i);
}
