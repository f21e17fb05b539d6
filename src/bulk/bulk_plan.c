#include "config.h"

#include "bulk/bulk_plan.h"
#include "base/buf.h"
#include "base/mem.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define BULK_PLAN_NAMES_MAX 1000 /* other names that are tried */

/* A name that the source, or a rename, has given out. */
struct bulk_name {
	unsigned char key[BULK_DIGEST_SIZE];     /* of the name */
	unsigned char content[BULK_DIGEST_SIZE]; /* of who has it */
	uint64_t line;
	UT_hash_handle hh;
};

struct bulk_plan {
	enum bulk_policy policy;
	struct bulk_index *target;
	struct bulk_name *names;
};

/* Reads a policy's name. */
bool
bulk_policy_read(const char *name, enum bulk_policy *out)
{
	static const char *const names[] = {"fail", "skip", "update", "rename"};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = (enum bulk_policy)i;
			return true;
		}
	}
	return false;
}

/* Makes a plan. */
struct bulk_plan *
bulk_plan_new(enum bulk_policy policy)
{
	struct bulk_plan *p = mem_zero(1, sizeof *p);

	p->policy = policy;
	return p;
}

/* Frees it. */
void
bulk_plan_free(struct bulk_plan *p)
{
	struct bulk_name *n, *next;

	if (p == NULL)
		return;
	HASH_ITER(hh, p->names, n, next) {
		HASH_DEL(p->names, n);
		free(n);
	}
	bulk_index_free(p->target);
	free(p);
}

/* Takes the target over. */
void
bulk_plan_set_target(struct bulk_plan *p, struct bulk_index *target)
{
	bulk_index_free(p->target);
	p->target = target;
}

/* Who has a name. */
static struct bulk_name *
bulk_plan_find(const struct bulk_plan *p, const unsigned char key[BULK_DIGEST_SIZE])
{
	struct bulk_name *n;

	HASH_FIND(hh, p->names, key, BULK_DIGEST_SIZE, n);
	return n;
}

/* Gives a name out. */
static void
bulk_plan_give(struct bulk_plan *p, const unsigned char key[BULK_DIGEST_SIZE],
    const unsigned char content[BULK_DIGEST_SIZE], uint64_t line)
{
	struct bulk_name *n = mem_zero(1, sizeof *n);

	memcpy(n->key, key, sizeof n->key);
	memcpy(n->content, content, sizeof n->content);
	n->line = line;
	HASH_ADD(hh, p->names, key, BULK_DIGEST_SIZE, n);
}

/* Meets one. */
uint64_t
bulk_plan_meet(struct bulk_plan *p, const struct bulk_item *item, bool *same)
{
	unsigned char key[BULK_DIGEST_SIZE];
	const struct bulk_name *n;

	bulk_digest(item->name, item->name_len, key);
	n = bulk_plan_find(p, key);
	*same = n != NULL && memcmp(n->content, item->digest, sizeof n->content) == 0;
	if (n == NULL)
		bulk_plan_give(p, key, item->digest, item->line);
	return n != NULL ? n->line : 0;
}

/* The body under another name: the first, with a number behind. */
static struct json_object *
bulk_plan_rename(const struct bulk_item *item, unsigned number)
{
	struct json_object *body = json_copy(item->body);
	struct buf name;

	buf_init(&name, 0);
	buf_add(&name, item->name, item->name_len);
	buf_addf(&name, " (%u)", number);
	json_object_object_add(body, "name", json_object_new_string_len(name.data, (int)name.len));
	buf_free(&name);
	return body;
}

/* Looks who has a body's name in the target: 0 nobody, 1 the same persona, 2 another one,
 * whose differences are noted; -1 with a sentence. */
static int
bulk_plan_look(struct bulk_plan *p, struct json_object *body, struct bulk_decision *d, struct fail *f)
{
	struct json_object *name = json_object_object_get(body, "name");
	const struct bulk_entry *e = bulk_index_find(p->target, json_object_get_string(name),
	    (size_t)json_object_get_string_len(name));

	bulk_item_clear(&d->other);
	memset(&d->differ, 0, sizeof d->differ);
	if (e == NULL)
		return 0;
	if (!bulk_index_load(p->target, e, &d->other, f))
		return -1;
	return bulk_item_compare(body, d->other.body, bulk_index_keeps, p->target, &d->differ) ? 1 : 2;
}

/* Whether nobody was given this body's name; then it is given. */
static bool
bulk_plan_claim(struct bulk_plan *p, struct json_object *body, uint64_t line)
{
	struct json_object *name = json_object_object_get(body, "name");
	unsigned char key[BULK_DIGEST_SIZE], content[BULK_DIGEST_SIZE];
	size_t len;
	char *text;

	bulk_digest(json_object_get_string(name), (size_t)json_object_get_string_len(name), key);
	if (bulk_plan_find(p, key) != NULL)
		return false;
	text = json_print(body, &len);
	bulk_digest(text, len, content);
	free(text);
	bulk_plan_give(p, key, content, line);
	return true;
}

/* Finds another name. */
static bool
bulk_plan_find_name(struct bulk_plan *p, const struct bulk_item *item, struct bulk_decision *d,
    struct fail *f)
{
	for (unsigned i = 2; i <= BULK_PLAN_NAMES_MAX; i++) {
		int who;

		json_object_put(d->body);
		d->body = bulk_plan_rename(item, i);
		who = bulk_plan_look(p, d->body, d, f);
		if (who < 0)
			return false;
		if (who == 1 || (who == 0 && bulk_plan_claim(p, d->body, item->line))) {
			d->todo = who == 1 ? BULK_TODO_NOTHING : BULK_TODO_CREATE;
			d->renamed = true;
			return true;
		}
	}
	d->todo = BULK_TODO_REFUSE;
	fail_set(&d->why, "its name, and %d others, are taken", BULK_PLAN_NAMES_MAX - 1);
	return true;
}

/* Another persona of the target has the name. */
static bool
bulk_plan_settle(struct bulk_plan *p, const struct bulk_item *item, struct bulk_decision *d,
    struct fail *f)
{
	switch (p->policy) {
	case BULK_POLICY_FAIL:
		d->todo = BULK_TODO_REFUSE;
		fail_set(&d->why, "another persona has its name");
		return true;
	case BULK_POLICY_SKIP:
		d->todo = BULK_TODO_SKIP;
		return true;
	case BULK_POLICY_UPDATE:
		d->todo = d->differ.writable && d->id != NULL ? BULK_TODO_UPDATE : BULK_TODO_SKIP;
		return true;
	case BULK_POLICY_RENAME:
		break;
	}
	return bulk_plan_find_name(p, item, d, f);
}

/* Decides. */
bool
bulk_plan_decide(struct bulk_plan *p, const struct bulk_item *item, uint64_t before, bool same,
    struct bulk_decision *d, struct fail *f)
{
	int who;

	memset(d, 0, sizeof *d);
	d->body = json_object_get(item->body);
	if (before != 0 && same) {
		d->todo = BULK_TODO_NOTHING;
		return true;
	}
	if (before != 0 && p->policy == BULK_POLICY_RENAME)
		return bulk_plan_find_name(p, item, d, f);
	if (before != 0) {
		d->todo = BULK_TODO_REFUSE;
		fail_set(&d->why, "line %llu has its name", (unsigned long long)before);
		return true;
	}
	who = bulk_plan_look(p, d->body, d, f);
	if (who < 0)
		return false;
	if (who > 0)
		d->id = mem_string(json_get_string(d->other.all, "id"));
	d->todo = who == 0 ? BULK_TODO_CREATE : BULK_TODO_NOTHING;
	return who < 2 || bulk_plan_settle(p, item, d, f);
}

/* Frees what it holds. */
void
bulk_decision_clear(struct bulk_decision *d)
{
	free(d->id);
	json_object_put(d->body);
	bulk_item_clear(&d->other);
	memset(d, 0, sizeof *d);
}
