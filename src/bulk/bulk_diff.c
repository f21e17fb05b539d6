#include "config.h"

#include "bulk/bulk_diff.h"

#include <string.h>

/* A walk. */
struct bulk_diff_walk {
	struct bulk_index *left, *right;
	bulk_diff_fn told;
	void *arg;
	struct bulk_diff_counts *counts;
	struct fail *f;
};

/* Tells of a name or id that is there more than once. */
static void
bulk_diff_repeated(struct bulk_diff_walk *w, const struct bulk_item *left,
    const struct bulk_item *right, unsigned left_times, unsigned right_times)
{
	w->counts->repeated++;
	w->told(w->arg, &(struct bulk_diff_told){.kind = BULK_DIFF_REPEATED, .left = left, .right = right,
	    .left_times = left_times, .right_times = right_times});
}

/* Tells of one that is only on one side. */
static int
bulk_diff_lone(struct bulk_diff_walk *w, const struct bulk_index *ix, const struct bulk_entry *e)
{
	struct bulk_item item;
	bool left = ix == w->left;

	if (!bulk_index_load(ix, e, &item, w->f))
		return -1;
	if (e->times > 1)
		bulk_diff_repeated(w, left ? &item : NULL, left ? NULL : &item, left ? e->times : 0,
		    left ? 0 : e->times);
	*(left ? &w->counts->left : &w->counts->right) += 1;
	w->told(w->arg, &(struct bulk_diff_told){.kind = left ? BULK_DIFF_LEFT : BULK_DIFF_RIGHT,
	    .left = left ? &item : NULL, .right = left ? NULL : &item});
	bulk_item_clear(&item);
	return 0;
}

/* Compares one that is on both. */
static int
bulk_diff_pair(struct bulk_diff_walk *w, const struct bulk_entry *l, const struct bulk_entry *r)
{
	struct bulk_item left, right;
	struct bulk_differ differ;
	int rc = -1;

	if (!bulk_index_load(w->left, l, &left, w->f))
		return -1;
	if (bulk_index_load(w->right, r, &right, w->f)) {
		if (l->times > 1 || r->times > 1)
			bulk_diff_repeated(w, &left, &right, l->times, r->times);
		if (bulk_item_compare(left.body, right.body, NULL, NULL, &differ)) {
			w->counts->same++;
		} else {
			w->counts->differ++;
			w->told(w->arg, &(struct bulk_diff_told){.kind = BULK_DIFF_DIFFERS, .left = &left,
			    .right = &right, .differ = &differ});
		}
		bulk_item_clear(&right);
		rc = 0;
	}
	bulk_item_clear(&left);
	return rc;
}

/* Walks through both. */
int
bulk_diff(struct bulk_index *left, struct bulk_index *right, bulk_diff_fn told, void *arg,
    struct bulk_diff_counts *counts, struct fail *f)
{
	struct bulk_diff_walk w = {left, right, told, arg, counts, f};
	struct bulk_entry *e = NULL, *twin;
	int rc = 0;

	memset(counts, 0, sizeof *counts);
	while (rc == 0 && (e = bulk_index_next(left, e)) != NULL) {
		twin = bulk_index_twin(right, e);
		if (twin != NULL)
			twin->met = true;
		rc = twin != NULL ? bulk_diff_pair(&w, e, twin) : bulk_diff_lone(&w, left, e);
	}
	for (e = NULL; rc == 0 && (e = bulk_index_next(right, e)) != NULL;)
		if (!e->met)
			rc = bulk_diff_lone(&w, right, e);
	return rc;
}
