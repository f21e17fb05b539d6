#ifndef SQLITE_OPERATION_H
#define SQLITE_OPERATION_H

#include "store/sqlite_statement.h"
#include "store/store_call.h"

/*
 * The operations of store.h on one connection. Each fills the call's reply and
 * returns SQLITE_OK, or an error; then the caller rolls back what it did and
 * answers UNAVAILABLE. They run inside a transaction.
 */
typedef int (*sqlite_operation)(struct sqlite_conn *, struct store_call *);

/* The function that does an operation. */
sqlite_operation sqlite_operation_of(enum store_op);

/* sqlite_create.c */
int sqlite_create_begin(struct sqlite_conn *, struct store_call *);
int sqlite_create_settle(struct sqlite_conn *, struct store_call *);

/* sqlite_change.c */
int sqlite_update_begin(struct sqlite_conn *, struct store_call *);
int sqlite_update_settle(struct sqlite_conn *, struct store_call *);
int sqlite_delete_begin(struct sqlite_conn *, struct store_call *);
int sqlite_delete_settle(struct sqlite_conn *, struct store_call *);
int sqlite_claim(struct sqlite_conn *, struct store_call *);
int sqlite_intent_mark(struct sqlite_conn *, struct store_call *);
int sqlite_intent_drop(struct sqlite_conn *, struct store_call *);

/* sqlite_seen.c */
int sqlite_get(struct sqlite_conn *, struct store_call *);
int sqlite_list(struct sqlite_conn *, struct store_call *);
int sqlite_elsewhere(struct sqlite_conn *, struct store_call *);
int sqlite_page(struct sqlite_conn *, struct store_call *);
int sqlite_intents(struct sqlite_conn *, struct store_call *);
int sqlite_intents_left(struct sqlite_conn *, struct store_call *);
int sqlite_intent_counts(struct sqlite_conn *, struct store_call *);
int sqlite_scopes(struct sqlite_conn *, struct store_call *);
int sqlite_adopt(struct sqlite_conn *, struct store_call *);
int sqlite_refresh(struct sqlite_conn *, struct store_call *);
int sqlite_hide(struct sqlite_conn *, struct store_call *);

/* sqlite_upkeep.c */
int sqlite_join_scopes(struct sqlite_conn *, struct store_call *);
int sqlite_purge(struct sqlite_conn *, struct store_call *);
int sqlite_probe(struct sqlite_conn *, struct store_call *);

/* sqlite_image.c */
int sqlite_image_put(struct sqlite_conn *, struct store_call *);
int sqlite_image_get(struct sqlite_conn *, struct store_call *);
int sqlite_image_list(struct sqlite_conn *, struct store_call *);
int sqlite_image_delete(struct sqlite_conn *, struct store_call *);
int sqlite_image_release(struct sqlite_conn *, struct store_call *);

/* sqlite_twin.c */
int sqlite_twin_look(struct sqlite_conn *, struct store_call *);
int sqlite_twin_owner(struct sqlite_conn *, struct store_call *);
int sqlite_twin_page(struct sqlite_conn *, struct store_call *);
int sqlite_twin_note(struct sqlite_conn *, struct store_call *);
int sqlite_twin_put(struct sqlite_conn *, struct store_call *);
int sqlite_twin_drop(struct sqlite_conn *, struct store_call *);

/* Whether the database knows a file of this name. */
bool sqlite_image_has_file(struct sqlite_conn *, const char *name);

#endif
