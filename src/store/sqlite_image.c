#include "config.h"

#include "base/digest.h"
#include "base/mem.h"
#include "store/sqlite_operation.h"

#include <string.h>

/* Reads the image that a statement's row shows. */
static void
sqlite_image_read(sqlite3_stmt *st, struct store_image *i)
{
	memset(i, 0, sizeof *i);
	i->project = sqlite_text(st, 0);
	i->id = sqlite_text(st, 1);
	i->role = sqlite_text(st, 2);
	i->type = sqlite_text(st, 3);
	i->filename = sqlite_text(st, 4);
	i->maker = sqlite_text(st, 5);
	i->digest = sqlite_text(st, 6);
	i->size = sqlite3_column_int64(st, 7);
	i->created_ms = sqlite3_column_int64(st, 8);
}

/* Adds an image's row, with its bytes unless they are in a file. */
int
sqlite_image_put(struct sqlite_conn *c, struct store_call *call)
{
	struct store_image *i = &call->image, copy;
	char digest[DIGEST_HEX_SIZE];
	int rc;

	if (i->digest == NULL) {
		digest_hex(call->bytes, call->len, digest);
		i->digest = mem_string(digest);
	}
	rc = sqlite_do(c, SQL_IMAGE_ADD,
	    SQL_VALUES(SQL_T(i->project), SQL_T(i->id), SQL_T(i->role), SQL_T(i->type),
	        SQL_T(i->filename), SQL_T(i->maker), SQL_T(i->digest), SQL_I(i->size),
	        SQL_I(i->created_ms), SQL_B(call->bytes, call->len)));
	if (rc == SQLITE_OK) {
		store_image_copy(&copy, i);
		store_reply_add_image(&call->reply, &copy);
	}
	return rc;
}

/* Finds an image of a project; the bytes come along when the database has them. */
int
sqlite_image_get(struct sqlite_conn *c, struct store_call *call)
{
	struct store_image i;
	sqlite3_stmt *st;
	int rc = sqlite_start(c, SQL_IMAGE_GET, &st,
	    SQL_VALUES(SQL_T(call->image.project), SQL_T(call->image.id)));

	if (rc == SQLITE_ROW) {
		const void *data = sqlite3_column_blob(st, 9);

		sqlite_image_read(st, &i);
		store_reply_add_image(&call->reply, &i);
		if (data != NULL) {
			call->reply.len = (size_t)sqlite3_column_bytes(st, 9);
			call->reply.bytes = mem_copy(data, call->reply.len);
		}
	} else if (rc == SQLITE_DONE) {
		call->reply.status = STORE_NONE;
	}
	return sqlite_end(st, rc);
}

/* Adds all rows of a started statement to the reply. */
static int
sqlite_image_collect(sqlite3_stmt *st, int rc, struct store_reply *reply)
{
	struct store_image i;

	for (; rc == SQLITE_ROW; rc = sqlite3_step(st)) {
		sqlite_image_read(st, &i);
		store_reply_add_image(reply, &i);
	}
	return sqlite_end(st, rc);
}

/* Lists the images of a role. */
int
sqlite_image_list(struct sqlite_conn *c, struct store_call *call)
{
	sqlite3_stmt *st;
	int rc = sqlite_start(c, SQL_IMAGE_LIST, &st,
	    SQL_VALUES(SQL_T(call->image.project), SQL_T(call->image.role)));

	return sqlite_image_collect(st, rc, &call->reply);
}

/* Deletes the rows of the images in the reply. */
static int
sqlite_image_drop(struct sqlite_conn *c, const struct store_reply *reply)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < reply->image_count && rc == SQLITE_OK; i++)
		rc = sqlite_do(c, SQL_IMAGE_DELETE, SQL_VALUES(SQL_T(reply->images[i].id)));
	return rc;
}

/* Deletes an image. */
int
sqlite_image_delete(struct sqlite_conn *c, struct store_call *call)
{
	int rc = sqlite_image_get(c, call);

	return rc == SQLITE_OK ? sqlite_image_drop(c, &call->reply) : rc;
}

/* Deletes what was made for a persona and is not used. */
int
sqlite_image_release(struct sqlite_conn *c, struct store_call *call)
{
	sqlite3_stmt *st;
	int rc = sqlite_start(c, SQL_IMAGE_UNUSED, &st,
	    SQL_VALUES(SQL_T(call->image.maker), SQL_T(call->scope)));

	rc = sqlite_image_collect(st, rc, &call->reply);
	call->reply.number = (int64_t)call->reply.image_count;
	return rc == SQLITE_OK ? sqlite_image_drop(c, &call->reply) : rc;
}

/* Whether a row has its bytes in this file. */
bool
sqlite_image_has_file(struct sqlite_conn *c, const char *name)
{
	int64_t one;
	bool found;
	int rc = sqlite_number(c, SQL_IMAGE_FILE, SQL_VALUES(SQL_T(name)), &found, &one);

	return found || rc != SQLITE_OK;
}
