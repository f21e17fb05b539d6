#include "config.h"

#include "load_test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "config/config_keys.h"
#include "config/config_value.h"

#include <ctype.h>
#include <string.h>

#define SAMPLE "conf/persona-gateway.yaml"
#define REFERENCE "docs/configuration.md"
#define MANUAL "docs/man/persona-gateway.yaml.5" /* in the build folder */

/* Takes the comment sign away from lines that show a key: "#" and a letter, or "#-". */
static char *
uncomment(const char *text)
{
	struct buf out;

	buf_init(&out, 0);
	while (*text != '\0') {
		size_t indent = strspn(text, " "), len = strcspn(text, "\n") + 1;

		buf_add(&out, text, indent);
		if (text[indent] == '#' &&
		    (islower((unsigned char)text[indent + 1]) || text[indent + 1] == '-'))
			indent++;
		buf_add(&out, text + indent, len - indent);
		text += len;
	}
	return buf_take(&out, NULL);
}

/* Reads a text with any variable set. */
static const char *
any_env(void *arg, const char *name)
{
	return "value";
}

/* Reads a text that must be good. */
static struct yaml_node *
read_sample(const char *text)
{
	struct diag_list diags = {0};
	struct yaml_node *root = yaml_node_read(SAMPLE, text, strlen(text), any_env, NULL, &diags);

	test_expect(&diags, "");
	return root;
}

/* The node of a table path; "*" stands for the first entry. */
static const struct yaml_node *
find(const struct yaml_node *node, const char *path)
{
	while (node != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");
		char *key = mem_copy(path, len);

		if (strcmp(key, "*") == 0)
			node = node->kind != YAML_SCALAR && node->count > 0 ? node->items[0] : NULL;
		else
			node = yaml_node_get(node, key);
		free(key);
		path += len + (path[len] == '.');
	}
	return node;
}

/* Fails for every key below a map that the table does not have. */
static void
only_known(const struct yaml_node *map, const char *path)
{
	if (map->kind == YAML_LIST) {
		for (size_t i = 0; i < map->count; i++)
			only_known(map->items[i], "clients.*");
		return;
	}
	for (size_t i = 0; i < map->count; i++) {
		bool project = strcmp(path, "projects") == 0;
		char *name = mem_format("%s%s%s", path, path[0] == '\0' ? "" : ".",
		    project ? "*" : map->keys[i]->text);
		const struct config_key *key = config_keys_find(name);

		ck_assert_msg(key != NULL || config_keys_section(name), "%s is not in the table",
		    name);
		if ((map->items[i]->kind == YAML_MAP && key == NULL) || (key != NULL &&
		    (key->type == CONFIG_PROJECTS || key->type == CONFIG_CLIENTS)))
			only_known(map->items[i], name);
		free(name);
	}
}

START_TEST(the_sample_has_every_key_and_no_other)
{
	char *text = test_source_file(SAMPLE), *whole = uncomment(text);
	struct yaml_node *root = read_sample(whole);
	const struct config_key *keys;
	size_t count;

	ck_assert_str_ne(text, whole);
	keys = config_keys(&count);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(find(root, keys[i].path) != NULL, "%s is not in the sample",
		    keys[i].path);
	only_known(root, "");
	yaml_node_free(root);
	free(whole);
	free(text);
}
END_TEST

START_TEST(the_sample_shows_the_defaults)
{
	char *text = test_source_file(SAMPLE);
	struct yaml_node *root = read_sample(text);
	const struct config_key *keys;
	size_t count, shown = 0;

	keys = config_keys(&count);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_node *node = find(root, keys[i].path);

		if (keys[i].fallback == NULL || strncmp(keys[i].path, "projects", 8) == 0 ||
		    strncmp(keys[i].path, "clients.", 8) == 0)
			continue;
		ck_assert_msg(node != NULL, "%s is not in the sample", keys[i].path);
		if (strcmp(keys[i].fallback, "[]") == 0) {
			ck_assert_int_eq(node->kind, YAML_LIST);
			ck_assert_uint_eq(node->count, 0);
		} else if (strcmp(keys[i].fallback, "{}") == 0) {
			ck_assert_int_eq(node->kind, YAML_MAP);
			ck_assert_uint_eq(node->count, 0);
		} else
			ck_assert_str_eq(node->text, keys[i].fallback);
		shown++;
	}
	ck_assert_uint_gt(shown, 20);
	yaml_node_free(root);
	free(text);
}
END_TEST

START_TEST(the_sample_loads_and_gives_the_defaults)
{
	char *text = test_source_file(SAMPLE), *lines;
	struct config_source source = {.sandbox = true};
	struct diag_list diags = {0};
	struct config *sample, *none = config_load(&source, &diags);

	test_expect(&diags, "");
	sample = load_sandbox(text, "");
	ck_assert_uint_eq(sample->project_count, 1);
	ck_assert_str_eq(sample->projects[0].id, none->projects[none->project_count - 1].id);
	ck_assert_str_eq(sample->listen[0], none->listen[0]);
	ck_assert_int_eq(sample->bluejay.total, none->bluejay.total);
	ck_assert_int_eq(sample->bluejay.cache_size, none->bluejay.cache_size);
	config_free(sample);
	config_free(none);
	/* Without the sandbox only the key is missing. */
	lines = mem_string("c.yaml:97:12: the environment variable BLUEJAY_API_KEY is not set; "
	    "set it, or write ${BLUEJAY_API_KEY:-default}\n");
	refuse(text, lines);
	free(lines);
	free(text);
}
END_TEST

/* What a key allows, "" for what its type does; choices in these quotes. */
static char *
allowed(const struct config_key *key, const char *quote)
{
	struct buf range;
	char *limits;

	buf_init(&range, 0);
	buf_adds(&range, "");
	if (key->type == CONFIG_INT || key->type == CONFIG_COUNT || key->type == CONFIG_DURATION ||
	    key->type == CONFIG_SIZE) {
		limits = config_value_range(key);
		buf_adds(&range, limits);
		free(limits);
	}
	for (int i = 0; key->choices != NULL && key->choices[i] != NULL; i++)
		buf_addf(&range, "%s%s%s%s", i == 0 ? "" : ", ", quote, key->choices[i], quote);
	return buf_take(&range, NULL);
}

/* What the reference says of a key, in one row of a table. */
static char *
row(const struct config_key *key)
{
	char *range = allowed(key, "`"), *out;

	out = mem_format("| `%s` | %s | %s%s%s | %s | %s%s |\n", key->path, config_keys_type(key->type),
	    key->fallback == NULL ? "" : "`", key->fallback == NULL ? "none" : key->fallback,
	    key->fallback == NULL ? "" : "`", range, key->help,
	    key->restart ? " Takes a restart." : "");
	free(range);
	return out;
}

START_TEST(the_reference_has_every_key_as_the_table_has_it)
{
	char *text = test_source_file(REFERENCE);
	const struct config_key *keys;
	size_t count, rows = 0;

	keys = config_keys(&count);
	for (size_t i = 0; i < count; i++) {
		char *expected = row(&keys[i]);

		ck_assert_msg(strstr(text, expected) != NULL, REFERENCE " lacks this row:\n%s",
		    expected);
		free(expected);
	}
	for (const char *s = text; (s = strstr(s, "\n| `")) != NULL; s++)
		rows++;
	ck_assert_uint_eq(rows, count);
	free(text);
}
END_TEST

/* A text without the marks of either form, all blanks alike. */
static char *
unmarked(const char *text)
{
	struct buf out;

	buf_init(&out, 0);
	while (*text != '\0') {
		if (strncmp(text, "\\fB", 3) == 0 || strncmp(text, "\\fR", 3) == 0) {
			text += 3;
		} else if (strncmp(text, "\\(dq", 4) == 0) {
			buf_addc(&out, '"');
			text += 4;
		} else if (strncmp(text, "…", strlen("…")) == 0) {
			buf_adds(&out, "...");
			text += strlen("…");
		} else if (text[0] == ']' && text[1] == '(') {
			text += strcspn(text, ")") + 1; /* a link */
		} else if (*text == '`' || *text == '[' || *text == ']') {
			text++;
		} else {
			buf_addc(&out, isspace((unsigned char)*text) ? ' ' : *text);
			text++;
		}
	}
	return buf_take(&out, NULL);
}

/* What the manual page says of a key, unmarked. */
static char *
item(const struct config_key *key)
{
	char *range = allowed(key, ""), *out, *plain;

	out = mem_format(".It Ic %s Pq \"%s%s%s%s%s\" %s%s ", key->path, config_keys_type(key->type),
	    key->fallback == NULL ? "" : "; default ", key->fallback == NULL ? "" : key->fallback,
	    *range == '\0' ? "" : "; ", range, key->help, key->restart ? " Takes a restart." : "");
	plain = unmarked(out);
	free(range);
	free(out);
	return plain;
}

START_TEST(the_manual_has_every_key_as_the_table_has_it)
{
	char *made = test_whole_file(MANUAL), *text = unmarked(made);
	const struct config_key *keys;
	size_t count, items = 0;

	keys = config_keys(&count);
	for (size_t i = 0; i < count; i++) {
		char *expected = item(&keys[i]);

		ck_assert_msg(strstr(text, expected) != NULL, MANUAL " lacks this:\n%s", expected);
		free(expected);
	}
	for (const char *s = text; (s = strstr(s, ".It Ic ")) != NULL; s++)
		items++;
	ck_assert_uint_eq(items, count);
	free(text);
	free(made);
}
END_TEST

START_TEST(the_table_is_in_order)
{
	const struct config_key *keys;
	size_t count;

	keys = config_keys(&count);
	for (size_t i = 0; i < count; i++) {
		const char *path = keys[i].path;

		ck_assert_ptr_eq(config_keys_find(path), &keys[i]);
		ck_assert(keys[i].min <= keys[i].max);
		ck_assert_msg(keys[i].help[strlen(keys[i].help) - 1] == '.',
		    "%s has no sentence as its help", path);
		ck_assert_msg((keys[i].type == CONFIG_ENUM) == (keys[i].choices != NULL), "%s",
		    path);
		/* The keys of a section stand together. */
		for (size_t j = i + 1; j < count; j++) {
			size_t top = strcspn(path, ".");

			if (strncmp(keys[j].path, path, top) == 0 && keys[j].path[top] == '.')
				ck_assert_int_eq(strncmp(keys[i + 1].path, path, top), 0);
		}
	}
	ck_assert_ptr_null(config_keys_find("limits"));
	ck_assert(config_keys_section("limits"));
	ck_assert(config_keys_section("bluejay.cache"));
	ck_assert(!config_keys_section("limit"));
	ck_assert(!config_keys_section("listen"));
}
END_TEST

/* The suite. */
Suite *
sample_suite(void)
{
	const TTest *const tests[] = {the_sample_has_every_key_and_no_other,
	    the_sample_shows_the_defaults, the_sample_loads_and_gives_the_defaults,
	    the_reference_has_every_key_as_the_table_has_it,
	    the_manual_has_every_key_as_the_table_has_it, the_table_is_in_order, NULL};

	return unit_suite("sample", tests);
}
