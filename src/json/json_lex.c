#include "config.h"

#include "json/json_lex.h"
#include "base/utf8.h"

#include <stdio.h>

/* Keeps the place and the reason. */
bool
json_lex_fail(struct json_lexer *l, const char *at, const char *why)
{
	if (l->err != NULL) {
		l->err->offset = (size_t)(at - l->text);
		snprintf(l->err->text, sizeof l->err->text, "%s", why);
	}
	return false;
}

/* Says that a byte cannot stand where it is. */
bool
json_lex_unexpected(struct json_lexer *l)
{
	return json_lex_fail(l, l->p, l->p == l->end ? "unexpected end" : "unexpected byte");
}

/* Moves over bytes that stand for themselves. */
bool
json_lex_run(struct json_lexer *l)
{
	size_t len;

	for (;;) {
		l->p = json_scan(l->p, l->end, 0x80);
		if (l->p == l->end || (unsigned char)*l->p < 0x80)
			return true;
		len = utf8_sequence(l->p, l->end);
		if (len == 0)
			return json_lex_fail(l, l->p, "not UTF-8");
		l->p += len;
	}
}

/* Reads the four digits after \u; -1 when they are not four hex digits. */
static int
json_lex_hex(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* Reads \uXXXX, or the two of a surrogate pair. */
static bool
json_lex_unicode_escape(struct json_lexer *l, unsigned *point)
{
	const char *at = l->p;
	int unit = json_lex_hex(at + 2, l->end), low;

	if (unit < 0)
		return json_lex_fail(l, at, "bad escape");
	l->p += 6;
	*point = (unsigned)unit;
	if (unit < 0xD800 || unit > 0xDFFF)
		return true;
	if (unit > 0xDBFF || l->end - l->p < 6 || l->p[0] != '\\' || l->p[1] != 'u')
		return json_lex_fail(l, at, "lone surrogate");
	low = json_lex_hex(l->p + 2, l->end);
	if (low < 0xDC00 || low > 0xDFFF)
		return json_lex_fail(l, at, "lone surrogate");
	l->p += 6;
	*point = 0x10000 + (((unsigned)unit - 0xD800) << 10) + ((unsigned)low - 0xDC00);
	return true;
}

/* Reads an escape. */
bool
json_lex_escape(struct json_lexer *l, unsigned *point)
{
	if (l->end - l->p < 2)
		return json_lex_fail(l, l->end, "unexpected end");
	switch (l->p[1]) {
	case '"':
	case '\\':
	case '/':
		*point = (unsigned char)l->p[1];
		break;
	case 'b':
		*point = '\b';
		break;
	case 'f':
		*point = '\f';
		break;
	case 'n':
		*point = '\n';
		break;
	case 'r':
		*point = '\r';
		break;
	case 't':
		*point = '\t';
		break;
	case 'u':
		return json_lex_unicode_escape(l, point);
	default:
		return json_lex_fail(l, l->p, "bad escape");
	}
	l->p += 2;
	return true;
}

/* Moves over digits; false when there is none. */
static bool
json_lex_digits(struct json_lexer *l)
{
	const char *first = l->p;

	while (l->p < l->end && *l->p >= '0' && *l->p <= '9')
		l->p++;
	return l->p > first;
}

/* Moves over a number. */
bool
json_lex_number(struct json_lexer *l, bool *whole)
{
	*whole = true;
	if (*l->p == '-')
		l->p++;
	if (l->p < l->end && *l->p == '0')
		l->p++;
	else if (!json_lex_digits(l))
		return json_lex_unexpected(l);
	if (l->p < l->end && *l->p == '.') {
		*whole = false;
		l->p++;
		if (!json_lex_digits(l))
			return json_lex_unexpected(l);
	}
	if (l->p < l->end && (*l->p == 'e' || *l->p == 'E')) {
		*whole = false;
		l->p++;
		if (l->p < l->end && (*l->p == '+' || *l->p == '-'))
			l->p++;
		if (!json_lex_digits(l))
			return json_lex_unexpected(l);
	}
	return true;
}

/* Moves over a literal name. */
bool
json_lex_literal(struct json_lexer *l, const char *word)
{
	for (; *word != '\0'; word++, l->p++)
		if (l->p == l->end || *l->p != *word)
			return json_lex_unexpected(l);
	return true;
}
