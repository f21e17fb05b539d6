#include "config.h"

#include "secret.h"

#include <check.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_REGION_MAX (UINTMAX_C(1) << 30) /* larger ones are what a sanitizer notes of memory */

/* Finds a piece of a secret. */
static const char *
secret_piece(const char *bytes, size_t len, const char *secret)
{
	size_t whole = strlen(secret);

	ck_assert_uint_ge(whole, SECRET_PIECE);
	for (size_t i = 0; i + SECRET_PIECE <= whole; i++) {
		const char *hit = memmem(bytes, len, secret + i, SECRET_PIECE);

		if (hit != NULL)
			return hit;
	}
	return NULL;
}

/* ---- texts that are taken back to what they mean ---- */

/* The value of a digit of base 16, or -1. */
static int
secret_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Two digits, or -1. */
static int
secret_byte(const char *s)
{
	int high = secret_digit(s[0]), low = high < 0 ? -1 : secret_digit(s[1]);

	return low < 0 ? -1 : high << 4 | low;
}

/* Takes one unit of a text; returns how many bytes it has, and what it means. */
typedef size_t (*secret_unit_fn)(const char *s, size_t left, char *out);

/* %2F */
static size_t
secret_percent(const char *s, size_t left, char *out)
{
	int c = *s == '%' && left >= 3 ? secret_byte(s + 1) : -1;

	*out = c >= 0 ? (char)c : *s;
	return c >= 0 ? 3 : 1;
}

/* \/ and \u002f */
static size_t
secret_json(const char *s, size_t left, char *out)
{
	int c = *s == '\\' && left >= 6 && strncmp(s + 1, "u00", 3) == 0 ? secret_byte(s + 4) : -1;

	*out = c >= 0 ? (char)c : *s == '\\' && left >= 2 ? s[1] : *s;
	return c >= 0 ? 6 : *s == '\\' && left >= 2 ? 2 : 1;
}

/* &quot; and &#34; */
static size_t
secret_html(const char *s, size_t left, char *out)
{
	static const struct {
		const char *name, *means;
	} known[] = {{"&quot;", "\""}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&#34;", "\""},
	    {"&#39;", "'"}, {"&#38;", "&"}, {"&#60;", "<"}, {"&#62;", ">"}};

	*out = *s;
	for (size_t i = 0; *s == '&' && i < sizeof known / sizeof *known; i++) {
		size_t len = strlen(known[i].name);

		if (left < len || memcmp(s, known[i].name, len) != 0)
			continue;
		*out = *known[i].means;
		return len;
	}
	return 1;
}

/* 2f; what is no digit means itself. */
static size_t
secret_hex(const char *s, size_t left, char *out)
{
	int c = left >= 2 ? secret_byte(s) : -1;

	*out = c >= 0 ? (char)c : *s;
	return c >= 0 ? 2 : 1;
}

/* Whether a secret stands in what a text means. */
static bool
secret_decoded(const char *bytes, size_t len, const char *secret, secret_unit_fn unit)
{
	char *plain = calloc(1, len + 1);
	size_t n = 0, i = 0;
	bool found;

	while (i < len)
		i += unit(bytes + i, len - i, &plain[n++]);
	found = secret_piece(plain, n, secret) != NULL;
	free(plain);
	return found;
}

/* ---- base64 ---- */

/* What a piece becomes when `before` bytes stand before it in its group: the characters
 * that it decides alone. */
static size_t
secret_encode(const char *piece, size_t len, size_t before, const char *letters, char *out)
{
	size_t bits = 8 * len, first = (6 - 8 * before % 6) % 6, n = 0;

	for (size_t at = first; at + 6 <= bits; at += 6) {
		unsigned value = 0;

		for (size_t b = at; b < at + 6; b++)
			value = value << 1 | ((unsigned char)piece[b / 8] >> (7 - b % 8) & 1);
		out[n++] = letters[value];
	}
	return n;
}

/* Whether a secret stands somewhere in base64. */
static bool
secret_base64(const char *bytes, size_t len, const char *secret)
{
	static const char *const alphabets[] = {
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
	char text[2 * SECRET_PIECE];

	for (size_t i = 0; i + SECRET_PIECE <= strlen(secret); i++)
		for (size_t before = 0; before < 3; before++)
			for (size_t a = 0; a < 2; a++) {
				size_t n = secret_encode(secret + i, SECRET_PIECE, before, alphabets[a], text);

				if (memmem(bytes, len, text, n) != NULL)
					return true;
			}
	return false;
}

/* The form in which a secret stands there. */
const char *
secret_form(const char *bytes, size_t len, const char *secret)
{
	if (secret_piece(bytes, len, secret) != NULL)
		return "plain";
	if (secret_decoded(bytes, len, secret, secret_percent))
		return "percent";
	if (secret_decoded(bytes, len, secret, secret_json))
		return "json";
	if (secret_decoded(bytes, len, secret, secret_html))
		return "html";
	if (secret_decoded(bytes, len, secret, secret_hex) ||
	    (len > 0 && secret_decoded(bytes + 1, len - 1, secret, secret_hex)))
		return "hex";
	return secret_base64(bytes, len, secret) ? "base64" : NULL;
}

/* ---- memory ---- */

/* Counts hits in one region. */
static int
secret_in_region(const char *bytes, size_t len, const char *secret, const char *region, char *where,
    size_t size)
{
	const char *end = bytes + len, *hit;
	int n = 0;

	for (const char *p = bytes; (hit = secret_piece(p, (size_t)(end - p), secret)) != NULL; n++) {
		const char *from = hit - bytes > 40 ? hit - 40 : bytes;
		size_t used = (size_t)snprintf(where, size, "%s: ", region);

		for (; from < end && from < hit + 80 && used + 1 < size; from++)
			where[used++] = isprint((unsigned char)*from) ? *from : '.';
		where[used] = '\0';
		p = hit + strlen(secret) < end ? hit + strlen(secret) : end;
	}
	return n;
}

/* Looks through a process. */
int
secret_in_memory(int pid, const char *secret, char *where, size_t size)
{
	char path[64], line[512];
	int n = 0, mem;
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	*where = '\0';
	if (maps == NULL || mem < 0)
		n = -1;
	while (n >= 0 && fgets(line, sizeof line, maps) != NULL) {
		uintmax_t from, to;
		char rights[8], *bytes;
		ssize_t got;

		if (sscanf(line, "%jx-%jx %7s", &from, &to, rights) != 3 || strncmp(rights, "rw", 2) != 0 ||
		    to - from > SECRET_REGION_MAX)
			continue;
		bytes = malloc((size_t)(to - from));
		got = pread(mem, bytes, (size_t)(to - from), (off_t)from);
		line[strcspn(line, "\n")] = '\0';
		if (got > 0)
			n += secret_in_region(bytes, (size_t)got, secret, line, where, size);
		free(bytes);
	}
	if (maps != NULL)
		fclose(maps);
	if (mem >= 0)
		close(mem);
	return n;
}
