#ifndef API_PASS_FIELDS_H
#define API_PASS_FIELDS_H

#include "base/header.h"
#include "http/http_message.h"
#include "upstream/relay.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The fields of a message that is passed on. Those of one hop stay behind (RFC 9110,
 * 7.6.1), those that say how it came are added or replaced: Via (7.6.3), Max-Forwards
 * (7.6.2), X-Forwarded-* and Forwarded (RFC 7239).
 */
enum pass_way {
	PASS_TO_BLUEJAY, /* the caller's credentials stay here, the key goes along */
	PASS_TO_LOCAL    /* says for whom; Host stays as it is */
};

/* A list of fields with the memory of those that were made for it. */
struct pass_fields {
	struct wire_field *list; /* ends with a NULL name */
	size_t count, room;
	char *made[8];
	size_t made_count;
};

/* What goes along to Bluejay. */
struct pass_along {
	const char *key;
	const struct header_list *headers; /* of the configuration, in place of the caller's */
};

/* What a request is sent on with; `name` is ours in Via. One that is `known` has the
 * token of a client of ours, which stays here. What goes along (NULL: nothing) and the
 * values of the request must live as long as the list. */
void pass_fields_request(struct pass_fields *, const struct http_request *, enum pass_way,
    bool known, const char *name, const struct pass_along *);

/* What an answer is given to the client with; they live as long as the head does. */
void pass_fields_answer(struct pass_fields *, const struct wire_field *, enum pass_way,
    const char *name);

/* Adds a field; its texts must live as long as the list. */
void pass_fields_add(struct pass_fields *, const char *name, const char *value);

void pass_fields_free(struct pass_fields *);

/* Whether a message has come by here before. */
bool pass_fields_loop(const struct http_request *, const char *name);

/* How many servers TRACE and OPTIONS may still pass; -1: nothing says it, or the method
 * does not mind. */
long pass_fields_forwards(const struct http_request *);

#endif
