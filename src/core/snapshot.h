#ifndef CORE_SNAPSHOT_H
#define CORE_SNAPSHOT_H

#include "base/loop.h"
#include "base/trace.h"
#include "config/config_load.h"
#include "core/resource.h"
#include "mapping/mapping_set.h"
#include "store/store.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A configuration file, compiled: plain values and the mappings. Immutable and
 * reference counted, from any thread; a reload makes a new one and swaps it.
 */
struct snapshot {
	unsigned refs;
	unsigned readers; /* that need no keys; on the thread of its home, as its end */
	bool ended;       /* no reference is left */
	struct loop *home;
	pthread_t thread;
	uint64_t generation; /* of several that were in force one after another; 0: never was */
	struct config *config;
	struct snapshot_resource *resources; /* those that are built in, then those of the file */
	size_t resource_count;
	struct resource **declared; /* by the file */
	size_t declared_count;
	bool own_headers; /* calls about a persona carry its own headers */
};

/* A kind of thing that projects have, and how it is mapped. */
struct snapshot_resource {
	const struct resource *resource;
	struct mapping_set *mappings;
};

/* Loads, checks and compiles (the source's own mapping callback is not used).
 * NULL when there was any error; all are in the list. The caller holds one
 * reference. */
struct snapshot *snapshot_load(const struct config_source *, struct diag_list *);
struct snapshot *snapshot_ref(struct snapshot *);
void snapshot_unref(struct snapshot *);

/* Other threads are going to have references: wherever the last one is given back, the end
 * comes on this loop, which the calling thread runs. */
void snapshot_share(struct snapshot *, struct loop *home);

/* The same for one who explains later what was done by it: with the last reference of the
 * other kind its keys are wiped, the rest stays. */
struct snapshot *snapshot_read(struct snapshot *);
void snapshot_unread(struct snapshot *);
bool snapshot_has_keys(const struct snapshot *);

#define PROJECT_ID_SIZE 260
#define PROJECT_SCOPE_SIZE (PROJECT_ID_SIZE + 100) /* with the prefix of a resource */

/* A project as one request sees it: what the request is about, and who owns that.
 * Pointers belong to the snapshot, which lives as long as the request; who keeps the
 * project for longer takes a reference. */
struct project {
	struct snapshot *snap;
	uint64_t generation;    /* of the snapshot */
	char id[PROJECT_ID_SIZE];
	bool named;             /* the file has an entry for it, not only "*" */
	struct trace_ref trace; /* of the request; none at first */
	const char *client;     /* who asks; NULL: nobody needs a token, or it is not for a client */
	bool has_agent;
	int64_t agent_id;
	const char *api_key;
	const char *earlier_key; /* NULL: none */
	const struct resource *resource;
	const struct mapping *mapping;  /* of the resource */
	char scope[PROJECT_SCOPE_SIZE]; /* owner of names and membership: "agent:123",
	                                   "project:shop" or "community:project:shop" */
	bool listed; /* Bluejay lists what the project has, so that an unknown outcome can be looked for */
	bool own_headers; /* calls about one thing carry its own headers (connector.h) */
	bool adopts; /* what that listing shows and nobody knows belongs to the project */
};

/* Whether a record of the scope is the project's: what was adopted is not where
 * nothing is adopted any more. */
bool project_shows(const struct project *, const struct store_record *);

/* Whether both were resolved by the same snapshot: then what one of them reads serves
 * the other, if their keys are the same. */
bool project_same_snapshot(const struct project *, const struct project *);

/* Whether a project's calls go out with this key. */
bool project_same_key(const struct project *, const char *api_key);

/* A resource by its key ("personas"), or the one that a record's scope belongs to; NULL
 * when there is none any more. */
const struct resource *snapshot_resource(const struct snapshot *, const char *key);
const struct resource *snapshot_resource_of_scope(const struct snapshot *, const char *scope);

/* Whether every project has all that there is of a resource. */
bool snapshot_is_common(const struct snapshot *, const struct resource *);

/* The mapping of a resource in a configured project; NULL: where nothing differs. */
const struct mapping *snapshot_mapping(const struct snapshot *, const struct resource *,
    const char *project);

/* The path of one of the calls of a project's resource. The caller frees. */
char *project_path(const struct project *, const struct resource_call *, const char *upstream_id);

/* False when the configuration does not admit this project id. */
bool snapshot_project(struct snapshot *, const char *id, const struct resource *,
    struct project *);

/* The project that owns a recorded scope, and the resource: the configured project
 * with that id (or agent). False when no configured project leads there any more. */
bool snapshot_project_of_scope(struct snapshot *, const char *scope,
    const char *project_id, struct project *);

#endif
