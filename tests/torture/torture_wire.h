#ifndef TORTURE_WIRE_H
#define TORTURE_WIRE_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * HTTP over raw sockets for many threads: every wait is bounded, and whatever
 * goes wrong is an outcome, not the end of the program.
 */

enum wire_outcome {
	WIRE_ANSWERED,
	WIRE_REFUSED, /* no connection: the request was not sent */
	WIRE_DROPPED, /* the connection ended before a whole answer */
	WIRE_HUNG     /* no whole answer in time */
};

struct wire_answer {
	enum wire_outcome outcome;
	int status;
	char *head, *body; /* NUL-terminated; NULL unless ANSWERED */
	size_t len;
	struct json_object *json; /* NULL: no JSON body */
	int64_t ms;               /* since the request was sent */
};

/* One request on its way. */
struct wire {
	int fd; /* -1: none */
	int64_t started, until;
};

/* Milliseconds of a clock that only runs forward. */
int64_t wire_now(void);

/* Connects to a port of loopback and sends; `fields` are whole lines with CRLF or
 * NULL, `body` NULL for none. */
void wire_send(struct wire *, int port, const char *method, const char *path, const char *fields,
    const char *body, int64_t within_ms);

/* Waits for the answer and closes. */
void wire_receive(struct wire *, struct wire_answer *);

/* Closes without looking at the answer. */
void wire_abort(struct wire *);

/* Both in one. */
void wire_ask(int port, const char *method, const char *path, const char *fields, const char *body,
    int64_t within_ms, struct wire_answer *);

void wire_clear(struct wire_answer *);

/* The value of an answer's field in `out`; false when it has none. */
bool wire_field(const struct wire_answer *, const char *name, char *out, size_t size);

#endif
