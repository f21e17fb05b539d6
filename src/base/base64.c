#include "config.h"

#include "base/base64.h"

#define BASE64_NONE 0xff
#define BASE64_PAD 0xfe

static const char base64_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define N BASE64_NONE
/* The value of each byte as a digit. */
static const unsigned char base64_values[256] = {
    N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N,
    N, N, N, N, N, N, N, N, N, N, N, 62, N, N, N, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, N, N,
    N, BASE64_PAD, N, N, N, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
    20, 21, 22, 23, 24, 25, N, N, N, N, N, N, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
    39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, N, N, N, N, N,
    N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N,
    N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N,
    N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N,
    N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N};
#undef N

/* Takes one character of a group that is not whole. */
static bool
base64_take(struct base64 *b, unsigned char c, struct buf *out)
{
	unsigned value = base64_values[c];
	char bytes[3];

	if (value == BASE64_NONE || (value == BASE64_PAD && b->count < 2) ||
	    (value != BASE64_PAD && b->pads > 0))
		return false;
	if (value == BASE64_PAD) {
		value = 0;
		b->pads++;
	}
	b->bits = b->bits << 6 | value;
	if (++b->count < 4)
		return true;
	bytes[0] = (char)(b->bits >> 16);
	bytes[1] = (char)(b->bits >> 8);
	bytes[2] = (char)b->bits;
	/* What the padding cut off must be nothing. */
	if ((b->pads == 2 && (b->bits & 0xffff) != 0) || (b->pads == 1 && (b->bits & 0xff) != 0))
		return false;
	if (b->pads == 0)
		b->count = 0; /* after padding the group stays: nothing may follow */
	b->bits = b->pads == 0 ? 0 : b->bits;
	return buf_add(out, bytes, 3 - b->pads);
}

/* Decodes whole groups without padding straight into the buffer, as far as they
 * go; returns how many characters. */
static size_t
base64_groups(const unsigned char *in, size_t len, struct buf *out)
{
	unsigned char *to;
	size_t i = 0;

	if (len < 4 || !buf_reserve(out, len / 4 * 3))
		return 0;
	to = (unsigned char *)out->data + out->len;
	for (; i + 4 <= len; i += 4) {
		unsigned a = base64_values[in[i]], b = base64_values[in[i + 1]];
		unsigned c = base64_values[in[i + 2]], d = base64_values[in[i + 3]];

		if ((a | b | c | d) > 63)
			break;
		*to++ = (unsigned char)(a << 2 | b >> 4);
		*to++ = (unsigned char)(b << 4 | c >> 2);
		*to++ = (unsigned char)(c << 6 | d);
	}
	out->len = (size_t)((char *)to - out->data);
	out->data[out->len] = '\0';
	return i;
}

/* Decodes a piece. */
bool
base64_decode(struct base64 *b, const char *text, size_t len, struct buf *out)
{
	const unsigned char *in = (const unsigned char *)text;
	size_t i = 0;

	while (i < len && !b->bad) {
		if (b->count == 0) {
			size_t n = base64_groups(in + i, len - i, out);

			i += n;
			if (i == len)
				break;
		}
		b->bad = b->count == 4 || !base64_take(b, in[i++], out);
	}
	return !b->bad;
}

/* Whether no group is open. */
bool
base64_ends(const struct base64 *b)
{
	return !b->bad && (b->count == 0 || b->count == 4);
}

/* Encodes. */
bool
base64_encode(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *in = bytes;
	char group[4];

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			bits |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			bits |= in[i + 2];
		group[0] = base64_letters[bits >> 18];
		group[1] = base64_letters[bits >> 12 & 63];
		group[2] = i + 1 < len ? base64_letters[bits >> 6 & 63] : '=';
		group[3] = i + 2 < len ? base64_letters[bits & 63] : '=';
		if (!buf_add(out, group, sizeof group))
			return false;
	}
	return true;
}
