#include "config.h"

#include "http/http_parse.h"
#include "base/octet.h"
#include "http/http_host.h"

#include <string.h>
#include <strings.h>

#define HTTP_PARSE_METHOD_MAX 32
#define HTTP_PARSE_ID_MAX 128

enum {
	GUARD_FIRST,    /* nothing seen yet */
	GUARD_EMPTY_LF, /* the CR of an empty line before the request line */
	GUARD_SECOND,   /* after that empty line: no other may follow */
	GUARD_TEXT,     /* within a line */
	GUARD_LF,       /* the CR that ends a line */
	GUARD_LINE,     /* at the first byte of a header line, or of the blank line */
	GUARD_END_LF,   /* the CR of the blank line */
	GUARD_DONE
};

/* The fields that frame the message or may not be repeated. */
struct http_parse {
	struct http_head *head;
	const char *line_end; /* of the request line */
	const char *host, *length, *coding;
	const char *authority; /* of an absolute target */
	const char *upgrade;
	bool type, key, authorization, keep_alive, expect_other;
	bool upgrade_named, upgrade_twice;
};

/* Whether more than an empty line has come. */
bool
http_guard_begun(const struct http_guard *g)
{
	return g->state >= GUARD_TEXT;
}

/* One byte that ends a run of text or stands between lines; false refuses it. */
static bool
http_guard_step(struct http_guard *g, char c, size_t at)
{
	switch (g->state) {
	case GUARD_EMPTY_LF:
		g->state = GUARD_SECOND;
		g->start = at + 1;
		return c == '\n';
	case GUARD_TEXT:
		if (g->line == 0)
			g->line = at - g->start;
		g->state = GUARD_LF;
		return c == '\r';
	case GUARD_LF:
		g->state = GUARD_LINE;
		return c == '\n';
	case GUARD_END_LF:
		g->state = GUARD_DONE;
		return c == '\n';
	case GUARD_FIRST:
		g->state = c == '\r' ? GUARD_EMPTY_LF : GUARD_TEXT;
		return c == '\r' || octet_is(c, OCTET_TEXT);
	case GUARD_SECOND:
		g->state = GUARD_TEXT;
		return octet_is(c, OCTET_TEXT);
	case GUARD_LINE: /* a line that begins with a space would be a folded one (5.2) */
		g->fields += c != '\r';
		g->state = c == '\r' ? GUARD_END_LF : GUARD_TEXT;
		return c == '\r' ||
		    (octet_is(c, OCTET_TEXT) && !octet_is(c, OCTET_SPACE));
	default:
		return false;
	}
}

/* Whether eight bytes hold no control byte, HTAB included: then all are text.
 * The usual tests for a byte below n and for a zero byte, on all eight at once. */
static inline bool
http_guard_plain(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t x, del;

	memcpy(&x, p, sizeof x);
	del = x ^ ones * 0x7f;
	return ((((x - ones * 0x20) & ~x) | ((del - ones) & ~del)) & ones * 0x80) == 0;
}

/* Looks at the bytes that are new. */
enum http_guard_result
http_guard_feed(struct http_guard *g, const char *head, size_t len, size_t max_bytes,
    unsigned max_fields)
{
	size_t i = g->seen, end = len < max_bytes ? len : max_bytes;

	while (i < end) {
		if (g->state == GUARD_TEXT) {
			while (end - i >= 8 && http_guard_plain(head + i))
				i += 8;
			while (i < end && octet_is(head[i], OCTET_TEXT))
				i++;
			if (i == end)
				break;
		}
		if (!http_guard_step(g, head[i], i))
			return HTTP_GUARD_BAD;
		i++;
		if (g->fields > max_fields)
			return HTTP_GUARD_MANY;
		if (g->state == GUARD_DONE) {
			g->seen = i;
			return HTTP_GUARD_DONE;
		}
	}
	g->seen = i;
	if (i == max_bytes)
		return g->line == 0 ? HTTP_GUARD_LONG_LINE : HTTP_GUARD_LONG;
	return HTTP_GUARD_MORE;
}

/* Remembers why a head is refused. */
static int
http_parse_refuse(struct http_parse *ps, int status, const char *why)
{
	ps->head->why = why;
	return status;
}

/* Splits "METHOD SP target SP HTTP/1.x" in place (RFC 9112, 3). */
static int
http_parse_line(struct http_parse *ps, char *p, char *end)
{
	struct http_request *r = &ps->head->request;
	char *start = p;

	while (p < end && octet_is(*p, OCTET_METHOD))
		p++;
	if (p == start || p == end || *p != ' ' || p - start > HTTP_PARSE_METHOD_MAX)
		return http_parse_refuse(ps, 400, "The request method is not well-formed");
	*p++ = '\0';
	r->method = start;
	start = p;
	while (p < end && octet_is(*p, OCTET_TARGET))
		p++;
	if (p == start || p == end || *p != ' ')
		return http_parse_refuse(ps, 400, "The request target is not well-formed");
	*p++ = '\0';
	r->target = start;
	if (end - p != 8 || memcmp(p, "HTTP/", 5) != 0 || p[5] < '0' || p[5] > '9' || p[6] != '.' ||
	    p[7] < '0' || p[7] > '9')
		return http_parse_refuse(ps, 400, "The HTTP version is not well-formed");
	if (p[5] != '1' || p[7] > '1')
		return http_parse_refuse(ps, 505, "Only HTTP/1.0 and HTTP/1.1 are spoken here");
	r->minor = p[7] - '0';
	return 0;
}

/* Sets path and query from where the path begins; `room` takes a path that
 * needs an end of its own. An empty path is "/" (RFC 9110, 4.2.3). */
static int
http_parse_path(struct http_parse *ps, const char *path, char *room)
{
	struct http_request *r = &ps->head->request;
	const char *query = strchr(path, '?');
	size_t len = query != NULL ? (size_t)(query - path) : strlen(path);

	if (memchr(path, '\\', len) != NULL)
		return http_parse_refuse(ps, 400, "The path may not hold a backslash");
	r->query = query != NULL ? query + 1 : NULL;
	r->path = path;
	if (len == 0) {
		r->path = strcmp(r->method, "OPTIONS") == 0 && query == NULL ? "*" : "/";
	} else if (query != NULL) {
		memcpy(room, path, len);
		room[len] = '\0';
		r->path = room;
	}
	return 0;
}

/* Takes the four forms of a target apart (RFC 9112, 3.2). */
static int
http_parse_target(struct http_parse *ps, char *room)
{
	struct http_request *r = &ps->head->request;
	const char *t = r->target;
	size_t len;

	if (strcmp(r->method, "CONNECT") == 0) {
		if (!http_host_valid(t, strlen(t)) || strchr(t, ':') == NULL)
			return http_parse_refuse(ps, 400, "CONNECT takes a host and a port");
		return http_parse_refuse(ps, 501, "CONNECT is not offered here");
	}
	if (t[0] == '/')
		return http_parse_path(ps, t, room);
	if (strcmp(t, "*") == 0) {
		if (strcmp(r->method, "OPTIONS") != 0)
			return http_parse_refuse(ps, 400, "Only OPTIONS may ask for *");
		r->path = t;
		return 0;
	}
	if (strncasecmp(t, "http://", 7) == 0)
		t += 7;
	else if (strncasecmp(t, "https://", 8) == 0)
		t += 8;
	else
		return http_parse_refuse(ps, 400, "The request target is not well-formed");
	len = strcspn(t, "/?");
	if (!http_host_valid(t, len))
		return http_parse_refuse(ps, 400, "The authority of the target is not well-formed");
	ps->authority = t;
	return http_parse_path(ps, t + len, room);
}

/* Goes through a comma-separated Connection value (RFC 9110, 7.6.1). */
static void
http_parse_connection(struct http_parse *ps, const char *v)
{
	while (*v != '\0') {
		size_t len = strcspn(v, ", \t");

		if (len == 5 && strncasecmp(v, "close", 5) == 0)
			ps->head->close_named = true;
		else if (len == 10 && strncasecmp(v, "keep-alive", 10) == 0)
			ps->keep_alive = true;
		else if (len == 7 && strncasecmp(v, "upgrade", 7) == 0)
			ps->upgrade_named = true;
		v += len;
		v += strspn(v, ", \t");
	}
}

/* Remembers a value that may come once only; false the second time. */
static bool
http_parse_once(const char **slot, const char *value)
{
	if (*slot != NULL)
		return false;
	*slot = value;
	return true;
}

/* Notes that a field has come; false the second time. */
static bool
http_parse_first(bool *slot)
{
	bool first = !*slot;

	*slot = true;
	return first;
}

/* True for 1 to 128 bytes of [A-Za-z0-9._:/+=-]. */
static bool
http_parse_id_valid(const char *id)
{
	size_t n = 0;

	while (octet_is(id[n], OCTET_ID))
		n++;
	return n > 0 && n <= HTTP_PARSE_ID_MAX && id[n] == '\0';
}

/* Looks at one field by its length first; false when it is a forbidden repeat. */
static bool
http_parse_known(struct http_parse *ps, const char *name, size_t len, const char *value)
{
	switch (len) {
	case 4:
		return memcmp(name, "host", 4) != 0 || http_parse_once(&ps->host, value);
	case 6:
		if (memcmp(name, "expect", 6) == 0) {
			if (strcasecmp(value, "100-continue") == 0)
				ps->head->expect_continue = true;
			else
				ps->expect_other = true;
		}
		return true;
	case 7:
		if (memcmp(name, "upgrade", 7) == 0)
			ps->upgrade_twice = !http_parse_once(&ps->upgrade, value);
		return true;
	case 10:
		if (memcmp(name, "connection", 10) == 0)
			http_parse_connection(ps, value);
		return true;
	case 11:
		if (memcmp(name, "traceparent", 11) == 0)
			ps->head->request.traceparent =
			    ps->head->request.traceparent == NULL ? value : "";
		return true;
	case 12:
		if (memcmp(name, "x-request-id", 12) == 0 && ps->head->request.id == NULL &&
		    http_parse_id_valid(value))
			ps->head->request.id = value;
		return memcmp(name, "content-type", 12) != 0 || http_parse_first(&ps->type);
	case 13:
		return memcmp(name, "authorization", 13) != 0 ||
		    http_parse_first(&ps->authorization);
	case 14:
		return memcmp(name, "content-length", 14) != 0 ||
		    http_parse_once(&ps->length, value);
	case 15:
		return memcmp(name, "idempotency-key", 15) != 0 || http_parse_first(&ps->key);
	case 17:
		return memcmp(name, "transfer-encoding", 17) != 0 ||
		    http_parse_once(&ps->coding, value);
	default:
		return true;
	}
}

/* Reads the header lines in place (RFC 9112, 5); `p` is after the request line. */
static int
http_parse_fields(struct http_parse *ps, char *p, struct http_field *f)
{
	while (*p != '\r') {
		char *name = p, *value, *end;
		unsigned char low;
		size_t len;

		while ((low = octet_lower[(unsigned char)*p]) != 0)
			*p++ = (char)low;
		if (p == name || *p != ':')
			return http_parse_refuse(ps, 400, "A header name is not well-formed");
		len = (size_t)(p - name);
		*p = '\0';
		value = p + 1;
		end = rawmemchr(value, '\r');
		while (octet_is(*value, OCTET_SPACE))
			value++;
		p = end + 2;
		while (end > value && octet_is(end[-1], OCTET_SPACE))
			end--;
		*end = '\0';
		f->name = name;
		f->value = value;
		f++;
		if (!http_parse_known(ps, name, len, value))
			return http_parse_refuse(ps, 400,
			    "A header that may come once is repeated");
	}
	return 0;
}

/* Reads Content-Length: digits only, within 63 bits (RFC 9112, 6.3). */
static bool
http_parse_length(const char *v, int64_t *length)
{
	int64_t n = 0;

	if (*v == '\0')
		return false;
	for (; *v != '\0'; v++) {
		if (*v < '0' || *v > '9' || n > (INT64_MAX - (*v - '0')) / 10)
			return false;
		n = n * 10 + (*v - '0');
	}
	*length = n;
	return true;
}

/* Decides how the body is framed; anything that two parsers could see
 * differently is refused (RFC 9112, 6.1 and 6.3). */
static int
http_parse_framing(struct http_parse *ps)
{
	struct http_request *r = &ps->head->request;

	if (ps->coding != NULL) {
		if (ps->length != NULL)
			return http_parse_refuse(ps, 400,
			    "Content-Length and Transfer-Encoding exclude each other");
		if (r->minor == 0)
			return http_parse_refuse(ps, 400, "HTTP/1.0 knows no Transfer-Encoding");
		if (strcasecmp(ps->coding, "chunked") != 0)
			return http_parse_refuse(ps, 400,
			    "Only Transfer-Encoding: chunked is taken");
		r->length = -1;
		r->has_body = true;
	} else if (ps->length != NULL) {
		if (!http_parse_length(ps->length, &r->length))
			return http_parse_refuse(ps, 400, "Content-Length is not a number");
		r->has_body = r->length > 0;
	}
	return 0;
}

/* Checks Host against the rules of RFC 9112, 3.2 and 3.2.2. */
static int
http_parse_host(struct http_parse *ps, char *room)
{
	struct http_request *r = &ps->head->request;
	size_t len;

	if (ps->host == NULL && r->minor == 1)
		return http_parse_refuse(ps, 400, "The Host header is missing");
	if (ps->host != NULL && !http_host_valid(ps->host, strlen(ps->host)))
		return http_parse_refuse(ps, 400, "The Host header is not well-formed");
	r->host = ps->host != NULL ? ps->host : "";
	if (ps->authority == NULL)
		return 0;
	len = strcspn(ps->authority, "/?");
	if (ps->host == NULL) {
		memcpy(room, ps->authority, len);
		room[len] = '\0';
		r->host = room;
	} else if (strlen(ps->host) != len || strncasecmp(ps->host, ps->authority, len) != 0) {
		return http_parse_refuse(ps, 400, "Target and Host header name different hosts");
	}
	return 0;
}

/* Takes a head apart. */
int
http_parse_head(const struct http_guard *g, char *head, struct http_field *fields, char *room,
    struct http_head *out)
{
	struct http_parse ps = {.head = out};
	struct http_request *r = &out->request;
	int status;

	memset(out, 0, sizeof *out);
	if ((status = http_parse_line(&ps, head, head + g->line)) != 0 ||
	    (status = http_parse_fields(&ps, head + g->line + 2, fields)) != 0 ||
	    (status = http_parse_target(&ps, room)) != 0)
		return status;
	/* The authority stands in the target before the path, so both fit the room. */
	if (r->path == room)
		room += strlen(room) + 1;
	if ((status = http_parse_host(&ps, room)) != 0 || (status = http_parse_framing(&ps)) != 0)
		return status;
	if (ps.expect_other)
		return http_parse_refuse(&ps, 417, "Only Expect: 100-continue is understood");
	r->fields = fields;
	r->field_count = g->fields;
	if (ps.upgrade_named && !ps.upgrade_twice && !r->has_body && r->minor == 1)
		r->upgrade = ps.upgrade;
	out->keep_alive = !out->close_named && (r->minor == 1 || ps.keep_alive);
	out->expect_continue = out->expect_continue && r->minor == 1 && r->has_body;
	return 0;
}
