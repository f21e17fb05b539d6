#include "config.h"

#include "http/http_message.h"

#include <string.h>

/* Looks a field up by its lower-case name. */
const char *
http_request_field(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->field_count; i++)
		if (strcmp(r->fields[i].name, name) == 0)
			return r->fields[i].value;
	return NULL;
}
