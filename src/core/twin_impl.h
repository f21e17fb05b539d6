#ifndef CORE_TWIN_IMPL_H
#define CORE_TWIN_IMPL_H

#include "core/twin.h"
#include "core/twin_holder.h"
#include "core/twin_make.h"
#include "store/store_twin.h"

/* Shared by twin.c (which twins are looked at, and when) and twin_job.c (one of them). */

enum twin_job_end {
	TWIN_JOB_DONE,  /* the twin is as it should be, or there is none */
	TWIN_JOB_LATER, /* not now; others may work */
	TWIN_JOB_DOWN   /* the local tool does not work */
};

struct twin_wait {
	struct twin_job *job;
	struct loop_timer timer; /* it was waited long enough */
	loop_fn fn;
	void *arg;
	TAILQ_ENTRY(twin_wait) link;
};

/* One persona, create or twin that is looked at. */
struct twin_job {
	struct gateway *gw;
	char *key, *scope, *local_id;
	bool check;   /* the local tool is asked also when nothing was written */
	bool running; /* else it is in the queue */
	bool again;   /* something was written meanwhile */
	TAILQ_HEAD(, twin_wait) waits;
	void (*end)(struct twin_job *, enum twin_job_end); /* frees what follows; may free the job */

	struct store_twin twin;     /* as known; no local_id: none is */
	struct store_record record; /* of the persona; no scope: there is none */
	struct json_object *body;   /* what the twin is to hold */
	struct json_object *shown;  /* what it holds */
	unsigned rounds;            /* attempts to change it */
	bool made;                  /* the twin is new to the store */
	struct serial_ticket *ticket; /* of a name that may have been left over */
	struct store_call *store;
	struct upstream_call *call;
	struct twin_make *make;
	struct twin_holder *holder;
	TAILQ_ENTRY(twin_job) link;
	UT_hash_handle hh;
};

/* Starts it; `end` is called later, once. */
void twin_job_start(struct twin_job *);
void twin_job_stop(struct twin_job *); /* ends what runs, and forgets what was learnt */

/* A project of the local tool that answers with an error of its own, such as one that it
 * does not have, is left alone for a while, so that it does not use up the patience
 * that the others need. */
bool twin_is_broken(struct gateway *, const char *project);
void twin_broke(struct gateway *, const char *project);

/* A persona's twin was seen to have, or not to have, its local id. */
void twin_saw(struct gateway *, const char *scope, const char *local_id, bool other);

#endif
