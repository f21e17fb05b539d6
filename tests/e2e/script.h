#ifndef SCRIPT_H
#define SCRIPT_H

#include <stddef.h>

/*
 * An upstream that does exactly what a test says, request by request, on a thread
 * of its own. It ends with the test's process.
 */
struct script_request {
	const char *method, *path, *body;
	const char *head; /* as it came, from the request line on */
	int number; /* of the requests so far, from 1 */
};

enum script_act {
	SCRIPT_ANSWER,
	SCRIPT_RESET, /* closes without a byte */
	SCRIPT_HOLD,  /* answers after script_release() */
	SCRIPT_HANG   /* never answers */
};

/* What to do; the strings are copied before the next request. */
struct script_reply {
	enum script_act act;
	int status;
	const char *fields; /* whole lines with CRLF; NULL: none */
	char body[2048];
};

/* Called on the script's thread for one request after the other. */
typedef void (*script_fn)(void *arg, const struct script_request *, struct script_reply *);

/* Lets held answers go, and those to come. */
void script_release(void);

/* Starts it; returns its port. */
int script_start(script_fn, void *arg);

#endif
