#ifndef API_CLIENT_LEDGER_H
#define API_CLIENT_LEDGER_H

#include "api/client_rate.h"
#include "config/config_client.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What is known of clients in the whole process, whichever loop has their connections:
 * what each has used of its rate, and which addresses make failures (client_failures.h).
 * Every function may be called from any thread; the lock inside is held for some
 * arithmetic. Requests of clients without a rate do not come here.
 */
struct client_ledger;

struct client_ledger *client_ledger_new(void);
void client_ledger_free(struct client_ledger *); /* when every account was given back */

/* The account of a client, by its name: a full one when nobody has it. */
struct client_account;
struct client_account *client_ledger_open(struct client_ledger *, const char *name);
void client_ledger_close(struct client_ledger *, struct client_account *);

/* client_rate_take() for an account. */
bool client_ledger_take(struct client_ledger *, struct client_account *, int64_t per_minute,
    int64_t now, struct client_rate_left *);

/* client_failures_note(). */
int64_t client_ledger_fail(struct client_ledger *, const char *peer, int64_t now, bool *first);

#endif
