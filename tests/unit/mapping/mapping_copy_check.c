#include "config.h"

#include "mapping_copy_check.h"

#include "json/json_read.h"
#include "json/json_text.h"
#include "mapping/mapping_copy.h"
#include "mapping/mapping_drift.h"

#include <stdlib.h>
#include <string.h>

#define ID "the \"id\"\n"
#define UPDATED INT64_C(1769594400000)

/* Notes that there is a difference. */
static void
on_difference(void *arg, const struct mapping_drift *d)
{
	(void)d;
	*(bool *)arg = true;
}

/* Whether a tree is printed as these bytes. */
static bool
prints(struct json_object *tree, const struct buf *text)
{
	size_t len;
	char *printed = json_print(tree, &len);
	bool same = len == text->len && memcmp(printed, text->data, len) == 0;

	free(printed);
	return same;
}

/* Whether what is absent is said to hold only when it does. */
static bool
check_absent(const struct mapping *m, const struct mapping_copied *c, struct json_object *upstream,
    struct json_object *absent)
{
	struct json_object *left;
	bool changed;

	if (absent == NULL || !mapping_copy_absent_holds(m, c, absent))
		return true;
	left = mapping_absent_left(m, upstream, absent, &changed);
	json_object_put(left);
	return !changed;
}

/* Compares an answer that is copied with its tree. */
static bool
check_copied(const struct mapping *m, const struct mapping_copied *c,
    const struct mapping_copy_case *k, struct json_object *upstream, unsigned *copied)
{
	struct json_object *local = NULL;
	struct buf text;
	bool differs = false, good;

	mapping_drift_item(m, upstream, on_difference, &differs);
	if (differs || mapping_answer_make(m, upstream, ID, k->absent, k->kept, UPDATED, &local, NULL) != 0)
		return false;
	buf_init(&text, 0);
	good = check_absent(m, c, upstream, k->absent);
	if (mapping_copy_answer(m, c, ID, k->absent, k->kept, UPDATED, &text)) {
		good = good && prints(local, &text);
		++*copied;
	}
	buf_clear(&text);
	mapping_copy_print(c, &text);
	good = good && prints(upstream, &text);
	buf_free(&text);
	json_object_put(local);
	return good;
}

/* Compares both. */
bool
mapping_copy_check(const struct mapping *m, const struct mapping_copy_case *k, unsigned *copied)
{
	struct json_object *upstream = NULL;
	struct mapping_copied c;
	bool good = true;

	if (mapping_copy_read(m, k->text, k->len, &c))
		good = mapping_copies(m) && json_read(k->text, k->len, &upstream, NULL) &&
		    check_copied(m, &c, k, upstream, copied);
	json_object_put(upstream);
	return good;
}

/* What a text tells, without what the gateway knows. */
static struct json_object *
view(const struct mapping *m, const char *text, size_t len)
{
	struct json_object *upstream = NULL, *local = NULL;

	if (json_read(text, len, &upstream, NULL))
		mapping_answer_make(m, upstream, "", NULL, NULL, 0, &local, NULL);
	json_object_put(upstream);
	return local;
}

/* Compares two answers. */
bool
mapping_copy_check_pair(const struct mapping *m, const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct mapping_copied x, y;
	struct json_object *was, *is;
	enum mapping_copy_same same;
	bool good;

	if (!mapping_copy_read(m, a, a_len, &x) || !mapping_copy_read(m, b, b_len, &y))
		return true;
	was = view(m, a, a_len);
	is = view(m, b, b_len);
	same = mapping_copy_compare(m, &x, &y);
	good = was != NULL && is != NULL &&
	    (same == MAPPING_COPY_TREE || json_equal(was, is) == (same == MAPPING_COPY_SAME));
	json_object_put(was);
	json_object_put(is);
	return good;
}

/* Compares with the text of a tree. */
static bool
check_text(const struct mapping *m, struct json_object *upstream, struct json_object *absent,
    struct json_object *kept, unsigned *copied)
{
	struct mapping_copy_case k = {.absent = absent, .kept = kept};
	char *text = json_print(upstream, &k.len);
	bool good;

	k.text = text;
	good = mapping_copy_check(m, &k, copied);
	free(text);
	return good;
}

/* A copy of a tree that has what every persona has. */
static struct json_object *
completed(struct json_object *upstream)
{
	static const char *const members[][2] = {{"id", "7"}, {"name", "n"}, {"description", "d"},
	    {"goal", "g"}, {"created_at", "2026-01-28T09:00:00.123456"}, {"org_id", "o"}};
	struct json_object *copy = json_copy(upstream);

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (!json_object_object_get_ex(copy, members[i][0], NULL))
			json_object_object_add(copy, members[i][0], json_object_new_string(members[i][1]));
	return copy;
}

/* Compares with what a tree prints. */
bool
mapping_copy_check_tree(const struct mapping *m, struct json_object *upstream,
    struct json_object *absent, struct json_object *kept, unsigned *copied)
{
	struct json_object *whole;
	bool good = check_text(m, upstream, absent, kept, copied);

	if (!json_object_is_type(upstream, json_type_object))
		return good;
	whole = completed(upstream);
	good = good && check_text(m, whole, absent, kept, copied);
	json_object_put(whole);
	return good;
}
