#include "config.h"

#include "config/config_keep.h"
#include "base/mem.h"
#include "config/config_find.h"

#include <stdlib.h>
#include <string.h>

/* How the value of a key lies in the struct. */
enum config_keep_kind { CONFIG_KEEP_BOOL, CONFIG_KEEP_ENUM, CONFIG_KEEP_NUMBER, CONFIG_KEEP_TEXT,
	CONFIG_KEEP_LIST };

/* The kind of a type. Secrets, headers and maps can change while running. */
static enum config_keep_kind
config_keep_kind(enum config_type type)
{
	switch (type) {
	case CONFIG_BOOL:
		return CONFIG_KEEP_BOOL;
	case CONFIG_ENUM:
		return CONFIG_KEEP_ENUM;
	case CONFIG_INT:
	case CONFIG_COUNT:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
	case CONFIG_MODE:
		return CONFIG_KEEP_NUMBER;
	case CONFIG_ADDRESSES:
	case CONFIG_HOSTS:
	case CONFIG_NETWORKS:
	case CONFIG_ORIGINS:
		return CONFIG_KEEP_LIST;
	default:
		return CONFIG_KEEP_TEXT;
	}
}

/* Whether two texts, each of which may be NULL, are the same. */
static bool
config_keep_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Whether two lists hold the same. */
static bool
config_keep_same_list(char *const *a, char *const *b)
{
	for (; *a != NULL && *b != NULL; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return *a == *b;
}

/* Copies a list. */
static char **
config_keep_copy_list(char *const *list)
{
	size_t count = 0;
	char **copy;

	while (list[count] != NULL)
		count++;
	copy = mem_zero(count + 1, sizeof *copy);
	for (size_t i = 0; i < count; i++)
		copy[i] = mem_string(list[i]);
	return copy;
}

/* Puts a copy of a list in place of another. */
static void
config_keep_take_list(char ***to, char *const *from)
{
	for (char **s = *to; *s != NULL; s++)
		free(*s);
	free(*to);
	*to = config_keep_copy_list(from);
}

/* Takes a value over; false when it was the same. */
static bool
config_keep_take(enum config_keep_kind kind, void *to, const void *from)
{
	switch (kind) {
	case CONFIG_KEEP_BOOL:
		if (*(bool *)to == *(const bool *)from)
			return false;
		*(bool *)to = *(const bool *)from;
		return true;
	case CONFIG_KEEP_ENUM:
		if (*(int *)to == *(const int *)from)
			return false;
		*(int *)to = *(const int *)from;
		return true;
	case CONFIG_KEEP_NUMBER:
		if (*(int64_t *)to == *(const int64_t *)from)
			return false;
		*(int64_t *)to = *(const int64_t *)from;
		return true;
	case CONFIG_KEEP_TEXT:
		if (config_keep_same_text(*(char **)to, *(char *const *)from))
			return false;
		free(*(char **)to);
		*(char **)to = mem_string(*(char *const *)from);
		return true;
	case CONFIG_KEEP_LIST:
		if (config_keep_same_list(*(char ***)to, *(char **const *)from))
			return false;
		config_keep_take_list(to, *(char **const *)from);
		return true;
	}
	return false;
}

/* Where the file sets a key; NULL when it does not. */
static const struct yaml_node *
config_keep_find(const struct yaml_node *node, const char *path)
{
	char name[64];

	for (;;) {
		size_t len = strcspn(path, ".");

		if (node == NULL || len >= sizeof name)
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		if (path[len] == '\0')
			return yaml_node_key(node, name);
		node = yaml_node_get(node, name);
		path += len + 1;
	}
}

/* Keeps what takes a start. */
void
config_keep(struct config *now, const struct config *running, config_keep_fn fn, void *arg)
{
	size_t count;
	const struct config_key *keys = config_keys(&count);

	for (size_t i = 0; i < count; i++) {
		const struct config_key *k = &keys[i];

		if (!k->restart || k->offset == CONFIG_NOWHERE)
			continue;
		if (config_keep_take(config_keep_kind(k->type), (char *)now + k->offset,
		        (const char *)running + k->offset))
			fn(arg, k, config_keep_find(now->document, k->path));
		if (k->given != CONFIG_NOWHERE)
			*(bool *)((char *)now + k->given) = *(const bool *)((const char *)running + k->given);
	}
}

/* Which keys there are to fall back to. */
struct config_keep_keys {
	config_worked_fn worked;
	void *arg;
};

/* The key to fall back to from `now`: the one that was running, or the one before that;
 * NULL when there is none. The caller frees. */
static char *
config_keep_earlier(const struct config_keep_keys *k, const char *now, const char *running,
    const char *before)
{
	const char *earlier = running;

	if (now == NULL || running == NULL)
		return NULL;
	if (strcmp(now, running) == 0)
		return mem_string(before);
	if (before != NULL && !k->worked(k->arg, running) && k->worked(k->arg, before))
		earlier = before;
	return strcmp(now, earlier) == 0 ? NULL : mem_string(earlier);
}

/* Notes earlier keys. */
void
config_keep_keys(struct config *now, const struct config *running, config_worked_fn worked,
    void *arg)
{
	const struct config_keep_keys k = {worked, arg};

	now->bluejay.earlier_key = config_keep_earlier(&k, now->bluejay.api_key,
	    running->bluejay.api_key, running->bluejay.earlier_key);
	now->images.earlier_key = config_keep_earlier(&k, now->images.api_key,
	    running->images.api_key, running->images.earlier_key);
	for (size_t i = 0; i < now->project_count; i++) {
		struct config_project *p = &now->projects[i];
		const struct config_project *was = config_find_project(running, p->id);

		if (was != NULL)
			p->earlier_key =
			    config_keep_earlier(&k, p->api_key, was->api_key, was->earlier_key);
	}
}
