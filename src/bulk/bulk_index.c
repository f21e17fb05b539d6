#include "config.h"

#include "bulk/bulk_index.h"
#include "base/mem.h"
#include "json/json_text.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BULK_INDEX_MEMBERS 64 /* kinds of members that are remembered */

struct bulk_index {
	int fd;
	bool by_id;
	char *what;
	struct bulk_entry *entries;
	char *members[BULK_INDEX_MEMBERS];
	unsigned member_count;
};

/* Whether a member was seen; where they are too many to be remembered, any may have been. */
bool
bulk_index_keeps(void *arg, const char *member)
{
	const struct bulk_index *ix = arg;

	for (unsigned i = 0; i < ix->member_count; i++)
		if (strcmp(ix->members[i], member) == 0)
			return true;
	return ix->member_count == BULK_INDEX_MEMBERS;
}

/* Remembers which members a persona has. */
static void
bulk_index_note_members(struct bulk_index *ix, struct json_object *body)
{
	json_object_object_foreach(body, key, value) {
		(void)value;
		if (!bulk_index_keeps(ix, key))
			ix->members[ix->member_count++] = mem_string(key);
	}
}

/* Finds one by the digest of its key. */
static struct bulk_entry *
bulk_index_get(const struct bulk_index *ix, const unsigned char key[BULK_DIGEST_SIZE])
{
	struct bulk_entry *e;

	HASH_FIND(hh, ix->entries, key, BULK_DIGEST_SIZE, e);
	return e;
}

/* The first one of a name or id. */
struct bulk_entry *
bulk_index_find(const struct bulk_index *ix, const char *key, size_t len)
{
	unsigned char digest[BULK_DIGEST_SIZE];

	bulk_digest(key, len, digest);
	return bulk_index_get(ix, digest);
}

/* The same in another index. */
struct bulk_entry *
bulk_index_twin(const struct bulk_index *ix, const struct bulk_entry *e)
{
	return bulk_index_get(ix, e->key);
}

/* The digest of what an index goes by; false: a persona has none. All that have no name are
 * one name. */
static bool
bulk_index_key(const struct bulk_index *ix, const struct bulk_item *item,
    unsigned char digest[BULK_DIGEST_SIZE])
{
	const char *id = json_get_string(item->all, "id");

	if (ix->by_id && id == NULL)
		return false;
	if (ix->by_id)
		bulk_digest(id, strlen(id), digest);
	else
		bulk_digest(item->name, item->name_len, digest);
	return true;
}

/* Adds one, or counts it when it is there. False with a sentence when it has no key. */
static bool
bulk_index_add(struct bulk_index *ix, const struct bulk_item *item, const struct bulk_piece *piece,
    struct fail *f)
{
	unsigned char digest[BULK_DIGEST_SIZE];
	struct bulk_entry *e;

	if (!bulk_index_key(ix, item, digest)) {
		fail_set(f, "has no id");
		return false;
	}
	bulk_index_note_members(ix, item->body);
	e = bulk_index_get(ix, digest);
	if (e == NULL) {
		e = mem_zero(1, sizeof *e);
		memcpy(e->key, digest, sizeof digest);
		e->at = piece->at;
		e->len = piece->len;
		e->line = piece->line;
		HASH_ADD(hh, ix->entries, key, BULK_DIGEST_SIZE, e);
	}
	e->times++;
	return true;
}

/* Takes in one piece; false with a sentence. */
static bool
bulk_index_take(struct bulk_index *ix, enum bulk_read got, const struct bulk_piece *piece,
    struct fail *f)
{
	struct bulk_item item;
	struct fail why;
	bool good;

	if (got == BULK_READ_PIECE) {
		good = bulk_item_read(&item, piece->text, piece->len, &why);
		if (good) {
			good = bulk_index_add(ix, &item, piece, &why);
			bulk_item_clear(&item);
		}
		if (!good)
			fail_set(f, "%s, line %llu: a persona %s", ix->what, (unsigned long long)piece->line,
			    why.text);
		return good;
	}
	if (got == BULK_READ_LONG)
		fail_set(f, "%s, line %llu: a persona is longer than %zu MiB", ix->what,
		    (unsigned long long)piece->line, BULK_ITEM_MAX >> 20);
	else
		fail_set(f, "%s cannot be read: %s (line %llu)", ix->what,
		    got == BULK_READ_WAIT ? "interrupted" : piece->why, (unsigned long long)piece->line);
	return false;
}

/* Reads a file. */
struct bulk_index *
bulk_index_read(int fd, enum bulk_form form, const char *by, const char *what, struct fail *f)
{
	struct bulk_index *ix = mem_zero(1, sizeof *ix);
	struct bulk_reader *r;
	struct bulk_piece piece;
	enum bulk_read got = BULK_READ_END;
	bool good = true;

	ix->fd = fd;
	ix->by_id = strcmp(by, "id") == 0;
	ix->what = mem_string(what);
	if (lseek(fd, 0, SEEK_SET) < 0) {
		fail_set(f, "%s cannot be read: %s", what, strerror(errno));
		bulk_index_free(ix);
		return NULL;
	}
	r = bulk_reader_new(fd, form, BULK_ITEM_MAX);
	while (good && (got = bulk_reader_next(r, &piece)) != BULK_READ_END)
		good = bulk_index_take(ix, got, &piece, f);
	bulk_reader_free(r);
	if (!good) {
		bulk_index_free(ix);
		return NULL;
	}
	return ix;
}

/* Frees it and closes the file. */
void
bulk_index_free(struct bulk_index *ix)
{
	struct bulk_entry *e, *next;

	if (ix == NULL)
		return;
	HASH_ITER(hh, ix->entries, e, next) {
		HASH_DEL(ix->entries, e);
		free(e);
	}
	for (unsigned i = 0; i < ix->member_count; i++)
		free(ix->members[i]);
	close(ix->fd);
	free(ix->what);
	free(ix);
}

/* How many different names or ids. */
size_t
bulk_index_count(const struct bulk_index *ix)
{
	return HASH_COUNT(ix->entries);
}

/* Walks in order. */
struct bulk_entry *
bulk_index_next(const struct bulk_index *ix, struct bulk_entry *e)
{
	return e == NULL ? ix->entries : e->hh.next;
}

/* Reads all bytes of a place of the file. */
static bool
bulk_index_pread(int fd, char *to, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pread(fd, to, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to += n;
		len -= (size_t)n;
		at += n;
	}
	return true;
}

/* Reads one again. */
bool
bulk_index_load(const struct bulk_index *ix, const struct bulk_entry *e, struct bulk_item *item,
    struct fail *f)
{
	char *text = mem_alloc(e->len + 1);
	unsigned char digest[BULK_DIGEST_SIZE];
	struct fail why;
	bool good = bulk_index_pread(ix->fd, text, e->len, e->at) &&
	    bulk_item_read(item, text, e->len, &why);

	if (good) {
		good = bulk_index_key(ix, item, digest) && memcmp(digest, e->key, sizeof digest) == 0;
		if (!good)
			bulk_item_clear(item);
	}
	if (!good)
		fail_set(f, "%s has changed while it was read", ix->what);
	free(text);
	return good;
}
