#ifndef POSTGRES_URL_H
#define POSTGRES_URL_H

#include "base/fail.h"

#include <libpq-fe.h>
#include <stddef.h>

/*
 * How the database is reached: the options of the URL, with what a gateway wants unless
 * the URL says otherwise. It holds a password: nothing of it is printed but what
 * postgres_url_where() gives.
 */
struct postgres_url;

/* NULL with a sentence, which does not repeat the URL. The password may be NULL. */
struct postgres_url *postgres_url_new(const char *url, const char *password, struct fail *);
void postgres_url_free(struct postgres_url *);

/* The value of an option of libpq, "" when the URL does not have it. */
const char *postgres_url_option(const struct postgres_url *, const char *keyword);

/* The database in sentences: "PostgreSQL (database gateway at db1,db2)". */
const char *postgres_url_where(const struct postgres_url *);

/* The first line of what libpq says of a connection, without the values of options that it
 * quotes: a password may stand in the place of one. Freed by the caller. */
char *postgres_url_hide(const struct postgres_url *, const char *words);

/* Starts to connect to one host; an empty host, address or port is libpq's default. Looks no
 * name up when there is an address. NULL only without memory. */
PGconn *postgres_url_connect(const struct postgres_url *, const char *host, const char *address,
    const char *port);

#endif
