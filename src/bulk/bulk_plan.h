#ifndef BULK_PLAN_H
#define BULK_PLAN_H

#include "base/fail.h"
#include "bulk/bulk_index.h"
#include "bulk/bulk_item.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What is to be done with each persona of a source, by what the target has. It asks nobody:
 * the target is a listing.
 */
enum bulk_policy {
	BULK_POLICY_FAIL,   /* another persona of the name: this one fails */
	BULK_POLICY_SKIP,   /* it stays as it is */
	BULK_POLICY_UPDATE, /* it becomes what the source says */
	BULK_POLICY_RENAME  /* this one gets another name */
};

/* By its name, such as "skip"; false: there is none. */
bool bulk_policy_read(const char *name, enum bulk_policy *);

enum bulk_todo {
	BULK_TODO_CREATE,
	BULK_TODO_UPDATE,
	BULK_TODO_NOTHING, /* the target has it, or an earlier line of the source is the same */
	BULK_TODO_SKIP,    /* the policy leaves the other one alone */
	BULK_TODO_REFUSE   /* the policy does not allow it; `why` */
};

struct bulk_decision {
	enum bulk_todo todo;
	bool renamed;
	char *id;                   /* of the other one, in the target; NULL: it has none */
	struct json_object *body;   /* what is to be sent */
	struct bulk_differ differ;  /* from the other one */
	struct bulk_item other;     /* what the differences' names belong to */
	struct fail why;
};

struct bulk_plan;

struct bulk_plan *bulk_plan_new(enum bulk_policy);
void bulk_plan_free(struct bulk_plan *);

/* What the target has, which is the plan's from now on; in place of what it had. */
void bulk_plan_set_target(struct bulk_plan *, struct bulk_index *);

/* A persona of the source is met, once each: tells the line on which its name was before.
 * 0: it is new. *same: that one said the same. */
uint64_t bulk_plan_meet(struct bulk_plan *, const struct bulk_item *, bool *same);

/* Decides. `before` and `same` are what bulk_plan_meet() told. False with a sentence when
 * the target cannot be read again. The decision is to be cleared either way. */
bool bulk_plan_decide(struct bulk_plan *, const struct bulk_item *, uint64_t before, bool same,
    struct bulk_decision *, struct fail *);
void bulk_decision_clear(struct bulk_decision *);

#endif
