#ifndef POSTGRES_H
#define POSTGRES_H

#include <stdbool.h>

/*
 * PostgreSQL servers of a test's own: unprivileged also when the test runs as root, on
 * loopback and a local socket, in a folder that goes with the test, whatever becomes of it
 * (folder.h). Gateways log in over TCP as POSTGRES_USER, who owns the databases made here
 * and may make none; the test itself is the superuser, by the local socket. Text is sorted
 * as people do unless a query says otherwise. Whatever goes wrong in here fails the running
 * test.
 */
#define POSTGRES_USER "gateway"

struct postgres;

/* What a server is to be like. A zeroed one: nothing is asked of who comes over TCP. */
struct postgres_options {
	bool fsync;           /* commits reach the disk: slower, and only a power cut can tell */
	const char *password; /* of the user; NULL: none */
	bool tls;             /* TLS alone is let in over TCP */
	const char *settings; /* "name=value" once, as postgres takes it with -c; NULL: none */
};

/* Whether a server can be started; says which package is missing. Call it in main(), before
 * any test: it prepares the folder that servers are copied from. */
bool postgres_possible(void);

/* Starts a server; options NULL: a zeroed one. */
struct postgres *postgres_new(const struct postgres_options *);
/* Starts a streaming standby of a running server; synchronous: from now on the first
 * answers a commit when it is on the disk of both, until postgres_alone(). */
struct postgres *postgres_standby(struct postgres *, bool synchronous);
/* The same with one that was stopped or killed, and keeps its port. */
void postgres_rejoin(struct postgres *, struct postgres *first, bool synchronous);
void postgres_alone(struct postgres *); /* waits for no standby any more */
void postgres_free(struct postgres *); /* stops and removes it */

void postgres_stop(struct postgres *);  /* sessions are ended in order */
void postgres_kill(struct postgres *);  /* all its processes at once, with SIGKILL */
void postgres_start(struct postgres *); /* after one of these; on the same port */
void postgres_pause(struct postgres *); /* it hangs: connections stay, nothing is answered */
void postgres_resume(struct postgres *);
void postgres_promote(struct postgres *); /* returns when the standby takes writes */

int postgres_port(const struct postgres *);
/* The certificate of a server with TLS, a file. */
const char *postgres_certificate(const struct postgres *);
/* Where the user finds a database, with the password if there is one; a second server may
 * be NULL, else whichever takes writes is meant. Static until the fourth next call. */
const char *postgres_url(const struct postgres *, const struct postgres *second,
    const char *database);

/* Makes a database that belongs to the user. */
void postgres_make(struct postgres *, const char *database);
/* What psql prints for statements of the superuser, columns with '|'; the caller frees. */
char *postgres_sql(struct postgres *, const char *database, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for one number. */
long postgres_count(struct postgres *, const char *database, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What the server wrote so far; the caller frees. */
char *postgres_log(const struct postgres *);
/* The folder of Debian's programs (psql and others). */
const char *postgres_programs(void);

#endif
