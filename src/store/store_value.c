#include "config.h"

#include "base/mem.h"
#include "store/store_call.h"

#include <stdlib.h>
#include <string.h>

/* Moves a record and leaves nothing behind. */
void
store_record_take(struct store_record *to, struct store_record *from)
{
	*to = *from;
	memset(from, 0, sizeof *from);
}

/* Copies a record with its strings; what *to held before is not freed. */
void
store_record_copy(struct store_record *to, const struct store_record *from)
{
	*to = *from;
	to->scope = mem_string(from->scope);
	to->local_id = mem_string(from->local_id);
	to->upstream_id = mem_string(from->upstream_id);
	to->name = mem_string(from->name);
	to->kept = mem_string(from->kept);
	to->absent = mem_string(from->absent);
	to->content = mem_string(from->content);
	to->fingerprint = mem_string(from->fingerprint);
}

/* Frees the strings of a record. */
void
store_record_clear(struct store_record *r)
{
	free(r->scope);
	free(r->local_id);
	free(r->upstream_id);
	free(r->name);
	free(r->kept);
	free(r->absent);
	free(r->content);
	free(r->fingerprint);
	memset(r, 0, sizeof *r);
}

/* Copies an intent with its strings; what *to held before is not freed. */
void
store_intent_copy(struct store_intent *to, const struct store_intent *from)
{
	*to = *from;
	to->id = mem_string(from->id);
	to->scope = mem_string(from->scope);
	to->project = mem_string(from->project);
	to->local_id = mem_string(from->local_id);
	to->upstream_id = mem_string(from->upstream_id);
	to->name = mem_string(from->name);
	to->fingerprint = mem_string(from->fingerprint);
	to->sent = mem_string(from->sent);
	to->kept = mem_string(from->kept);
	to->absent = mem_string(from->absent);
	to->key = mem_string(from->key);
	to->key_hash = mem_string(from->key_hash);
	to->twin_digest = mem_string(from->twin_digest);
}

/* Frees the strings of an intent. */
void
store_intent_clear(struct store_intent *i)
{
	free(i->id);
	free(i->scope);
	free(i->project);
	free(i->local_id);
	free(i->upstream_id);
	free(i->name);
	free(i->fingerprint);
	free(i->sent);
	free(i->kept);
	free(i->absent);
	free(i->key);
	free(i->key_hash);
	free(i->twin_digest);
	memset(i, 0, sizeof *i);
}

/* Frees everything in a reply. */
void
store_reply_clear(struct store_reply *r)
{
	for (size_t i = 0; i < r->record_count; i++)
		store_record_clear(&r->records[i]);
	for (size_t i = 0; i < r->intent_count; i++)
		store_intent_clear(&r->intents[i]);
	for (size_t i = 0; i < r->tombstone_count; i++)
		free(r->tombstones[i]);
	for (size_t i = 0; i < r->hidden_count; i++)
		free(r->hidden[i]);
	for (size_t i = 0; i < r->image_count; i++)
		store_image_clear(&r->images[i]);
	for (size_t i = 0; i < r->twin_count; i++)
		store_twin_clear(&r->twins[i]);
	free(r->twins);
	free(r->images);
	free(r->bytes);
	free(r->records);
	free(r->intents);
	free(r->tombstones);
	free(r->hidden);
	free(r->text);
	memset(r, 0, sizeof *r);
}

/* Makes room for one more in an array that grows at powers of two. */
void *
store_grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) == 0)
		return mem_resize(array, (count == 0 ? 1 : count * 2) * size);
	return array;
}

/* Appends a record. */
void
store_reply_add_record(struct store_reply *r, struct store_record *record)
{
	r->records = store_grow(r->records, r->record_count, sizeof *r->records);
	store_record_take(&r->records[r->record_count++], record);
}

/* Appends an intent. */
void
store_reply_add_intent(struct store_reply *r, struct store_intent *intent)
{
	r->intents = store_grow(r->intents, r->intent_count, sizeof *r->intents);
	r->intents[r->intent_count++] = *intent;
	memset(intent, 0, sizeof *intent);
}

/* Appends an image. */
void
store_reply_add_image(struct store_reply *r, struct store_image *image)
{
	r->images = store_grow(r->images, r->image_count, sizeof *r->images);
	r->images[r->image_count++] = *image;
	memset(image, 0, sizeof *image);
}

/* Appends a twin. */
void
store_reply_add_twin(struct store_reply *r, struct store_twin *twin)
{
	r->twins = store_grow(r->twins, r->twin_count, sizeof *r->twins);
	r->twins[r->twin_count++] = *twin;
	memset(twin, 0, sizeof *twin);
}

/* Appends the id of a persona deleted here. */
void
store_reply_add_tombstone(struct store_reply *r, const char *upstream_id)
{
	r->tombstones = store_grow(r->tombstones, r->tombstone_count, sizeof *r->tombstones);
	r->tombstones[r->tombstone_count++] = mem_string(upstream_id);
}

/* Appends the id of a hidden persona. */
void
store_reply_add_hidden(struct store_reply *r, const char *upstream_id)
{
	r->hidden = store_grow(r->hidden, r->hidden_count, sizeof *r->hidden);
	r->hidden[r->hidden_count++] = mem_string(upstream_id);
}

/* Turns the reply into a failure. */
void
store_reply_fail(struct store_reply *r, const char *why)
{
	store_reply_clear(r);
	r->status = STORE_UNAVAILABLE;
	r->text = mem_string(why);
}
