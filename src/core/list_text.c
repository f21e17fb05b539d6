#include "config.h"

#include "core/list_text.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define LIST_TEXT_MAX ((size_t)256 << 20) /* bytes of one list */
#define LIST_TEXT_ROOM 16                 /* items at first */

/* Begins a list. */
void
list_text_begin(struct list_text *t)
{
	memset(t, 0, sizeof *t);
	buf_init(&t->body, LIST_TEXT_MAX);
	buf_init(&t->tags, LIST_TEXT_MAX);
	buf_addc(&t->body, '[');
}

/* Adds an item whose tag is so many bytes. */
void
list_text_add(struct list_text *t, const char *body, size_t len, const char *etag)
{
	if (body == NULL)
		return;
	if (t->count == t->room) {
		t->room = t->room == 0 ? LIST_TEXT_ROOM : t->room * 2;
		t->ends = mem_resize(t->ends, t->room * sizeof *t->ends);
	}
	if (t->count > 0)
		buf_addc(&t->body, ',');
	buf_add(&t->body, body, len);
	buf_add(&t->tags, etag, RESULT_ETAG_LENGTH);
	t->ends[t->count++] = t->body.len;
}

/* Adds an item of another list. */
void
list_text_add_from(struct list_text *t, const struct list_body *from, size_t i)
{
	size_t at = i == 0 ? 1 : from->ends[i - 1] + 1;

	list_text_add(t, from->body + at, from->ends[i] - at, from->tags + i * RESULT_ETAG_LENGTH);
}

/* Ends a list. */
void
list_text_end(struct list_text *t, struct list_body *out)
{
	buf_addc(&t->body, ']');
	out->body = buf_take(&t->body, &out->len);
	out->count = t->count;
	out->ends = t->ends;
	out->tags = buf_take(&t->tags, NULL);
	result_etag(out->tags, t->count * RESULT_ETAG_LENGTH, out->etag);
}

/* Frees a list that is ready. */
void
list_body_clear(struct list_body *b)
{
	free(b->body);
	free(b->tags);
	free(b->ends);
	memset(b, 0, sizeof *b);
}
