#include "config.h"

#include "store/store_member.h"
#include "store_fixture.h"
#include "store_suites.h"

#include <stdio.h>
#include <string.h>

/*
 * A long seeded walk through everything that touches names, beside a model that
 * knows only what the contract says: a name belongs to the unsettled intent that
 * asked for it, else to any visible persona that has it, else to nobody.
 */
#define NAMES 5
#define SLOTS 8

enum slot_state { SLOT_NONE, SLOT_VISIBLE, SLOT_HIDDEN, SLOT_BURIED };

/* What the model knows of one upstream persona. */
struct slot {
	enum slot_state state;
	int name;
	bool busy;                       /* has an unsettled intent */
	enum store_operation operation;
	int wants;                       /* the intent's name, -1: none */
	bool holds;                      /* the intent holds it */
};

struct walk {
	struct fixture f;
	struct slot slots[SLOTS];
	bool made[SLOTS]; /* the slot's record was made by a create */
	uint32_t seed;
};

static const char *const names[NAMES] = {"Ada", "Bob", "Cy", "Dee", "ada"};
static const char *const ids[SLOTS] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"};
static const char *const intents[SLOTS] = {"i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7"};

/* A number below n. */
static int
pick(struct walk *w, int n)
{
	w->seed = w->seed * 1664525u + 1013904223u;
	return (int)((w->seed >> 16) % (uint32_t)n);
}

/* True when an unsettled intent holds the name. */
static bool
held(const struct walk *w, int name)
{
	for (int s = 0; s < SLOTS; s++)
		if (w->slots[s].busy && w->slots[s].holds && w->slots[s].wants == name)
			return true;
	return false;
}

/* True when a visible persona other than this has the name. */
static bool
worn(const struct walk *w, int name, int but)
{
	for (int s = 0; s < SLOTS; s++)
		if (s != but && w->slots[s].state == SLOT_VISIBLE && w->slots[s].name == name)
			return true;
	return false;
}

/* What a create of the name must answer. */
static enum store_status
expected(const struct walk *w, int name)
{
	if (held(w, name))
		return STORE_UNSETTLED_OTHER;
	return worn(w, name, -1) ? STORE_NAME_TAKEN : STORE_OK;
}

/* Begins a create that will be this slot's persona. */
static void
walk_create(struct walk *w, int s)
{
	struct slot *slot = &w->slots[s];
	int name = pick(w, NAMES);
	struct store_intent i = fixture_create(intents[s], names[name], intents[s], NULL);

	if (slot->busy || slot->state == SLOT_VISIBLE)
		return;
	ck_assert_int_eq(fixture_create_begin(&w->f, &i), expected(w, name));
	if (w->f.reply.status == STORE_OK)
		*slot = (struct slot){slot->state, slot->name, true, STORE_CREATE, name, true};
}

/* Begins an update, with a name or without. */
static void
walk_update(struct walk *w, int s)
{
	struct slot *slot = &w->slots[s];
	int name = pick(w, NAMES + 1) - 1;
	struct store_intent i = fixture_update(intents[s], ids[s], name < 0 ? NULL : names[name]);
	bool renames = name >= 0 && name != slot->name;
	enum store_status status = STORE_OK;

	if (slot->busy && slot->operation == STORE_CREATE)
		return;
	if (slot->state != SLOT_VISIBLE)
		status = STORE_NONE;
	else if (renames && !held(w, name) && worn(w, name, s))
		status = STORE_NAME_TAKEN;
	else if (slot->busy || (renames && held(w, name)))
		status = STORE_UNSETTLED_OTHER;
	ck_assert_int_eq(FIXTURE_CALL(&w->f, store_update_begin, &i), status);
	if (status == STORE_OK)
		*slot = (struct slot){slot->state, slot->name, true, STORE_UPDATE, name, renames};
}

/* Begins a delete. */
static void
walk_delete(struct walk *w, int s)
{
	struct slot *slot = &w->slots[s];
	struct store_intent i = fixture_delete(intents[s], ids[s]);
	enum store_status status = STORE_OK;

	if (slot->busy && slot->operation == STORE_CREATE)
		return;
	if (slot->state != SLOT_VISIBLE)
		status = STORE_NONE;
	else if (slot->busy)
		status = STORE_UNSETTLED_OTHER;
	ck_assert_int_eq(FIXTURE_CALL(&w->f, store_delete_begin, &i), status);
	if (status == STORE_OK)
		*slot = (struct slot){slot->state, slot->name, true, STORE_DELETE, -1, false};
}

/* Settles what the slot has begun; sometimes the name came out otherwise. */
static void
walk_settle(struct walk *w, int s)
{
	struct slot *slot = &w->slots[s];
	int name = slot->wants < 0 ? slot->name : pick(w, 4) == 0 ? pick(w, NAMES) : slot->wants;
	struct store_record r = fixture_record(ids[s], names[name]);
	struct fixture *f = &w->f;

	if (!slot->busy)
		return;
	if (slot->operation == STORE_CREATE && slot->state == SLOT_VISIBLE && w->made[s]) {
		/* another create's persona */
		ck_assert_int_eq(FIXTURE_CALL(f, store_create_settle, intents[s], &r, NULL),
		    STORE_ID_TAKEN);
		return;
	}
	if (slot->operation == STORE_CREATE) {
		/* one that was adopted meanwhile has a newer name */
		if (slot->state == SLOT_VISIBLE && pick(w, 2) == 0) {
			r.content_ms = NOW_MS - 1;
			name = slot->name;
		}
		ck_assert_int_eq(FIXTURE_CALL(f, store_create_settle, intents[s], &r, NULL), STORE_OK);
		slot->state = SLOT_VISIBLE;
		slot->name = name;
		w->made[s] = true;
		ck_assert_str_eq(f->reply.records[0].name, names[name]);
	} else if (slot->operation == STORE_UPDATE) {
		ck_assert_int_eq(FIXTURE_CALL(f, store_update_settle, intents[s], &r),
		    slot->state == SLOT_VISIBLE ? STORE_OK : STORE_NONE);
		if (slot->state == SLOT_VISIBLE)
			slot->name = name;
	} else {
		ck_assert_int_eq(FIXTURE_CALL(f, store_delete_settle, intents[s], NOW_MS), STORE_OK);
		slot->state = SLOT_BURIED;
	}
	slot->busy = false;
}

/* Drops what the slot has begun. */
static void
walk_drop(struct walk *w, int s)
{
	ck_assert_int_eq(FIXTURE_CALL(&w->f, store_intent_drop, intents[s]),
	    w->slots[s].busy ? STORE_OK : STORE_NONE);
	w->slots[s].busy = false;
}

/* Hides the persona. */
static void
walk_hide(struct walk *w, int s)
{
	struct slot *slot = &w->slots[s];

	ck_assert_int_eq(FIXTURE_CALL(&w->f, store_hide, SCOPE, ids[s], NOW_MS),
	    slot->state == SLOT_VISIBLE ? STORE_OK : STORE_NONE);
	if (slot->state == SLOT_VISIBLE)
		slot->state = SLOT_HIDDEN;
}

/* A listing shows the persona. */
static void
walk_adopt(struct walk *w, int s)
{
	struct slot *slot = &w->slots[s];
	int name = pick(w, NAMES);
	struct store_record r = fixture_record(ids[s], names[name]);
	bool takes = slot->state == SLOT_NONE || slot->state == SLOT_HIDDEN;

	ck_assert_int_eq(FIXTURE_CALL(&w->f, store_adopt, SCOPE, &r, 1, NOW_MS), STORE_OK);
	ck_assert_uint_eq(w->f.reply.record_count, takes ? 1 : 0);
	if (!takes)
		return;
	w->made[s] = w->made[s] && slot->state == SLOT_HIDDEN;
	slot->state = SLOT_VISIBLE;
	slot->name = name;
}

/* A read shows the persona, perhaps too late. */
static void
walk_refresh(struct walk *w, int s)
{
	struct slot *slot = &w->slots[s];
	int name = pick(w, NAMES);
	bool late = pick(w, 3) == 0, busy = slot->busy && slot->operation != STORE_CREATE;
	struct store_record r = fixture_record(ids[s], names[name]);

	if (slot->state != SLOT_VISIBLE)
		return;
	ck_assert_int_eq(FIXTURE_CALL(&w->f, store_get, SCOPE, ids[s]), STORE_OK);
	ck_assert_str_eq(w->f.reply.records[0].name, names[slot->name]);
	r.version = w->f.reply.records[0].version - late;
	ck_assert_int_eq(FIXTURE_CALL(&w->f, store_refresh, &r, 1), STORE_OK);
	ck_assert_int_eq(w->f.reply.number, !late && !busy);
	if (!late && !busy)
		slot->name = name;
}

/* Forgets the tombstones and what is hidden, as long as nothing is begun. */
static void
walk_purge(struct walk *w, int s)
{
	int64_t number = 0;

	if (pick(w, 4) != 0)
		return;
	for (s = 0; s < SLOTS; s++) {
		struct slot *slot = &w->slots[s];
		bool busy = slot->busy && slot->operation != STORE_CREATE;

		if (slot->state == SLOT_BURIED || (slot->state == SLOT_HIDDEN && !busy)) {
			slot->state = SLOT_NONE;
			number++;
		}
	}
	ck_assert_int_eq(FIXTURE_CALL(&w->f, store_purge, NOW_MS, NOW_MS + 1), STORE_OK);
	ck_assert_int_eq(w->f.reply.number, number);
}

/* Compares the whole store with the model. */
static void
walk_check(struct walk *w)
{
	size_t visible = 0, buried = 0, busy = 0;

	for (int n = 0; n < NAMES; n++)
		ck_assert_int_eq(fixture_try_name(&w->f, names[n]), expected(w, n));
	for (int s = 0; s < SLOTS; s++) {
		visible += w->slots[s].state == SLOT_VISIBLE;
		buried += w->slots[s].state == SLOT_BURIED;
		busy += w->slots[s].busy;
	}
	ck_assert_int_eq(FIXTURE_CALL(&w->f, store_list, SCOPE), STORE_OK);
	ck_assert_uint_eq(w->f.reply.record_count, visible);
	ck_assert_uint_eq(w->f.reply.tombstone_count, buried);
	store_intents(w->f.port, fixture_done, &w->f);
	fixture_wait(&w->f, w->f.done + 1);
	ck_assert_uint_eq(w->f.reply.intent_count, busy);
}

/* Takes over what the process held that the store was opened by before. */
static void
walk_take(struct walk *w)
{
	for (int s = 0; s < SLOTS; s++)
		ck_assert_int_eq(FIXTURE_CALL(&w->f, store_intent_take, intents[s]),
		    w->slots[s].busy ? STORE_OK : STORE_NONE);
}

START_TEST(a_random_walk_agrees_with_the_contract)
{
	static void (*const steps[])(struct walk *, int) = {walk_create, walk_create, walk_update,
	    walk_update, walk_delete, walk_settle, walk_settle, walk_settle, walk_drop, walk_hide,
	    walk_adopt, walk_refresh, walk_purge};
	struct walk w = {.seed = 20240229};
	int count = _i == FIXTURE_MEMORY ? 4000 : 300;

	fixture_begin(&w.f, _i);
	for (int k = 0; k < count; k++) {
		int step = pick(&w, sizeof steps / sizeof steps[0]), s = pick(&w, SLOTS);

		steps[step](&w, s);
		walk_check(&w);
		if (_i != FIXTURE_MEMORY && k % 100 == 99) {
			fixture_reopen(&w.f);
			walk_take(&w);
			walk_check(&w);
		}
	}
	fixture_end(&w.f);
}
END_TEST

/* The walk. */
Suite *
random_suite(void)
{
	const TTest *const tests[] = {a_random_walk_agrees_with_the_contract, NULL};

	return store_suite("store random", tests);
}
