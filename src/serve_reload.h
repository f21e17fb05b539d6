#ifndef SERVE_RELOAD_H
#define SERVE_RELOAD_H

#include "api/api.h"
#include "base/notify.h"
#include "core/gateway.h"

/*
 * Reads the configuration again while the program serves: SIGHUP and POST /reload. Nobody
 * waits for the file: it is read and compiled by a thread. A
 * file with a mistake changes nothing; each mistake is told in the log and in the answer.
 * Keys that take a restart keep their values and are named.
 */
struct serve_reload;

struct serve_reload_options {
	struct config_source source; /* as at the start; what it points to must live on */
	struct loop *loop;
	struct log *log;
	struct gateway *gw;
	struct api *api;
	/* The snapshot is in force in the core: the rest of the program takes it, and then
	 * calls `taken`, at once or later. */
	void (*apply)(void *arg, struct snapshot *, loop_fn taken, void *taken_arg);
	struct notify *notify; /* hears of it; may be NULL */
	void *arg;
};

struct serve_reload *serve_reload_new(const struct serve_reload_options *);
void serve_reload_free(struct serve_reload *); /* before the api and the gateway */

/* Reads, now or when the reading that runs is over; the outcome comes later. */
void serve_reload_start(struct serve_reload *);

/* The same for the key files alone: the file itself stays as it is in force. */
void serve_reload_keys(struct serve_reload *);

#endif
