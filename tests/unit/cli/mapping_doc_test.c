#include "config.h"

#include "cli_test.h"

#include "base/mem.h"
#include "config/config_file.h"
#include "core/snapshot.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Every example of docs/mapping.md. A block of YAML is a file, or (without a
 * section of its own) the parts of the persona's mapping that it speaks of; the
 * block of text after it is what loading says, and without one it says nothing.
 */
#define DOCUMENT TEST_SRCDIR "/docs/mapping.md"
#define FILE_NAME "gateway.yaml"
#define EXAMPLES 20 /* at least so many: the document must not lose its fences unseen */

static const char base_fields[] =
    "      name: name\n"
    "      description: {to: description, when_absent: \"\"}\n"
    "      systemPrompt: {to: goal, when_absent: \"\"}\n"
    "      createdAt: {to: created_at, as: timestamp, read_only: true}\n";

/* A block that begins at a fence: its text, and where to go on; NULL for none. */
static char *
block(const char **p, const char *fence)
{
	const char *start = strstr(*p, fence), *end;

	if (start == NULL)
		return NULL;
	start += strlen(fence);
	end = strstr(start, "\n```\n");
	ck_assert_ptr_nonnull(end);
	*p = end + 5;
	return mem_copy(start, (size_t)(end + 1 - start));
}

/* Makes a file of the parts of a mapping; the four usual fields are there unless
 * it has its own. */
static char *
whole(const char *example)
{
	const char *tests = strstr(example, "mapping_tests:\n");
	struct buf out;

	buf_init(&out, 0);
	buf_adds(&out, "mapping:\n  persona:\n");
	for (const char *line = example; line != tests && *line != '\0';) {
		size_t len = strcspn(line, "\n") + 1;

		buf_adds(&out, "    ");
		buf_add(&out, line, len);
		if (strncmp(line, "fields:\n", 8) == 0 && strstr(example, "\n  name: name\n") == NULL)
			buf_adds(&out, base_fields);
		line += len;
	}
	buf_adds(&out, tests);
	return buf_take(&out, NULL);
}

/* Gives the variables of the examples. */
static const char *
any_env(void *arg, const char *name)
{
	return "value";
}

/* Loads a file and gives what is said of it, without the folder. */
static char *
load(const char *text)
{
	char path[] = "/tmp/persona-gateway-doc-XXXXXX/" FILE_NAME;
	char *folder = mem_copy(path, strlen(path) - strlen("/" FILE_NAME));
	struct config_source source = {.sandbox = true, .env = any_env};
	struct diag_list diags = {0};
	struct buf said;
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	memcpy(path, folder, strlen(folder));
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	source.file = path;
	snapshot_unref(snapshot_load(&source, &diags));
	unlink(path);
	rmdir(folder);
	diag_sort(&diags);
	buf_init(&said, 0);
	for (size_t i = 0; i < diags.count; i++) {
		char *line = diag_format(&diags.items[i]);

		buf_addf(&said, "%s\n", line + strlen(folder) + 1);
		free(line);
	}
	diag_free(&diags);
	free(folder);
	return buf_take(&said, NULL);
}

START_TEST(every_example_of_the_document_does_what_it_says)
{
	struct config_file document;
	const char *p, *next;
	char *example, *file, *expected, *said;
	struct fail fail;
	int count = 0;

	ck_assert_int_eq(config_file_read(DOCUMENT, true, (size_t)1 << 20, &document, &fail), 0);
	p = document.text;
	while ((example = block(&p, "```yaml\n")) != NULL) {
		next = p;
		expected = strncmp(p, "\n```text\n", 9) == 0 ? block(&p, "```text\n") : NULL;
		ck_assert(expected != NULL || p == next);
		file = strstr(example, "mapping:\n") == example || strstr(example, "bluejay:\n") == example
		    ? mem_string(example)
		    : whole(example);
		said = load(file);
		ck_assert_msg(strcmp(said, expected == NULL ? "" : expected) == 0,
		    "%s\nsaid\n%s\nnot\n%s", file, said, expected == NULL ? "nothing" : expected);
		free(said);
		free(file);
		free(expected);
		free(example);
		count++;
	}
	ck_assert_int_ge(count, EXAMPLES);
	config_file_free(&document);
}
END_TEST

/* The suite. */
Suite *
suite_mapping_doc(void)
{
	const TTest *const tests[] = {every_example_of_the_document_does_what_it_says, NULL};

	return unit_suite("mapping_doc", tests);
}
