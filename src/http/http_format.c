#include "config.h"

#include "http/http_format.h"
#include "base/octet.h"

#include <string.h>
#include <strings.h>

#define HTTP_FORMAT_OWN 320 /* enough for status line and all lines of our own */

const char http_format_full[] =
    "The gateway holds as much as it may at the moment; try again later";

/* The registered reason phrase (RFC 9110, 15), empty for others. */
static const char *
http_format_reason(int status)
{
	switch (status) {
	case 100: return "Continue";
	case 101: return "Switching Protocols";
	case 200: return "OK";
	case 201: return "Created";
	case 202: return "Accepted";
	case 203: return "Non-Authoritative Information";
	case 204: return "No Content";
	case 205: return "Reset Content";
	case 206: return "Partial Content";
	case 207: return "Multi-Status";
	case 300: return "Multiple Choices";
	case 301: return "Moved Permanently";
	case 302: return "Found";
	case 303: return "See Other";
	case 304: return "Not Modified";
	case 307: return "Temporary Redirect";
	case 308: return "Permanent Redirect";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 402: return "Payment Required";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 406: return "Not Acceptable";
	case 407: return "Proxy Authentication Required";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 410: return "Gone";
	case 411: return "Length Required";
	case 412: return "Precondition Failed";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 415: return "Unsupported Media Type";
	case 416: return "Range Not Satisfiable";
	case 417: return "Expectation Failed";
	case 421: return "Misdirected Request";
	case 422: return "Unprocessable Content";
	case 423: return "Locked";
	case 424: return "Failed Dependency";
	case 425: return "Too Early";
	case 426: return "Upgrade Required";
	case 428: return "Precondition Required";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 451: return "Unavailable For Legal Reasons";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	case 505: return "HTTP Version Not Supported";
	case 507: return "Insufficient Storage";
	case 508: return "Loop Detected";
	case 511: return "Network Authentication Required";
	default: return "";
	}
}

/* The date as text. */
const char *
http_format_date(struct http_date *d, int64_t wall_ms)
{
	int64_t second = wall_ms / 1000;

	if (second != d->second || d->text[0] == '\0') {
		d->second = second;
		timestamp_format_http(second * 1000, d->text);
	}
	return d->text;
}

/* Adds a decimal number. */
static void
http_format_number(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	buf_add(b, digits + at, sizeof digits - at);
}

/* Adds a text whose length the compiler knows. */
#define http_format_text(b, s) buf_add((b), (s), sizeof(s) - 1)

/* Whether the caller's field goes out: not one of ours, and well-formed. */
static bool
http_format_takes(const struct http_field *f, size_t *name_len, size_t *value_len)
{
	static const struct {
		size_t len;
		const char *name;
	} ours[] = {{10, "connection"}, {10, "keep-alive"}, {16, "proxy-connection"},
	    {17, "transfer-encoding"}, {14, "content-length"}, {12, "x-request-id"}};
	size_t n = 0, v = 0;

	while (octet_is(f->name[n], OCTET_TOKEN))
		n++;
	if (n == 0 || f->name[n] != '\0')
		return false;
	while (octet_is(f->value[v], OCTET_TEXT))
		v++;
	if (f->value[v] != '\0')
		return false;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (n == ours[i].len && strcasecmp(f->name, ours[i].name) == 0)
			return false;
	*name_len = n;
	*value_len = v;
	return true;
}

/* Whether a list of names holds one. */
static bool
http_format_lists(const char *list, const char *name, size_t len)
{
	while (*list != '\0') {
		size_t n = strcspn(list, ", \t");

		if (n == len && strncasecmp(list, name, n) == 0)
			return true;
		list += n;
		list += strspn(list, ", \t");
	}
	return false;
}

/* Adds a name to Vary unless the caller's fields have it. */
static void
http_format_vary_by(struct buf *b, const struct http_field *f, const char *name, size_t len,
    bool *first)
{
	for (; f != NULL && f->name != NULL; f++)
		if (strcasecmp(f->name, "vary") == 0 && http_format_lists(f->value, name, len))
			return;
	buf_adds(b, *first ? "" : ", ");
	buf_add(b, name, len);
	*first = false;
}

/* Adds one Vary that names what the caller's fields and the list name. */
static void
http_format_vary(struct buf *b, const struct http_field *fields, const char *list)
{
	bool first = true;
	size_t n, v;

	http_format_text(b, "Vary: ");
	for (const struct http_field *f = fields; f != NULL && f->name != NULL; f++) {
		if (strcasecmp(f->name, "vary") != 0 || !http_format_takes(f, &n, &v) || v == 0)
			continue;
		buf_adds(b, first ? "" : ", ");
		buf_add(b, f->value, v);
		first = false;
	}
	while (*list != '\0') {
		n = strcspn(list, ", ");
		http_format_vary_by(b, fields, list, n, &first);
		list += n;
		list += strspn(list, ", ");
	}
	http_format_text(b, "\r\n");
}

/* Adds what cors says, merged with the caller's fields. */
static void
http_format_cors(struct buf *b, const struct http_format *h)
{
	const char *vary = http_cors_vary(h->cors, &h->ask);

	http_cors_add(b, h->cors, &h->ask);
	if (vary != NULL)
		http_format_vary(b, h->fields, vary);
}

/* Whether a field of the caller's is cors's to say. */
static bool
http_format_is_cors(const struct http_format *h, const char *name)
{
	if (h->cors == NULL)
		return false;
	return http_cors_owns(name) ||
	    (strcasecmp(name, "vary") == 0 && http_cors_vary(h->cors, &h->ask) != NULL);
}

/* Adds fields of the caller's; *dated when one of them is Date. */
static void
http_format_fields(struct buf *b, const struct http_format *h, const struct http_field *f,
    bool *dated)
{
	size_t n, v;

	for (; f != NULL && f->name != NULL; f++) {
		if (!http_format_takes(f, &n, &v) || http_format_is_cors(h, f->name))
			continue;
		if (n == 4 && strcasecmp(f->name, "date") == 0)
			*dated = true;
		buf_add(b, f->name, n);
		http_format_text(b, ": ");
		buf_add(b, f->value, v);
		http_format_text(b, "\r\n");
	}
}

/* Adds what marks the end of the body. */
static void
http_format_framing(struct buf *b, const struct http_format *h)
{
	if (h->framing == HTTP_FRAMING_LENGTH) {
		http_format_text(b, "Content-Length: ");
		http_format_number(b, (uint64_t)h->length);
		http_format_text(b, "\r\n");
	} else if (h->framing == HTTP_FRAMING_CHUNKED) {
		http_format_text(b, "Transfer-Encoding: chunked\r\n");
	}
	if (h->upgrade)
		http_format_text(b, "Connection: Upgrade\r\n");
	else if (h->close)
		http_format_text(b, "Connection: close\r\n");
	else if (h->keep_alive)
		http_format_text(b, "Connection: keep-alive\r\n");
}

/* The bytes of fields. */
static size_t
http_format_room(const struct http_field *f)
{
	size_t room = 0;

	for (; f != NULL && f->name != NULL; f++)
		room += strlen(f->name) + strlen(f->value) + 4;
	return room;
}

/* Adds a head. */
bool
http_format_head(struct buf *b, const struct http_format *h, size_t more)
{
	bool dated = false;

	more += HTTP_FORMAT_OWN + http_format_room(h->fields) + http_format_room(h->beside);
	if (h->cors != NULL)
		more += http_cors_room(h->cors, &h->ask);
	if (!buf_reserve(b, more))
		return false;
	http_format_text(b, "HTTP/1.1 ");
	http_format_number(b, (uint64_t)h->status);
	buf_addc(b, ' ');
	buf_adds(b, http_format_reason(h->status));
	http_format_text(b, "\r\n");
	http_format_fields(b, h, h->fields, &dated);
	http_format_fields(b, h, h->beside, &dated);
	if (h->cors != NULL)
		http_format_cors(b, h);
	if (!dated) {
		http_format_text(b, "Date: ");
		buf_adds(b, h->date);
		http_format_text(b, "\r\n");
	}
	http_format_text(b, "X-Request-Id: ");
	buf_adds(b, h->id);
	http_format_text(b, "\r\n");
	http_format_framing(b, h);
	return http_format_text(b, "\r\n");
}

/* Looks for Connection: close. */
bool
http_format_close(const struct http_field *f)
{
	for (; f != NULL && f->name != NULL; f++)
		if (strcasecmp(f->name, "connection") == 0 && strcasecmp(f->value, "close") == 0)
			return true;
	return false;
}

/* Adds an error body. */
bool
http_format_error(struct buf *b, const char *sentence)
{
	http_format_text(b, "{\"error\":\"");
	buf_adds(b, sentence);
	return http_format_text(b, "\"}");
}

/* The fields of an error. */
const struct http_field *
http_format_error_fields(int status)
{
	static const struct http_field fields[] = {
	    {"Content-Type", "application/json; charset=utf-8"}, {NULL, NULL}};
	static const struct http_field again[] = {
	    {"Content-Type", "application/json; charset=utf-8"}, {"Retry-After", "1"},
	    {NULL, NULL}};

	return status == 503 ? again : fields;
}

/* Writes the size line of a chunk. */
size_t
http_format_chunk(char out[20], size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;
	int shift = 60;

	while (shift > 0 && (len >> shift & 15) == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		out[n++] = hex[len >> shift & 15];
	out[n++] = '\r';
	out[n++] = '\n';
	return n;
}
