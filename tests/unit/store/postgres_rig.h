#ifndef POSTGRES_RIG_H
#define POSTGRES_RIG_H

#include "base/loop.h"
#include "postgres.h"
#include "store/store_member.h"
#include "unit.h"

/*
 * Members of a store in PostgreSQL, each with a loop, a store and a port of its own as
 * gateways have them, and with the real clock; and a relay between one of them and its
 * server that can lose what is said.
 */
struct rig {
	struct loop *loop;
	struct store *store;
	struct store_port *port;
	unsigned done;            /* callbacks so far */
	enum store_status status; /* of the last */
	int64_t number;
	size_t intents;      /* in its reply */
	bool held, orphaned; /* of its first intent */
	int64_t fence;
	char text[200]; /* its text, or the local id of its first record */
	char told[512]; /* what it was told that others have changed */
};

/* Opens a store by a URL; failing fails the test. */
void rig_open(struct rig *, const char *url);
void rig_close(struct rig *);

/* The callback; arg is the rig. */
void rig_done(void *arg, struct store_reply *);
/* Turns the loop until that many callbacks have run; the last status. */
enum store_status rig_wait(struct rig *, unsigned done);
/* Turns the loops of both once, or waits some milliseconds. */
void rig_turn(struct rig *, struct rig *);

#define RIG_CALL(r, call, ...) \
	(call((r)->port, __VA_ARGS__, rig_done, (r)), rig_wait((r), (r)->done + 1))

/* Begins a create with this id and name. */
enum store_status rig_begin(struct rig *, const char *id, const char *name);
/* The same without waiting for its callback. */
void rig_ask(struct rig *, const char *id, const char *name);
/* Settles it: the persona's ids are `made`. */
enum store_status rig_settle(struct rig *, const char *id, const char *made);

struct relay;
struct relay *relay_new(int port);
int relay_port(const struct relay *);
/* From now on nothing that the server says comes through, as if the network had eaten it. */
void relay_deafen(struct relay *);
/* Cuts all connections; new ones are served again. */
void relay_cut(struct relay *);
void relay_free(struct relay *);

#endif
