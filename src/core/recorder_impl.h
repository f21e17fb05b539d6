#ifndef CORE_RECORDER_IMPL_H
#define CORE_RECORDER_IMPL_H

#include "core/recorder.h"

#include <sys/queue.h>
#include <uthash.h>

/* Shared by recorder.c (what is remembered), recorder_text.c (how it is kept) and
 * recorder_print.c (how it is shown). Texts are JSON. */

struct recorder_call {
	char *method, *url;
	char *headers;  /* an object */
	char *body;     /* NULL: none, or it was too long */
	bool over;
	enum upstream_outcome outcome; /* when it is over */
	int status;     /* of an answer; 0: none */
	char *answer;   /* a string when it was not JSON; NULL as for the body */
};

struct recorder_entry {
	TAILQ_ENTRY(recorder_entry) link;
	UT_hash_handle hh;
	uint32_t serial; /* of the request's trace: the hash key */
	size_t bytes;    /* that it takes */
	struct snapshot *snap;
	struct project project;
	enum recorder_operation operation;
	char *id;
	int64_t wall;
	char *body;      /* NULL: none, or it was too long */
	struct recorder_call calls[RECORDER_CALLS];
	unsigned call_count, calls_more; /* kept; beyond */
	int status;      /* of the local answer; 0: not yet */
	char *answer;
	bool cut;        /* something was too long to be kept */
};

struct recorder {
	struct loop *loop;
	size_t requests, limit; /* at most: entries, bytes */
	size_t count, bytes;
	TAILQ_HEAD(recorder_entries, recorder_entry) entries; /* oldest first */
	struct recorder_entry *running;       /* by serial: all of them, whether they run or not */
};

/* A value of one side as text, without its secrets. It is changed on the way. */
char *recorder_text_local(const struct recorder_entry *, struct json_object *);
char *recorder_text_upstream(const struct recorder_entry *, struct json_object *);

/* The same of bytes; NULL when there are none. */
char *recorder_text_read(const struct recorder_entry *, const char *body, size_t len, bool local);

/* The header fields of a call, as an object. */
char *recorder_text_headers(const struct upstream_request *);

#endif
