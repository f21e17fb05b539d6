#ifndef MAPPING_COPY_H
#define MAPPING_COPY_H

#include "base/buf.h"
#include "json/json_piece.h"
#include "mapping/mapping.h"

/*
 * Answers of Bluejay that become local ones without a tree: the mapping knows which
 * members go where, so their bytes are copied. What comes out is, byte for byte, what
 * json_print() writes of the tree that mapping_answer_make() makes.
 *
 * Whether a mapping can do so is settled when it is compiled (mapping_copy_new()). An
 * answer is copied when it is plain, and everything in it as declared: whatever is to be
 * said of it, and whatever has to be computed, is the tree's business. So `false` here
 * means: take the tree.
 */
#define MAPPING_COPY_MEMBERS 64 /* that answers are declared to have; with more: trees */

/* One answer. It belongs to its text, which must stay. */
struct mapping_copied {
	struct json_pieces pieces; /* the caller fills them */
	const struct json_piece *declared[MAPPING_COPY_MEMBERS]; /* those of the outline's members */
};

/* Whether answers are copied at all. */
bool mapping_copies(const struct mapping *);

/* Whether the pieces can be copied: nothing in them differs from what is declared
 * (mapping_drift_item() would tell nothing), and the mapping reads every value. */
bool mapping_copy_fits(const struct mapping *, struct mapping_copied *);

/* Reads the pieces of a text, too. */
bool mapping_copy_read(const struct mapping *, const char *text, size_t len,
    struct mapping_copied *);

/* The value of a local field, of the resource's name for NULL; NULL when it has none. */
const struct json_piece *mapping_copy_field(const struct mapping *, const struct mapping_copied *,
    const char *local);

/* Appends what json_print() writes of the answer itself. */
void mapping_copy_print(const struct mapping_copied *, struct buf *out);

/* Appends the local form; the arguments are those of mapping_answer_make(). When false,
 * the buffer may have a part of it. */
bool mapping_copy_answer(const struct mapping *, const struct mapping_copied *,
    const char *local_id, struct json_object *absent, struct json_object *kept,
    int64_t updated_ms, struct buf *out);

/* Whether all of `absent` still holds (mapping_absent_left() would change nothing). */
bool mapping_copy_absent_holds(const struct mapping *, const struct mapping_copied *,
    struct json_object *absent);

/* Whether two answers tell the same, apart from what the gateway itself knows of them. */
enum mapping_copy_same { MAPPING_COPY_SAME, MAPPING_COPY_OTHER, MAPPING_COPY_TREE };
enum mapping_copy_same mapping_copy_compare(const struct mapping *, const struct mapping_copied *,
    const struct mapping_copied *);

#endif
