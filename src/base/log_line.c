#include "config.h"

#include "base/log_line.h"
#include "base/timestamp.h"

#include <string.h>

static const char *const log_line_levels[] = {"debug", "info", "warn", "error"};
static const char *const log_line_padded[] = {"debug", "info ", "warn ", "error"};

/* Adds bytes as far as there is room. */
static void
log_line_add(struct log_line *l, const char *bytes, size_t len)
{
	size_t room = l->len < LOG_LINE_MAX ? LOG_LINE_MAX - l->len : 0;

	if (len > room)
		len = room;
	memcpy(l->text + l->len, bytes, len);
	l->len += len;
}

/* Adds a string. */
static void
log_line_adds(struct log_line *l, const char *s)
{
	log_line_add(l, s, strlen(s));
}

/* Adds what closes something; there is always room for it. */
static void
log_line_close(struct log_line *l, const char *s)
{
	size_t len = strlen(s);

	if (l->len + len > sizeof l->text)
		return;
	memcpy(l->text + l->len, s, len);
	l->len += len;
}

/* Adds a number, with `decimals` digits behind a point. */
static void
log_line_number(struct log_line *l, int64_t n, int decimals)
{
	char digits[24], *p = digits + sizeof digits;
	uint64_t u = n < 0 ? -(uint64_t)n : (uint64_t)n;
	int count = 0;

	do {
		if (count++ == decimals && decimals > 0)
			*--p = '.';
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0 || count <= decimals);
	if (n < 0)
		*--p = '-';
	log_line_add(l, p, (size_t)(digits + sizeof digits - p));
}

/* Length of the UTF-8 character at s that may be shown as it is; 0: none. */
static size_t
log_line_character(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (s[0] < 0x20 || s[0] == 0x7f || (s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] >= 0x90))
		return 0; /* a control character, too long a form, a surrogate, beyond Unicode */
	return len;
}

/* Adds a byte that is no character to be shown. */
static void
log_line_escape(struct log_line *l, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char out[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	if (c >= 0x80)
		log_line_adds(l, "\\ufffd");
	else
		log_line_add(l, out, sizeof out);
}

/* Length of what stands first in s and needs no second look: visible ASCII and spaces
 * without quote and backslash. */
static size_t
log_line_span(const char *s)
{
	size_t n = 0;

	while ((unsigned char)(s[n] - ' ') < 0x5f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

/* Adds a JSON string. */
static void
log_line_quoted(struct log_line *l, const char *s)
{
	size_t span = log_line_span(s);

	log_line_add(l, "\"", 1);
	if (l->len + span + 6 < LOG_LINE_MAX) {
		log_line_add(l, s, span);
		s += span;
	}
	while (*s != '\0' && l->len + 6 < LOG_LINE_MAX) { /* no escape is cut */
		size_t len = log_line_character((const unsigned char *)s);

		if (*s == '"' || *s == '\\')
			log_line_add(l, "\\", 1);
		if (len > 0)
			log_line_add(l, s, len);
		else
			log_line_escape(l, (unsigned char)*s);
		s += len > 0 ? len : 1;
	}
	log_line_close(l, "\"");
}

/* Whether a value needs no quotes in the text form. */
static bool
log_line_plain(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || *s == '"' || *s == '=')
			return false;
	return true;
}

/* Adds one field. */
static void
log_line_field(struct log_line *l, const struct log_field *f)
{
	if (l->json) {
		log_line_add(l, ",\"", 2);
		log_line_adds(l, f->key);
		log_line_add(l, "\":", 2);
	} else {
		log_line_add(l, " ", 1);
		log_line_adds(l, f->key);
		log_line_add(l, "=", 1);
	}
	if (f->text == NULL)
		log_line_number(l, f->number, f->kind == LOG_KIND_THOUSANDTHS ? 3 : 0);
	else if (l->json || !log_line_plain(f->text))
		log_line_quoted(l, f->text);
	else
		log_line_adds(l, f->text);
}

/* Makes a line. Keys are short literals that need no escapes. */
void
log_line_make(struct log_line *l, bool json, int64_t wall_ms, enum log_level level,
    const char *event, const struct log_field *f)
{
	char when[TIMESTAMP_SIZE];

	l->json = json;
	l->len = 0;
	timestamp_format(wall_ms, when);
	if (json) {
		log_line_adds(l, "{\"time\":\"");
		log_line_adds(l, when);
		log_line_adds(l, "\",\"level\":\"");
		log_line_adds(l, log_line_levels[level]);
		log_line_adds(l, "\",\"event\":");
		log_line_quoted(l, event);
	} else {
		log_line_adds(l, when);
		log_line_add(l, " ", 1);
		log_line_adds(l, log_line_padded[level]);
		log_line_add(l, " ", 1);
		log_line_adds(l, event);
	}
	/* A field for which there may be no room is left out whole. */
	for (; f != NULL && f->key != NULL && l->len + strlen(f->key) + 40 < LOG_LINE_MAX; f++)
		log_line_field(l, f);
	log_line_close(l, json ? "}\n" : "\n");
}
