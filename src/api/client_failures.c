#include "config.h"

#include "api/client_failures.h"
#include "base/mem.h"
#include "base/uuid.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_FAILURES_WAYS 8 /* places that one address can have */
#define CLIENT_FAILURES_KEY 9  /* bytes: the kind, and what tells addresses of it apart */
#define CLIENT_FAILURES_MOST (INT64_C(20) * CLIENT_FAILURES_FORGIVE) /* two minutes forgive all */

/* One address. */
struct client_failure {
	unsigned char key[CLIENT_FAILURES_KEY];
	int64_t count; /* CLIENT_FAILURES_FORGIVE for each failure that is not forgiven */
	int64_t at;    /* when that was so */
};

struct client_failures {
	uint64_t seed; /* nobody outside can choose who shares a place */
	struct client_failure table[CLIENT_FAILURES_ADDRESSES];
};

/* Makes it. */
struct client_failures *
client_failures_new(void)
{
	struct client_failures *f = mem_zero(1, sizeof *f);

	uuid_random(&f->seed, sizeof f->seed);
	return f;
}

/* Frees it. */
void
client_failures_free(struct client_failures *f)
{
	free(f);
}

/* What tells a peer from others. */
static void
client_failures_key(const char *peer, unsigned char key[CLIENT_FAILURES_KEY])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	unsigned char six[16];

	memset(key, 0, CLIENT_FAILURES_KEY);
	if (inet_pton(AF_INET, peer, key + 1) == 1) {
		key[0] = 4;
	} else if (inet_pton(AF_INET6, peer, six) != 1) {
		key[0] = 1; /* a local socket */
	} else if (memcmp(six, mapped, sizeof mapped) == 0) {
		key[0] = 4;
		memcpy(key + 1, six + 12, 4);
	} else {
		key[0] = 6;
		memcpy(key + 1, six, 8);
	}
}

/* How much of an address's failures is left. */
static int64_t
client_failures_left(const struct client_failure *e, int64_t now)
{
	int64_t passed = now > e->at ? now - e->at : 0;

	return e->count > passed ? e->count - passed : 0;
}

/* The place of an address, taken from the least of its neighbours when it has none. */
static struct client_failure *
client_failures_place(struct client_failures *f, const unsigned char key[CLIENT_FAILURES_KEY],
    int64_t now)
{
	uint64_t h = f->seed ^ UINT64_C(0xcbf29ce484222325);
	struct client_failure *ways, *least;

	for (size_t i = 0; i < CLIENT_FAILURES_KEY; i++)
		h = (h ^ key[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 32;
	ways = &f->table[h % (CLIENT_FAILURES_ADDRESSES / CLIENT_FAILURES_WAYS) * CLIENT_FAILURES_WAYS];
	least = ways;
	for (size_t i = 0; i < CLIENT_FAILURES_WAYS; i++) {
		if (memcmp(ways[i].key, key, CLIENT_FAILURES_KEY) == 0)
			return &ways[i];
		if (client_failures_left(&ways[i], now) < client_failures_left(least, now))
			least = &ways[i];
	}
	memset(least, 0, sizeof *least);
	memcpy(least->key, key, CLIENT_FAILURES_KEY);
	return least;
}

/* Notes a failure. */
int64_t
client_failures_note(struct client_failures *f, const char *peer, int64_t now, bool *first)
{
	unsigned char key[CLIENT_FAILURES_KEY];
	int64_t beyond, wait = CLIENT_FAILURES_FIRST;
	struct client_failure *e;

	client_failures_key(peer, key);
	e = client_failures_place(f, key, now);
	e->count = client_failures_left(e, now) + CLIENT_FAILURES_FORGIVE;
	if (e->count > CLIENT_FAILURES_MOST)
		e->count = CLIENT_FAILURES_MOST;
	e->at = now;
	beyond = (e->count + CLIENT_FAILURES_FORGIVE - 1) / CLIENT_FAILURES_FORGIVE -
	    CLIENT_FAILURES_FREE;
	*first = beyond == 1;
	if (beyond <= 0)
		return 0;
	while (--beyond > 0 && wait < CLIENT_FAILURES_LONGEST)
		wait *= 2;
	return wait < CLIENT_FAILURES_LONGEST ? wait : CLIENT_FAILURES_LONGEST;
}
