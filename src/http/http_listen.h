#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "base/fail.h"
#include "base/log.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One listening socket. Accepted descriptors are non-blocking, close on exec,
 * and without Nagle's delay. When the process or the machine is out of
 * descriptors or memory, accepting rests for a moment; it does not spin.
 */
struct http_listen;

/* Gets an accepted descriptor, which it owns, and the client's address as
 * text. False: no more for now (the listener is being held). */
typedef bool (*http_listen_fn)(void *arg, const struct http_listen *, int fd, const char *peer);

/* Address as in http_server_listen(); `mode` has the permissions of a socket file (0: 0600),
 * which it has from the moment on at which somebody can connect. NULL with a sentence on failure. */
struct http_listen *http_listen_open(struct loop *, const char *address, unsigned mode,
    struct log *, http_listen_fn, void *arg, struct fail *);

/* The same of a listening IP or local socket, non-blocking and closed on exec, that somebody
 * else has made; it is owned from here on, its file is not. */
struct http_listen *http_listen_adopt(struct loop *, int fd, bool secure, struct log *,
    http_listen_fn, void *arg);

/* What http_listen_open() would be told for a listening socket, "unix:@name" for an abstract
 * one; NULL for other families. The caller frees. */
char *http_listen_address(int fd);

/* Not from inside its callback. A socket file is removed if it is still ours. */
void http_listen_free(struct http_listen *);

/* Closes the descriptor; the URL stays. */
void http_listen_close(struct http_listen *);

/* While held, clients wait in the kernel's queue. */
void http_listen_hold(struct http_listen *, bool hold);

const char *http_listen_url(const struct http_listen *);

/* Whether clients are to speak TLS. */
bool http_listen_secure(const struct http_listen *);

/* How often there was no descriptor or memory for a client. */
uint64_t http_listen_failures(const struct http_listen *);

#endif
