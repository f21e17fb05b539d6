#include "config.h"

#include "fuzz.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "mapping/mapping.h"
#include "mapping/mapping_explain.h"
#include "mapping_copy_check.h"

#include <stdlib.h>
#include <string.h>

/* A mapping's section, a line of three equals signs, and a body. */
static const char mapping_fuzz_line[] = "\n===\n";

/* Ends the run when something does not hold. */
static void
mapping_fuzz_expect(bool holds)
{
	if (!holds)
		abort();
}

/* Counts what is told. */
static void
mapping_fuzz_count(void *arg, const struct mapping_explained *e)
{
	mapping_fuzz_expect(e->local != NULL || e->upstream != NULL);
	++*(int *)arg;
}

/* Sends a body as both operations, and reads what went. */
static void
mapping_fuzz_send(const struct mapping *m, struct json_object *body)
{
	static const struct mapping_project project = {"p", true, 7};
	unsigned copied = 0;
	int told = 0;

	for (int operation = MAPPING_CREATE; operation <= MAPPING_UPDATE; operation++) {
		struct mapping_request r;
		struct json_object *out = NULL;

		mapping_explain_request(m, operation, body, &project, mapping_fuzz_count, &told);
		if (mapping_request_make(m, operation, body, &project, &r, NULL) != 0)
			continue;
		mapping_fuzz_expect(mapping_copy_check_tree(m, r.upstream, r.absent, r.kept, &copied));
		if (mapping_answer_make(m, r.upstream, "i", r.absent, r.kept, 0, &out, NULL) == 0)
			json_object_put(out);
		mapping_sent_matches(m, r.upstream, r.upstream);
		mapping_request_clear(&r);
	}
}

/* Reads a body as Bluejay's, by copying, too, which gives the same. */
static void
mapping_fuzz_read(const struct mapping *m, const char *text, struct json_object *body)
{
	const struct mapping_copy_case copy = {.text = text, .len = strlen(text)};
	struct json_object *out = NULL;
	unsigned copied = 0;
	int told = 0;

	mapping_fuzz_expect(mapping_copy_check(m, &copy, &copied) &&
	    mapping_copy_check_tree(m, body, NULL, NULL, &copied) &&
	    mapping_copy_check_tree(m, body, body, body, &copied));

	if (mapping_answer_make(m, body, "i", NULL, NULL, 0, &out, NULL) == 0)
		json_object_put(out);
	mapping_explain_answer(m, body, mapping_fuzz_count, &told);
}

/* Compiles the section and takes the body through it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *body;
	struct diag_list diags = {0};
	struct yaml_node *section;
	struct mapping *m = NULL;
	struct json_object *tree = NULL;

	mapping_fuzz_expect(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	body = strstr(text, mapping_fuzz_line);
	section = yaml_node_read("f", text, body == NULL ? strlen(text) : (size_t)(body + 1 - text),
	    NULL, NULL, &diags);
	if (section != NULL) {
		diag_free(&diags);
		m = mapping_compile(mapping_resource_built_in("personas"), section, &diags);
		mapping_fuzz_expect((m == NULL) == (diags.errors > 0));
	}
	if (m != NULL && body != NULL) {
		body += sizeof mapping_fuzz_line - 1;
		if (json_read(body, strlen(body), &tree, NULL) &&
		    json_object_is_type(tree, json_type_object)) {
			mapping_fuzz_send(m, tree);
			mapping_fuzz_read(m, body, tree);
		}
		json_object_put(tree);
	}
	mapping_free(m);
	yaml_node_free(section);
	diag_free(&diags);
	free(text);
	return 0;
}
