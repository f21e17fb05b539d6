#ifndef SERVE_WORKERS_H
#define SERVE_WORKERS_H

#include "api/api.h"
#include "core/crew.h"
#include "http/http_server.h"

/*
 * The event loops beside the main one, each in a thread of its own with a gateway that
 * helps the main one (core/crew.h), an API and a server that serves a share of the
 * connections. Everything here is called on the main thread, and everything that is
 * called back comes on its loop.
 */
struct serve_workers;

/* Makes so many of them, which do not run yet; 0 makes none, which everything takes. NULL
 * with a sentence. */
struct serve_workers *serve_workers_new(unsigned count, struct loop *main, struct gateway *,
    struct api *, struct log *, struct fail *);

/* Lets them help a server that has no listener yet, with its settings. False with a
 * sentence when there is no thread. */
bool serve_workers_start(struct serve_workers *, struct http_server *,
    const struct http_server_config *, struct fail *);

/* Has them take a snapshot that is in force in the gateway, and settings of servers; then
 * `taken` is called. */
void serve_workers_apply(struct serve_workers *, struct snapshot *,
    const struct http_server_config *, loop_fn taken, void *arg);

/* Has all of them answer, one after the other: `alive` is called when they have. One
 * question at a time. */
void serve_workers_ask(struct serve_workers *, loop_fn alive, void *arg);

/* Drains their servers, whose listeners are closed by now; see http_server_drain(). */
void serve_workers_drain(struct serve_workers *, int64_t ms, loop_fn drained, void *arg);

/* Ends the threads: connections are cut. Before the server that they help is freed. */
void serve_workers_stop(struct serve_workers *);

/* Frees the rest, with what they and the main loop had to tell each other. After the main
 * server and before the API and the gateway. */
void serve_workers_free(struct serve_workers *);

/* How many loops a configuration wants, the main one included. */
unsigned serve_workers_wanted(const struct config *);

#endif
