#include "config.h"

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
	    "answer", "hung"};
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

/* Changes the generation and tells who waits for it. The lock does not cover the
 * start of the gateway: while it is down nobody reads its port. */
static void
world_turn(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	w->generation++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

/* Starts the gateway. */
void
world_start_gateway(struct world *w)
{
	const char *const args[] = {"serve", "--config", w->config, "--data-dir", w->data, "--listen",
	    "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};

	program_start(&w->gateway, args);
	world_turn(w);
	world_note(w, "gateway up, log %s", w->gateway.log);
}

/* Kills it and starts it again. */
void
world_kill_gateway(struct world *w)
{
	world_turn(w);
	world_note(w, "gateway killed");
	program_kill(&w->gateway);
	world_count(w, COUNT_KILLS);
	world_start_gateway(w);
}

/* Ends it well. */
void
world_stop_gateway(struct world *w)
{
	int code;

	world_turn(w);
	code = program_stop(&w->gateway);
	world_note(w, "gateway stopped with %d", code);
	if (code != 0)
		world_wrong(w, WRONG_ANSWER, "the gateway ended with %d after SIGTERM", code);
}

/* The number of kills and starts. */
unsigned
world_generation(struct world *w, int *port)
{
	unsigned generation;

	pthread_mutex_lock(&w->lock);
	generation = w->generation;
	if (port != NULL && generation % 2 == 0)
		*port = w->gateway.port;
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

/* Waits until the gateway is up. */
void
world_wait_up(struct world *w)
{
	struct timespec until;

	world_moment(WORLD_UP_MS, &until);
	pthread_mutex_lock(&w->lock);
	while (w->generation % 2 != 0)
		if (pthread_cond_timedwait(&w->changed, &w->lock, &until) != 0)
			break;
	pthread_mutex_unlock(&w->lock);
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

/* Writes the gateway's file. */
static void
world_write_config(struct world *w)
{
	const char *path = scratch_file("gateway.yaml",
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
	    w->sandbox_port, w->options->lag ? "8s" : "3s", w->options->lag ? "2500ms" : "300ms");

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
	w->generation = 1;
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
	world_write_config(w);
	world_start_gateway(w);
}

/* Ends everything. */
void
world_stop(struct world *w)
{
	if (w->options->upstream == 0)
		program_stop(&w->sandbox);
	fclose(w->journal);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}
