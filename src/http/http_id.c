#include "config.h"

#include "http/http_id.h"

/* Writes the next id. */
void
http_id_make(struct http_ids *ids, char out[UUID_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char *b;
	char *p = out;

	if (ids->left < 16) {
		uuid_random(ids->bytes, sizeof ids->bytes);
		ids->left = sizeof ids->bytes;
	}
	ids->left -= 16;
	b = ids->bytes + ids->left;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[b[i] >> 4];
		*p++ = hex[b[i] & 15];
	}
	*p = '\0';
}
