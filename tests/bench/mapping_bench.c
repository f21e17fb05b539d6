#include "config.h"

#include "base/buf.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "mapping/mapping.h"
#include "mapping/mapping_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * What the mapping costs: a create's body to Bluejay's and an answer back, trees
 * made already, for the built-in mapping of personas and for ones with many
 * fields. The last column grows only by what the processor's caches
 * do not hold. Then an answer's text to the local text, by a tree and copied.
 * Usage: mapping_bench [seconds [fields]], or for who counts instructions:
 * mapping_bench tree|copy RUNS
 */

static const struct mapping_project project = {"shop", true, 123};

/* Seconds of the processor that this process took: others do not count. */
static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Compiles a section (NULL: the built-in one); ends the program when it is wrong. */
static struct mapping *
compile(const char *section)
{
	struct diag_list diags = {0};
	struct yaml_node *node = NULL;
	struct mapping *m;

	if (section != NULL)
		node = yaml_node_read("bench", section, strlen(section), NULL, NULL, &diags);
	m = mapping_compile(mapping_resource_built_in("personas"), node, &diags);
	if (m == NULL) {
		diag_print(&diags, stderr);
		exit(1);
	}
	diag_free(&diags);
	yaml_node_free(node);
	return m;
}

/* One body there and an answer back; true when both are as they should be. */
static bool
round_trip(const struct mapping *m, struct json_object *local)
{
	struct mapping_request r;
	struct json_object *out;
	bool ok;

	if (mapping_request_make(m, MAPPING_CREATE, local, &project, &r, NULL) != 0)
		return false;
	ok = mapping_answer_make(m, r.upstream, "id", r.absent, r.kept, 0, &out, NULL) == 0;
	json_object_put(out);
	mapping_request_clear(&r);
	return ok;
}

/* Runs round trips for some seconds and prints what one costs. */
static void
measure(const char *what, const char *section, const char *body, size_t fields, double seconds)
{
	struct mapping *m = compile(section);
	struct json_object *local = NULL;
	double start, end;
	long count = 0;

	if (!json_read(body, strlen(body), &local, NULL) || !round_trip(m, local)) {
		fprintf(stderr, "%s: the body does not fit\n", what);
		exit(1);
	}
	start = now();
	do {
		for (int i = 0; i < 16; i++)
			round_trip(m, local);
		count += 16;
		end = now();
	} while (end - start < seconds);
	printf("%-24s %10.2f us a body %10.1f ns a field\n", what,
	    (end - start) / (double)count * 1e6,
	    (end - start) / (double)count * 1e9 / (double)fields);
	json_object_put(local);
	mapping_free(m);
}

/* Many fields, of several kinds. */
static void
measure_many(size_t fields, double seconds)
{
	char what[32], *section, *body;
	struct buf s, b;

	buf_init(&s, 0);
	buf_init(&b, 0);
	buf_adds(&s, "fields:\n  name: name\n");
	buf_adds(&b, "{\"name\":\"Ann\"");
	for (size_t i = 0; i + 1 < fields; i++) {
		if (i % 3 == 0)
			buf_addf(&s, "  f%zu: {to: traits.f%zu, as: string}\n", i, i);
		else if (i % 3 == 1)
			buf_addf(&s, "  f%zu: {to: m%zu, values: {calm: low, angry: high}}\n", i, i);
		else
			buf_addf(&s, "  f%zu: {to: l%zu, each: integer}\n", i, i);
		buf_addf(&b, ",\"f%zu\":%s", i, i % 3 == 2 ? "[1,2]" : "\"calm\"");
	}
	buf_adds(&s, "constants: {description: d, goal: g}\n");
	buf_addc(&b, '}');
	section = buf_take(&s, NULL);
	body = buf_take(&b, NULL);
	snprintf(what, sizeof what, "%zu fields", fields);
	measure(what, section, body, fields, seconds);
	free(section);
	free(body);
}

static const char answer[] =
    "{\"id\":\"bc7769e1-c9f4-447e-a07c-fe508e73aea6\",\"created_at\":\"2026-11-26T02:09:25.018001Z\","
    "\"name\":\"impatient-user-0\",\"description\":\"A user who wants quick answers\",\"goal\":\"You are an "
    "impatient user who values brevity and expects quick, concise responses.\","
    "\"org_id\":\"bbf6f1ff-f62c-47c1-8f63-611262f176cb\"}";

/* An answer's text to the local text, by a tree. */
static void
answer_by_tree(const struct mapping *m)
{
	struct json_object *upstream, *local;

	if (!json_read(answer, sizeof answer - 1, &upstream, NULL) ||
	    mapping_answer_make(m, upstream, "id", NULL, NULL, 0, &local, NULL) != 0)
		exit(1);
	free(json_print(local, NULL));
	json_object_put(local);
	json_object_put(upstream);
}

/* The same, copied; it says, too, that the answer is as declared. */
static void
answer_by_copy(const struct mapping *m)
{
	struct mapping_copied c;
	struct buf local;

	buf_init(&local, 0);
	if (!mapping_copy_read(m, answer, sizeof answer - 1, &c) ||
	    !mapping_copy_answer(m, &c, "id", NULL, NULL, 0, &local))
		exit(1);
	buf_free(&local);
}

/* Runs one of both so often. */
static void
run_answers(void (*one)(const struct mapping *), unsigned long runs)
{
	struct mapping *m = compile(NULL);

	while (runs-- > 0)
		one(m);
	mapping_free(m);
}

/* What one of both costs. */
static void
measure_answers(const char *what, void (*one)(const struct mapping *))
{
	const unsigned long runs = 100000;
	double start = now();

	run_answers(one, runs);
	printf("%-24s %10.2f us an answer\n", what, (now() - start) / (double)runs * 1e6);
}

/* Measures. */
int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;

	if (argc > 2 && (strcmp(argv[1], "tree") == 0 || strcmp(argv[1], "copy") == 0)) {
		run_answers(argv[1][0] == 't' ? answer_by_tree : answer_by_copy,
		    strtoul(argv[2], NULL, 10));
		return 0;
	}

	if (argc > 2) {
		measure_many(strtoul(argv[2], NULL, 10), seconds);
		return 0;
	}
	measure("the built-in mapping", NULL,
	    "{\"name\":\"Ann\",\"description\":\"A caller.\",\"systemPrompt\":\"You are Ann.\","
	    "\"headers\":{\"x-a\":\"b\"}}",
	    5, seconds);
	measure_many(10, seconds);
	measure_many(100, seconds);
	measure_many(1000, seconds);
	measure_answers("an answer, by a tree", answer_by_tree);
	measure_answers("an answer, copied", answer_by_copy);
	return 0;
}
