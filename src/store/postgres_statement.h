#ifndef POSTGRES_STATEMENT_H
#define POSTGRES_STATEMENT_H

#include "store/store_call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The statements of the gateway: each calls one function of the .sql files. Statement 0 and
 * up are those of the operations, by enum store_op; a few follow that are no operation of
 * their own.
 */
enum postgres_statement {
	POSTGRES_ADOPT_ONE = STORE_OP_COUNT, /* after STORE_OP_ADOPT, for each persona */
	POSTGRES_UPDATE_KEEP,                /* STORE_OP_UPDATE_SETTLE without an intent */
	POSTGRES_ENTER,       /* who, scopes, intents */
	POSTGRES_DONE_BEFORE, /* call */
	POSTGRES_RENEW,       /* who, ms */
	POSTGRES_LEAVE,       /* who */
	POSTGRES_CHANGES,     /* who, snapshot or "" */
	POSTGRES_HINT,
	POSTGRES_LISTEN,
	POSTGRES_STATEMENT_COUNT
};

/* The text of a statement. Those of writes have the key of the call as $1 and the number of
 * the step as $2, and keep their reply under these. The caller frees it. */
char *postgres_statement_text(enum postgres_statement);

/* Values for the placeholders, in their order. They are borrowed until the statement is sent. */
#define POSTGRES_PARAMS_MAX 32
struct postgres_params {
	const char *values[POSTGRES_PARAMS_MAX];
	int lengths[POSTGRES_PARAMS_MAX], formats[POSTGRES_PARAMS_MAX]; /* for bytes */
	char numbers[POSTGRES_PARAMS_MAX][24];
	size_t count;
};
void postgres_param_text(struct postgres_params *, const char *); /* NULL: null */
void postgres_param_number(struct postgres_params *, int64_t);
void postgres_param_bytes(struct postgres_params *, const char *, size_t);

/* How many statements a call is; none when there is nothing to do. */
size_t postgres_call_steps(const struct store_call *);

/* One of them; key is that of a write, who the member that asks. */
enum postgres_statement postgres_call_step(const struct store_call *, size_t step, const char *key,
    const char *who, struct postgres_params *);

/* The scopes that a write is about, NULL where there is none, and the intent whose scope is
 * one too. A refresh is about those of its records besides. */
struct postgres_subject {
	const char *scopes[2], *intent;
};
void postgres_call_subject(const struct store_call *, struct postgres_subject *);

#endif
