#ifndef HTTP_TEAM_H
#define HTTP_TEAM_H

#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * What the servers of several loops, which serve the same listeners, know of each other:
 * how many connections each has, how busy its processor is with it, and how many bytes all
 * of them hold. Plain numbers that are read and written from any thread, without a lock.
 *
 * A new connection goes where the fewest are. Connections are not alike, though, and the
 * first loop has work beside them; so once a second somebody looks how much processor time
 * each loop has taken, and one that was the busiest twice in a row gives some connections to
 * the one that is least busy, each between two requests (http_move.h).
 */
#define HTTP_TEAM_MAX 64
#define HTTP_TEAM_STEP ((size_t)64 << 10) /* bytes that a server may hold before it tells the rest */
#define HTTP_TEAM_LOOK_MS 1000  /* between two looks, at least */
#define HTTP_TEAM_SLACK 3       /* thousandths of a processor by which loops may differ ... */
#define HTTP_TEAM_SHARE 8       /* ... and so many per cent of the busier one's */

/* One server; others' are not on the same line of a processor's cache. */
struct http_team_server {
	unsigned open;   /* connections, those on their way included */
	unsigned gives;  /* how many it is to give away, and to whom */
	unsigned gives_to;
	bool clocked;    /* it has told its clock */
	clockid_t clock; /* of its thread's processor time */
	int64_t spent_us; /* by that, at the last look; the looker's */
	struct loop *loop;
	void *self; /* what it is; NULL once it is gone. Its thread's */
	char apart[64];
};

struct http_team {
	unsigned refs;
	unsigned count; /* of servers; the first one listens */
	unsigned turn;  /* the first one's: who is looked at first */
	bool waits;     /* the first one wants to hear of closed connections */
	bool ends;      /* nobody gives connections away any more */
	bool looking;   /* somebody looks */
	unsigned marked;   /* who was too busy when that was done last, from 1; 0: nobody. The looker's */
	int64_t looked_ms; /* when that was done last; 0: never */
	size_t held;    /* bytes, to a step for each server */
	struct http_team_server servers[HTTP_TEAM_MAX];
};

/* A team of one, the server that listens. Whoever points to it has a reference. */
struct http_team *http_team_new(void *self, struct loop *);
struct http_team *http_team_ref(struct http_team *);
void http_team_unref(struct http_team *);

/* Adds a server and returns its number. */
unsigned http_team_add(struct http_team *, void *self, struct loop *);

/* The calling thread is the one of a server. */
void http_team_clock(struct http_team *, unsigned server);

/* Gives a new connection to the server that has the fewest; several: in turn. */
unsigned http_team_take(struct http_team *);

/* A connection of a server is closed; true when the first one wants to know. */
bool http_team_leave(struct http_team *, unsigned server);

/* Connections of all. */
unsigned http_team_open(const struct http_team *);

/* The first server wants to hear of closed connections from now on, or no more. */
void http_team_wait(struct http_team *, bool waits);

/* Looks how busy the servers are, when it is time for that and nobody else does. */
void http_team_look(struct http_team *, int64_t now_ms);

/* Decides what is given away, by what each server has taken lately, in thousandths of a
 * processor. */
void http_team_plan(struct http_team *, const unsigned *busy);

/* Whether a server is to give a connection away now, which then counts as the other's. */
bool http_team_give(struct http_team *, unsigned server, unsigned *to);

/* Nobody gives any away from now on. */
void http_team_end(struct http_team *);

/* Bytes that all hold, and what one of them holds more or less than it has told. */
size_t http_team_held(const struct http_team *);
void http_team_hold(struct http_team *, size_t more, size_t less);

#endif
