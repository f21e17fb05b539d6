#include "config.h"

#include "store/postgres_statement.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a function returns is kept under the key of the call, in the same transaction. */
#define WRITE_BEFORE "WITH r AS (SELECT coalesce(array_agg(a), '{}') AS rows FROM "
#define WRITE_BEHIND                                                                      \
	" a), k AS (INSERT INTO done (call, step, rows) SELECT $1::uuid, $2::integer, rows" \
	" FROM r) SELECT u.* FROM r, unnest(r.rows) u"

/* The columns of an intent and of a persona, in the order of their tables. */
#define INTENT                                                                         \
	"ROW(0, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18," \
	" NULL, NULL)::intent"
#define PERSONA(a, b, c, d, e, f, g, h, i, j, k, l, m, n)                              \
	"ROW(0, $" #a ", $" #b ", $" #c ", $" #d ", $" #e ", $" #f ", $" #g ", $" #h    \
	", $" #i ", $" #j ", NULL, $" #k ", $" #l ", $" #m ", $" #n ")::persona"
#define PERSONA_3 PERSONA(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
#define PERSONA_4 PERSONA(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)

static const char *const postgres_statement_texts[POSTGRES_STATEMENT_COUNT] = {
    [STORE_OP_GET] = "get($1, $2)",
    [STORE_OP_LIST] = "list($1)",
    [STORE_OP_ELSEWHERE] = "elsewhere($1, $2)",
    [STORE_OP_PAGE] = "page($1, $2, $3)",
    [STORE_OP_INTENTS] = "intents($1)",
    [STORE_OP_INTENTS_LEFT] = "intents_left($1, $2, $3)",
    [STORE_OP_INTENT_COUNTS] = "intent_counts()",
    [STORE_OP_SCOPES] = "scopes($1)",
    [STORE_OP_CREATE_BEGIN] = "create_begin(" INTENT ", $19, $20, $21, $22)",
    [STORE_OP_CREATE_SETTLE] = "create_settle($3, " PERSONA_4 ", $18)",
    [STORE_OP_CLAIM] = "claim($3, $4)",
    [STORE_OP_UPDATE_BEGIN] = "update_begin(" INTENT ")",
    [STORE_OP_UPDATE_SETTLE] = "update_settle($3, " PERSONA_4 ")",
    [POSTGRES_UPDATE_KEEP] = "update_keep(" PERSONA_3 ")",
    [STORE_OP_DELETE_BEGIN] = "delete_begin(" INTENT ")",
    [STORE_OP_DELETE_SETTLE] = "delete_settle($3, $4)",
    [STORE_OP_INTENT_MARK] = "intent_mark($3, $4, $5)",
    [STORE_OP_INTENT_DROP] = "intent_drop($3)",
    [STORE_OP_INTENT_TAKE] = "intent_take($3)",
    [STORE_OP_OUTDATE] = "outdate()",
    [STORE_OP_ADOPT] = "adopt_listing($3, $4)",
    [POSTGRES_ADOPT_ONE] = "adopt(" PERSONA_3 ")",
    [STORE_OP_REFRESH] = "refresh(" PERSONA_3 ")",
    [STORE_OP_HIDE] = "hide($3, $4, $5)",
    [STORE_OP_JOIN_SCOPES] = "join_scopes($3, $4)",
    [STORE_OP_PURGE] = "purge($3, $4)",
    [STORE_OP_PROBE] = "probe($3)",
    [STORE_OP_IMAGE_PUT] = "image_put(ROW(0, $3, $4, $5, $6, $7, $8, '', 0, $9)::image, $10)",
    [STORE_OP_IMAGE_GET] = "image_get($1, $2, $3, $4)",
    [STORE_OP_IMAGE_LIST] = "image_list($1, $2)",
    [STORE_OP_IMAGE_DELETE] = "image_delete($3, $4)",
    [STORE_OP_IMAGE_RELEASE] = "image_release($3, $4)",
    [STORE_OP_TWIN_LOOK] = "twin_look($1, $2, $3)",
    [STORE_OP_TWIN_OWNER] = "twin_owner($1, $2, $3)",
    [STORE_OP_TWIN_PAGE] = "twin_page($1, $2, $3)",
    [STORE_OP_TWIN_NOTE] = "twin_note($3, $4, $5, $6)",
    [STORE_OP_TWIN_PUT] = 
        "twin_put(ROW(0, $3, $4, $5, $6, NULL, NULL, $7, $8, $9)::twin)",
    [STORE_OP_TWIN_DROP] = "twin_drop($3, $4)",
    [POSTGRES_ENTER] = "enter($1, $2, $3)",
    [POSTGRES_DONE_BEFORE] = "done_before($1)",
    [POSTGRES_RENEW] = "renew($1, $2)",
    [POSTGRES_LEAVE] = "leave($1)",
    [POSTGRES_CHANGES] = "changes($1, $2)",
    [POSTGRES_HINT] = "hint()",
};

/* The text of a statement. */
char *
postgres_statement_text(enum postgres_statement which)
{
	const char *call = postgres_statement_texts[which];
	bool writes = which == POSTGRES_ADOPT_ONE || which == POSTGRES_UPDATE_KEEP ||
	    ((int)which < STORE_OP_COUNT && !store_call_reads((enum store_op)which));

	if (which == POSTGRES_LISTEN)
		return mem_string("LISTEN persona_gateway");
	if (writes)
		return mem_format(WRITE_BEFORE "%s" WRITE_BEHIND, call);
	return mem_format("SELECT * FROM %s", call);
}

/* Adds a text. */
void
postgres_param_text(struct postgres_params *p, const char *text)
{
	p->values[p->count] = text;
	p->lengths[p->count] = p->formats[p->count] = 0;
	p->count++;
}

/* Adds a number. */
void
postgres_param_number(struct postgres_params *p, int64_t number)
{
	snprintf(p->numbers[p->count], sizeof p->numbers[0], "%lld", (long long)number);
	postgres_param_text(p, p->numbers[p->count]);
}

/* Adds a truth. */
static void
postgres_param_bool(struct postgres_params *p, bool is)
{
	postgres_param_text(p, is ? "t" : "f");
}

/* Adds bytes. */
void
postgres_param_bytes(struct postgres_params *p, const char *bytes, size_t len)
{
	p->values[p->count] = bytes;
	p->lengths[p->count] = (int)len;
	p->formats[p->count] = 1;
	p->count++;
}

/* Adds an intent, as INTENT has it. */
static void
postgres_param_intent(struct postgres_params *p, const struct store_intent *i)
{
	postgres_param_text(p, i->id);
	postgres_param_number(p, i->operation);
	postgres_param_number(p, i->state);
	postgres_param_text(p, i->scope);
	postgres_param_text(p, i->project);
	postgres_param_text(p, i->local_id);
	postgres_param_text(p, i->upstream_id);
	postgres_param_text(p, i->name);
	postgres_param_text(p, i->fingerprint);
	postgres_param_text(p, i->sent);
	postgres_param_text(p, i->kept);
	postgres_param_text(p, i->absent);
	postgres_param_number(p, i->created_ms);
	postgres_param_number(p, i->touched_ms);
	postgres_param_text(p, i->key);
	postgres_param_text(p, i->key_hash);
}

/* Adds a record, as PERSONA has it. */
static void
postgres_param_record(struct postgres_params *p, const struct store_record *r, const char *scope)
{
	postgres_param_text(p, scope != NULL ? scope : r->scope);
	postgres_param_text(p, r->local_id);
	postgres_param_text(p, r->upstream_id);
	postgres_param_text(p, r->name);
	postgres_param_number(p, r->created_ms);
	postgres_param_number(p, r->updated_ms);
	postgres_param_number(p, r->content_ms);
	postgres_param_bool(p, r->adopted);
	postgres_param_bool(p, r->unclaimed);
	postgres_param_number(p, r->version);
	postgres_param_text(p, r->fingerprint);
	postgres_param_text(p, r->kept);
	postgres_param_text(p, r->absent);
	postgres_param_text(p, r->content);
}

/* The values of a read. */
static void
postgres_call_read(const struct store_call *c, const char *who, struct postgres_params *p)
{
	switch (c->op) {
	case STORE_OP_GET:
		postgres_param_text(p, c->scope);
		postgres_param_text(p, c->id);
		break;
	case STORE_OP_LIST:
		postgres_param_text(p, c->scope);
		break;
	case STORE_OP_ELSEWHERE:
		postgres_param_text(p, c->text);
		postgres_param_text(p, c->scope);
		break;
	case STORE_OP_PAGE:
		postgres_param_text(p, c->scope);
		postgres_param_number(p, (int64_t)c->max);
		postgres_param_number(p, (int64_t)c->len);
		break;
	case STORE_OP_INTENTS:
		postgres_param_text(p, who);
		break;
	case STORE_OP_INTENTS_LEFT:
		postgres_param_text(p, who);
		postgres_param_number(p, c->since_ms);
		postgres_param_number(p, (int64_t)c->max);
		break;
	case STORE_OP_SCOPES:
		postgres_param_bool(p, c->counted);
		break;
	case STORE_OP_IMAGE_GET:
		postgres_param_text(p, c->image.project);
		postgres_param_text(p, c->image.id);
		postgres_param_number(p, c->offset);
		postgres_param_number(p, (int64_t)c->max);
		break;
	case STORE_OP_IMAGE_LIST:
		postgres_param_text(p, c->image.project);
		postgres_param_text(p, c->image.role);
		break;
	case STORE_OP_TWIN_LOOK:
		postgres_param_text(p, c->scope);
		postgres_param_text(p, c->id);
		postgres_param_text(p, who);
		break;
	case STORE_OP_TWIN_OWNER:
		postgres_param_text(p, c->text);
		postgres_param_text(p, c->id);
		postgres_param_text(p, c->scope);
		break;
	case STORE_OP_TWIN_PAGE:
		postgres_param_number(p, c->pages);
		postgres_param_number(p, c->since_ms);
		postgres_param_number(p, (int64_t)c->max);
		break;
	default:
		break;
	}
}

/* The values of a write of an image. */
static void
postgres_call_image(const struct store_call *c, struct postgres_params *p)
{
	const struct store_image *i = &c->image;

	postgres_param_text(p, i->project);
	postgres_param_text(p, i->id);
	postgres_param_text(p, i->role);
	postgres_param_text(p, i->type);
	postgres_param_text(p, i->filename);
	postgres_param_text(p, i->maker);
	postgres_param_number(p, i->created_ms);
	postgres_param_bytes(p, c->bytes, c->len);
}

/* The values of a write to twins. */
static void
postgres_call_twin(const struct store_call *c, struct postgres_params *p)
{
	const struct store_twin *t = &c->twin;

	if (c->op == STORE_OP_TWIN_NOTE) {
		postgres_param_text(p, c->id);
		postgres_param_text(p, t->twin_id);
		postgres_param_bool(p, t->found);
		postgres_param_number(p, c->now_ms);
	} else if (c->op == STORE_OP_TWIN_PUT) {
		postgres_param_text(p, t->project);
		postgres_param_text(p, t->twin_id);
		postgres_param_text(p, t->scope);
		postgres_param_text(p, t->local_id);
		postgres_param_number(p, t->since_ms);
		postgres_param_bool(p, t->found);
		postgres_param_number(p, t->updated_ms);
	} else {
		postgres_param_text(p, c->scope);
		postgres_param_text(p, c->id);
	}
}

/* The values of a write of records, and which statement it is. */
static enum postgres_statement
postgres_call_records(const struct store_call *c, size_t step, struct postgres_params *p)
{
	switch (c->op) {
	case STORE_OP_CREATE_SETTLE:
		postgres_param_text(p, c->id);
		postgres_param_record(p, &c->records[0], NULL);
		postgres_param_text(p, c->text);
		break;
	case STORE_OP_UPDATE_SETTLE:
		if (c->id != NULL)
			postgres_param_text(p, c->id);
		postgres_param_record(p, &c->records[0], NULL);
		if (c->id == NULL)
			return POSTGRES_UPDATE_KEEP;
		break;
	case STORE_OP_REFRESH:
		postgres_param_record(p, &c->records[step], NULL);
		break;
	default: /* adopt */
		if (step > 0) {
			postgres_param_record(p, &c->records[step - 1], c->scope);
			return POSTGRES_ADOPT_ONE;
		}
		postgres_param_text(p, c->scope);
		postgres_param_number(p, c->now_ms);
	}
	return (enum postgres_statement)c->op;
}

/* The values of a write, and which statement it is. */
static enum postgres_statement
postgres_call_write(const struct store_call *c, size_t step, struct postgres_params *p)
{
	switch (c->op) {
	case STORE_OP_CREATE_BEGIN:
		postgres_param_intent(p, &c->intent);
		postgres_param_text(p, c->intent.twin_digest);
		postgres_param_number(p, c->now_ms);
		postgres_param_number(p, c->key_expires_ms);
		postgres_param_number(p, c->since_ms);
		break;
	case STORE_OP_UPDATE_BEGIN:
	case STORE_OP_DELETE_BEGIN:
		postgres_param_intent(p, &c->intent);
		break;
	case STORE_OP_CREATE_SETTLE:
	case STORE_OP_UPDATE_SETTLE:
	case STORE_OP_REFRESH:
	case STORE_OP_ADOPT:
		return postgres_call_records(c, step, p);
	case STORE_OP_IMAGE_PUT:
		postgres_call_image(c, p);
		break;
	case STORE_OP_IMAGE_DELETE:
		postgres_param_text(p, c->image.project);
		postgres_param_text(p, c->image.id);
		break;
	case STORE_OP_IMAGE_RELEASE:
		postgres_param_text(p, c->scope);
		postgres_param_text(p, c->image.maker);
		break;
	case STORE_OP_TWIN_NOTE:
	case STORE_OP_TWIN_PUT:
	case STORE_OP_TWIN_DROP:
		postgres_call_twin(c, p);
		break;
	default: /* some of these, in this order */
		if (c->scope != NULL)
			postgres_param_text(p, c->scope);
		if (c->id != NULL)
			postgres_param_text(p, c->id);
		if (c->op == STORE_OP_JOIN_SCOPES)
			postgres_param_text(p, c->text);
		if (c->op == STORE_OP_INTENT_MARK)
			postgres_param_number(p, c->state);
		if (c->op == STORE_OP_DELETE_SETTLE || c->op == STORE_OP_INTENT_MARK ||
		    c->op == STORE_OP_HIDE || c->op == STORE_OP_PURGE || c->op == STORE_OP_PROBE)
			postgres_param_number(p, c->now_ms);
		if (c->op == STORE_OP_PURGE)
			postgres_param_number(p, c->since_ms);
	}
	return (enum postgres_statement)c->op;
}

/* How many statements a call is. */
size_t
postgres_call_steps(const struct store_call *c)
{
	if (c->op == STORE_OP_REFRESH)
		return c->record_count;
	if (c->op == STORE_OP_ADOPT)
		return 1 + c->record_count;
	return 1;
}

/* One of them. */
enum postgres_statement
postgres_call_step(const struct store_call *c, size_t step, const char *key, const char *who,
    struct postgres_params *p)
{
	p->count = 0;
	if (store_call_reads(c->op)) {
		postgres_call_read(c, who, p);
		return (enum postgres_statement)c->op;
	}
	postgres_param_text(p, key);
	postgres_param_number(p, (int64_t)step);
	return postgres_call_write(c, step, p);
}

/* What a write is about. */
void
postgres_call_subject(const struct store_call *c, struct postgres_subject *s)
{
	memset(s, 0, sizeof *s);
	s->scopes[0] = c->scope;
	switch (c->op) {
	case STORE_OP_CREATE_BEGIN:
	case STORE_OP_UPDATE_BEGIN:
	case STORE_OP_DELETE_BEGIN:
		s->scopes[0] = c->intent.scope;
		break;
	case STORE_OP_JOIN_SCOPES:
		s->scopes[1] = c->text;
		break;
	case STORE_OP_TWIN_PUT:
		s->scopes[0] = c->twin.scope;
		break;
	case STORE_OP_UPDATE_SETTLE:
	case STORE_OP_CREATE_SETTLE:
	case STORE_OP_DELETE_SETTLE:
	case STORE_OP_INTENT_MARK:
	case STORE_OP_INTENT_DROP:
	case STORE_OP_INTENT_TAKE:
	case STORE_OP_TWIN_NOTE:
		s->intent = c->id;
		if (c->id == NULL)
			s->scopes[0] = c->records[0].scope;
		break;
	default:
		break;
	}
}
