#ifndef UPSTREAM_TUNNEL_H
#define UPSTREAM_TUNNEL_H

#include "base/loop.h"
#include "upstream/relay.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One connection on which a change of the protocol is asked for (RFC 9110, 7.8;
 * RFC 6455, 4.1): a request goes out, the head of an answer comes back, and from
 * there on bytes go both ways as they are, until each side has ended its own. Time is
 * limited for connecting and for silence in both directions, as with a relay.
 */
struct tunnel;

struct tunnel_head {
	int status; /* 101, or 200 to 599: then what follows is the body of an ordinary answer */
	const struct wire_field *fields;
	bool chunked;   /* how such a body ends: with its last chunk, */
	int64_t length; /* after so many bytes, or (-1) with the connection */
};

/* Called on the loop, never before tunnel_open() returns. From all but `end` the
 * functions of the tunnel may be called, except tunnel_close(). */
struct tunnel_events {
	void (*head)(void *arg, const struct tunnel_head *); /* once; valid during the call */
	/* Bytes after the head; len 0, once: the other side has ended its own. */
	void (*data)(void *arg, const char *bytes, size_t len);
	void (*room)(void *arg); /* what was written has been taken */
	/* It has failed; the tunnel is gone then. Orderly ends are told by `data` alone. */
	void (*end)(void *arg, enum relay_end, const char *why);
};

/* Opens one; the request is sent as it is, with Connection: Upgrade added, and must
 * have Host and Upgrade. Everything but the events is copied. */
struct tunnel *tunnel_open(struct loop *, const struct relay_config *, const char *method,
    const char *target, const struct wire_field *fields, const struct tunnel_events *, void *arg);

/* Writes bytes; returns how many wait. Stop at a mark such as 64 KiB until `room`. */
size_t tunnel_write(struct tunnel *, const char *bytes, size_t len);
/* Ends our side, after what waits. */
void tunnel_write_end(struct tunnel *);

void tunnel_pause(struct tunnel *); /* no data until it is resumed */
void tunnel_resume(struct tunnel *);

/* Closes it, whatever its state, without a callback. */
void tunnel_close(struct tunnel *);

#endif
