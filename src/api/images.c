#include "config.h"

#include "api/api_impl.h"
#include "api/core_wait.h"
#include "api/range.h"
#include "base/mem.h"
#include "base/octet.h"
#include "base/utf8.h"
#include "core/images.h"
#include "json/json_blob.h"
#include "json/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum image_route { IMAGE_ROUTE_LIST, IMAGE_ROUTE_UPLOAD, IMAGE_ROUTE_GET, IMAGE_ROUTE_DELETE };

#define IMAGE_BASE "/api/projects/:project/images"
#define IMAGE_BODY_MAX (16 << 20)     /* bytes of JSON in an upload */
#define IMAGE_REST_MAX (64 << 10)     /* of them, what is not the image */
#define IMAGE_VALUES_MAX 1000         /* JSON values in an upload */
#define IMAGE_PIECE ((size_t)256 << 10) /* of a large image, read and sent at a time */
#define IMAGE_UPLOADS_MAX 16          /* at a time: their bytes are in memory */
#define IMAGE_RANGE_SIZE 80

const struct http_route image_routes[] = {
    {"GET", IMAGE_BASE, IMAGE_ROUTE_LIST},
    {"POST", IMAGE_BASE, IMAGE_ROUTE_UPLOAD},
    {"GET", IMAGE_BASE "/:id", IMAGE_ROUTE_GET},
    {"DELETE", IMAGE_BASE "/:id", IMAGE_ROUTE_DELETE},
};
const size_t image_route_count = sizeof image_routes / sizeof *image_routes;

/* One request on its way. */
struct image_call {
	struct api *api;
	struct core_wait wait;
	enum image_route route;
	struct project project;
	char id[HTTP_ROUTE_PARAM_MAX];
	bool uploading, answered;
	struct json_blob blob; /* an upload, as it comes */
	int64_t received;
	struct image_read *read; /* a download: what is being read */
	bool opened;             /* its first bytes were asked for */
	int64_t next, end;       /* bytes still to be sent */
};

/* The exchange is over. */
static void
image_on_end(void *arg, enum http_end end)
{
	struct image_call *c = arg;

	core_wait_over(&c->wait, end);
	if (c->read != NULL)
		image_read_cancel(c->read);
	if (c->uploading)
		c->api->uploads--;
	json_blob_free(&c->blob);
	free(c);
}

/* ---- uploads ---- */

/* Refuses an upload; what still comes is not looked at. */
static void
image_refuse(struct image_call *c, int status, const char *sentence)
{
	c->answered = true;
	json_blob_free(&c->blob);
	api_answer_error(c->wait.ex, status, "%s", sentence);
}

/* The sentence for a member that cannot be taken; NULL when it can. */
static const char *
image_member_trouble(struct json_object *root, const char *key, size_t max, const char *type,
    const char *length)
{
	struct json_object *value = NULL;
	const char *text;

	if (!json_object_object_get_ex(root, key, &value) || value == NULL)
		return NULL;
	text = json_get_string(root, key);
	if (text == NULL)
		return type;
	return strlen(text) > max ? length : NULL;
}

/* What is wrong with an upload's members, in the local API's order; NULL: nothing. */
static const char *
image_trouble(const struct image_call *c, struct json_object *root)
{
	struct json_object *value = NULL;
	const char *role = json_get_string(root, "role"), *why;

	if (!c->blob.seen && json_object_object_get_ex(root, "imageBase64", &value) &&
	    value != NULL)
		return "imageBase64 must be a string";
	if (!c->blob.seen || (c->blob.bytes.len == 0 && !c->blob.bad))
		return "imageBase64 is required";
	why = image_member_trouble(root, "role", IMAGE_ROLE_MAX, "role must be a string",
	    "role is too long");
	if (why != NULL)
		return why;
	if (role == NULL || *role == '\0')
		return "role is required";
	why = image_member_trouble(root, "filename", IMAGE_NAME_MAX, "filename must be a string",
	    "filename is too long");
	if (why != NULL)
		return why;
	return c->blob.bad ? "imageBase64 is not valid base64" : NULL;
}

/* All of an upload is here. */
static void
image_store(struct image_call *c)
{
	struct json_object *root = NULL;
	struct json_error err;
	const char *why;
	size_t len;
	char *bytes;

	if (c->received == 0) {
		image_refuse(c, 400, "Request body is empty; send a JSON object");
		return;
	}
	if (!json_blob_end(&c->blob, IMAGE_VALUES_MAX, &root, &err)) {
		image_refuse(c, 400, "Request body is not valid JSON");
		return;
	}
	if (!json_object_is_type(root, json_type_object))
		why = "Request body must be a JSON object";
	else
		why = image_trouble(c, root);
	if (why != NULL) {
		image_refuse(c, 400, why);
	} else if (c->blob.bytes.len > IMAGE_BYTES_MAX) {
		image_refuse(c, 413, "The image is larger than 10 MiB");
	} else {
		bytes = buf_take(&c->blob.bytes, &len);
		c->answered = true;
		c->wait.work = image_add(c->api->gw, &c->project, json_get_string(root, "role"),
		    json_get_string(root, "filename"), bytes, len, core_wait_answer, &c->wait);
	}
	json_object_put(root);
}

/* A piece of an upload is here, or its end. */
static void
image_on_data(void *arg, struct http_exchange *ex, const char *piece, size_t len)
{
	struct image_call *c = arg;

	if (c->answered)
		return;
	c->received += (int64_t)len;
	if (len == 0)
		image_store(c);
	else if (c->received > IMAGE_BODY_MAX)
		image_refuse(c, 413, "Request body is larger than 16 MiB");
	else if (!json_blob_add(&c->blob, piece, len))
		image_refuse(c, 413, c->blob.bytes.full
		        ? "The image is larger than 10 MiB"
		        : "Request body is too large beside the image");
}

/* Starts an upload. */
static void
image_start_upload(struct image_call *c)
{
	const struct http_request *q = http_exchange_request(c->wait.ex);
	static const struct http_field later[] = {
	    {"Content-Type", "application/json; charset=utf-8"}, {"Retry-After", "1"}, {NULL, NULL}};
	static const char busy[] = "{\"error\":\"Too many uploads at a time; try again later\"}";

	if (q->length > IMAGE_BODY_MAX) {
		image_refuse(c, 413, "Request body is larger than 16 MiB");
	} else if (c->api->uploads >= IMAGE_UPLOADS_MAX) {
		http_answer(c->wait.ex, 503, later, busy, sizeof busy - 1);
	} else {
		c->uploading = true;
		c->api->uploads++;
		/* Padding may stand for two bytes that are none. */
		json_blob_init(&c->blob, "imageBase64", 1, IMAGE_REST_MAX, IMAGE_BYTES_MAX + 2);
		http_exchange_stream(c->wait.ex, image_on_data, c);
	}
}

/* ---- downloads ---- */

static void image_on_piece(void *arg, const struct image_piece *);

/* Reads the next piece of a large image. */
static void
image_read_next(struct image_call *c, image_read_fn done)
{
	int64_t left = c->end - c->next;
	size_t len = left < (int64_t)IMAGE_PIECE ? (size_t)left : IMAGE_PIECE;

	c->read = image_read(c->api->gw, &c->project, c->id, c->next, len, done, c);
}

/* Sends a piece of a large image, and reads the next one when it is taken. */
static void
image_send_piece(struct image_call *c, const struct image_piece *piece)
{
	size_t waiting;

	c->next += (int64_t)piece->len;
	waiting = http_answer_write(c->wait.ex, piece->bytes, piece->len);
	if (c->next >= c->end)
		http_answer_end(c->wait.ex);
	else if (waiting == 0)
		image_read_next(c, image_on_piece);
}

/* Another piece of a large image is here. */
static void
image_on_piece(void *arg, const struct image_piece *piece)
{
	struct image_call *c = arg;

	c->read = NULL;
	if (piece->status != IMAGE_FOUND || piece->bytes == NULL || piece->len == 0)
		http_answer_abort(c->wait.ex); /* it was deleted meanwhile, or cannot be read */
	else
		image_send_piece(c, piece);
}

/* The client has taken what was sent. */
static void
image_on_drained(void *arg)
{
	struct image_call *c = arg;

	if (c->read == NULL && c->next < c->end)
		image_read_next(c, image_on_piece);
}

static void image_on_found(void *arg, const struct image_piece *);

/* Sends a part of an image, or all of it. The answer to a large one begins when its first
 * bytes are there: then it is known that it can be read. */
static void
image_send(struct image_call *c, int status, const struct http_field *fields,
    const struct image_piece *piece)
{
	bool head = strcmp(http_exchange_request(c->wait.ex)->method, "HEAD") == 0;

	if (piece->whole) {
		http_answer(c->wait.ex, status, fields, piece->bytes + c->next,
		    (size_t)(c->end - c->next));
		return;
	}
	if (!head && !c->opened) {
		c->opened = true;
		image_read_next(c, image_on_found);
		return;
	}
	http_answer_begin(c->wait.ex, status, fields, c->end - c->next, image_on_drained, c);
	if (head)
		http_answer_end(c->wait.ex);
	else
		image_send_piece(c, piece);
}

/* Whether a Range field counts: not for HEAD, nor when If-Range names another
 * version (RFC 9110, 13.1.5 and 14.2). */
static const char *
image_range(const struct http_request *q, const char *etag)
{
	const char *only = http_request_field(q, "if-range");

	if (strcmp(q->method, "GET") != 0 || (only != NULL && strcmp(only, etag) != 0))
		return NULL;
	return http_request_field(q, "range");
}

/* Who may keep a copy: not everyone, of what only clients with a token may see. */
static const char *
image_cache(struct http_exchange *ex)
{
	return traffic_note(ex)->client[0] != '\0' ? "private, max-age=3600" : "public, max-age=3600";
}

/* The image is known: decides what of it is sent. */
static void
image_on_found(void *arg, const struct image_piece *piece)
{
	struct image_call *c = arg;
	const struct http_request *q = http_exchange_request(c->wait.ex);
	const char *have = http_request_field(q, "if-none-match");
	char etag[40], range[IMAGE_RANGE_SIZE] = "";
	int64_t first = 0, last;
	struct http_field fields[] = {{"ETag", etag}, {"Cache-Control", image_cache(c->wait.ex)},
	    {"Accept-Ranges", "bytes"}, {"X-Content-Type-Options", "nosniff"},
	    {"Content-Type", NULL},
	    {"Content-Range", range}, {NULL, NULL}};

	c->read = NULL;
	if (piece->status != IMAGE_FOUND || (c->opened && piece->len == 0)) {
		if (piece->status == IMAGE_NONE)
			api_answer_error(c->wait.ex, 404, "Image not found");
		else
			api_answer_error(c->wait.ex, 503,
			    "The gateway cannot read its records at the moment");
		return;
	}
	snprintf(etag, sizeof etag, "\"%.32s\"", piece->image->digest);
	last = piece->image->size - 1;
	if (have != NULL && api_etag_matches(have, etag)) {
		fields[4].name = NULL;
		http_answer(c->wait.ex, 304, fields, NULL, 0);
		return;
	}
	fields[4].value = piece->image->type;
	switch (range_read(image_range(q, etag), piece->image->size, &first, &last)) {
	case RANGE_NONE_SUCH:
		snprintf(range, sizeof range, "bytes */%lld", (long long)piece->image->size);
		fields[4] = fields[5];
		fields[5].name = NULL;
		http_answer(c->wait.ex, 416, fields + 2, "", 0);
		return;
	case RANGE_PART:
		snprintf(range, sizeof range, "bytes %lld-%lld/%lld", (long long)first,
		    (long long)last, (long long)piece->image->size);
		break;
	case RANGE_WHOLE:
		first = 0;
		last = piece->image->size - 1;
		fields[5].name = NULL;
		break;
	}
	c->next = first;
	c->end = last + 1;
	image_send(c, range[0] != '\0' ? 206 : 200, fields, piece);
}

/* ---- the rest ---- */

/* Decodes the value of a query's parameter; false when there is none, it is
 * empty, too long, not well-formed, or no text. */
static bool
image_query(const char *query, const char *name, char *out, size_t size)
{
	size_t len = strlen(name), n = 0;
	const char *p = query;

	while (p != NULL && (strncmp(p, name, len) != 0 || p[len] != '=')) {
		p = strchr(p, '&');
		p = p != NULL ? p + 1 : NULL;
	}
	if (p == NULL)
		return false;
	for (p += len + 1; *p != '\0' && *p != '&' && n + 1 < size; p++) {
		int high, low;

		if (*p != '%') {
			out[n++] = *p == '+' ? ' ' : *p;
			continue;
		}
		high = octet_hex(p[1]);
		low = high < 0 ? -1 : octet_hex(p[2]);
		if (low < 0 || (high == 0 && low == 0))
			return false;
		out[n++] = (char)(high << 4 | low);
		p += 2;
	}
	out[n] = '\0';
	return n > 0 && (*p == '\0' || *p == '&') && utf8_span(out, n) == n;
}

/* Starts what needs no body; one that came is dropped. */
static void
image_on_request(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	struct image_call *c = arg;
	char role[IMAGE_ROLE_MAX + 1];

	switch (c->route) {
	case IMAGE_ROUTE_LIST:
		if (image_query(http_exchange_request(ex)->query, "role", role, sizeof role))
			c->wait.work = image_ids(c->api->gw, &c->project, role, core_wait_answer, &c->wait);
		else
			api_answer_error(ex, 400, "role query parameter is required");
		return;
	case IMAGE_ROUTE_GET:
		c->read = image_read(c->api->gw, &c->project, c->id, 0, 0, image_on_found, c);
		return;
	case IMAGE_ROUTE_DELETE:
		c->wait.work = image_delete(c->api->gw, &c->project, c->id, core_wait_answer, &c->wait);
		return;
	case IMAGE_ROUTE_UPLOAD:
		return;
	}
}

/* Starts a request. */
static void
image_start(struct api *api, struct http_exchange *ex, enum image_route route,
    const struct project *project, const char *id)
{
	struct image_call *c = mem_zero(1, sizeof *c);

	c->api = api;
	c->wait.ex = ex;
	c->route = route;
	c->project = *project;
	snprintf(c->id, sizeof c->id, "%s", id);
	http_exchange_on_end(ex, image_on_end, c);
	if (c->route == IMAGE_ROUTE_UPLOAD)
		image_start_upload(c);
	else
		http_exchange_collect(ex, 0, image_on_request, c);
}

/* Starts a request on images. */
void
image_serve(struct api *api, struct http_exchange *ex, const struct http_match *match,
    const struct project *project)
{
	if (match->id != IMAGE_ROUTE_UPLOAD || !api_refuse_type(ex))
		image_start(api, ex, (enum image_route)match->id, project,
		    match->param_count > 1 ? match->params[1] : "");
}

/* Serves the bytes of one image. */
void
image_serve_bytes(struct api *api, struct http_exchange *ex, const struct project *project,
    const char *id)
{
	image_start(api, ex, IMAGE_ROUTE_GET, project, id);
}
