#include "config.h"

#include "api/client_ledger.h"
#include "api/client_failures.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct client_account {
	char *name;
	unsigned refs;
	struct client_rate rate;
	TAILQ_ENTRY(client_account) link;
};

struct client_ledger {
	pthread_mutex_t lock; /* guards the rest */
	int64_t now; /* never goes back, though threads look at the clock before they come here */
	struct client_failures *failures;
	TAILQ_HEAD(, client_account) accounts;
};

/* Makes it. */
struct client_ledger *
client_ledger_new(void)
{
	struct client_ledger *l = mem_zero(1, sizeof *l);

	pthread_mutex_init(&l->lock, NULL);
	l->failures = client_failures_new();
	TAILQ_INIT(&l->accounts);
	return l;
}

/* Frees it. */
void
client_ledger_free(struct client_ledger *l)
{
	if (l == NULL)
		return;
	client_failures_free(l->failures);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Opens an account. */
struct client_account *
client_ledger_open(struct client_ledger *l, const char *name)
{
	struct client_account *a;

	pthread_mutex_lock(&l->lock);
	TAILQ_FOREACH(a, &l->accounts, link)
		if (strcmp(a->name, name) == 0)
			break;
	if (a == NULL) {
		a = mem_zero(1, sizeof *a);
		a->name = mem_string(name);
		TAILQ_INSERT_TAIL(&l->accounts, a, link);
	}
	a->refs++;
	pthread_mutex_unlock(&l->lock);
	return a;
}

/* Gives it back; one that nobody has is forgotten. */
void
client_ledger_close(struct client_ledger *l, struct client_account *a)
{
	bool last;

	pthread_mutex_lock(&l->lock);
	last = --a->refs == 0;
	if (last)
		TAILQ_REMOVE(&l->accounts, a, link);
	pthread_mutex_unlock(&l->lock);
	if (!last)
		return;
	free(a->name);
	free(a);
}

/* The time, with the lock. */
static int64_t
client_ledger_now(struct client_ledger *l, int64_t now)
{
	if (now > l->now)
		l->now = now;
	return l->now;
}

/* Takes one request. */
bool
client_ledger_take(struct client_ledger *l, struct client_account *a, int64_t per_minute,
    int64_t now, struct client_rate_left *left)
{
	bool taken;

	pthread_mutex_lock(&l->lock);
	taken = client_rate_take(&a->rate, per_minute, client_ledger_now(l, now), left);
	pthread_mutex_unlock(&l->lock);
	return taken;
}

/* Notes a failure. */
int64_t
client_ledger_fail(struct client_ledger *l, const char *peer, int64_t now, bool *first)
{
	int64_t wait;

	pthread_mutex_lock(&l->lock);
	wait = client_failures_note(l->failures, peer, client_ledger_now(l, now), first);
	pthread_mutex_unlock(&l->lock);
	return wait;
}
