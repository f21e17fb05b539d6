#include "config.h"

#include "base/loop.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "store/store.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * What the store costs on this disk: whole creates (begin and settle, each
 * durable) with some callers at once, a read's latency, a list of 1,000, and
 * opening with many personas. Usage: store_bench FOLDER [personas]
 */
#define BENCH_SCOPE "agent:0190a1b2-0000-7000-8000-000000000001"

struct bench {
	struct loop *loop;
	struct store *store;
	struct store_port *port;
	int64_t left, running;
};

/* One caller that makes a persona after the other. */
struct caller {
	struct bench *bench;
	char id[UUID_SIZE];
};

/* Seconds on a clock that only goes on. */
static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Kilobytes that this process has in memory. */
static long
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size = 0, pages = 0;

	if (f != NULL && fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Opens the store of a folder; ends the program when that fails. */
static void
bench_open(struct bench *b, const char *dir)
{
	struct store_options options = {.dir = dir};
	struct fail f;

	b->store = store_open(&options, &f);
	if (b->store == NULL) {
		fprintf(stderr, "%s\n", f.text);
		exit(1);
	}
	b->port = store_port_open(b->store, b->loop);
}

/* Closes the store. */
static void
bench_close(struct bench *b)
{
	store_port_close(b->port);
	store_close(b->store);
}

/* A record of the usual size. */
static struct store_record
bench_record(char *id)
{
	static char content[900];

	if (content[0] == '\0')
		memset(content, 'x', sizeof content - 1);
	return (struct store_record){
	    .scope = (char *)(uintptr_t)BENCH_SCOPE,
	    .local_id = id,
	    .upstream_id = id,
	    .name = id,
	    .content = content,
	    .fingerprint = id,
	};
}

static void caller_begin(struct caller *);

/* The persona exists: the next one. */
static void
caller_settled(void *arg, struct store_reply *reply)
{
	struct caller *c = arg;

	if (reply->status != STORE_OK)
		abort();
	caller_begin(c);
}

/* The intent is recorded: settles it. */
static void
caller_begun(void *arg, struct store_reply *reply)
{
	struct caller *c = arg;
	struct store_record r = bench_record(c->id);

	if (reply->status != STORE_OK)
		abort();
	store_create_settle(c->bench->port, c->id, &r, NULL, caller_settled, c);
}

/* Begins a create, if there is one left. */
static void
caller_begin(struct caller *c)
{
	struct store_intent i = {.operation = STORE_CREATE};
	struct store_create create = {.intent = &i};

	if (c->bench->left-- <= 0) {
		c->bench->running--;
		free(c);
		return;
	}
	uuid_make(c->id);
	i.id = c->id;
	i.name = c->id;
	i.fingerprint = c->id;
	i.scope = (char *)(uintptr_t)BENCH_SCOPE;
	i.sent = bench_record(c->id).content;
	store_create_begin(c->bench->port, &create, caller_begun, c);
}

/* Makes personas with some callers at once. */
static void
bench_creates(struct bench *b, int callers, int count)
{
	struct store_stats before, after;
	double start = now(), took;

	store_stats(b->store, &before);
	b->left = count;
	b->running = callers;
	for (int k = 0; k < callers; k++) {
		struct caller *c = mem_zero(1, sizeof *c);

		c->bench = b;
		caller_begin(c);
	}
	while (b->running > 0)
		loop_turn(b->loop, true);
	took = now() - start;
	store_stats(b->store, &after);
	printf("creates, %3d at once: %8.0f a second (%.2f ms each, %.1f writes a commit)\n", callers,
	    count / took, took * 1000 * callers / count,
	    (double)(after.writes - before.writes) / (double)(after.commits - before.commits));
}

/* Counts a reply and keeps an id for later. */
static void
bench_done(void *arg, struct store_reply *reply)
{
	--*(int64_t *)arg;
}

/* Reads single personas, one after the other, then lists. */
static void
bench_reads(struct bench *b, const char *scope, char (*ids)[UUID_SIZE], int count)
{
	double start = now();

	for (int k = 0; k < 20000; k++) {
		b->left = 1;
		store_get(b->port, scope, ids[k * 7919 % count], bench_done, &b->left);
		while (b->left > 0)
			loop_turn(b->loop, true);
	}
	printf("get, %d personas: %.1f us\n", count, (now() - start) / 20000 * 1e6);
	start = now();
	for (int k = 0; k < 50; k++) {
		b->left = 1;
		store_list(b->port, "agent:1000", bench_done, &b->left);
		while (b->left > 0)
			loop_turn(b->loop, true);
	}
	printf("list of 1000: %.2f ms\n", (now() - start) / 50 * 1e3);
}

/* Adopts many personas, a thousand at once; the first thousand in a scope of
 * their own. */
static void
bench_fill(struct bench *b, char (*ids)[UUID_SIZE], int count)
{
	struct store_record *r = mem_zero(1000, sizeof *r);
	double start = now();

	for (int k = 0; k < count; k++) {
		uuid_make(ids[k]);
		r[k % 1000] = bench_record(ids[k]);
		if (k % 1000 < 999)
			continue;
		b->left = 1;
		store_adopt(b->port, k < 1000 ? "agent:1000" : BENCH_SCOPE, r, 1000, 1, bench_done,
		    &b->left);
		while (b->left > 0)
			loop_turn(b->loop, true);
	}
	free(r);
	printf("adopted %d: %.2f s\n", count, now() - start);
}

/* Measures all of it. */
int
main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) / 1000 * 1000 : 100000;
	char (*ids)[UUID_SIZE];
	struct bench b = {.left = 0};
	double start;
	long memory;

	if (argc < 2 || count < 2000) {
		fprintf(stderr, "usage: store_bench FOLDER [personas, at least 2000]\n");
		return 2;
	}
	ids = mem_zero((size_t)count, sizeof *ids);
	b.loop = loop_new();
	memory = resident();
	bench_open(&b, argv[1]);
	printf("memory of an open store: %ld KiB\n", resident() - memory);
	bench_creates(&b, 1, 500);
	bench_creates(&b, 64, 20000);
	bench_fill(&b, ids, count);
	bench_creates(&b, 1, 500);
	bench_creates(&b, 64, 20000);
	bench_reads(&b, BENCH_SCOPE, ids + 1000, count - 1000);
	bench_close(&b);
	start = now();
	bench_open(&b, argv[1]);
	printf("open with %d: %.1f ms\n", count, (now() - start) * 1e3);
	bench_close(&b);
	loop_free(b.loop);
	free(ids);
	return 0;
}
