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
