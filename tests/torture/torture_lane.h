#ifndef TORTURE_LANE_H
#define TORTURE_LANE_H

#include "torture_model.h"
#include "torture_world.h"

/*
 * One client. Names are its own, so that it knows what each answer may be; what
 * must meet at the same time it sends itself, on several connections.
 */
struct lane {
	struct world *world;
	unsigned number;
	const struct world_project *project;
	uint64_t random;
	unsigned serial; /* of names and values */
	struct model_persona **personas;
	size_t count;
	pthread_t thread;
};

/* One request and what is known of how it went. */
struct lane_call {
	struct wire wire;
	unsigned gateway, generation; /* whom it was sent to */
	bool fresh; /* it asks past all memory */
	bool answered;
	bool open; /* it may have had its effect, and no answer says so */
	struct wire_answer answer;
	char what[96]; /* for the journal */
};

/* torture_lane.c */
void lane_init(struct lane *, struct world *, unsigned number);
void *lane_run(void *); /* random operations until the storm is over */
void lane_free(struct lane *);
struct model_persona *lane_add(struct lane *);
struct model_persona *lane_choose(struct lane *, enum model_state);
/* Whether another persona than this can (or must) hold a name. */
bool lane_held(const struct lane *, const char *name, const struct model_persona *but, bool must);
void lane_id_path(const struct lane *, const struct model_persona *, char *out, size_t size);
void lane_collection_path(const struct lane *, char *out, size_t size);

/* torture_call.c: sends, and judges what every answer must be. `statuses` ends with 0. */
void lane_send(struct lane *, struct lane_call *, const char *method, const char *path,
    const char *fields, const char *body);
void lane_receive(struct lane *, struct lane_call *, const int statuses[]);
void lane_call_clear(struct lane_call *);
/* Whether a write may have had its effect: there is no answer, or one that says so. */
bool lane_left_open(const struct lane_call *);
/* This answer said something new of a persona. */
void lane_changed(const struct lane_call *, struct model_persona *);
/* Whether an answer about a persona may still show what was before its last change: that
 * was on another gateway, a moment ago. Counts if it does. */
bool lane_is_early(struct lane *, const struct model_persona *, const struct lane_call *);
/* How to count a read that nothing explains: it may be out of a gateway's memory. */
enum world_wrong lane_blame(const struct model_persona *, const struct lane_call *,
    enum world_wrong);

/* torture_create.c */
void lane_create_new(struct lane *);
void lane_create_again(struct lane *, struct model_persona *);
void lane_create_other(struct lane *, struct model_persona *);
void lane_create_taken(struct lane *);
void lane_create_burst(struct lane *);
void lane_create_abort(struct lane *);

/* torture_change.c */
void lane_update(struct lane *);
void lane_rename_burst(struct lane *);
void lane_update_burst(struct lane *);
void lane_delete(struct lane *);
void lane_delete_burst(struct lane *);
void lane_get(struct lane *);
void lane_get_foreign(struct lane *);
void lane_list(struct lane *);
/* Random values for some fields (never the name). */
void lane_fill(struct lane *, struct model_body *, char values[MODEL_FIELDS][64]);

#endif
