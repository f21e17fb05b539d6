#include "config.h"

#include "core/snapshot_hold.h"
#include "core_test.h"

/* Loads what is built in. */
static struct snapshot *
load(void)
{
	struct config_source source = {.sandbox = true};
	struct diag_list diags = {0};
	struct snapshot *snap = snapshot_load(&source, &diags);

	ck_assert_ptr_nonnull(snap);
	ck_assert_uint_eq(snap->refs, 1);
	return snap;
}

START_TEST(a_loop_counts_once_however_much_it_holds)
{
	struct snapshot *first = load(), *second = load();
	struct snapshot_hold *current = NULL, *a, *b, *c, *old;

	a = snapshot_hold_take(&current, first, true);
	b = snapshot_hold_take(&current, first, true);
	ck_assert_ptr_eq(a->snap, first);
	ck_assert_uint_eq(first->refs, 2);
	snapshot_hold_drop(a);
	snapshot_hold_drop(b);
	ck_assert_uint_eq(first->refs, 2); /* for the next one */
	a = snapshot_hold_take(&current, first, true);
	c = snapshot_hold_take(&current, second, true);
	ck_assert_ptr_eq(c->snap, second);
	ck_assert_ptr_eq(a->snap, first);
	ck_assert_uint_eq(first->refs, 2); /* for what began before */
	old = snapshot_hold_take(&current, first, false);
	ck_assert_ptr_eq(current->snap, second);
	ck_assert_uint_eq(first->refs, 3);
	snapshot_hold_drop(old);
	snapshot_hold_drop(a);
	ck_assert_uint_eq(first->refs, 1);
	snapshot_hold_drop(current);
	ck_assert_uint_eq(second->refs, 2);
	snapshot_hold_drop(c);
	ck_assert_uint_eq(second->refs, 1);
	snapshot_hold_drop(NULL);
	snapshot_unref(first);
	snapshot_unref(second);
}
END_TEST

/* Tests of references to a configuration. */
Suite *
snapshot_suite(void)
{
	const TTest *const tests[] = {a_loop_counts_once_however_much_it_holds, NULL};

	return unit_suite("core: snapshot", tests);
}
