#ifndef CLUSTER_STAGE_H
#define CLUSTER_STAGE_H

#include "harness.h"
#include "postgres.h"

/*
 * A simulated Bluejay, a PostgreSQL, and gateways that share it; each can fail alone. The
 * gateways have the projects of stage.h, which asks Bluejay here, too.
 */
#define CLUSTER_MAX 4

extern struct program cluster_gateways[CLUSTER_MAX];
extern struct postgres *cluster_database, *cluster_standby; /* the standby may be NULL */

/* Starts everything; `more` is the end of the gateways' file or NULL. They start at once. */
void cluster_open(unsigned gateways, bool standby, const char *more);
void cluster_close(void); /* all must end well */
/* One gateway: killed, ended in order, started again. */
void cluster_kill(unsigned gateway);
void cluster_stop(unsigned gateway);
void cluster_start(unsigned gateway);

/* Asks a gateway. */
struct reply *cluster_call(unsigned gateway, const char *method, const char *path, const char *fields,
    const char *body);
/* Sends without waiting; ask_end() reads the answer. */
int cluster_send(unsigned gateway, const char *method, const char *path, const char *fields,
    const char *body);
/* The status of /readyz of a gateway. */
int cluster_ready(unsigned gateway);

#endif
