#ifndef API_CENSUS_H
#define API_CENSUS_H

#include "api/api_impl.h"
#include "core/crew.h"

/*
 * What all loops of the process have counted: asked for loop by loop, each of which adds
 * its own numbers on its own thread.
 */
struct census {
	struct api *home;
	struct traffic *traffic;
	struct client_gate *gate;
	struct http_server_counts server; /* of the local API */
};

/* `done` is called later, once; the census is gone afterwards. The question may be taken
 * back before. */
struct crew_round *census_take(struct api *, void (*done)(void *arg, void *census), void *arg);

#endif
