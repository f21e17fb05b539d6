#include "config.h"

#include "http/http_id.h"

/* Writes the next id. */
void
http_id_make(struct http_ids *ids, char out[UUID_SIZE])
{
	if (ids->left < UUID_BYTES) {
		uuid_random(ids->bytes, sizeof ids->bytes);
		ids->left = sizeof ids->bytes;
	}
	ids->left -= UUID_BYTES;
	uuid_of(ids->bytes + ids->left, out);
}
