#include "config.h"

#include "config/yaml_place.h"

/* Puts the cursor at the front. */
void
yaml_place_init(struct yaml_place *p, const char *text, size_t len)
{
	*p = (struct yaml_place){.text = text, .len = len, .line = 1, .column = 1};
}

/* Where the code point at the cursor ends. */
static size_t
yaml_place_end(const struct yaml_place *p)
{
	size_t end = p->byte + 1;

	while (end < p->len && ((unsigned char)p->text[end] & 0xc0) == 0x80)
		end++;
	return end;
}

/* Steps over the code point that ends there. */
static void
yaml_place_step(struct yaml_place *p, size_t end)
{
	char c = p->text[p->byte];

	p->byte = end;
	p->point++;
	if (c == '\n' || (c == '\r' && (end == p->len || p->text[end] != '\n'))) {
		p->line++;
		p->column = 1;
	} else
		p->column++;
}

/* Moves to a byte, or to the code point that holds it. */
void
yaml_place_byte(struct yaml_place *p, size_t byte)
{
	size_t end;

	if (byte > p->len)
		byte = p->len;
	if (byte < p->byte)
		yaml_place_init(p, p->text, p->len);
	while (p->byte < byte && (end = yaml_place_end(p)) <= byte)
		yaml_place_step(p, end);
}

/* Moves to a code point. */
void
yaml_place_point(struct yaml_place *p, size_t point)
{
	if (point < p->point)
		yaml_place_init(p, p->text, p->len);
	while (p->point < point && p->byte < p->len)
		yaml_place_step(p, yaml_place_end(p));
}

/* The length of the code point at s, 0 when it is not well-formed. */
static size_t
yaml_place_width(const unsigned char *s, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t width;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		width = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		width = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		width = 4;
	else
		return 0;
	if (len < width)
		return 0;
	/* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < width; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return width;
}

/* Measures the well-formed part in front. */
size_t
yaml_place_utf8(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t width = yaml_place_width((const unsigned char *)text + at, len - at);

		if (width == 0)
			break;
		at += width;
	}
	return at;
}
