#include "config.h"

#include "http/http_route.h"
#include "base/octet.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Decodes the byte at p and moves on; -1 for a bad escape or NUL. */
static int
http_route_byte(const char **p)
{
	int hi, lo;

	if (**p != '%')
		return (unsigned char)*(*p)++;
	if ((hi = octet_hex((*p)[1])) < 0 || (lo = octet_hex((*p)[2])) < 0 || hi + lo == 0)
		return -1;
	*p += 3;
	return hi << 4 | lo;
}

/* Checks a whole path: escapes, and no segment that is "." or "..". */
static bool
http_route_sound(const char *p)
{
	size_t len = 0, dots = 0;
	int c;

	if (strchr(p, '%') == NULL && strstr(p, "/.") == NULL)
		return true; /* nearly every path */
	for (;;) {
		if (*p == '/' || *p == '\0') {
			if (len > 0 && len <= 2 && dots == len)
				return false;
			if (*p++ == '\0')
				return true;
			len = dots = 0;
			continue;
		}
		if ((c = http_route_byte(&p)) < 0)
			return false;
		len++;
		dots += c == '.';
	}
}

/* Decodes a segment into a parameter; false when it is empty or too long. */
static bool
http_route_param(const char **p, struct http_match *m)
{
	char *out = m->params[m->param_count++];
	size_t n = strcspn(*p, "/%");

	if (n >= HTTP_ROUTE_PARAM_MAX)
		return false;
	memcpy(out, *p, n);
	*p += n;
	while (**p != '/' && **p != '\0') {
		if (n == HTTP_ROUTE_PARAM_MAX - 1)
			return false;
		out[n++] = (char)http_route_byte(p);
	}
	out[n] = '\0';
	m->text = m->text && utf8_span(out, n) == n;
	return n > 0;
}

/* Matches a literal segment of the pattern; an escaped slash is not its end. */
static bool
http_route_literal(const char **pat, const char **p)
{
	while (**pat == **p && **pat != '/' && **pat != '\0') {
		(*pat)++;
		(*p)++;
	}
	while (**pat != '/' && **pat != '\0') {
		if (**p == '/' || **p == '\0' || http_route_byte(p) != (unsigned char)**pat)
			return false;
		(*pat)++;
	}
	return **p == '/' || **p == '\0';
}

/* Matches a sound path against a pattern. */
static bool
http_route_match(const char *pat, const char *p, struct http_match *m)
{
	m->param_count = 0;
	m->text = true;
	while (*pat == '/' && *p == '/') {
		pat++;
		p++;
		if (*pat == ':') {
			if (m->param_count == HTTP_ROUTE_PARAMS || !http_route_param(&p, m))
				return false;
			pat += strcspn(pat, "/");
		} else if (!http_route_literal(&pat, &p)) {
			return false;
		}
	}
	return *pat == '\0' && *p == '\0';
}

/* Whether a route serves a method. */
static bool
http_route_serves(const char *route, const char *method)
{
	return strcmp(route, method) == 0 ||
	    (strcmp(method, "HEAD") == 0 && strcmp(route, "GET") == 0);
}

/* Adds a method to Allow unless it stands there. */
static void
http_route_allow(char allow[64], const char *method)
{
	size_t len = strlen(allow), n = strlen(method);

	for (const char *at = allow; (at = strstr(at, method)) != NULL; at += n)
		if ((at == allow || at[-1] == ' ') && (at[n] == ',' || at[n] == '\0'))
			return;
	if (len + n + 3 <= 64)
		snprintf(allow + len, 64 - len, "%s%s", len > 0 ? ", " : "", method);
}

/* Looks a request up. */
enum http_route_result
http_route_find(const struct http_route *table, size_t count, const char *method,
    const char *path, struct http_match *m)
{
	bool matches = false;

	m->pattern = NULL;
	m->param_count = 0;
	m->allow[0] = '\0';
	if (!http_route_sound(path))
		return HTTP_ROUTE_BAD;
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || table[i].pattern != table[i - 1].pattern)
			matches = http_route_match(table[i].pattern, path, m);
		if (!matches)
			continue;
		if (http_route_serves(table[i].method, method)) {
			m->id = table[i].id;
			m->pattern = table[i].pattern;
			return HTTP_ROUTE_FOUND;
		}
		http_route_allow(m->allow, table[i].method);
		if (strcmp(table[i].method, "GET") == 0)
			http_route_allow(m->allow, "HEAD");
	}
	m->param_count = 0;
	return m->allow[0] != '\0' ? HTTP_ROUTE_METHOD : HTTP_ROUTE_NONE;
}
