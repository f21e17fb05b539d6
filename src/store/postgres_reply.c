#include "config.h"

#include "store/postgres_reply.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The columns of an answer: kind, n1 to n8, t1 to t12, bytes. */
#define POSTGRES_N(n) (n)
#define POSTGRES_T(n) (8 + (n))
#define POSTGRES_BYTES 21

static const char *const postgres_statuses[] = {
    [STORE_OK] = "ok",
    [STORE_NONE] = "none",
    [STORE_NAME_TAKEN] = "name taken",
    [STORE_UNSETTLED_SAME] = "unsettled same",
    [STORE_UNSETTLED_OTHER] = "unsettled other",
    [STORE_UNCLAIMED] = "unclaimed",
    [STORE_KEY_ANSWER] = "key answer",
    [STORE_KEY_RUNNING] = "key running",
    [STORE_KEY_MISMATCH] = "key mismatch",
    [STORE_ID_TAKEN] = "id taken",
    [STORE_HELD] = "held",
};

/* A row of an answer. */
struct postgres_row {
	const PGresult *result;
	int row;
};

/* The state of an error. */
const char *
postgres_reply_state(const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	return state != NULL ? state : "";
}

/* Its sentence. */
const char *
postgres_reply_words(const PGresult *r)
{
	const char *words = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	return words != NULL ? words : "the database refused it";
}

/* Whether it may pass. */
bool
postgres_reply_may_try(const char *state)
{
	static const char *const states[] = {"40001", "40P01", "55P03", POSTGRES_STATE_FORGOTTEN,
	    POSTGRES_STATE_PREPARED, POSTGRES_STATE_THERE};

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (strcmp(states[i], state) == 0)
			return true;
	return false;
}

/* A text of a row. */
const char *
postgres_reply_field(const PGresult *r, int row, int column)
{
	return PQgetisnull(r, row, column) ? NULL : PQgetvalue(r, row, column);
}

/* A number of a row; null is 0. */
static int64_t
postgres_row_number(const struct postgres_row *r, int column)
{
	const char *text = postgres_reply_field(r->result, r->row, column);

	return text == NULL ? 0 : strtoll(text, NULL, 10);
}

/* A text of a row, as a fresh string. */
static char *
postgres_row_text(const struct postgres_row *r, int column)
{
	return mem_string(postgres_reply_field(r->result, r->row, column));
}

/* Reads the status, the number and the text. */
static void
postgres_reply_status(struct store_reply *reply, const struct postgres_row *r)
{
	const char *status = postgres_reply_field(r->result, r->row, POSTGRES_T(1));

	for (size_t i = 0; i < sizeof postgres_statuses / sizeof postgres_statuses[0]; i++)
		if (status != NULL && strcmp(postgres_statuses[i], status) == 0)
			reply->status = (enum store_status)i;
	reply->number += postgres_row_number(r, POSTGRES_N(1));
	free(reply->text);
	reply->text = postgres_row_text(r, POSTGRES_T(2));
}

/* Reads a record. */
static void
postgres_reply_record(struct store_reply *reply, const struct postgres_row *r)
{
	struct store_record record = {
	    .seq = postgres_row_number(r, POSTGRES_N(1)),
	    .created_ms = postgres_row_number(r, POSTGRES_N(2)),
	    .updated_ms = postgres_row_number(r, POSTGRES_N(3)),
	    .content_ms = postgres_row_number(r, POSTGRES_N(4)),
	    .adopted = postgres_row_number(r, POSTGRES_N(5)) != 0,
	    .unclaimed = postgres_row_number(r, POSTGRES_N(6)) != 0,
	    .version = postgres_row_number(r, POSTGRES_N(7)),
	    .scope = postgres_row_text(r, POSTGRES_T(1)),
	    .local_id = postgres_row_text(r, POSTGRES_T(2)),
	    .upstream_id = postgres_row_text(r, POSTGRES_T(3)),
	    .name = postgres_row_text(r, POSTGRES_T(4)),
	    .fingerprint = postgres_row_text(r, POSTGRES_T(5)),
	    .kept = postgres_row_text(r, POSTGRES_T(6)),
	    .absent = postgres_row_text(r, POSTGRES_T(7)),
	    .content = postgres_row_text(r, POSTGRES_T(8)),
	};

	store_reply_add_record(reply, &record);
}

/* Reads a scope with how many it has. */
static void
postgres_reply_scope(struct store_reply *reply, const struct postgres_row *r)
{
	struct store_record record = {
	    .seq = postgres_row_number(r, POSTGRES_N(1)),
	    .scope = postgres_row_text(r, POSTGRES_T(1)),
	};

	store_reply_add_record(reply, &record);
}

/* Reads an intent. */
static void
postgres_reply_intent(struct store_reply *reply, const struct postgres_row *r)
{
	struct store_intent i = {
	    .operation = (enum store_operation)postgres_row_number(r, POSTGRES_N(1)),
	    .state = (enum store_intent_state)postgres_row_number(r, POSTGRES_N(2)),
	    .created_ms = postgres_row_number(r, POSTGRES_N(3)),
	    .touched_ms = postgres_row_number(r, POSTGRES_N(4)),
	    .held = postgres_row_number(r, POSTGRES_N(5)) != 0,
	    .orphaned = postgres_row_number(r, POSTGRES_N(6)) != 0,
	    .fence = postgres_row_number(r, POSTGRES_N(7)),
	    .id = postgres_row_text(r, POSTGRES_T(1)),
	    .scope = postgres_row_text(r, POSTGRES_T(2)),
	    .project = postgres_row_text(r, POSTGRES_T(3)),
	    .local_id = postgres_row_text(r, POSTGRES_T(4)),
	    .upstream_id = postgres_row_text(r, POSTGRES_T(5)),
	    .name = postgres_row_text(r, POSTGRES_T(6)),
	    .fingerprint = postgres_row_text(r, POSTGRES_T(7)),
	    .sent = postgres_row_text(r, POSTGRES_T(8)),
	    .kept = postgres_row_text(r, POSTGRES_T(9)),
	    .absent = postgres_row_text(r, POSTGRES_T(10)),
	    .key = postgres_row_text(r, POSTGRES_T(11)),
	    .key_hash = postgres_row_text(r, POSTGRES_T(12)),
	};

	store_reply_add_intent(reply, &i);
}

/* Reads what is known of an image. */
static void
postgres_reply_image(struct store_reply *reply, const struct postgres_row *r)
{
	struct store_image i = {
	    .size = postgres_row_number(r, POSTGRES_N(1)),
	    .created_ms = postgres_row_number(r, POSTGRES_N(2)),
	    .project = postgres_row_text(r, POSTGRES_T(1)),
	    .id = postgres_row_text(r, POSTGRES_T(2)),
	    .role = postgres_row_text(r, POSTGRES_T(3)),
	    .type = postgres_row_text(r, POSTGRES_T(4)),
	    .filename = postgres_row_text(r, POSTGRES_T(5)),
	    .maker = postgres_row_text(r, POSTGRES_T(6)),
	    .digest = postgres_row_text(r, POSTGRES_T(7)),
	};

	store_reply_add_image(reply, &i);
}

/* Appends bytes, which come as text. */
static void
postgres_reply_bytes(struct store_reply *reply, const struct postgres_row *r)
{
	const char *text = postgres_reply_field(r->result, r->row, POSTGRES_BYTES);
	unsigned char *bytes;
	size_t len;

	bytes = text == NULL ? NULL : PQunescapeBytea((const unsigned char *)text, &len);
	if (bytes == NULL)
		return;
	reply->bytes = mem_resize(reply->bytes, reply->len + len + 1);
	memcpy(reply->bytes + reply->len, bytes, len);
	reply->len += len;
	reply->bytes[reply->len] = '\0';
	PQfreemem(bytes);
}

/* Reads a twin. */
static void
postgres_reply_twin(struct store_reply *reply, const struct postgres_row *r)
{
	struct store_twin t = {
	    .seq = postgres_row_number(r, POSTGRES_N(1)),
	    .since_ms = postgres_row_number(r, POSTGRES_N(2)),
	    .found = postgres_row_number(r, POSTGRES_N(3)) != 0,
	    .updated_ms = postgres_row_number(r, POSTGRES_N(4)),
	    .project = postgres_row_text(r, POSTGRES_T(1)),
	    .twin_id = postgres_row_text(r, POSTGRES_T(2)),
	    .scope = postgres_row_text(r, POSTGRES_T(3)),
	    .local_id = postgres_row_text(r, POSTGRES_T(4)),
	    .name = postgres_row_text(r, POSTGRES_T(5)),
	    .digest = postgres_row_text(r, POSTGRES_T(6)),
	};

	store_reply_add_twin(reply, &t);
}

/* Reads an id of a persona that was deleted here. */
static void
postgres_reply_tombstone(struct store_reply *reply, const struct postgres_row *r)
{
	store_reply_add_tombstone(reply, postgres_reply_field(r->result, r->row, POSTGRES_T(1)));
}

/* Reads an id of a hidden persona. */
static void
postgres_reply_hidden(struct store_reply *reply, const struct postgres_row *r)
{
	store_reply_add_hidden(reply, postgres_reply_field(r->result, r->row, POSTGRES_T(1)));
}

static const struct {
	const char *kind;
	void (*read)(struct store_reply *, const struct postgres_row *);
} postgres_kinds[] = {
    {"record", postgres_reply_record},
    {"status", postgres_reply_status},
    {"tombstone", postgres_reply_tombstone},
    {"intent", postgres_reply_intent},
    {"hidden", postgres_reply_hidden},
    {"scope", postgres_reply_scope},
    {"image", postgres_reply_image},
    {"bytes", postgres_reply_bytes},
    {"twin", postgres_reply_twin},
};

/* Adds the rows of a result. */
void
postgres_reply_read(struct store_reply *reply, const PGresult *result)
{
	struct postgres_row r = {.result = result};

	for (r.row = 0; r.row < PQntuples(result); r.row++) {
		const char *kind = postgres_reply_field(result, r.row, 0);

		for (size_t k = 0; kind != NULL && k < sizeof postgres_kinds / sizeof postgres_kinds[0]; k++)
			if (strcmp(kind, postgres_kinds[k].kind) == 0)
				postgres_kinds[k].read(reply, &r);
	}
}
