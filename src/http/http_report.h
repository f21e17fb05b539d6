#ifndef HTTP_REPORT_H
#define HTTP_REPORT_H

#include "http/http_message.h"

/* What the server tells of each request once it is over: for logs and metrics. */

enum http_end {
	HTTP_SENT, /* the service's whole answer was handed to the kernel */
	HTTP_GONE  /* before that the client went away, was cut or timed out, or the server
	              refused the body itself (408, 413, broken chunks: 400; limits.buffers: 503)
	              or sent a 503 in place of the answer (limits.buffers) */
};

struct http_report {
	const struct http_request *request; /* of a head that was refused: members may be NULL */
	void *note;        /* what the service attached (http_exchange_set_note()), or NULL */
	enum http_end end;
	bool refused;      /* the server answered in place of the service */
	int status;        /* of the answer; 0: none was begun */
	uint64_t received; /* bytes of head and body; of what is refused, all that had
	                      come */
	uint64_t sent;     /* bytes of the answer that the kernel took */
	int64_t begun_us;  /* loop_now_us() when the head was whole */
	int64_t body_us;   /* after that: when the body was whole; -1: it never was */
	int64_t answer_us; /* when the answer began; -1: it never did */
	int64_t total_us;  /* when all was over */
};

/* Called on the loop after the exchange's end callback, for every request: also for
 * those that the server refused before the service saw them. */
typedef void (*http_report_fn)(void *arg, const struct http_report *);

#endif
