#include "config.h"

#include "mapping/mapping_tree.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct mapping_tree {
	const char *key; /* belongs to a path; NULL at the top */
	const void *leaf;
	struct mapping_tree *below; /* a table */
	UT_hash_handle hh;
};

/* Makes an empty tree. */
struct mapping_tree *
mapping_tree_new(void)
{
	return mem_zero(1, sizeof(struct mapping_tree));
}

/* Frees a place and all below it. */
void
mapping_tree_free(struct mapping_tree *tree)
{
	struct mapping_tree *child, *next;

	if (tree == NULL)
		return;
	HASH_ITER(hh, tree->below, child, next) {
		HASH_DEL(tree->below, child);
		mapping_tree_free(child);
	}
	free(tree);
}

/* Adds a place. */
void
mapping_tree_add(struct mapping_tree *tree, const struct mapping_path *path, const void *leaf)
{
	struct mapping_tree *child;

	for (size_t i = 0; i < path->count; i++) {
		HASH_FIND_STR(tree->below, path->keys[i], child);
		if (child == NULL) {
			child = mapping_tree_new();
			child->key = path->keys[i];
			HASH_ADD_KEYPTR(hh, tree->below, child->key, strlen(child->key), child);
		}
		tree = child;
	}
	if (tree->leaf == NULL)
		tree->leaf = leaf;
}

/* Goes one key down. */
const struct mapping_tree *
mapping_tree_below(const struct mapping_tree *tree, const char *key)
{
	struct mapping_tree *child = NULL;

	if (tree != NULL)
		HASH_FIND_STR(tree->below, key, child);
	return child;
}

/* What stands there. */
const void *
mapping_tree_leaf(const struct mapping_tree *tree)
{
	return tree == NULL ? NULL : tree->leaf;
}
