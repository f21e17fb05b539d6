#ifndef API_CLIENT_FAILURES_H
#define API_CLIENT_FAILURES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Requests with a wrong token or none, by the address that they came from (an IPv6
 * address by its /64, which one host has to itself): who makes many of them waits for
 * each answer. Only failures wait: whoever shares the address and has a right token
 * is not held up. The table has a fixed size; where it is full, the address with the
 * fewest failures is forgotten. Times are milliseconds and passed in.
 */
struct client_failures;

#define CLIENT_FAILURES_FREE 10        /* answered at once; one is forgiven every ... */
#define CLIENT_FAILURES_FORGIVE 6000   /* ... so many milliseconds */
#define CLIENT_FAILURES_FIRST 250      /* the first wait; each next one is twice as long ... */
#define CLIENT_FAILURES_LONGEST 4000   /* ... up to this */
#define CLIENT_FAILURES_ADDRESSES 4096 /* that are known at one time */

struct client_failures *client_failures_new(void);
void client_failures_free(struct client_failures *);

/* Notes a failure of a peer (http_message.h). For how long its answer is to wait; *first
 * when it is the first one that has to. */
int64_t client_failures_note(struct client_failures *, const char *peer, int64_t now,
    bool *first);

#endif
