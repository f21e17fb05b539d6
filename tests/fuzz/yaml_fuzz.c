#include "config.h"

#include "config/yaml_node.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define YAML_FUZZ_DEPTH 32
#define YAML_FUZZ_FIND 1000 /* keys that are looked up, each from the front */

/* Ends the run when something does not hold. */
static void
yaml_fuzz_expect(bool holds)
{
	if (!holds)
		abort();
}

/* Every name is a variable; some are empty, one holds what YAML and expansion
 * would take for their own. */
static const char *
yaml_fuzz_env(void *arg, const char *name)
{
	if (name[0] == 'N')
		return NULL;
	return name[0] == 'E' ? "" : "a: {b: [\"${X}$$";
}

/* A place that an editor could go to, in a text of so many lines. */
static void
yaml_fuzz_place(int line, int column, int lines)
{
	yaml_fuzz_expect(line >= 1 && line <= lines && column >= 1);
}

/* Checks a node and all below it. */
static void
yaml_fuzz_node(const struct yaml_node *node, int lines, int depth)
{
	yaml_fuzz_expect(depth <= YAML_FUZZ_DEPTH);
	yaml_fuzz_place(node->line, node->column, lines);
	yaml_fuzz_expect((node->kind == YAML_SCALAR) == (node->text != NULL));
	yaml_fuzz_expect(node->kind == YAML_MAP || node->keys == NULL);
	yaml_fuzz_expect(node->kind != YAML_SCALAR || node->count == 0);
	yaml_fuzz_expect(!node->broken && node->unsaid == NULL);
	for (size_t i = 0; i < node->count; i++) {
		if (node->kind == YAML_MAP) {
			yaml_fuzz_node(node->keys[i], lines, depth + 1);
			yaml_fuzz_expect(i >= YAML_FUZZ_FIND ||
			    yaml_node_get(node, node->keys[i]->text) == node->items[i]);
		}
		yaml_fuzz_node(node->items[i], lines, depth + 1);
	}
}

/* How many lines a text has, the one after a last line end included. */
static int
yaml_fuzz_lines(const char *text, size_t len)
{
	int lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n' || (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n'));
	return lines;
}

/* A text gives a whole tree, or mistakes with places; never both. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	int lines = yaml_fuzz_lines(text, size);
	struct diag_list diags = {0};
	struct yaml_node *root = yaml_node_read("f", text, size, yaml_fuzz_env, NULL, &diags);

	yaml_fuzz_expect((root == NULL) == (diags.errors > 0));
	for (size_t i = 0; i < diags.count; i++) {
		yaml_fuzz_expect(strpbrk(diags.items[i].text, "\r\n\033") == NULL);
		if (size <= (1 << 20))
			yaml_fuzz_place(diags.items[i].line, diags.items[i].column, lines);
	}
	if (root != NULL)
		yaml_fuzz_node(root, lines, 1);
	yaml_node_free(root);
	diag_free(&diags);
	return 0;
}
