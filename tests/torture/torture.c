#include "config.h"

#include "postgres.h"
#include "torture_compare.h"
#include "torture_database.h"
#include "unit.h"
#include "base/mem.h"
#include "base/uuid.h"

#include <check.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Many clients create, rename, update and delete while the upstream fails in all
 * the ways that it can and the gateway is killed with SIGKILL and started again: one
 * gateway, or several that share a database, which has its own troubles.
 * Afterwards every answer that a client got is held against what is there. The
 * seed decides what the clients do and which faults come; what meets what in time
 * is the machine's choice, so a run is repeated alike, not the same.
 */

#define TORTURE_CLIENTS_MAX 256
#define TORTURE_CREATES_A_KILL 60

static struct torture_options torture_options = {
    .seed = 1, .creates = 600, .seconds = 60, .clients = 24};
static const char *torture_program;

/* A client that goes around the gateway, as people do in Bluejay's dashboard. */
struct dashboard {
	struct world *world;
	uint64_t random;
	char ids[64][40];
	unsigned count, serial;
	pthread_t thread;
};

/* Asks Bluejay itself; the outcome does not matter. */
static void
dashboard_ask(struct dashboard *d, const char *method, const char *path, const char *body,
    struct wire_answer *a)
{
	world_note(d->world, "dashboard: %s %s %s", method, path, body != NULL ? body : "");
	wire_ask(d->world->sandbox_port, method, path, "X-API-Key: sandbox\r\n", body, 2000, a);
	world_note(d->world, "dashboard: %s %s -> %d %.200s", method, path, a->status,
	    a->body != NULL ? a->body : "");
}

/* Makes a persona. */
static void
dashboard_create(struct dashboard *d)
{
	struct json_object *id = NULL;
	struct wire_answer a;
	char body[256];

	snprintf(body, sizeof body,
	    "{\"name\":\"dash-%u\",\"description\":\"made there\",\"goal\":\"\",\"agent_id\":%u}",
	    ++d->serial, 11 + world_pick(&d->random, 4));
	dashboard_ask(d, "POST", "/v1/create-customer-persona", body, &a);
	if (a.status == 200 && json_object_is_type(a.json, json_type_object) &&
	    json_object_object_get_ex(a.json, "id", &id) && d->count < 64)
		snprintf(d->ids[d->count++], 40, "%s", json_object_get_string(id));
	wire_clear(&a);
}

/* Changes or deletes one that was made there. */
static void
dashboard_change(struct dashboard *d, bool delete)
{
	unsigned n = world_pick(&d->random, d->count);
	struct wire_answer a;
	char path[96], body[64];

	snprintf(path, sizeof path, "/v1/%s/%s", delete ? "customer-persona" : "update-customer-persona",
	    d->ids[n]);
	snprintf(body, sizeof body, "{\"description\":\"edit %u\"}", ++d->serial);
	dashboard_ask(d, delete ? "DELETE" : "PUT", path, delete ? NULL : body, &a);
	if (delete)
		memmove(d->ids[n], d->ids[--d->count], sizeof d->ids[n]);
	wire_clear(&a);
}

/* The dashboard's thread: now and then all at once is deleted. */
static void *
dashboard_run(void *arg)
{
	struct dashboard *d = arg;

	while (world_pass(d->world, 20 + world_pick(&d->random, 100))) {
		unsigned drawn = world_pick(&d->random, 20);

		if (drawn < 10 || d->count == 0)
			dashboard_create(d);
		else if (drawn < 19)
			dashboard_change(d, drawn >= 16);
		else
			while (d->count > 0)
				dashboard_change(d, true);
	}
	return NULL;
}

/* Lets the upstream fail in another way. */
static void
torture_new_faults(struct world *w, uint64_t *random)
{
	static const char *const kinds[] = {"chaos-no-lag", "chaos-no-lag", "errors", "errors-after",
	    "reset-before", "reset-after", "stale-connection", "truncated", "wrong-length", "garbage",
	    "rate-limit", "drip", "slow-after", "none"};
	const char *kind = kinds[world_pick(random, sizeof kinds / sizeof *kinds)];
	static const unsigned percents[] = {3, 8, 15, 25};
	char json[160];

	if (w->options->lag && world_pick(random, 3) != 0)
		kind = world_pick(random, 2) == 0 ? "chaos" : "lagging-lists";
	if (strncmp(kind, "chaos", 5) == 0 || strcmp(kind, "lagging-lists") == 0)
		snprintf(json, sizeof json, "{\"profile\":\"%s\",\"seed\":%u}", kind,
		    world_pick(random, 1u << 30));
	else
		snprintf(json, sizeof json,
		    "{\"profile\":\"%s\",\"seed\":%u,\"percent\":%u,\"delay_ms\":%u}", kind,
		    world_pick(random, 1u << 30), percents[world_pick(random, 4)],
		    200 + world_pick(random, 2500));
	world_faults(w, json);
}

/* Whether enough creates were acknowledged, with enough kills among them, and the database was
 * away at least once. */
static bool
torture_enough(const struct world *w)
{
	return atomic_load(&w->counts[COUNT_CREATED]) >= w->options->creates &&
	    atomic_load(&w->counts[COUNT_KILLS]) >= w->options->creates / TORTURE_CREATES_A_KILL &&
	    (w->database == NULL || atomic_load(&w->counts[COUNT_OUTAGES]) > 0);
}

/* The storm: kills and changes of weather until there is enough of it. */
static void
torture_storm(struct world *w, struct lane *lanes, unsigned count, struct dashboard *d)
{
	int64_t until = wire_now() + (int64_t)w->options->seconds * 1000;
	uint64_t random = w->options->seed;

	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(pthread_create(&lanes[i].thread, NULL, lane_run, &lanes[i]), 0);
	ck_assert_int_eq(pthread_create(&d->thread, NULL, dashboard_run, d), 0);
	while (wire_now() < until && !torture_enough(w)) {
		torture_new_faults(w, &random);
		for (unsigned i = world_pick(&random, 6); i > 0 && !torture_enough(w); i--) {
			world_pass(w, 20 + world_pick(&random, world_pick(&random, 3) == 0 ? 60 : 500));
			world_kill_gateway(w, world_pick(&random, w->gateway_count));
		}
		if (w->database != NULL && world_pick(&random, 4) == 0 && !torture_enough(w))
			database_trouble(w->database, &random);
		world_pass(w, 100 + world_pick(&random, 300));
	}
	world_faults(w, NULL);
	pthread_mutex_lock(&w->lock);
	atomic_store(&w->stop, true);
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < count; i++)
		pthread_join(lanes[i].thread, NULL);
	pthread_join(d->thread, NULL);
}

/* How to run it again. */
static void
torture_print_again(FILE *f)
{
	const struct torture_options *o = &torture_options;

	fprintf(f, "again: %s --seed %" PRIu64 " --creates %u --seconds %u --clients %u --gateways %u%s\n",
	    torture_program, o->seed, o->creates, o->seconds, o->clients, o->gateways,
	    o->lag ? " --lag" : "");
}

/* One line about the run; after a failure also how to repeat it and where its traces are. */
static void
torture_report(struct world *w)
{
	unsigned long c[COUNTS], wrong[WRONGS];

	for (int i = 0; i < COUNTS; i++)
		c[i] = atomic_load(&w->counts[i]);
	for (int i = 0; i < WRONGS; i++)
		wrong[i] = atomic_load(&w->wrongs[i]);
	printf("torture: seed %" PRIu64 ": %lu created of %lu sent, %lu updates, %lu deletes, %lu reads, "
	    "%lu open outcomes, %lu inherited, %lu kills, %lu outages, %lu early reads, %lu for the "
	    "operator; %lu duplicates, %lu lost, %lu orphans, %lu returned, %lu wrong contents, %lu stale, "
	    "%lu foreign, %lu wrong answers, %lu hung; %.1f s\n",
	    torture_options.seed, c[COUNT_CREATED], c[COUNT_CREATES], c[COUNT_UPDATES], c[COUNT_DELETES],
	    c[COUNT_READS], c[COUNT_UNKNOWN], c[COUNT_INHERITED], c[COUNT_KILLS], c[COUNT_OUTAGES] / 2,
	    c[COUNT_EARLY], c[COUNT_OPERATOR],
	    wrong[WRONG_DUPLICATE], wrong[WRONG_LOST], wrong[WRONG_ORPHAN], wrong[WRONG_RETURNED],
	    wrong[WRONG_CONTENT], wrong[WRONG_STALE], wrong[WRONG_FOREIGN], wrong[WRONG_ANSWER], wrong[WRONG_HUNG],
	    (double)(wire_now() - w->started) / 1000);
	if (world_wrongs(w) > 0 || torture_options.keep) {
		char *kept = shell("d=$(mktemp -d /tmp/persona-gateway-torture-XXXXXX) && "
		    "cp -r '%s'/. \"$d\" && printf %%s \"$d\"", w->where);

		printf("journal, logs and store: %s\n", kept);
		torture_print_again(stdout);
		free(kept);
	}
	fflush(stdout);
}

START_TEST(nothing_is_lost_and_nothing_doubled)
{
	struct lane *lanes = mem_zero(torture_options.clients, sizeof *lanes);
	struct dashboard *d = mem_zero(1, sizeof *d);
	struct world w;

	world_start(&w, &torture_options);
	for (unsigned i = 0; i < torture_options.clients; i++)
		lane_init(&lanes[i], &w, i);
	d->world = &w;
	d->random = ~torture_options.seed;
	torture_storm(&w, lanes, torture_options.clients, d);
	compare_settle(&w);
	compare_operate(&w);
	compare_all(&w, lanes, torture_options.clients);
	for (unsigned g = 0; g < w.gateway_count; g++)
		world_kill_gateway(&w, g);
	compare_settle(&w);
	compare_all(&w, lanes, torture_options.clients);
	compare_store(&w);
	world_start_gateways(&w);
	compare_inherit(&w, lanes, torture_options.clients);
	world_stop_gateways(&w);
	if (!torture_enough(&w))
		world_wrong(&w, WRONG_ANSWER, "only %lu of %u creates and %lu kills in %u s",
		    atomic_load(&w.counts[COUNT_CREATED]), torture_options.creates,
		    atomic_load(&w.counts[COUNT_KILLS]), torture_options.seconds);
	fflush(w.journal);
	torture_report(&w);
	world_stop(&w);
	ck_assert_msg(world_wrongs(&w) == 0, "%lu violations", world_wrongs(&w));
	for (unsigned i = 0; i < torture_options.clients; i++)
		lane_free(&lanes[i]);
	free(lanes);
	free(d);
}
END_TEST

/* Reads the options; false when they are wrong. */
static bool
torture_read_options(int argc, char **argv)
{
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
	    {"creates", required_argument, NULL, 'c'}, {"seconds", required_argument, NULL, 't'},
	    {"clients", required_argument, NULL, 'n'}, {"lag", no_argument, NULL, 'l'},
	    {"upstream", required_argument, NULL, 'u'}, {"gateways", required_argument, NULL, 'g'},
	    {"keep", no_argument, NULL, 'k'}, {NULL, 0, NULL, 0}};
	struct torture_options *o = &torture_options;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's' && strcmp(optarg, "random") == 0)
			uuid_random(&o->seed, sizeof o->seed);
		else if (c == 's')
			o->seed = strtoull(optarg, NULL, 10);
		else if (c == 'c')
			o->creates = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 't')
			o->seconds = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'n')
			o->clients = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'u')
			o->upstream = atoi(optarg);
		else if (c == 'g')
			o->gateways = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'l')
			o->lag = true;
		else if (c == 'k')
			o->keep = true;
		else
			return false;
	}
	return optind == argc && o->clients > 0 && o->clients <= TORTURE_CLIENTS_MAX &&
	    o->gateways <= WORLD_GATEWAYS;
}

/* Runs it. */
int
main(int argc, char **argv)
{
	Suite *suite = suite_create("torture");
	TCase *tcase = tcase_create("torture");
	SRunner *runner;
	int failed;

	torture_program = argv[0];
	if (!torture_read_options(argc, argv)) {
		fprintf(stderr, "usage: torture [--seed N|random] [--creates N] [--seconds N] [--clients N] "
		    "[--lag] [--gateways N] [--upstream PORT] [--keep]\n");
		return 2;
	}
	if (torture_options.gateways > 0 && !postgres_possible())
		return UNIT_SKIPPED;
	printf("torture: seed %" PRIu64 "\n", torture_options.seed);
	fflush(stdout);
	tcase_set_timeout(tcase, torture_options.seconds + 600.0);
	tcase_add_test(tcase, nothing_is_lost_and_nothing_doubled);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
