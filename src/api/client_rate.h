#ifndef API_CLIENT_RATE_H
#define API_CLIENT_RATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What one client may still ask: a bucket that holds as many requests as the client may
 * make in a minute, and fills again in a minute. So all of them may come at once, and
 * then one whenever its part of the minute is over. Times are milliseconds and passed
 * in. Zeroed is a full bucket.
 */
struct client_rate {
	int64_t used; /* in parts: CLIENT_RATE_PART are one request */
	int64_t at;   /* when `used` was right */
};

#define CLIENT_RATE_PART INT64_C(60000) /* a bucket gains per_minute parts a millisecond */

/* What is left, for Retry-After and RateLimit. */
struct client_rate_left {
	int64_t requests;
	int64_t reset_s; /* until the bucket is full; of a refused request: until it may come again */
};

/* Takes one request; false when there is none left. per_minute is above 0. */
bool client_rate_take(struct client_rate *, int64_t per_minute, int64_t now,
    struct client_rate_left *);

#endif
