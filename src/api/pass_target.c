#include "config.h"

#include "api/pass_target.h"
#include "base/mem.h"
#include "base/octet.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PASS_TARGET_SLASH '\x01' /* stands for an escaped slash, which is no end of a segment */

/* What a semicolon means to others. */
enum pass_semicolon {
	PASS_SEMICOLON_PLAIN, /* nothing */
	PASS_SEMICOLON_PARAM, /* parameters of its segment follow (RFC 3986, 3.3) */
	PASS_SEMICOLON_QUERY  /* the query follows, as after a question mark */
};

/* Decodes the byte at *p and moves on; -1 for an escape that is none. */
static int
pass_target_byte(const char **p)
{
	int high, low;

	if (**p != '%')
		return (unsigned char)*(*p)++;
	if ((high = octet_hex((*p)[1])) < 0 || (low = octet_hex((*p)[2])) < 0)
		return -1;
	*p += 3;
	return high << 4 | low;
}

/* Whether a path, cut into its segments by slashes alone, begins with these. "*" is any
 * segment. What follows them may be nothing, or a slash and anything. */
static bool
pass_target_begins(const char *path, const char *const *segments)
{
	for (; *segments != NULL; segments++) {
		size_t len;

		if (*path++ != '/')
			return false;
		len = strcspn(path, "/");
		if (len == 0 || (strcmp(*segments, "*") != 0 &&
		        (strlen(*segments) != len || strncmp(*segments, path, len) != 0)))
			return false;
		path += len;
	}
	return *path == '\0' || *path == '/';
}

/* Whose a decoded path is. */
static enum pass_owner
pass_target_match(const char *path, const struct pass_claims *claims)
{
	for (const char *const *own = claims->own; *own != NULL; own++) {
		const char *const segments[] = {"api", "projects", "*", *own, NULL};

		if (pass_target_begins(path, segments))
			return PASS_OWN;
	}
	return claims->v1 && strncmp(path, "/v1/", 4) == 0 ? PASS_BLUEJAY : PASS_OTHER;
}

/* Decodes a path as the router here does; false when it refuses it. `out` is as long. */
static bool
pass_target_strict(const char *path, char *out)
{
	char *segment = out;
	int c;

	for (;;) {
		if (*path == '/' || *path == '\0') {
			*out = '\0';
			if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
				return false;
			if (*path == '\0')
				return true;
			*out++ = *path++;
			segment = out;
			continue;
		}
		if ((c = pass_target_byte(&path)) <= 0)
			return false;
		*out++ = c == '/' ? PASS_TARGET_SLASH : (char)c;
	}
}

/* Decodes a path as others may: in small letters, with every kind of slash, several in a
 * row counting as one, cut at a NUL, and escapes that are none as they are. */
static void
pass_target_loose(const char *path, enum pass_semicolon semicolon, char *out)
{
	const char *start = out;
	int c;

	while (*path != '\0') {
		if (*path == ';' && semicolon == PASS_SEMICOLON_QUERY)
			break;
		if (*path == ';' && semicolon == PASS_SEMICOLON_PARAM) {
			path += strcspn(path, "/");
			continue;
		}
		if ((c = pass_target_byte(&path)) < 0)
			c = *path++;
		if (c == '\\')
			c = '/';
		if (c == 0)
			break;
		if (c != '/' || out == start || out[-1] != '/')
			*out++ = (char)tolower(c);
	}
	*out = '\0';
}

/* Takes dot segments out of a decoded path, in place (RFC 3986, 5.2.4). */
static void
pass_target_resolve(char *path)
{
	char *in = path, *out = path;

	while (*in == '/') {
		size_t len = 1 + strcspn(in + 1, "/");

		if (len == 3 && strncmp(in, "/..", 3) == 0) {
			while (out > path && *--out != '/')
				;
		} else if (!(len == 2 && in[1] == '.')) {
			memmove(out, in, len);
			out += len;
		}
		in += len;
	}
	*out = '\0';
}

/* Whether others who read semicolons so see the same owner. `view` is as long. */
static bool
pass_target_agrees(const char *path, enum pass_semicolon semicolon,
    const struct pass_claims *claims, enum pass_owner owner, char *view)
{
	pass_target_loose(path, semicolon, view);
	if (pass_target_match(view, claims) != owner)
		return false;
	pass_target_resolve(view);
	return pass_target_match(view, claims) == owner;
}

/* Tells whose a path is. */
enum pass_owner
pass_target_owner(const char *path, const struct pass_claims *claims)
{
	char *view = mem_alloc(strlen(path) + 1);
	enum pass_owner owner = PASS_OTHER;

	if (pass_target_strict(path, view))
		owner = pass_target_match(view, claims);
	/* What is ours goes to nobody else, whatever others see. */
	if (owner != PASS_OWN &&
	    !(pass_target_agrees(path, PASS_SEMICOLON_PLAIN, claims, owner, view) &&
	        pass_target_agrees(path, PASS_SEMICOLON_PARAM, claims, owner, view) &&
	        pass_target_agrees(path, PASS_SEMICOLON_QUERY, claims, owner, view)))
		owner = PASS_UNCLEAR;
	free(view);
	return owner;
}

/* Gives what an origin gets. */
char *
pass_target_origin(const struct http_request *q)
{
	const char *rest = q->target;

	if (*rest == '/' || *rest == '*')
		return mem_string(rest);
	rest = strstr(rest, "://") + 3; /* the parser takes no other form */
	rest += strcspn(rest, "/?");
	if (*rest == '\0')
		return mem_string(q->path); /* "/", or "*" of OPTIONS */
	return mem_format("%s%s", *rest == '?' ? "/" : "", rest);
}
