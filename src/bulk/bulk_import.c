#include "config.h"

#include "bulk/bulk_import.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "bulk/bulk_fetch.h"
#include "bulk/bulk_send.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define BULK_IMPORT_TURN 200       /* personas that are looked at before others get their turn */
#define BULK_IMPORT_SYNC_MS 250    /* between two syncs of the journal */
#define BULK_IMPORT_RELISTS 3      /* listings that are fetched for one persona */

/* One persona that is under way. */
struct bulk_job {
	struct bulk_import *owner;
	struct bulk_item item;
	uint64_t before; /* of its name, see bulk_plan_meet() */
	bool same;
	struct bulk_decision decision;
	struct bulk_send *send;
	bool unsure;     /* an earlier write may have done it */
	unsigned relists;
	bool waits; /* for a listing */
	TAILQ_ENTRY(bulk_job) link;
};

struct bulk_import {
	struct bulk_import_config cfg;
	struct bulk_plan *plan;
	struct bulk_reader *reader;
	struct bulk_pace pace;
	char run[UUID_SIZE]; /* without a journal: of this run */
	TAILQ_HEAD(, bulk_job) jobs;
	unsigned running;
	bool read_all, ended;
	struct bulk_fetch *relist;
	struct loop_timer turn, sync;
	struct event *readable; /* of a pipe that had nothing */
	struct bulk_import_state state;
	struct fail why;
};

static void bulk_import_carry_out(struct bulk_job *);

/* The name of an outcome. */
const char *
bulk_outcome_name(enum bulk_outcome o)
{
	static const char *const names[] = {"created", "renamed", "updated", "same", "earlier", "skipped",
	    "failed"};

	return names[o];
}

/* Tells what it came to by now. */
void
bulk_import_state(const struct bulk_import *im, struct bulk_import_state *out)
{
	*out = im->state;
	out->bytes = (uint64_t)bulk_reader_at(im->reader);
	out->early = !im->read_all || im->state.left > 0;
	out->why = im->why.text[0] != '\0' ? im->why.text : NULL;
}

/* ---- the end ---- */

/* Has the import look at itself when the loop turns. */
static void
bulk_import_wake(struct bulk_import *im)
{
	if (!im->ended)
		loop_timer_set(&im->turn, 0);
}

/* Ends early, for a reason (NULL: it was asked for). The first one counts. */
static void
bulk_import_halt(struct bulk_import *im, const char *why)
{
	struct bulk_job *job;

	if (im->pace.stopping)
		return;
	im->pace.stopping = true;
	if (why != NULL)
		fail_set(&im->why, "%s", why);
	TAILQ_FOREACH(job, &im->jobs, link)
		if (job->send != NULL)
			bulk_send_hurry(job->send);
	bulk_import_wake(im);
}

/* A stop. */
void
bulk_import_stop(struct bulk_import *im)
{
	bulk_import_halt(im, NULL);
}

/* Syncs the journal. */
static void
bulk_import_sync(struct bulk_import *im)
{
	struct fail f;

	if (im->cfg.journal != NULL && !im->cfg.dry_run && bulk_journal_sync(im->cfg.journal, &f) < 0)
		bulk_import_halt(im, f.text);
}

/* It is time to sync. */
static void
bulk_import_on_sync(void *arg)
{
	struct bulk_import *im = arg;

	bulk_import_sync(im);
	loop_timer_set(&im->sync, BULK_IMPORT_SYNC_MS);
}

/* Frees a job. */
static void
bulk_job_free(struct bulk_job *job)
{
	TAILQ_REMOVE(&job->owner->jobs, job, link);
	job->owner->running--;
	bulk_decision_clear(&job->decision);
	bulk_item_clear(&job->item);
	free(job);
}

/* Tells an outcome. */
static void
bulk_import_tell(struct bulk_import *im, const struct bulk_told *told)
{
	im->state.told[told->outcome]++;
	im->state.items++;
	im->cfg.told(im->cfg.arg, told);
}

/* Whether a persona is done for every later run. A repeated one says nothing about the first;
 * what was left alone, another policy may not. */
static bool
bulk_job_is_done(const struct bulk_job *job, enum bulk_outcome outcome)
{
	return job->owner->cfg.journal != NULL && !job->owner->cfg.dry_run && outcome < BULK_EARLIER &&
	    !(job->before != 0 && job->same);
}

/* A job is over: tells, notes, and frees it. */
static void
bulk_job_end(struct bulk_job *job, enum bulk_outcome outcome, const char *id, const char *why)
{
	struct bulk_import *im = job->owner;
	const struct bulk_decision *d = &job->decision;
	struct bulk_told told = {.outcome = outcome, .line = job->item.line, .name = job->item.name,
	    .name_len = job->item.name_len, .id = id, .why = why,
	    .differ = d->differ.count > 0 ? &d->differ : NULL};

	if (d->renamed && d->body != NULL && outcome != BULK_FAILED) {
		struct json_object *name = json_object_object_get(d->body, "name");

		told.new_name = json_object_get_string(name);
		told.new_name_len = (size_t)json_object_get_string_len(name);
	}
	if (bulk_job_is_done(job, outcome))
		bulk_journal_add(im->cfg.journal, job->item.digest, bulk_outcome_name(outcome),
		    job->item.name, job->item.name_len, id);
	bulk_import_tell(im, &told);
	bulk_job_free(job);
	bulk_import_wake(im);
}

/* A job was interrupted. */
static void
bulk_job_leave(struct bulk_job *job)
{
	struct bulk_import *im = job->owner;

	im->state.left++;
	bulk_job_free(job);
	bulk_import_wake(im);
}

/* ---- the listing once more ---- */

/* Goes on with the jobs that waited for a listing. */
static void
bulk_import_go_on(struct bulk_import *im)
{
	struct bulk_job *job, *next;

	for (job = TAILQ_FIRST(&im->jobs); job != NULL; job = next) {
		next = TAILQ_NEXT(job, link);
		if (!job->waits)
			continue;
		job->waits = false;
		if (im->pace.stopping)
			bulk_job_leave(job);
		else
			bulk_import_carry_out(job);
	}
}

/* What the target has by now is there. */
static void
bulk_import_on_listing(void *arg, const struct bulk_fetched *got)
{
	struct bulk_import *im = arg;
	struct bulk_index *target = NULL;
	struct fail f;

	im->relist = NULL;
	if (got->fd >= 0)
		target = bulk_index_read(got->fd, BULK_FORM_JSON, "name", bulk_site_name(im->cfg.to), &f);
	else
		fail_set(&f, "%s", got->why);
	if (target == NULL)
		bulk_import_halt(im, f.text);
	else
		bulk_plan_set_target(im->plan, target);
	bulk_import_go_on(im);
}

/* The target is not what it was when it was listed: it is listed again, once for all that
 * wait by then. */
static void
bulk_job_relist(struct bulk_job *job, const char *why)
{
	struct bulk_import *im = job->owner;

	if (job->relists++ == BULK_IMPORT_RELISTS) {
		bulk_job_end(job, BULK_FAILED, NULL, why);
		return;
	}
	job->waits = true;
	if (im->relist != NULL)
		bulk_fetch_cancel(im->relist); /* it may have begun before what this job has seen */
	im->relist = bulk_fetch_start(im->cfg.to, bulk_import_on_listing, im);
}

/* ---- one persona ---- */

/* The write of a job has come to an end. */
static void
bulk_job_on_sent(void *arg, const struct bulk_sent_result *r)
{
	struct bulk_job *job = arg;
	struct bulk_import *im = job->owner;
	const struct bulk_decision *d = &job->decision;

	job->send = NULL;
	job->unsure |= r->unsure;
	switch (r->what) {
	case BULK_SENT_DONE:
		bulk_job_end(job, d->todo == BULK_TODO_UPDATE ? BULK_UPDATED :
		    d->renamed ? BULK_RENAMED : BULK_CREATED, r->id != NULL ? r->id : d->id, NULL);
		return;
	case BULK_SENT_TAKEN:
	case BULK_SENT_GONE:
		bulk_job_relist(job, r->why);
		return;
	case BULK_SENT_DENIED:
	case BULK_SENT_AWAY:
		bulk_import_halt(im, r->why);
		bulk_job_end(job, BULK_FAILED, NULL, r->why);
		return;
	case BULK_SENT_REFUSED:
		bulk_job_end(job, BULK_FAILED, NULL, r->why);
		return;
	case BULK_SENT_LEFT:
		break;
	}
	bulk_job_leave(job);
}

/* Sends what a job is to write. Its key is of the run and of what is sent. */
static void
bulk_job_send(struct bulk_job *job)
{
	struct bulk_import *im = job->owner;
	const struct bulk_decision *d = &job->decision;
	const char *run = im->cfg.journal != NULL ? bulk_journal_run(im->cfg.journal) : im->run;
	unsigned char digest[BULK_DIGEST_SIZE];
	char text[BULK_DIGEST_TEXT_SIZE], *key;
	size_t len;
	char *body = json_print(d->body, &len);
	struct bulk_send_what what = {.method = "POST", .body = body, .len = len};

	bulk_digest(body, len, digest);
	bulk_digest_text(digest, text);
	key = mem_format("%s-%s", run, text);
	if (d->todo == BULK_TODO_UPDATE) {
		what.method = "PUT";
		what.id = d->id;
	} else {
		what.key = key;
	}
	job->send = bulk_send_start(&im->pace, &what, bulk_job_on_sent, job);
	free(key);
	free(body);
}

/* Nothing is to be written, or nothing may be: tells what would be, or is. */
static void
bulk_job_settle(struct bulk_job *job)
{
	const struct bulk_decision *d = &job->decision;
	enum bulk_outcome outcome = BULK_SAME;

	switch (d->todo) {
	case BULK_TODO_CREATE:
		outcome = d->renamed ? BULK_RENAMED : BULK_CREATED;
		break;
	case BULK_TODO_UPDATE:
		outcome = BULK_UPDATED;
		break;
	case BULK_TODO_NOTHING:
		if (job->unsure) /* it is there since we sent it */
			outcome = d->renamed ? BULK_RENAMED : BULK_CREATED;
		break;
	case BULK_TODO_SKIP:
		outcome = BULK_SKIPPED;
		break;
	case BULK_TODO_REFUSE:
		outcome = BULK_FAILED;
		break;
	}
	bulk_job_end(job, outcome, d->id, outcome == BULK_FAILED ? d->why.text : NULL);
}

/* Decides what is to be done, and begins it. */
static void
bulk_import_carry_out(struct bulk_job *job)
{
	struct bulk_import *im = job->owner;
	struct bulk_decision *d = &job->decision;
	struct fail f;

	bulk_decision_clear(d);
	if (!bulk_plan_decide(im->plan, &job->item, job->before, job->same, d, &f)) {
		bulk_import_halt(im, f.text);
		bulk_job_leave(job);
		return;
	}
	if (!im->cfg.dry_run && (d->todo == BULK_TODO_CREATE || d->todo == BULK_TODO_UPDATE))
		bulk_job_send(job);
	else
		bulk_job_settle(job);
}

/* A persona of the source. */
static void
bulk_import_take(struct bulk_import *im, const struct bulk_piece *piece)
{
	struct bulk_job *job;
	struct bulk_item item;
	struct fail f;
	bool good = bulk_item_read(&item, piece->text, piece->len, &f);

	if (good && item.name_len == 0) {
		fail_set(&f, "has no name");
		bulk_item_clear(&item);
		good = false;
	}
	if (!good) {
		bulk_import_tell(im, &(struct bulk_told){.outcome = BULK_FAILED, .line = piece->line,
		    .why = f.text});
		return;
	}
	item.line = piece->line;
	job = mem_zero(1, sizeof *job);
	job->owner = im;
	job->item = item;
	TAILQ_INSERT_TAIL(&im->jobs, job, link);
	im->running++;
	job->before = bulk_plan_meet(im->plan, &job->item, &job->same);
	if (im->cfg.journal != NULL && bulk_journal_has(im->cfg.journal, item.digest))
		bulk_job_end(job, BULK_EARLIER, NULL, NULL);
	else
		bulk_import_carry_out(job);
}

/* ---- the source ---- */

/* A pipe has something. */
static void
bulk_import_on_readable(evutil_socket_t fd, short what, void *arg)
{
	bulk_import_wake(arg);
}

/* Waits until a pipe has something. */
static void
bulk_import_wait(struct bulk_import *im)
{
	if (im->readable == NULL)
		im->readable = event_new(loop_base(im->cfg.loop), im->cfg.from, EV_READ,
		    bulk_import_on_readable, im);
	if (im->readable != NULL)
		event_add(im->readable, NULL);
}

/* Takes the next persona; false when there is none now. */
static bool
bulk_import_next(struct bulk_import *im)
{
	struct bulk_piece piece;
	struct fail f;

	switch (bulk_reader_next(im->reader, &piece)) {
	case BULK_READ_PIECE:
		bulk_import_take(im, &piece);
		return true;
	case BULK_READ_LONG:
		fail_set(&f, "is longer than %zu MiB", BULK_ITEM_MAX >> 20);
		bulk_import_tell(im, &(struct bulk_told){.outcome = BULK_FAILED, .line = piece.line,
		    .why = f.text});
		return true;
	case BULK_READ_WAIT:
		bulk_import_wait(im);
		return false;
	case BULK_READ_END:
		im->read_all = true;
		return false;
	case BULK_READ_BROKEN:
		fail_set(&f, "the source cannot be read behind line %llu: %s", (unsigned long long)piece.line,
		    piece.why);
		bulk_import_halt(im, f.text);
		break;
	}
	return false;
}

/* Begins what may begin, and ends when everything has. */
static void
bulk_import_on_turn(void *arg)
{
	struct bulk_import *im = arg;
	unsigned n = 0;

	while (!im->pace.stopping && !im->read_all && im->running < im->cfg.jobs) {
		if (n++ == BULK_IMPORT_TURN) {
			bulk_import_wake(im);
			return;
		}
		if (!bulk_import_next(im))
			break;
	}
	if (im->pace.stopping && im->relist != NULL) {
		bulk_fetch_cancel(im->relist);
		im->relist = NULL;
		bulk_import_go_on(im);
	}
	if (im->running > 0 || (!im->read_all && !im->pace.stopping))
		return;
	bulk_import_sync(im);
	im->ended = true;
	loop_timer_cancel(&im->turn);
	loop_timer_cancel(&im->sync);
	im->cfg.over(im->cfg.arg);
}

/* Starts. */
struct bulk_import *
bulk_import_start(const struct bulk_import_config *cfg)
{
	struct bulk_import *im = mem_zero(1, sizeof *im);

	im->cfg = *cfg;
	im->plan = bulk_plan_new(cfg->policy);
	bulk_plan_set_target(im->plan, cfg->target);
	im->reader = bulk_reader_new(cfg->from, cfg->form, BULK_ITEM_MAX);
	im->pace.loop = cfg->loop;
	im->pace.site = cfg->to;
	uuid_make(im->run);
	TAILQ_INIT(&im->jobs);
	loop_timer_init(&im->turn, cfg->loop, bulk_import_on_turn, im);
	loop_timer_init(&im->sync, cfg->loop, bulk_import_on_sync, im);
	loop_timer_set(&im->sync, BULK_IMPORT_SYNC_MS);
	bulk_import_wake(im);
	return im;
}

/* Frees it. */
void
bulk_import_free(struct bulk_import *im)
{
	struct bulk_job *job;

	if (im == NULL)
		return;
	if (im->relist != NULL)
		bulk_fetch_cancel(im->relist);
	while ((job = TAILQ_FIRST(&im->jobs)) != NULL) {
		if (job->send != NULL)
			bulk_send_cancel(job->send);
		bulk_job_free(job);
	}
	loop_timer_cancel(&im->turn);
	loop_timer_cancel(&im->sync);
	if (im->readable != NULL)
		event_free(im->readable);
	bulk_plan_free(im->plan);
	bulk_reader_free(im->reader);
	free(im);
}
