#ifndef HTTP_ID_H
#define HTTP_ID_H

#include "base/uuid.h"

/*
 * Request ids: random version 4 UUIDs. uuid_make() asks the kernel each time;
 * this takes its bytes from a store that asks once for many. Zeroed is ready.
 */
#define HTTP_ID_STORE 1024 /* bytes, 64 ids */

struct http_ids {
	unsigned char bytes[HTTP_ID_STORE];
	unsigned left;
};

void http_id_make(struct http_ids *, char out[UUID_SIZE]);

#endif
