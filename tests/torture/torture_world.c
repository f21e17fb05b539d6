#include "config.h"

#include "torture_database.h"
#include "torture_world.h"

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORLD_UP_MS 30000
#define WORLD_WRONGS_SHOWN 25

static const char world_sandbox_key[] = "X-API-Key: sandbox\r\n";

/* The next number of a splitmix64 sequence. */
uint64_t
world_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number below a bound. */
unsigned
world_pick(uint64_t *state, unsigned below)
{
	return (unsigned)(world_random(state) % below);
}

/* Adds a line to the journal. */
void
world_note(struct world *w, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	for (char *p = line; *p != '\0'; p++)
		if (*p == '\r' || *p == '\n')
			*p = ' ';
	fprintf(w->journal, "%8lld %s\n", (long long)(wire_now() - w->started), line);
}

/* Notes what went wrong. */
void
world_wrong(struct world *w, enum world_wrong kind, const char *fmt, ...)
{
	static const char *const names[WRONGS] = {"duplicate", "lost", "orphan", "returned", "content",
	    "stale", "foreign", "answer", "hung"};
	unsigned long before = world_wrongs(w);
	char line[900];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	atomic_fetch_add(&w->wrongs[kind], 1);
	world_note(w, "WRONG %s: %s", names[kind], line);
	if (before < WORLD_WRONGS_SHOWN)
		fprintf(stderr, "torture: %s: %s\n", names[kind], line);
}

/* How often anything went wrong. */
unsigned long
world_wrongs(const struct world *w)
{
	unsigned long n = 0;

	for (int i = 0; i < WRONGS; i++)
		n += atomic_load(&w->wrongs[i]);
	return n;
}

/* Counts. */
void
world_count(struct world *w, enum world_count what)
{
	atomic_fetch_add(&w->counts[what], 1);
}

/* Asks the simulated Bluejay. */
void
world_ask_sandbox(struct world *w, const char *method, const char *path, const char *body,
    struct wire_answer *a)
{
	wire_ask(w->sandbox_port, method, path, world_sandbox_key, body, WORLD_UP_MS, a);
}

/* Chooses the faults. */
void
world_faults(struct world *w, const char *json)
{
	struct wire_answer a;

	if (json == NULL)
		json = "{\"profile\":\"none\"}";
	world_note(w, "faults %s", json);
	world_ask_sandbox(w, "POST", "/__sandbox/faults", json, &a);
	ck_assert_msg(a.outcome == WIRE_ANSWERED && a.status == 200, "faults %s: %d %s", json, a.status,
	    a.body);
	wire_clear(&a);
}

/* Changes a generation and tells who waits for it. The lock does not cover the
 * start of the gateway: while it is down nobody reads its port. */
static void
world_turn(struct world *w, unsigned gateway)
{
	pthread_mutex_lock(&w->lock);
	w->gateways[gateway].generation++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

/* Starts a gateway. */
static void
world_start_gateway(struct world *w, unsigned gateway)
{
	struct world_gateway *g = &w->gateways[gateway];
	const char *const args[] = {"serve", "--config", w->config, "--listen", "127.0.0.1:0",
	    "--admin-listen", "127.0.0.1:0", w->database == NULL ? "--data-dir" : NULL, w->data, NULL};

	program_start(&g->program, args);
	world_turn(w, gateway);
	world_note(w, "gateway %u up, log %s", gateway, g->program.log);
}

/* Kills it and starts it again. */
void
world_kill_gateway(struct world *w, unsigned gateway)
{
	world_turn(w, gateway);
	world_note(w, "gateway %u killed", gateway);
	program_kill(&w->gateways[gateway].program);
	world_count(w, COUNT_KILLS);
	world_start_gateway(w, gateway);
}

/* Ends all well. */
void
world_stop_gateways(struct world *w)
{
	for (unsigned g = 0; g < w->gateway_count; g++) {
		int code;

		world_turn(w, g);
		code = program_stop(&w->gateways[g].program);
		world_note(w, "gateway %u stopped with %d", g, code);
		if (code != 0)
			world_wrong(w, WRONG_ANSWER, "a gateway ended with %d after SIGTERM", code);
	}
}

/* Starts all. */
void
world_start_gateways(struct world *w)
{
	for (unsigned g = 0; g < w->gateway_count; g++)
		world_start_gateway(w, g);
}

/* The number of kills and starts. */
unsigned
world_generation(struct world *w, unsigned gateway, int *port)
{
	unsigned generation;

	pthread_mutex_lock(&w->lock);
	generation = w->gateways[gateway].generation;
	if (port != NULL && generation % 2 == 0)
		*port = w->gateways[gateway].program.port;
	pthread_mutex_unlock(&w->lock);
	return generation;
}

/* A moment from now, for waiting on the condition. */
static void
world_moment(int64_t ms, struct timespec *ts)
{
	clock_gettime(CLOCK_MONOTONIC, ts);
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += ms % 1000 * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000;
	}
}

/* The first gateway from a place on that is up; the place when none is. The lock is held. */
static unsigned
world_up_from(const struct world *w, unsigned from)
{
	unsigned g = from;

	for (unsigned i = 0; i < w->gateway_count && w->gateways[g].generation % 2 != 0; i++)
		g = (g + 1) % w->gateway_count;
	return g;
}

/* Chooses a gateway that is up. */
unsigned
world_choose(struct world *w, uint64_t *random, int *port, unsigned *generation)
{
	unsigned from = w->gateway_count > 1 ? world_pick(random, w->gateway_count) : 0, g;
	struct timespec until;

	world_moment(WORLD_UP_MS, &until);
	pthread_mutex_lock(&w->lock);
	while (w->gateways[g = world_up_from(w, from)].generation % 2 != 0)
		if (pthread_cond_timedwait(&w->changed, &w->lock, &until) != 0)
			break;
	*port = w->gateways[g].program.port;
	*generation = w->gateways[g].generation;
	pthread_mutex_unlock(&w->lock);
	return g;
}

/* Lets time pass. */
bool
world_pass(struct world *w, int64_t ms)
{
	struct timespec until;

	world_moment(ms, &until);
	pthread_mutex_lock(&w->lock);
	while (!atomic_load(&w->stop))
		if (pthread_cond_timedwait(&w->changed, &w->lock, &until) != 0)
			break;
	pthread_mutex_unlock(&w->lock);
	return !atomic_load(&w->stop);
}

/* Writes the gateways' file. */
static void
world_write_config(struct world *w)
{
	char store[400] = "";
	const char *path;

	if (w->database != NULL)
		snprintf(store, sizeof store, "store: {kind: postgresql, url: '%s'}\n",
		    database_url(w->database));
	path = scratch_file("gateway.yaml",
	    "%s"
	    "bluejay:\n"
	    "  url: http://127.0.0.1:%d\n"
	    "  api_key: sandbox\n"
	    "  timeouts: {connect: 1s, first_byte: 1s, total: %s}\n"
	    "  settle: {grace: %s}\n"
	    "  cache: {fresh: 100ms}\n"
	    "drain: 5s\n"
	    "log: {level: info, format: text}\n"
	    "projects:\n"
	    "  a: {agent_id: 11}\n"
	    "  b: {agent_id: 12}\n"
	    "  c: {agent_id: 13}\n"
	    "  d: {agent_id: 14}\n"
	    "  plain: {}\n",
	    store, w->sandbox_port, w->options->lag ? "8s" : "3s",
	    w->options->lag ? "2500ms" : "300ms");
	snprintf(w->config, sizeof w->config, "%s", path);
}

/* Starts everything. */
void
world_start(struct world *w, const struct torture_options *o)
{
	static const struct world_project projects[WORLD_PROJECTS] = {{"a", 11}, {"b", 12}, {"c", 13},
	    {"d", 14}, {"plain", 0}};
	const char *const args[] = {"sandbox", NULL};
	pthread_condattr_t attr;
	char path[300];

	memset(w, 0, sizeof *w);
	w->options = o;
	memcpy(w->projects, projects, sizeof projects);
	w->started = wire_now();
	w->patience = (o->lag ? 8000 : 3000) + 7000;
	w->gateway_count = o->gateways > 0 ? o->gateways : 1;
	for (unsigned g = 0; g < w->gateway_count; g++)
		w->gateways[g].generation = 1;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);
	snprintf(w->where, sizeof w->where, "%s", scratch_dir());
	snprintf(path, sizeof path, "%s/journal", w->where);
	w->journal = fopen(path, "w");
	ck_assert_ptr_nonnull(w->journal);
	snprintf(w->data, sizeof w->data, "%s/data", w->where);
	w->sandbox_port = o->upstream;
	if (o->upstream == 0) {
		program_start(&w->sandbox, args);
		w->sandbox_port = w->sandbox.port;
	}
	if (o->gateways > 0)
		w->database = database_start(w);
	world_write_config(w);
	world_start_gateways(w);
}

/* Ends everything. */
void
world_stop(struct world *w)
{
	if (w->options->upstream == 0)
		program_stop(&w->sandbox);
	database_end(w->database);
	fclose(w->journal);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}
