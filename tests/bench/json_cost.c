#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * What json-c needs to parse a file's JSON and print it once: the median of some
 * runs, in microseconds of CPU. The bench sets listings in relation to it.
 */
#define JSON_COST_RUNS 51
#define JSON_COST_RUNS_MAX 100000

/* Reads a file, with a NUL; ends the program when that fails. */
static char *
json_cost_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text;
	long size;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0 ||
	    (text = malloc((size_t)size + 1)) == NULL || fread(text, 1, (size_t)size, f) != (size_t)size) {
		perror(path);
		exit(1);
	}
	text[size] = '\0';
	fclose(f);
	return text;
}

/* CPU time of the process in microseconds. */
static double
json_cost_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Orders times. */
static int
json_cost_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Parses and prints. */
int
main(int argc, char **argv)
{
	static double took[JSON_COST_RUNS_MAX];
	size_t runs = argc == 3 ? strtoul(argv[2], NULL, 10) : JSON_COST_RUNS;
	char *text;

	if ((argc != 2 && argc != 3) || runs == 0 || runs > JSON_COST_RUNS_MAX) {
		fprintf(stderr, "usage: %s FILE [RUNS]\n", argv[0]);
		return 2;
	}
	text = json_cost_read(argv[1]);
	for (size_t i = 0; i < runs; i++) {
		double begun = json_cost_now();
		struct json_object *root = json_tokener_parse(text);
		size_t len;

		if (root == NULL ||
		    json_object_to_json_string_length(root, JSON_C_TO_STRING_PLAIN, &len) == NULL)
			return 1;
		json_object_put(root);
		took[i] = json_cost_now() - begun;
	}
	qsort(took, runs, sizeof *took, json_cost_compare);
	printf("1 %.0f\n", took[runs / 2]);
	free(text);
	return 0;
}
