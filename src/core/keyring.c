#include "config.h"

#include "core/keyring.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct keyring_key {
	const char *key;
	bool worked;
};

/* Finds a key, or NULL. */
static struct keyring_key *
keyring_find(const struct keyring *r, const char *key)
{
	for (size_t i = 0; key != NULL && i < r->count; i++)
		if (strcmp(r->keys[i].key, key) == 0)
			return &r->keys[i];
	return NULL;
}

/* Adds a key that it does not have, with what is known of it. */
static void
keyring_add(struct keyring *r, const char *key, const struct keyring *before)
{
	if (key == NULL || keyring_find(r, key) != NULL)
		return;
	r->keys = mem_resize(r->keys, (r->count + 1) * sizeof *r->keys);
	r->keys[r->count++] = (struct keyring_key){key, keyring_has_worked(before, key)};
}

/* Takes the keys of a configuration. */
void
keyring_take(struct keyring *r, const struct config *c)
{
	struct keyring before = *r;

	*r = (struct keyring){NULL, 0};
	keyring_add(r, c->bluejay.api_key, &before);
	keyring_add(r, c->bluejay.earlier_key, &before);
	keyring_add(r, c->images.api_key, &before);
	keyring_add(r, c->images.earlier_key, &before);
	for (size_t i = 0; i < c->project_count; i++) {
		keyring_add(r, c->projects[i].api_key, &before);
		keyring_add(r, c->projects[i].earlier_key, &before);
	}
	keyring_free(&before);
}

/* Frees it. */
void
keyring_free(struct keyring *r)
{
	free(r->keys);
	*r = (struct keyring){NULL, 0};
}

/* Notes that a key was accepted. */
void
keyring_accept(struct keyring *r, const char *key)
{
	struct keyring_key *found = keyring_find(r, key);

	if (found != NULL)
		found->worked = true;
}

/* Whether it was. */
bool
keyring_has_worked(const struct keyring *r, const char *key)
{
	const struct keyring_key *found = keyring_find(r, key);

	return found != NULL && found->worked;
}
