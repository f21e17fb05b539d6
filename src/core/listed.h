#ifndef CORE_LISTED_H
#define CORE_LISTED_H

#include "core/drift.h"
#include "core/sight.h"

/*
 * The things of a listing, in its order: texts where the mapping copies
 * (mapping_copy.h) and the listing is their array itself, else trees. What is read here is
 * compared with what is declared and counted (drift.h), whole listings only.
 */
struct listed_item {
	char *id;         /* NULL: it has no proper one */
	const char *text; /* in listed.body; NULL: there is only a tree */
	size_t len;
	bool alike;               /* with text: nothing in it differs from what is declared */
	struct json_object *tree; /* NULL: not made */
};

struct listed {
	struct listed_item *items;
	size_t count, room;
	char *body; /* the listing's text, which those of the items are in; NULL: not kept */
	size_t len;
};

/* Makes an empty list. */
struct listed *listed_new(void);
void listed_free(struct listed *); /* NULL is fine */

/* Reads a whole listing as texts; NULL when that takes trees, and nothing was counted. Else
 * *alike says that nothing differs. */
struct listed *listed_read(struct drift *, const struct project *, const char *body, size_t len,
    bool *alike);

/* Keeps the text of a listing that was read as a tree. */
void listed_keep(struct listed *, const char *body, size_t len);

/* Adds the elements of an array, which were compared. */
void listed_add(struct listed *, const struct project *, struct json_object *array);

/* The tree of an item; belongs to the list. */
struct json_object *listed_tree(struct listed_item *);

/* What was seen with an item. The list must stay until sight_clear(). */
void listed_see(struct listed_item *, const struct project *, struct sight *);

#endif
