#ifndef HTTP_TEAM_H
#define HTTP_TEAM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What the servers of several loops, which serve the same listeners, know of each other:
 * how many connections each has, and how many bytes all of them hold. Plain numbers that
 * are read and written from any thread, without a lock.
 */
#define HTTP_TEAM_MAX 64
#define HTTP_TEAM_STEP ((size_t)64 << 10) /* bytes that a server may hold before it tells the rest */

struct http_team {
	unsigned count;               /* of servers; the first one listens */
	unsigned turn;                /* the first one's: who is looked at first */
	unsigned open[HTTP_TEAM_MAX]; /* connections, those on their way included */
	bool waits;                   /* the first one wants to hear of closed connections */
	size_t held;                  /* bytes, to a step for each server */
};

/* A team of one, the server that listens. */
struct http_team *http_team_new(void);

/* Adds a server and returns its number. */
unsigned http_team_add(struct http_team *);

/* Gives a new connection to the server that has the fewest; several: in turn. */
unsigned http_team_take(struct http_team *);

/* A connection of a server is closed; true when the first one wants to know. */
bool http_team_leave(struct http_team *, unsigned server);

/* Connections of all. */
unsigned http_team_open(const struct http_team *);

/* The first server wants to hear of closed connections from now on, or no more. */
void http_team_wait(struct http_team *, bool waits);

/* Bytes that all hold, and what one of them holds more or less than it has told. */
size_t http_team_held(const struct http_team *);
void http_team_hold(struct http_team *, size_t more, size_t less);

#endif
