#ifndef FRONT_H
#define FRONT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reverse proxies that a test starts in front of the gateway, unprivileged, on loopback,
 * with files of the test's own folder; and a server behind it that says what it has
 * understood. Whatever goes wrong in here fails the running test.
 */

/* The program of a package, or NULL. */
const char *front_nginx(void);
const char *front_haproxy(void);
/* Whether both are here; says which package is missing. */
bool front_possible(void);

/* A free port of loopback. */
int front_port(void);

/* Starts nginx with this text inside its http section, or haproxy with this text behind its
 * global section, and waits until a port answers. They end with the test. */
void front_start_nginx(const char *text, int port);
void front_start_haproxy(const char *text, int port);
void front_stop(void); /* both, each by its process id */
/* What they wrote so far: errors, and logs that the text sends to standard output. The
 * caller frees. */
char *front_log(void);

/* ---- a server that says what it has understood ---- */

/* A request is told as "METHOD target length:hash [X-Probe values] [X_Probe values]". The
 * answer is 200 with this text, and X-Echo; 204 or 304 for paths that begin so. */
struct echo;
struct echo *echo_start(void); /* lives as long as the test */
int echo_port(const struct echo *);
void echo_clear(struct echo *);
/* What it answers to paths that begin with /raw, byte by byte; then it hangs up or not. The
 * bytes must live on. */
void echo_say(struct echo *, const char *bytes, size_t len, bool hang_up);
/* What came since, one request a line; the caller frees. */
char *echo_seen(struct echo *);

/* ---- a client that sends bytes ---- */

#define FRONT_ANSWERS 16

struct front_answer {
	int status;
	bool echo; /* of the server behind, and its own */
	char body[2048]; /* the beginning of it */
};

/* The answers of one connection, those with 1xx left out. */
struct front_answers {
	struct front_answer list[FRONT_ANSWERS];
	size_t count;
};

/* Sends bytes on a connection of their own, then `last` (NULL: nothing), and reads until
 * its end. */
void front_send(int port, const char *bytes, size_t len, const char *last, struct front_answers *);

#endif
