#include "config.h"

#include "bulk/bulk_text.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <string.h>

#define BULK_TEXT_CUT "\xe2\x80\xa6" /* … */

/* The code point that must not reach a terminal, when one begins here, and its bytes:
 * DEL, the control characters above 0x7F, and those that turn the direction of text. */
static unsigned
bulk_text_obeyed(const unsigned char *s, size_t len, size_t *size)
{
	unsigned code;

	if (s[0] == 0x7f) {
		*size = 1;
		return 0x7f;
	}
	if (len >= 2 && s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f) {
		*size = 2;
		return s[1];
	}
	if (len < 3 || s[0] != 0xe2)
		return 0;
	*size = 3;
	code = 0x2000u | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	    code == 0x200e || code == 0x200f ? code : 0;
}

/* Where to cut so that no character is cut. */
static size_t
bulk_text_fit(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* Quotes. */
void
bulk_text_quote(struct buf *b, const char *s, size_t len, size_t max)
{
	size_t fit = bulk_text_fit(s, len, max), start, size;
	struct buf text;
	unsigned code;

	buf_init(&text, 0);
	json_add_string(&text, s, fit);
	for (size_t i = start = 0; i < text.len; i++) {
		code = bulk_text_obeyed((unsigned char *)text.data + i, text.len - i, &size);
		if (code == 0)
			continue;
		buf_add(b, text.data + start, i - start);
		buf_addf(b, "\\u%04x", code);
		i += size - 1;
		start = i + 1;
	}
	buf_add(b, text.data + start, text.len - start);
	if (fit < len)
		buf_adds(b, BULK_TEXT_CUT);
	buf_free(&text);
}

/* Makes a sentence harmless. */
void
bulk_text_plain(struct buf *b, const char *s, size_t max)
{
	size_t len = strlen(s), fit = bulk_text_fit(s, len, max);

	for (size_t i = 0; i < fit; i++) {
		size_t size = 1;
		unsigned code = bulk_text_obeyed((const unsigned char *)s + i, fit - i, &size);

		if (code != 0 || (unsigned char)s[i] < 0x20) {
			buf_addc(b, '?');
			i += size - 1;
		} else {
			buf_addc(b, s[i]);
		}
	}
	if (fit < len)
		buf_adds(b, BULK_TEXT_CUT);
}

/* Says what is wrong. */
void
bulk_text_error(struct buf *b, const char *body, size_t len, size_t max)
{
	struct json_object *root = NULL;
	const char *sentence = NULL;

	if (body != NULL && json_read(body, len, &root, NULL))
		sentence = json_get_string(root, "error");
	if (sentence != NULL)
		bulk_text_plain(b, sentence, max);
	json_object_put(root);
}
