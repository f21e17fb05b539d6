#include "config.h"

#include "config_test.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdint.h>
#include <string.h>

static const char *const vars[] = {"KEY", "k3y", "EMPTY", "", "EVIL", "x: {y: [1, 2]} ${KEY} $$",
    "BAD", "\xff", "PROJECT", "${project.agent_id}", "DOLLAR", "$", "NUMBER", "7", "PLACE",
    "Zürich", NULL};

/* Reads a text that must be good. */
static struct yaml_node *
good(const char *text)
{
	struct diag_list diags = {0};
	struct yaml_node *root = yaml_node_read("f", text, strlen(text), test_env,
	    (void *)(uintptr_t)vars,
	    &diags);

	test_expect(&diags, "");
	ck_assert_ptr_nonnull(root);
	return root;
}

/* Reads bytes that must be refused with these lines. */
static void
bad_bytes(const char *text, size_t len, const char *lines)
{
	struct diag_list diags = {0};

	ck_assert_ptr_null(yaml_node_read("f", text, len, test_env, (void *)(uintptr_t)vars,
	    &diags));
	test_expect(&diags, lines);
}

/* Reads a text that must be refused with these lines. */
static void
bad(const char *text, const char *lines)
{
	bad_bytes(text, strlen(text), lines);
}

/* The text of a key's value. */
static const char *
value(const struct yaml_node *root, const char *key)
{
	const struct yaml_node *node = yaml_node_get(root, key);

	ck_assert_ptr_nonnull(node);
	ck_assert_int_eq(node->kind, YAML_SCALAR);
	return node->text;
}

/* Asserts where a node stands. */
static void
place(const struct yaml_node *node, int line, int column)
{
	ck_assert_ptr_nonnull(node);
	ck_assert_int_eq(node->line, line);
	ck_assert_int_eq(node->column, column);
	ck_assert_str_eq(node->file, "f");
}

START_TEST(nodes_know_their_places)
{
	struct yaml_node *root = good("# comment\n"
	    "a: 1\n"
	    "b: {c: x, 'ü': \"y\"}\n"
	    "d:\n"
	    "  - p\n"
	    "  - {q: 'r'}\n"
	    "e: |\n"
	    "  text\n"
	    "g:\n");
	const struct yaml_node *b = yaml_node_get(root, "b"), *d = yaml_node_get(root, "d");

	ck_assert_int_eq(root->kind, YAML_MAP);
	ck_assert_uint_eq(root->count, 5);
	place(root, 2, 1);
	place(yaml_node_key(root, "a"), 2, 1);
	place(yaml_node_get(root, "a"), 2, 4);
	ck_assert_int_eq(b->kind, YAML_MAP);
	place(b, 3, 4);
	place(yaml_node_get(b, "c"), 3, 8);
	place(yaml_node_key(b, "ü"), 3, 11);
	place(yaml_node_get(b, "ü"), 3, 16);
	ck_assert(!yaml_node_get(b, "c")->quoted);
	ck_assert(yaml_node_get(b, "ü")->quoted);
	ck_assert_int_eq(d->kind, YAML_LIST);
	ck_assert_uint_eq(d->count, 2);
	place(d->items[0], 5, 5);
	place(d->items[1], 6, 5);
	place(yaml_node_get(d->items[1], "q"), 6, 9);
	ck_assert_str_eq(value(root, "e"), "text\n");
	ck_assert(yaml_node_get(root, "e")->quoted);
	place(yaml_node_get(root, "g"), 9, 3);
	ck_assert(yaml_node_is_null(yaml_node_get(root, "g")));
	ck_assert_ptr_null(yaml_node_get(root, "z"));
	ck_assert_ptr_null(yaml_node_key(root, "z"));
	ck_assert_ptr_null(yaml_node_get(d, "q"));
	ck_assert_ptr_null(yaml_node_get(NULL, "q"));
	yaml_node_free(root);
}
END_TEST

START_TEST(lines_are_counted_as_editors_do)
{
	/* A line separator and a next-line character are no line ends; CR LF and CR are. */
	struct yaml_node *root = good("a: 'x\xe2\x80\xa8y'\r\nb: 'p\xc2\x85q'\rc: 1\n\nd: 2\n");

	place(yaml_node_key(root, "b"), 2, 1);
	place(yaml_node_key(root, "c"), 3, 1);
	place(yaml_node_get(root, "d"), 5, 4);
	yaml_node_free(root);
	root = good("\xef\xbb\xbf" "a: 1\n");
	place(yaml_node_key(root, "a"), 1, 1);
	place(yaml_node_get(root, "a"), 1, 4);
	yaml_node_free(root);
}
END_TEST

START_TEST(an_empty_document_is_an_empty_map)
{
	static const char *const texts[] = {"", "\n", "# only a comment\n", "---\n", "---\n...\n",
	    "%YAML 1.2\n---\n", "\xef\xbb\xbf"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct yaml_node *root = good(texts[i]);

		ck_assert_int_eq(root->kind, YAML_MAP);
		ck_assert_uint_eq(root->count, 0);
		yaml_node_free(root);
	}
}
END_TEST

START_TEST(plain_scalars_follow_the_core_schema)
{
	static const struct {
		const char *text;
		int boolean; /* -1: none */
		bool integer, null;
		long long number;
	} cases[] = {{"true", 1, false, false, 0}, {"True", 1, false, false, 0},
	    {"FALSE", 0, false, false, 0}, {"yes", -1, false, false, 0}, {"on", -1, false, false,
	    0},
	    {"tRue", -1, false, false, 0}, {"'true'", -1, false, false, 0}, {"12", -1, true,
	    false, 12},
	    {"-12", -1, true, false, -12}, {"+12", -1, true, false, 12}, {"007", -1, true, false,
	    7},
	    {"0o17", -1, true, false, 15}, {"0x1F", -1, true, false, 31}, {"-0x1F", -1, false,
	    false, 0},
	    {"0o8", -1, false, false, 0}, {"0x", -1, false, false, 0}, {"1_000", -1, false,
	    false, 0},
	    {"1.5", -1, false, false, 0}, {"1e3", -1, false, false, 0}, {"-x", -1, false, false, 0},
	    {"\"12\"", -1, false, false, 0}, {"9223372036854775807", -1, true, false, INT64_MAX},
	    {"9223372036854775808", -1, false, false, 0},
	    {"-9223372036854775808", -1, true, false, INT64_MIN}, {"null", -1, false, true, 0},
	    {"Null", -1, false, true, 0}, {"~", -1, false, true, 0}, {"", -1, false, true, 0},
	    {"''", -1, false, false, 0}, {"'null'", -1, false, false, 0}, {"nULL", -1, false,
	    false, 0},
	    {"${NUMBER}", -1, false, false, 0}, {"${EMPTY:-}", -1, false, false, 0},
	    {"${EMPTY:-true}", -1, false, false, 0}, {"{}", -1, false, false, 0}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = mem_format("v: %s\n", cases[i].text);
		struct yaml_node *root = good(text);
		const struct yaml_node *node = yaml_node_get(root, "v");
		long long number = 99;
		bool truth = false;

		ck_assert_msg(yaml_node_bool(node, &truth) == (cases[i].boolean >= 0), "%s", text);
		ck_assert_msg(truth == (cases[i].boolean == 1), "%s", text);
		ck_assert_msg(yaml_node_int(node, &number) == cases[i].integer, "%s", text);
		ck_assert_msg(number == (cases[i].integer ? cases[i].number : 99), "%s", text);
		ck_assert_msg(yaml_node_is_null(node) == cases[i].null, "%s", text);
		yaml_node_free(root);
		free(text);
	}
	ck_assert(!yaml_node_is_null(NULL));
}
END_TEST

START_TEST(what_would_surprise_is_refused_with_its_place)
{
	bad("a: &x 1\nb: *x\n",
	    "f:1:4: anchors (&name) are not allowed; write the value where it is needed, or quote "
	    "a text that starts with &\n"
	    "f:2:4: aliases (*name) are not allowed; write the value out, or quote a text that "
	    "starts with *\n");
	bad("a: &x [1]\nb: &y {c: 1}\n",
	    "f:1:4: anchors (&name) are not allowed; write the value where it is needed, or quote "
	    "a text that starts with &\n"
	    "f:2:4: anchors (&name) are not allowed; write the value where it is needed, or quote "
	    "a text that starts with &\n");
	bad("a: {<<: 1}\n'<<': 2\n",
	    "f:1:5: merge keys (<<) are not allowed; write the keys out\n");
	bad("a: !!int 5\nb: !x [1]\nc: !!map {d: 1}\n",
	    "f:1:4: tags (!name) are not allowed; remove it, or quote a text that starts with !\n"
	    "f:2:4: tags (!name) are not allowed; remove it, or quote a text that starts with !\n"
	    "f:3:4: tags (!name) are not allowed; remove it, or quote a text that starts with !\n");
	bad("a: !x!y 5\n",
	    "f:1:4: tags (!name) are not allowed; remove it, or quote a text that starts with !\n");
	bad("%TAG ! foo:\n---\na: b\n",
	    "f:1:1: tag directives (%TAG) are not allowed; remove the line\n");
	bad("a: 1\n---\nb: 2\n",
	    "f:2:1: a second document begins here; a file holds one, so remove the line or what "
	    "follows it\n");
	bad("a: 1\n...\nb: 2\n", "f:3:1: the document ended before this; a file holds one "
	    "document\n");
	bad("a: 1\nb: {a: 1, c: 2, c: 3}\na: 2\nA: 3\n'a': 4\n",
	    "f:2:17: the key \"c\" stands here a second time (first on line 2); keep one of them\n"
	    "f:3:1: the key \"a\" stands here a second time (first on line 1); keep one of them\n"
	    "f:5:1: the key \"a\" stands here a second time (first on line 1); keep one of them\n");
	bad("? [a]\n: 5\n? {b: c}\n: 6\n*x : 7\n",
	    "f:1:3: a key must be a plain text, not a list or a map; quote a text that starts "
	    "with [ or {\n"
	    "f:3:3: a key must be a plain text, not a list or a map; quote a text that starts "
	    "with [ or {\n"
	    "f:5:1: aliases (*name) are not allowed; write the value out, or quote a text that "
	    "starts with *\n");
	bad("a: \"x\\0y\"\n", "f:1:4: a text cannot hold a NUL character\n");
}
END_TEST

START_TEST(syntax_mistakes_say_what_to_write)
{
	char key[1200];

	bad("a:\n\tb: 1\n", "f:2:1: a tab cannot indent; use spaces\n");
	bad("a:\n  b: 1\n\tc: 1\n", "f:3:1: a tab cannot indent; use spaces\n");
	bad("a: |\n\tb\n", "f:2:1: a tab cannot indent; use spaces\n");
	bad("ü: @x\n", "f:1:4: a text cannot start with \"@\"; put it in quotes\n");
	bad("*: {}\n", "f:1:1: a text that starts with * must be quoted: write \"*\"\n");
	bad("a: b: c\n",
	    "f:1:5: a \":\" cannot start a value here; check the indentation of this line and of "
	    "the one before it, and quote a text that holds \": \"\n");
	bad("a: 1\nb\nc: 2\n", "f:2:1: this key has no \": value\" after it\n");
	bad("a: \"x\nb: c\n", "f:1:4: this quoted text has no closing quote\n");
	bad("a: {b: 1,\n  c: [1, 2}\n",
	    "f:2:11: the list that begins with [ on line 2 needs a \",\" or its \"]\" before "
	    "this\n");
	bad("a: {b: 1,\n  c: 2\nd: 1\n",
	    "f:3:2: the map that begins with { on line 1 needs a \",\" or its \"}\" before this\n");
	bad("a:\n  b: 1\n c: 2\n",
	    "f:3:2: this does not line up with the map that begins on line 1; its keys must all be "
	    "indented alike\n");
	bad("a:\n  - b\n  c\n",
	    "f:3:3: this key has no \": value\" after it\n");
	bad("a: - b\n",
	    "f:1:4: a list item cannot stand here; put \"- \" on a line of its own below its "
	    "key\n");
	bad("a: \"\\q\"\n",
	    "f:1:5: unknown escape in a text with double quotes; write \\\\ for a backslash, or "
	    "use single quotes\n");
	bad("a: \"\\uD83D\"\n",
	    "f:1:7: this escape is no character; half of a pair such as \\uD83D\\uDE00 is none, write "
	    "the character itself or its code point as \\U0001F600\n");
	bad("a: \"\\u12\"\n",
	    "f:1:7: hexadecimal digits are missing here: \\x needs 2, \\u 4 and \\U 8\n");
	bad("%FOO\na: 1\n",
	    "f:1:1: a line that starts with % is a directive of YAML, and only %YAML is known; "
	    "remove the line, or quote a text that starts with %\n");
	bad("% a: 1\n",
	    "f:1:1: a line that starts with % is a directive of YAML, and only %YAML is known; "
	    "remove the line, or quote a text that starts with %\n");
	bad("a: [b, , c]\n",
	    "f:1:8: neither a key nor a value can start with this; write what is missing before "
	    "it, remove it, or put the text in quotes\n");
	bad("a: ]b\n",
	    "f:1:4: neither a key nor a value can start with this; write what is missing before "
	    "it, remove it, or put the text in quotes\n");
	bad("a: |b\n",
	    "f:1:4: a block of text begins on the line after its | or >; quote a text that starts "
	    "with one\n");
	memset(key, 'k', 1100);
	strcpy(key + 1100, ": 1\n");
	memcpy(key, "a: 1\n", 5);
	bad(key, "f:2:1: a key of more than 1024 characters needs \"? \" before it, and its value a "
	         "line of its own that starts with \": \"\n");
	bad("a: {b:, c: 1}\n",
	    "f:1:6: a \":\" here needs a space after it, and a text that holds a \":\" needs "
	    "quotes\n");
	bad("a: 'x' y\n", "f:1:8: the value ended before this; put the whole text in quotes, or "
	    "remove what follows\n");
	bad("a: {b: 1}}\n", "f:1:10: the value ended before this; put the whole text in quotes, or "
	    "remove what follows\n");
}
END_TEST

START_TEST(bytes_that_are_no_text_are_found)
{
	bad("a: 1\nü: x\xff\n",
	    "f:2:5: the byte 0xff does not belong to UTF-8 text; save the file "
	    "as UTF-8\n");
	bad("a: 1\nb: \xe2\x82: y\n", "f:2:4: the byte 0xe2 does not belong to UTF-8 text; save "
	    "the file as UTF-8\n");
	bad("a: \xed\xa0\x80\n", "f:1:4: the byte 0xed does not belong to UTF-8 text; save the "
	    "file as UTF-8\n");
	bad("a: \xc0\xaf\n", "f:1:4: the byte 0xc0 does not belong to UTF-8 text; save the file as "
	    "UTF-8\n");
	bad("a: \xf4\x90\x80\x80\n", "f:1:4: the byte 0xf4 does not belong to UTF-8 text; save the "
	    "file as UTF-8\n");
	bad("a: \xf0\x9f\x98", "f:1:4: the byte 0xf0 does not belong to UTF-8 text; save the file "
	    "as UTF-8\n");
	bad_bytes("\xff\xfe" "a\0:\0", 6, "f:1:1: the byte 0xff does not belong to UTF-8 text; "
	    "save the file as UTF-8\n");
	bad("a: 1\nü: \x01\n", "f:2:4: the control character 0x01 is not allowed; remove it\n");
	bad_bytes("\xef\xbb\xbf" "a: x\0y\n", 10,
	    "f:1:5: the control character 0x00 is not allowed; remove it\n");
	yaml_node_free(good("a: \xf0\x9f\x98\x80\xef\xbf\xbd\n"));
}
END_TEST

/* A text of `head`, then `n` times `piece`, then `tail`. */
static char *
repeat(const char *head, const char *piece, size_t n, const char *tail)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_adds(&b, piece);
	buf_adds(&b, tail);
	return buf_take(&b, NULL);
}

/* Reads a text that must be good, and frees it. */
static void
good_once(char *text)
{
	yaml_node_free(good(text));
	free(text);
}

/* Reads a text that must be refused, and frees it. */
static void
bad_once(char *text, const char *lines)
{
	bad(text, lines);
	free(text);
}

START_TEST(a_file_has_limits)
{
	good_once(repeat("a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "[", 1,
	    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"));
	bad_once(repeat("a: ", "[", 32, "]"), "f:1:35: nested deeper than 32 levels\n");
	bad_once(repeat("a: ", "[", 100000, ""), "f:1:35: nested deeper than 32 levels\n");
	bad_once(repeat("", "- ", 40, "x\n"), "f:1:65: nested deeper than 32 levels\n");
	good_once(repeat("", "- 1\n", 49999, ""));
	bad_once(repeat("", "- 1\n", 50000, ""), "f:50000:3: more than 50000 values in one file\n");
	bad_once(repeat("{a: [", "x: 1,", 50000, "]}"),
	    "f:1:83334: more than 50000 values in one file\n");
	good_once(repeat("#", "x", (1 << 20) - 1, ""));
	bad_once(repeat("#", "x", 1 << 20, ""), "f: the file is larger than 1 MiB\n");
}
END_TEST

START_TEST(the_environment_is_put_in_once)
{
	struct yaml_node *root = good("a: ${KEY}\n"
	    "b: \"<${KEY}|${KEY}>\"\n"
	    "c: ${NONE:-some text}\n"
	    "d: ${EMPTY:-x}${NONE:-}\n"
	    "e: $${KEY} $$ $5 $ a$b$\n"
	    "f: ${project.agent_id}-${KEY}\n"
	    "g: ${EVIL}\n"
	    "h: [\"${KEY}\", {i: '${KEY}'}]\n"
	    "${KEY}: 1\n"
	    "j: |\n"
	    "  ${KEY}\n"
	    "k: plain\n"
	    "l: ${PLACE}\n"
	    "m: ${NUMBER}\n");
	const struct yaml_node *h = yaml_node_get(root, "h");

	ck_assert_str_eq(value(root, "a"), "k3y");
	ck_assert(yaml_node_get(root, "a")->expanded);
	ck_assert_str_eq(value(root, "b"), "<k3y|k3y>");
	ck_assert_str_eq(value(root, "c"), "some text");
	ck_assert(yaml_node_get(root, "c")->expanded);
	ck_assert_str_eq(value(root, "d"), "x");
	ck_assert_str_eq(value(root, "e"), "${KEY} $ $5 $ a$b$");
	ck_assert(!yaml_node_get(root, "e")->expanded);
	ck_assert_str_eq(value(root, "f"), "${project.agent_id}-k3y");
	ck_assert_str_eq(value(root, "g"), "x: {y: [1, 2]} ${KEY} $$");
	ck_assert_str_eq(h->items[0]->text, "k3y");
	ck_assert_str_eq(value(h->items[1], "i"), "k3y");
	ck_assert_ptr_nonnull(yaml_node_get(root, "${KEY}"));
	ck_assert_str_eq(value(root, "j"), "k3y\n");
	ck_assert(!yaml_node_get(root, "k")->expanded);
	ck_assert_str_eq(value(root, "l"), "Zürich");
	ck_assert_str_eq(value(root, "m"), "7");
	yaml_node_free(root);
}
END_TEST

START_TEST(the_real_environment_is_the_default)
{
	struct diag_list diags = {0};
	struct yaml_node *root;

	ck_assert_int_eq(setenv("PERSONA_GATEWAY_TEST", "from outside", 1), 0);
	root = yaml_node_read("f", "a: ${PERSONA_GATEWAY_TEST}\n", 27, NULL, NULL, &diags);
	ck_assert_str_eq(value(root, "a"), "from outside");
	yaml_node_free(root);
}
END_TEST

START_TEST(a_reference_that_cannot_be_resolved_is_a_mistake_at_its_dollar)
{
	bad("a: ${NONE}\nb: [x, \"yü ${EMPTY} ${KEY} ${GONE}\"]\nc: |\n  one\n  two ${NONE}\n",
	    "f:1:4: the environment variable NONE is not set; set it, or write ${NONE:-default}\n"
	    "f:2:12: the environment variable EMPTY is empty; set it, or write ${EMPTY:-default}\n"
	    "f:2:28: the environment variable GONE is not set; set it, or write ${GONE:-default}\n"
	    "f:5:7: the environment variable NONE is not set; set it, or write ${NONE:-default}\n");
	bad("a: $$ $$ ${NONE}\n",
	    "f:1:10: the environment variable NONE is not set; set it, or write "
	    "${NONE:-default}\n");
	bad("a: \"\\x24{NONE}\"\nb: $x\n",
	    "f:1:4: the environment variable NONE is not set; set it, or write ${NONE:-default}\n");
	bad("a: x ${KEY secret\n",
	    "f:1:6: \"${KEY\" has no closing \"}\"; write ${NAME} or ${NAME:-default}, or $$ for a "
	    "dollar sign\n");
	bad("a: ${}\nb: ${1A}\nc: ${A-secret}\nd: ${A:?secret}\ne: ${A.b}\nf: ${projects.id}\n",
	    "f:1:4: \"${\" does not begin a reference to an environment variable; write ${NAME} or "
	    "${NAME:-default}, or $$ for a dollar sign\n"
	    "f:2:4: \"${1A\" does not begin a reference to an environment variable; write ${NAME} "
	    "or ${NAME:-default}, or $$ for a dollar sign\n"
	    "f:3:4: \"${A\" does not begin a reference to an environment variable; write ${NAME} "
	    "or ${NAME:-default}, or $$ for a dollar sign\n"
	    "f:4:4: \"${A\" does not begin a reference to an environment variable; write ${NAME} "
	    "or ${NAME:-default}, or $$ for a dollar sign\n"
	    "f:5:4: \"${A.b\" does not begin a reference to an environment variable; write ${NAME} "
	    "or ${NAME:-default}, or $$ for a dollar sign\n"
	    "f:6:4: \"${projects.id\" does not begin a reference to an environment variable; write "
	    "${NAME} or ${NAME:-default}, or $$ for a dollar sign\n");
	bad("a: ${A:-${KEY}}\n",
	    "f:1:4: the default of ${A} holds another ${…}; a default is plain text\n");
	bad("a: ${BAD}\n", "f:1:4: the environment variable BAD is not UTF-8 text\n");
}
END_TEST

START_TEST(expansion_makes_no_new_reference_for_the_mapping)
{
	const char *twice = "the text would hold \"${project.\" after $$ or environment variables "
	    "are replaced; nothing is replaced twice, so write it another way";
	static const char *const texts[] = {"a: ${PROJECT}\n", "a: $${project.id}\n",
	    "a: ${DOLLAR}{project.id}\n", "a: ${project.id} ${PROJECT}\n"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char *line = mem_format("f:1:4: %s\n", twice);

		bad(texts[i], line);
		free(line);
	}
}
END_TEST

START_TEST(a_reference_inside_a_flow_must_be_quoted)
{
	bad("a: {b: ${KEY}}\n",
	    "f:1:8: inside { } or [ ] a ${…} must be quoted: write \"${KEY}\"\n");
	bad("a: [ x, ${KEY:-y} ]\n",
	    "f:1:9: inside { } or [ ] a ${…} must be quoted: write \"${KEY…}\"\n");
	bad("a: {b: ${KEY\n",
	    "f:1:8: inside { } or [ ] a ${…} must be quoted: write \"${KEY…}\"\n");
	bad("a: [x: ${project.agent_id}]\n",
	    "f:1:8: inside { } or [ ] a ${…} must be quoted: write \"${project.agent_id}\"\n");
	bad("a: {$", "f:1:6: the map that begins with { on line 1 needs a \",\" or its \"}\" "
	    "before this\n");
	bad("a: [${", "f:1:5: inside { } or [ ] a ${…} must be quoted: write \"${…}\"\n");
}
END_TEST

START_TEST(expansion_cannot_make_a_file_huge)
{
	static char large[65536];
	static const char *const huge[] = {"LARGE", large, NULL};
	struct diag_list diags = {0};
	char *text = repeat("", "- ${LARGE}\n", 17, "");

	memset(large, 'x', sizeof large - 1);
	ck_assert_ptr_null(yaml_node_read("f", text, strlen(text), test_env,
	    (void *)(uintptr_t)huge,
	    &diags));
	test_expect(&diags,
	    "f:17:3: the environment's values make the file larger than 1 MiB\n");
	free(text);
	text = repeat("", "- ${LARGE}\n", 16, "");
	yaml_node_free(yaml_node_read("f", text, strlen(text), test_env, (void *)(uintptr_t)huge,
	    &diags));
	test_expect(&diags, "");
	free(text);
	text = repeat("a: \"", "${LARGE}", 17, "\"\n");
	ck_assert_ptr_null(yaml_node_read("f", text, strlen(text), test_env,
	    (void *)(uintptr_t)huge,
	    &diags));
	test_expect(&diags, "f:1:4: the environment's values make the file larger than 1 MiB\n");
	free(text);
}
END_TEST

START_TEST(a_tree_with_broken_nodes_can_be_had)
{
	static const char text[] = "a: ${NONE}\nb: {c: \"${NONE}\", d: *x}\ne: good\n";
	struct diag_list diags = {0};
	struct yaml_node *root = yaml_node_parse("f", text, strlen(text), test_env, NULL, &diags);
	struct yaml_node *b = root->items[1];

	test_expect(&diags, "f:2:22: aliases (*name) are not allowed; write the value out, or "
	    "quote a text that starts with *\n");
	ck_assert(yaml_node_get(root, "a")->broken);
	ck_assert(!b->broken);
	ck_assert(!yaml_node_sound(b));
	ck_assert(!yaml_node_sound(root));
	ck_assert(yaml_node_sound(yaml_node_get(root, "e")));
	ck_assert(yaml_node_sound(NULL));
	yaml_node_forgive(b);
	yaml_node_complain(root, &diags);
	test_expect(&diags,
	    "f:1:4: the environment variable NONE is not set; set it, or write ${NONE:-default}\n");
	yaml_node_complain(root, &diags);
	test_expect(&diags, "");
	ck_assert(b->items[0]->broken);
	yaml_node_free(root);
	yaml_node_free(NULL);
}
END_TEST

START_TEST(mistakes_before_the_end_of_reading_are_told_too)
{
	bad("a: ${NONE}\nb: &x 1\nc: {d: [}\n",
	    "f:1:4: the environment variable NONE is not set; set it, or write ${NONE:-default}\n"
	    "f:2:4: anchors (&name) are not allowed; write the value where it is needed, or quote "
	    "a text that starts with &\n"
	    "f:3:9: neither a key nor a value can start with this; write what is missing before it, "
	    "remove it, or put the text in quotes\n");
}
END_TEST

/* The suite. */
Suite *
yaml_node_suite(void)
{
	const TTest *const tests[] = {nodes_know_their_places, lines_are_counted_as_editors_do,
	    an_empty_document_is_an_empty_map, plain_scalars_follow_the_core_schema,
	    what_would_surprise_is_refused_with_its_place, syntax_mistakes_say_what_to_write,
	    bytes_that_are_no_text_are_found, a_file_has_limits, the_environment_is_put_in_once,
	    the_real_environment_is_the_default,
	    a_reference_that_cannot_be_resolved_is_a_mistake_at_its_dollar,
	    expansion_makes_no_new_reference_for_the_mapping,
	    a_reference_inside_a_flow_must_be_quoted, expansion_cannot_make_a_file_huge,
	    a_tree_with_broken_nodes_can_be_had,
	    mistakes_before_the_end_of_reading_are_told_too, NULL};

	return unit_suite("yaml_node", tests);
}
