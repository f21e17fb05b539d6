#ifndef POSTGRES_SCHEMA_H
#define POSTGRES_SCHEMA_H

#include "base/fail.h"
#include "store/postgres_hosts.h"
#include "store/postgres_url.h"

#include <stdbool.h>

/* Connects, waiting, to the first host that takes the connection. NULL with a sentence. */
PGconn *postgres_schema_connect(const struct postgres_url *, struct postgres_hosts *, struct fail *);

/*
 * Connects, waiting, brings the database to the newest schema in one transaction, and
 * binds it to an upstream (NULL: any). Of several gateways that start at once one does it
 * and the others wait. -1 with a sentence, and nothing changed, when it cannot be reached
 * or is not allowed, is not a store, was written by a newer program, or belongs to another
 * upstream.
 */
int postgres_schema_open(const struct postgres_url *, struct postgres_hosts *, const char *binding,
    bool rebind, struct fail *);

#endif
