#include "config.h"

#include "config_test.h"

#include "base/buf.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

/* Looks a variable up. */
const char *
test_env(void *arg, const char *name)
{
	const char *const *vars = arg;

	for (; vars != NULL && *vars != NULL; vars += 2)
		if (strcmp(vars[0], name) == 0)
			return vars[1];
	return NULL;
}

/* Writes a list out. */
char *
test_lines(struct diag_list *diags)
{
	struct buf out;

	buf_init(&out, 0);
	diag_sort(diags);
	for (size_t i = 0; i < diags->count; i++) {
		char *line = diag_format(&diags->items[i]);

		buf_addf(&out, "%s\n", line);
		free(line);
	}
	return buf_take(&out, NULL);
}

/* Compares a list. */
void
test_expect(struct diag_list *diags, const char *lines)
{
	char *got = test_lines(diags);

	ck_assert_str_eq(got, lines);
	free(got);
	diag_free(diags);
}

/* Removes the folder and the files in it. */
static void
remove_folder(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	rmdir(folder);
}

/* Makes the folder once in a test; it goes with the test's process. */
const char *
test_folder(void)
{
	if (folder[0] == '\0') {
		strcpy(folder, "/tmp/persona-gateway-config-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(folder));
		strcat(folder, "/");
		atexit(remove_folder);
	}
	return folder;
}

/* Writes a file that only its owner may read. */
const char *
test_file(const char *name, const char *text)
{
	static char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s%s", test_folder(), name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fputs(text, file) < 0, 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
	return path;
}

/* Reads a file. */
char *
test_whole_file(const char *path)
{
	FILE *file = fopen(path, "r");
	struct buf out;
	int c;

	ck_assert_msg(file != NULL, "%s", path);
	buf_init(&out, 0);
	while ((c = getc(file)) != EOF)
		buf_addc(&out, (char)c);
	fclose(file);
	return buf_take(&out, NULL);
}

/* Reads a file of the source. */
char *
test_source_file(const char *path)
{
	char *full = mem_format("%s/%s", TEST_SRCDIR, path), *text = test_whole_file(full);

	free(full);
	return text;
}

UNIT_MAIN(diag_suite, yaml_node_suite, value_suite, load_suite, find_suite, keep_suite, rules_suite, client_suite,
    sample_suite, tls_suite)
