#ifndef PAIR_H
#define PAIR_H

#include "core/change_impl.h"
#include "core/create_impl.h"
#include "little_bluejay.h"

/*
 * Two gateways on one store in memory, each a member of it with a loop of its own, and one
 * Bluejay; clocks that only the test moves. The first one's loop can be frozen, as a process
 * is by SIGSTOP. All requests are for the project "shop".
 */
extern struct gateway *pair_first, *pair_second;
extern struct little_bluejay *pair_bluejay;
extern struct loop *pair_loop; /* of the second and of Bluejay */
extern bool pair_frozen;       /* the first one's loop does not turn */

#define PAIR_ANN "{\"name\":\"Ann\",\"systemPrompt\":\"calm\"}"

/* One request and what came of it. */
struct pair_ask {
	struct work *work;
	bool done;
	struct result result;
};

void pair_begin(void);
void pair_end(void);
void pair_kill(struct gateway **); /* as a process that is killed ends */

/* Lets everything happen that needs no time; lets time pass. */
void pair_settle(void);
void pair_pass(int64_t ms);

/* The first gateway sleeps so long, and its lease runs out; it wakes up with a new one. */
void pair_sleep(int64_t ms);
void pair_wake(void);

/* Asks; `key` may be NULL. Requests are valid until pair_forget(). */
struct pair_ask *pair_create(struct gateway *, const char *body, const char *key);
struct pair_ask *pair_update(struct gateway *, const char *id, const char *body);
struct pair_ask *pair_delete(struct gateway *, const char *id);
struct pair_ask *pair_get(struct gateway *, const char *id, bool no_cache);
struct pair_ask *pair_list(struct gateway *);

/* Lets the first gateway go on until a change of it, the first time or after its intent was lost
 * (late), is in a state (CHANGE_FINDING or CHANGE_BEGINNING) in which it has asked the store,
 * and freezes it: the answer is read when it goes on. False when the answer was there at once. */
bool pair_freeze(const struct change *, enum change_state, bool late);

/* Asks the first gateway for an update and freezes it so. Requests of before are forgotten. */
struct pair_ask *pair_update_and_sleep(const char *id, const char *body, enum change_state);

/* For tests that ask by themselves: a project, a place for the result, and what fills that. */
struct project pair_project(const struct gateway *, const char *id);
struct pair_ask *pair_next(void);
void pair_on_result(void *arg, struct result *);

/* Waits for a result of this status; the client is told it. */
const struct result *pair_want(struct pair_ask *, int status);

/* Whether a result's body holds a text; the id in it, which the caller frees. */
bool pair_holds(const struct pair_ask *, const char *text);
char *pair_id_of(const struct pair_ask *);

/* Makes a persona; the caller frees the id. Requests of before are forgotten. */
char *pair_made(struct gateway *, const char *body);

/* Forgets all requests: clients without an answer leave. */
void pair_forget(void);

#endif
