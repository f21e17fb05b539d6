#include "config.h"

#include "cli/diff_print.h"
#include "base/buf.h"
#include "bulk/bulk_text.h"
#include "json/json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIFF_PRINT_MAX 200 /* bytes of a name or value in text; JSON has them whole */

/* Adds a persona's name. */
static void
diff_print_name(struct buf *b, const struct bulk_diff_told *t)
{
	const struct bulk_item *item = t->left != NULL ? t->left : t->right;

	bulk_text_quote(b, item->name, item->name_len, DIFF_PRINT_MAX);
}

/* Adds a value of one side, on a line of its own. */
static void
diff_print_value(struct buf *b, const char *mark, const struct bulk_item *item, const char *member)
{
	struct json_object *value = NULL;
	char *text;
	size_t len;

	if (!json_object_object_get_ex(item->body, member, &value)) {
		buf_addf(b, "    %s absent\n", mark);
		return;
	}
	buf_addf(b, "    %s ", mark);
	if (json_object_is_type(value, json_type_string)) {
		bulk_text_quote(b, json_object_get_string(value), (size_t)json_object_get_string_len(value),
		    DIFF_PRINT_MAX);
	} else {
		text = json_print(value, &len);
		bulk_text_plain(b, text, DIFF_PRINT_MAX);
		free(text);
	}
	buf_addc(b, '\n');
}

/* Adds one as text. */
static void
diff_print_text(struct buf *b, const struct bulk_diff_told *t)
{
	switch (t->kind) {
	case BULK_DIFF_LEFT:
		buf_adds(b, "only in FROM: ");
		diff_print_name(b, t);
		buf_addc(b, '\n');
		break;
	case BULK_DIFF_RIGHT:
		buf_adds(b, "only in TO: ");
		diff_print_name(b, t);
		buf_addc(b, '\n');
		break;
	case BULK_DIFF_REPEATED:
		diff_print_name(b, t);
		buf_addf(b, " is there more than once: %u times in FROM, %u times in TO\n", t->left_times,
		    t->right_times);
		break;
	case BULK_DIFF_DIFFERS:
		diff_print_name(b, t);
		buf_adds(b, " differs\n");
		for (unsigned i = 0; i < t->differ->count; i++) {
			buf_adds(b, "  ");
			bulk_text_plain(b, t->differ->names[i], DIFF_PRINT_MAX);
			buf_addc(b, '\n');
			diff_print_value(b, "-", t->left, t->differ->names[i]);
			diff_print_value(b, "+", t->right, t->differ->names[i]);
		}
		if (t->differ->more)
			buf_adds(b, "  and others\n");
		break;
	}
}

/* Adds a JSON string member. */
static void
diff_print_member(struct buf *b, const char *key, const char *value, size_t len)
{
	buf_addf(b, ",\"%s\":", key);
	json_add_string(b, value, len);
}

/* Adds the id that a side has. */
static void
diff_print_id(struct buf *b, const char *key, const struct bulk_item *item)
{
	const char *id = item != NULL ? json_get_string(item->all, "id") : NULL;

	if (id != NULL)
		diff_print_member(b, key, id, strlen(id));
}

/* Adds the members that differ, each with both values; an absent one has none. */
static void
diff_print_members(struct buf *b, const struct bulk_diff_told *t)
{
	struct json_object *value;

	buf_adds(b, ",\"differs\":{");
	for (unsigned i = 0; i < t->differ->count; i++) {
		const char *name = t->differ->names[i];
		bool left = json_object_object_get_ex(t->left->body, name, &value);

		buf_adds(b, i > 0 ? "," : "");
		json_add_string(b, name, strlen(name));
		buf_adds(b, ":{");
		if (left) {
			buf_adds(b, "\"from\":");
			json_add(b, value);
		}
		if (json_object_object_get_ex(t->right->body, name, &value)) {
			buf_adds(b, left ? ",\"to\":" : "\"to\":");
			json_add(b, value);
		}
		buf_addc(b, '}');
	}
	buf_adds(b, t->differ->more ? "},\"more\":true" : "}");
}

/* Adds one as JSON. */
static void
diff_print_json(struct buf *b, const struct bulk_diff_told *t)
{
	static const char *const kinds[] = {"only-from", "only-to", "differs", "repeated"};
	const struct bulk_item *item = t->left != NULL ? t->left : t->right;

	buf_addf(b, "{\"kind\":\"%s\"", kinds[t->kind]);
	diff_print_member(b, "name", item->name, item->name_len);
	diff_print_id(b, "fromId", t->left);
	diff_print_id(b, "toId", t->right);
	if (t->kind == BULK_DIFF_DIFFERS)
		diff_print_members(b, t);
	if (t->kind == BULK_DIFF_REPEATED)
		buf_addf(b, ",\"fromTimes\":%u,\"toTimes\":%u", t->left_times, t->right_times);
	buf_adds(b, "}\n");
}

/* Writes one. */
void
diff_print_told(void *json, const struct bulk_diff_told *t)
{
	struct buf b;

	buf_init(&b, 0);
	if (*(bool *)json)
		diff_print_json(&b, t);
	else
		diff_print_text(&b, t);
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* Says what it came to. */
bool
diff_print_summary(const struct bulk_diff_counts *n)
{
	fprintf(stderr, "%" PRIu64 " the same, %" PRIu64 " different, %" PRIu64 " only in FROM, %" PRIu64
	    " only in TO", n->same, n->differ, n->left, n->right);
	if (n->repeated > 0)
		fprintf(stderr, ", %" PRIu64 " more than once", n->repeated);
	fputc('\n', stderr);
	return n->differ == 0 && n->left == 0 && n->right == 0 && n->repeated == 0;
}
