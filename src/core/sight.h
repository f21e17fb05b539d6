#ifndef CORE_SIGHT_H
#define CORE_SIGHT_H

#include "core/snapshot.h"
#include "mapping/mapping_copy.h"

/*
 * One item as the upstream showed it. As long as its mapping copies (mapping_copy.h) it
 * is its text, and nothing is built; a tree is made when something is asked that only a
 * tree can say. All answers are the same either way.
 *
 * It lives on the stack of who took the answer: the text must stay, and what functions
 * give belongs to the sight until sight_clear().
 */
struct sight {
	const struct project *project;
	bool alike; /* nothing in it differs from what is declared */
	/* the rest is the sight's own */
	struct json_object *tree; /* NULL: not made */
	const char *text;         /* NULL: there is only a tree */
	size_t len;
	struct mapping_copied copied; /* with text */
	char *id, *label, *organisation;
};

/* Takes a text that can be copied; false when it takes a tree, and nothing is to be cleared. */
bool sight_copy(struct sight *, const struct project *, const char *text, size_t len);

/* The same for pieces that were read already, in sight.copied. */
bool sight_copy_pieces(struct sight *, const struct project *);

/* Takes a tree over. */
void sight_take(struct sight *, const struct project *, struct json_object *tree);
void sight_clear(struct sight *);

/* The tree; belongs to the sight. */
struct json_object *sight_tree(struct sight *);

/* What is known of it: as resource_id(), resource_label(), resource_unique_name(), and the
 * account that it belongs to. NULL: nothing. */
const char *sight_id(struct sight *);
const char *sight_label(struct sight *);
const char *sight_unique_name(struct sight *);
const char *sight_organisation(struct sight *);

/* Whether the mapping reads every value of it; else fail says which it does not. */
bool sight_is_read(struct sight *, const char *local_id, struct fail *);

/* As json_print(); the caller frees. */
char *sight_print(struct sight *);

/* Whether that is this text (NULL: no). */
bool sight_prints(struct sight *, const char *content);

/* Whether a text of another time (NULL: no) tells the same: members that the mapping does not
 * know may differ, such as one that changes with every read. */
bool sight_tells(struct sight *, const char *content);

/* Whether all fillers of a record still stand; `left` becomes what does, as text that the
 * caller frees or NULL, when not all do. */
bool sight_absent_holds(struct sight *, const char *absent, char **left);

/* The local form as text, of a record's id and what it keeps; the caller frees. NULL with a
 * sentence for the log. */
char *sight_local(struct sight *, const struct store_record *, size_t *len, struct fail *);

#endif
