#include "config.h"

#include "api/pass_mask.h"
#include "base/mem.h"

#include <string.h>

#define PASS_MASK_MIN 8 /* bytes of a key that is looked for */

/* Begins. */
void
pass_mask_begin(struct pass_mask *m, const char *key)
{
	*m = (struct pass_mask){NULL, 0, 0};
	if (key == NULL || strlen(key) < PASS_MASK_MIN)
		return;
	m->key = mem_string(key);
	m->len = strlen(key);
}

/* Wipes the key. */
void
pass_mask_free(struct pass_mask *m)
{
	mem_wipe_free(m->key);
	*m = (struct pass_mask){NULL, 0, 0};
}

/* Takes the key out. */
bool
pass_mask_text(const struct pass_mask *m, char *text, size_t len)
{
	char *end = text + len, *hit;
	bool any = false;

	while (m->key != NULL && (hit = memmem(text, (size_t)(end - text), m->key, m->len)) != NULL) {
		memset(hit, '*', m->len);
		text = hit + m->len;
		any = true;
	}
	return any;
}

/* Looks for it. */
bool
pass_mask_has(const struct pass_mask *m, const char *text)
{
	return m->key != NULL && strstr(text, m->key) != NULL;
}

/* How many bytes at the end of a text may begin the key. */
static size_t
pass_mask_tail(const struct pass_mask *m, const char *text, size_t len)
{
	size_t n = len < m->len ? len : m->len - 1;

	while (n > 0 && memcmp(text + len - n, m->key, n) != 0)
		n--;
	return n;
}

/* Gives a piece on. */
void
pass_mask_feed(struct pass_mask *m, const char *bytes, size_t len, pass_mask_fn fn, void *arg)
{
	size_t all = m->held + len;
	char *text;

	if (m->key == NULL || (m->held == 0 && memmem(bytes, len, m->key, m->len) == NULL &&
	    pass_mask_tail(m, bytes, len) == 0)) {
		fn(arg, bytes, len);
		return;
	}
	text = mem_alloc(all + 1);
	memcpy(text, m->key, m->held);
	memcpy(text + m->held, bytes, len);
	pass_mask_text(m, text, all);
	m->held = pass_mask_tail(m, text, all);
	if (all > m->held)
		fn(arg, text, all - m->held);
	mem_wipe_free_bytes(text, all);
}

/* Gives on what waits. */
void
pass_mask_end(struct pass_mask *m, pass_mask_fn fn, void *arg)
{
	if (m->held > 0)
		fn(arg, m->key, m->held);
	m->held = 0;
}
