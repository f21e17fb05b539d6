#include "config.h"

#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Replays inputs where libFuzzer is not linked: the files and folders given, or
 * else the target's corpus (FUZZ_CORPUS) in the source tree.
 */

#define FUZZ_PATH 4096

/* Reads a file into a block of exactly its size; NULL when it cannot. */
static uint8_t *
fuzz_read(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	struct stat st;

	if (file == NULL)
		return NULL;
	if (fstat(fileno(file), &st) == 0) {
		*size = (size_t)st.st_size;
		data = malloc(*size > 0 ? *size : 1);
		if (data != NULL && fread(data, 1, *size, file) != *size) {
			free(data);
			data = NULL;
		}
	}
	fclose(file);
	return data;
}

/* Runs one file; the number of inputs run, or -1. */
static int
fuzz_file(const char *path)
{
	size_t size;
	uint8_t *data = fuzz_read(path, &size);

	if (data == NULL) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return -1;
	}
	printf("%s\n", path);
	fflush(stdout); /* so that the last line names the input that fails */
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

/* Runs all files of a folder; the number of inputs run, or -1. */
static int
fuzz_folder(const char *path)
{
	char file[FUZZ_PATH];
	struct dirent **names;
	int count = scandir(path, &names, NULL, alphasort), run = 0;

	if (count < 0)
		return fuzz_file(path);
	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && run >= 0)
			run = fuzz_file(file) < 0 ? -1 : run + 1;
		free(names[i]);
	}
	free(names);
	return run;
}

/* Replays the arguments or the corpus; finding nothing to run is a failure. */
int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	char corpus[FUZZ_PATH];

	snprintf(corpus, sizeof corpus, "%s/%s", srcdir != NULL ? srcdir : ".", FUZZ_CORPUS);
	if (argc < 2)
		return fuzz_folder(corpus) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	for (int i = 1; i < argc; i++)
		if (fuzz_folder(argv[i]) <= 0)
			return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
