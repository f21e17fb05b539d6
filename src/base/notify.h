#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>

/*
 * Tells a service manager what the program is doing, as sd_notify(3) describes it: one
 * datagram to the socket that NOTIFY_SOCKET names. Nobody waits for it, and without a
 * socket nothing is sent. Every function takes NULL.
 */
struct notify;

/* `socket` is a path, or begins with '@' for an abstract name; NULL without a socket that
 * can be used. */
struct notify *notify_open(const char *socket);
void notify_free(struct notify *);

void notify_ready(struct notify *);
void notify_reloading(struct notify *); /* until the next notify_ready() */
void notify_stopping(struct notify *);
void notify_alive(struct notify *); /* for the watchdog */

/* How often the watchdog of the process `pid` wants a sign of life, by the values of
 * WATCHDOG_USEC and WATCHDOG_PID (each may be NULL): half of its time, in milliseconds;
 * 0 for never. */
int64_t notify_watchdog_ms(const char *usec, const char *watched, long pid);

#endif
