#include "config.h"

#include "sandbox/sandbox_portrait.h"
#include "base/digest.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The colours of a portrait, by their place in the palette. */
enum portrait_colour {
	PORTRAIT_GROUND,
	PORTRAIT_SKIN,
	PORTRAIT_HAIR,
	PORTRAIT_CLOTHES,
	PORTRAIT_WHITE,
	PORTRAIT_EYE,
	PORTRAIT_MOUTH,
	PORTRAIT_COLOURS
};

/* What makes one face differ from another; lengths are in thousandths. */
struct portrait {
	unsigned char palette[PORTRAIT_COLOURS][3];
	int face_width, face_height, hair, eye_gap, eye_size, mouth_width, smile;
};

/* The n-th pair of hex digits of a digest. */
static unsigned
portrait_byte(const char *digest, unsigned n)
{
	const char pair[3] = {digest[2 * n], digest[2 * n + 1], '\0'};

	return (unsigned)strtoul(pair, NULL, 16);
}

/* Mixes a colour from three bytes, between two bounds. */
static void
portrait_mix(unsigned char out[3], const char *digest, unsigned n, unsigned low, unsigned high)
{
	for (unsigned i = 0; i < 3; i++)
		out[i] = (unsigned char)(low + portrait_byte(digest, n + i) * (high - low) / 255);
}

/* Chooses colours and features. */
static void
portrait_choose(struct portrait *p, const char *prompt, size_t len)
{
	static const unsigned char skins[][3] = {{255, 224, 196}, {241, 194, 155}, {224, 172, 125},
		{198, 134, 88}, {141, 85, 52}, {92, 56, 37}};
	static const unsigned char white[3] = {250, 250, 250}, mouth[3] = {176, 60, 68};
	char d[DIGEST_HEX_SIZE];

	digest_hex(prompt, len, d);
	portrait_mix(p->palette[PORTRAIT_GROUND], d, 0, 130, 235);
	memcpy(p->palette[PORTRAIT_SKIN], skins[portrait_byte(d, 3) % 6], 3);
	portrait_mix(p->palette[PORTRAIT_HAIR], d, 4, 15, 150);
	portrait_mix(p->palette[PORTRAIT_CLOTHES], d, 7, 40, 220);
	memcpy(p->palette[PORTRAIT_WHITE], white, 3);
	portrait_mix(p->palette[PORTRAIT_EYE], d, 10, 20, 120);
	memcpy(p->palette[PORTRAIT_MOUTH], mouth, 3);
	p->face_width = 190 + (int)portrait_byte(d, 13) * 60 / 255;
	p->face_height = 250 + (int)portrait_byte(d, 14) * 50 / 255;
	p->hair = 40 + (int)portrait_byte(d, 15) * 90 / 255;
	p->eye_gap = 70 + (int)portrait_byte(d, 16) * 40 / 255;
	p->eye_size = 22 + (int)portrait_byte(d, 17) * 16 / 255;
	p->mouth_width = 60 + (int)portrait_byte(d, 18) * 50 / 255;
	p->smile = (int)portrait_byte(d, 19) * 60 / 255 - 20;
}

/* Whether a point lies in an ellipse; all in thousandths. */
static bool
portrait_in(int x, int y, int cx, int cy, int rx, int ry)
{
	int64_t dx = x - cx, dy = y - cy, a = rx, b = ry;

	return dx * dx * b * b + dy * dy * a * a <= a * a * b * b;
}

/* The colour of a point of a square of 1000. */
static enum portrait_colour
portrait_at(const struct portrait *p, int x, int y)
{
	int side = x < 500 ? 500 - p->eye_gap : 500 + p->eye_gap;
	int curve = p->smile * (x - 500) * (x - 500) / (p->mouth_width * p->mouth_width);

	if (portrait_in(x, y, side, 430, p->eye_size / 2, p->eye_size / 2))
		return PORTRAIT_EYE;
	if (portrait_in(x, y, side, 430, p->eye_size * 3 / 2, p->eye_size))
		return PORTRAIT_WHITE;
	if (abs(x - 500) < p->mouth_width && abs(y - (610 - curve)) < 10)
		return PORTRAIT_MOUTH;
	if (y < 430 - p->face_height + p->hair * 2 &&
	    portrait_in(x, y, 500, 470, p->face_width + p->hair / 2, p->face_height + p->hair))
		return PORTRAIT_HAIR;
	if (portrait_in(x, y, 500, 470, p->face_width, p->face_height))
		return PORTRAIT_SKIN;
	if (portrait_in(x, y, 500, 1080, 400, 330))
		return PORTRAIT_CLOTHES;
	if (portrait_in(x, y, 500, 480, p->face_width + p->hair / 2, p->face_height + p->hair))
		return PORTRAIT_HAIR;
	return PORTRAIT_GROUND;
}

/* Writes a number of four bytes. */
static void
portrait_number(unsigned char *to, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(n >> (24 - 8 * i));
}

/* Appends a chunk (PNG, 5.3). */
static bool
portrait_chunk(struct buf *out, const char *type, const void *bytes, size_t len)
{
	unsigned char number[4];
	uLong crc = crc32(crc32(0, NULL, 0), (const Bytef *)type, 4);

	if (len > 0)
		crc = crc32(crc, bytes, (uInt)len);
	portrait_number(number, (uint32_t)len);
	if (!buf_add(out, number, 4) || !buf_add(out, type, 4) || !buf_add(out, bytes, len))
		return false;
	portrait_number(number, (uint32_t)crc);
	return buf_add(out, number, 4);
}

/* Draws the rows, each behind its filter byte, and compresses them. */
static char *
portrait_rows(const struct portrait *p, unsigned width, unsigned height, uLongf *len)
{
	uLong raw_len = (uLong)(width + 1) * height;
	unsigned char *raw = mem_alloc(raw_len), *at = raw;
	char *packed;

	for (unsigned y = 0; y < height; y++) {
		*at++ = 0;
		for (unsigned x = 0; x < width; x++)
			*at++ = portrait_at(p, (int)(x * 1000 / width), (int)(y * 1000 / height));
	}
	*len = compressBound(raw_len);
	packed = mem_alloc(*len);
	if (compress2((Bytef *)packed, len, raw, raw_len, Z_BEST_SPEED) != Z_OK)
		abort(); /* only for a lack of memory or room, and there is enough */
	free(raw);
	return packed;
}

/* Draws a portrait. */
bool
sandbox_portrait(struct buf *out, const char *prompt, size_t len, unsigned width, unsigned height)
{
	/* 8 bits a pixel, indexed, no interlace (PNG, 11.2.1) */
	unsigned char head[13] = {0, 0, 0, 0, 0, 0, 0, 0, 8, 3, 0, 0, 0};
	struct portrait p;
	uLongf packed_len;
	char *packed;
	bool ok;

	portrait_choose(&p, prompt, len);
	portrait_number(head, width);
	portrait_number(head + 4, height);
	packed = portrait_rows(&p, width, height, &packed_len);
	ok = buf_add(out, "\x89PNG\r\n\x1a\n", 8) && portrait_chunk(out, "IHDR", head,
	    sizeof head) &&
	    portrait_chunk(out, "PLTE", p.palette, sizeof p.palette) &&
	    portrait_chunk(out, "IDAT", packed, packed_len) && portrait_chunk(out, "IEND", "", 0);
	free(packed);
	return ok;
}
