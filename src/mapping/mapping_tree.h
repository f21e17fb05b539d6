#ifndef MAPPING_TREE_H
#define MAPPING_TREE_H

#include "mapping/mapping_path.h"

/*
 * Paths of a set of declarations, key by key, so that a walk through a body
 * finds what is declared for each place without comparing paths. A place with a
 * leaf has nothing below it.
 */
struct mapping_tree;

struct mapping_tree *mapping_tree_new(void);
void mapping_tree_free(struct mapping_tree *);

/* Adds a place with what stands there. The path must outlive the tree; the
 * first leaf of a place stays. */
void mapping_tree_add(struct mapping_tree *, const struct mapping_path *, const void *leaf);

/* The place below a place; NULL (of which nothing is below) for none. */
const struct mapping_tree *mapping_tree_below(const struct mapping_tree *, const char *key);

/* What stands at a place; NULL for nothing. */
const void *mapping_tree_leaf(const struct mapping_tree *);

#endif
