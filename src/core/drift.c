#include "config.h"

#include "core/drift.h"
#include "base/mem.h"
#include "base/metric_text.h"
#include "base/timestamp.h"
#include "json/json_text.h"
#include "mapping/mapping_drift.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#define DRIFT_KINDS (MAPPING_DRIFT_RETYPED + 1)
#define DRIFT_KEY_MIN 8 /* bytes: shorter ones stand in many words */
#define DRIFT_LOOK_MS INT64_C(60000) /* how often it is looked for what is over */

/* One difference. */
struct drift_path {
	enum mapping_drift_kind kind;
	char *path;
	const char *declared, *seen; /* of the last time; text of the program */
	uint64_t count;
	int64_t first_wall, last_wall;
	int64_t last; /* loop_now() */
	bool current; /* not over */
	UT_hash_handle hh;
};

/* What is known of one resource. */
struct drift_resource {
	char *name;
	uint64_t answers, items; /* compared */
	struct drift_path *paths[DRIFT_KINDS]; /* hashes by path, in the order of first sight */
	uint64_t beyond[DRIFT_KINDS];          /* differences at paths that are not remembered */
	int64_t looked; /* loop_now(): when it was looked for what is over */
	STAILQ_ENTRY(drift_resource) link;
};

struct drift {
	struct loop *loop;
	struct log *log;
	STAILQ_HEAD(, drift_resource) resources; /* as many as the configuration has */
};

/* A comparison that runs. */
struct drift_run {
	struct drift *drift;
	struct drift_resource *resource;
	const struct project *project; /* that asked */
	bool differs;
};

/* Makes one that knows nothing. */
struct drift *
drift_new(struct loop *loop, struct log *log)
{
	struct drift *d = mem_zero(1, sizeof *d);

	d->loop = loop;
	d->log = log;
	STAILQ_INIT(&d->resources);
	return d;
}

/* Frees the paths of one kind. */
static void
drift_free_paths(struct drift_path *paths)
{
	struct drift_path *p, *next;

	HASH_ITER(hh, paths, p, next) {
		HASH_DEL(paths, p);
		free(p->path);
		free(p);
	}
}

/* Frees everything; NULL is fine. */
void
drift_free(struct drift *d)
{
	struct drift_resource *r;

	if (d == NULL)
		return;
	while ((r = STAILQ_FIRST(&d->resources)) != NULL) {
		STAILQ_REMOVE_HEAD(&d->resources, link);
		for (unsigned kind = 0; kind < DRIFT_KINDS; kind++)
			drift_free_paths(r->paths[kind]);
		free(r->name);
		free(r);
	}
	free(d);
}

/* Finds a resource, or makes it. */
static struct drift_resource *
drift_resource(struct drift *d, const char *name)
{
	struct drift_resource *r;

	STAILQ_FOREACH(r, &d->resources, link)
		if (strcmp(r->name, name) == 0)
			return r;
	r = mem_zero(1, sizeof *r);
	r->name = mem_string(name);
	r->looked = loop_now(d->loop);
	STAILQ_INSERT_TAIL(&d->resources, r, link);
	return r;
}

/* Logs a difference. A new member breaks nothing. */
static void
drift_log(const struct drift *d, const struct drift_resource *r, const struct drift_path *p)
{
	log_with(d->log, p->kind == MAPPING_DRIFT_NEW ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
	    "Bluejay's answers differ from what is declared", LOG_S("resource", r->name),
	    LOG_S("kind", mapping_drift_name(p->kind)), LOG_S("path", p->path),
	    LOG_S("declared", p->declared), LOG_S("seen", p->seen));
}

/* Whether a path holds a key, written as paths are: with a "\\" before some bytes. */
static bool
drift_holds(const char *path, const char *key)
{
	char *plain;
	size_t n = 0;
	bool holds;

	if (key == NULL || strlen(key) < DRIFT_KEY_MIN)
		return false;
	plain = mem_string(path);
	for (const char *p = path; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		plain[n++] = *p;
	}
	plain[n] = '\0';
	holds = strstr(plain, key) != NULL;
	mem_wipe_free(plain);
	return holds;
}

/* What is shown of a path. */
const char *
drift_shown(const struct project *p, const char *path)
{
	return drift_holds(path, p->api_key) || drift_holds(path, p->earlier_key) ? "(key)" : path;
}

/* Finds a path, or makes it; NULL, counted and once logged, when there are too many. */
static struct drift_path *
drift_path(struct drift_run *run, const struct mapping_drift *seen)
{
	struct drift_resource *r = run->resource;
	struct drift_path **paths = &r->paths[seen->kind], *p;
	const char *path = drift_shown(run->project, seen->path);

	HASH_FIND_STR(*paths, path, p);
	if (p != NULL)
		return p;
	if (HASH_COUNT(*paths) == DRIFT_PATHS) {
		if (r->beyond[seen->kind]++ == 0)
			log_warn(run->drift->log, "Bluejay's answers differ at more paths than are "
			    "remembered", LOG_S("resource", r->name),
			    LOG_S("kind", mapping_drift_name(seen->kind)));
		return NULL;
	}
	p = mem_zero(1, sizeof *p);
	p->kind = seen->kind;
	p->path = mem_string(path);
	p->first_wall = loop_wall(run->drift->loop);
	HASH_ADD_KEYPTR(hh, *paths, p->path, strlen(p->path), p);
	return p;
}

/* Counts one difference. */
static void
drift_on_difference(void *arg, const struct mapping_drift *seen)
{
	struct drift_run *run = arg;
	struct drift_path *p = drift_path(run, seen);

	run->differs = true;
	if (p == NULL)
		return;
	p->count++;
	p->declared = seen->declared;
	p->seen = seen->seen;
	p->last = loop_now(run->drift->loop);
	p->last_wall = loop_wall(run->drift->loop);
	if (!p->current)
		drift_log(run->drift, run->resource, p);
	p->current = true;
}

/* Notes which differences are over: answers came, and did not show them for long. */
static void
drift_look(struct drift *d, struct drift_resource *r)
{
	int64_t now = loop_now(d->loop);

	if (now - r->looked < DRIFT_LOOK_MS)
		return;
	r->looked = now;
	for (unsigned kind = 0; kind < DRIFT_KINDS; kind++) {
		for (struct drift_path *p = r->paths[kind]; p != NULL; p = p->hh.next) {
			if (!p->current || now - p->last < DRIFT_OVER_MS)
				continue;
			p->current = false;
			log_info(d->log, "Bluejay's answers no longer differ from what is declared",
			    LOG_S("resource", r->name), LOG_S("kind", mapping_drift_name(p->kind)),
			    LOG_S("path", p->path));
		}
	}
}

/* Begins a comparison. */
static struct drift_run
drift_begin(struct drift *d, const struct project *p)
{
	struct drift_run run = {d, drift_resource(d, p->resource->plural), p, false};

	run.resource->answers++;
	return run;
}

/* Compares one thing. */
bool
drift_item(struct drift *d, const struct project *p, struct json_object *item)
{
	struct drift_run run = drift_begin(d, p);

	run.resource->items++;
	mapping_drift_item(p->mapping, item, drift_on_difference, &run);
	drift_look(d, run.resource);
	return !run.differs;
}

/* Counts an answer more that is as declared. */
void
drift_alike(struct drift *d, const struct project *p, size_t items)
{
	struct drift_run run = drift_begin(d, p);

	run.resource->items += items;
	drift_look(d, run.resource);
}

/* Compares the things of a listing that may differ. One without things shows nothing. */
bool
drift_listed(struct drift *d, const struct project *p, size_t items,
    struct json_object *const *others, size_t count)
{
	struct drift_run run = drift_begin(d, p);

	run.resource->items += items;
	for (size_t i = 0; i < count; i++)
		mapping_drift_item(p->mapping, others[i], drift_on_difference, &run);
	if (items > 0)
		drift_look(d, run.resource);
	return !run.differs;
}

/* Compares a listing. One without things shows nothing of them. */
struct json_object *
drift_list(struct drift *d, const struct project *p, struct json_object *listing, bool *alike)
{
	struct drift_run run = drift_begin(d, p);
	struct json_object *items;
	size_t count;

	items = mapping_drift_list(p->mapping, listing, drift_on_difference, &run);
	count = items == NULL ? 0 : json_object_array_length(items);
	run.resource->items += count;
	if (count > 0)
		drift_look(d, run.resource);
	*alike = !run.differs;
	return items;
}

/* Appends a member whose value is a text; nothing when there is none. */
static void
drift_print_text(struct buf *b, const char *key, const char *text)
{
	if (text == NULL)
		return;
	buf_addf(b, ",\"%s\":", key);
	json_add_string(b, text, strlen(text));
}

/* Appends a member whose value is a time. */
static void
drift_print_time(struct buf *b, const char *key, int64_t wall)
{
	char text[TIMESTAMP_SIZE];

	timestamp_format(wall, text);
	drift_print_text(b, key, text);
}

/* Appends one difference. */
static void
drift_print_path(struct buf *b, const struct drift_path *p)
{
	buf_addf(b, "{\"kind\":\"%s\"", mapping_drift_name(p->kind));
	drift_print_text(b, "path", p->path);
	drift_print_text(b, "declared", p->declared);
	drift_print_text(b, "seen", p->seen);
	buf_addf(b, ",\"count\":%" PRIu64 ",\"current\":%s", p->count,
	    p->current ? "true" : "false");
	drift_print_time(b, "firstSeenAt", p->first_wall);
	drift_print_time(b, "lastSeenAt", p->last_wall);
	buf_addc(b, '}');
}

/* Appends one resource. */
static void
drift_print_resource(struct buf *b, const struct drift_resource *r)
{
	uint64_t beyond = 0;
	const char *comma = "";

	buf_addf(b, "{\"resource\":");
	json_add_string(b, r->name, strlen(r->name));
	buf_addf(b, ",\"answers\":%" PRIu64 ",\"items\":%" PRIu64 ",\"differences\":[", r->answers,
	    r->items);
	for (unsigned kind = 0; kind < DRIFT_KINDS; kind++) {
		for (const struct drift_path *p = r->paths[kind]; p != NULL; p = p->hh.next) {
			buf_adds(b, comma);
			drift_print_path(b, p);
			comma = ",";
		}
		beyond += r->beyond[kind];
	}
	buf_addf(b, "],\"beyond\":%" PRIu64 "}", beyond);
}

/* Appends everything. */
void
drift_print(const struct drift *d, struct buf *b)
{
	const struct drift_resource *r;
	const char *comma = "";

	buf_adds(b, "{\"resources\":[");
	STAILQ_FOREACH(r, &d->resources, link) {
		buf_adds(b, comma);
		drift_print_resource(b, r);
		comma = ",";
	}
	buf_adds(b, "]}");
}

/* Appends the counts. */
void
drift_metrics(const struct drift *d, struct buf *b)
{
	static const char name[] = "persona_gateway_upstream_drift_total";
	const struct drift_resource *r;

	metric_text_family(b, name, "counter",
	    "Times that an answer of Bluejay differed from what it is declared to hold, by kind and "
	    "path.");
	STAILQ_FOREACH(r, &d->resources, link) {
		for (unsigned kind = 0; kind < DRIFT_KINDS; kind++) {
			const char *what = mapping_drift_name((enum mapping_drift_kind)kind);

			for (const struct drift_path *p = r->paths[kind]; p != NULL; p = p->hh.next)
				metric_text_sample(b, name, METRIC_LABEL("resource", r->name, "kind", what,
				    "path", p->path), p->count);
			if (r->beyond[kind] > 0)
				metric_text_sample(b, name, METRIC_LABEL("resource", r->name, "kind", what,
				    "path", "(other)"), r->beyond[kind]);
		}
	}
}
