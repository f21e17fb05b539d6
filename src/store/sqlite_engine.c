#include "config.h"

#include "store/store_engine.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/thread.h"
#include "store/image_file.h"
#include "store/sqlite_file.h"
#include "store/sqlite_member.h"
#include "store/sqlite_operation.h"
#include "store/sqlite_schema.h"
#include "store/store_backup.h"
#include "store/store_port.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SQLITE_ENGINE_GROUP 512         /* writes in one transaction, at most */
#define SQLITE_ENGINE_STACK (256 << 10) /* bytes of a thread's stack */
#define SQLITE_ENGINE_PACE_US 2000      /* from the begin of a transaction to that of the next one */
#define SQLITE_ENGINE_IDLE_MS 100       /* without a write, until the writer tidies up */
#define SQLITE_ENGINE_WAL_PAGES 1000    /* a longer log is written back when idle */
#define SQLITE_ENGINE_WAL_MOST 8000     /* a longer one at once */

/* A thread with its connection and its queue. */
struct sqlite_worker {
	struct sqlite_engine *engine;
	struct sqlite_conn conn;
	pthread_t thread;
	bool running;
	int wal_pages;    /* writer: length of the log after the last commit */
	bool untidy;      /* writer: wrote since it was idle */
	bool ill;         /* the last call failed; only for the log's sake */
	uint64_t commits; /* not yet in stats */
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t more;
	struct store_calls queue;
	size_t queued;
	bool stop;
	struct store_stats stats;
};

struct sqlite_engine {
	struct store_engine base;
	struct sqlite_worker writer, reader;
	struct sqlite_worker files; /* reads and writes images' files; has no connection */
	bool has_reader; /* in memory, the writer does the reading too */
	char *folder;    /* of images' files; NULL: all images lie in the database */
	int lock_fd;
	struct log *log;
};

/* Why a call failed. */
static const char *
sqlite_engine_why(struct sqlite_worker *w, int rc)
{
	if (sqlite3_extended_errcode(w->conn.db) == rc)
		return sqlite3_errmsg(w->conn.db);
	return sqlite3_errstr(rc);
}

/* Answers a call UNAVAILABLE; the log hears of the first of a row of failures. */
static void
sqlite_engine_refuse(struct sqlite_worker *w, struct store_call *call, const char *why)
{
	store_reply_fail(&call->reply, why);
	if (!w->ill)
		log_error(w->engine->log, "store unavailable", LOG_S("reason", why));
	w->ill = true;
}

/* Notes that a call was done again. */
static void
sqlite_engine_well(struct sqlite_worker *w)
{
	if (w->ill)
		log_plain(w->engine->log, LOG_LEVEL_INFO, "store available again");
	w->ill = false;
}

/* Ends a transaction without effect, if SQLite has not done so already. */
static void
sqlite_engine_rollback(struct sqlite_worker *w)
{
	if (!sqlite3_get_autocommit(w->conn.db))
		sqlite_do_plain(&w->conn, SQL_ROLLBACK);
}

/* Does one call of a group. With `apart` it is done whole or not at all, and the reason of a
 * failure is kept in its reply. False when the transaction must be begun again. */
static bool
sqlite_engine_one(struct sqlite_worker *w, struct store_call *call, bool apart)
{
	int rc = apart ? sqlite_do_plain(&w->conn, SQL_SAVEPOINT) : SQLITE_OK;

	store_reply_clear(&call->reply);
	w->conn.member = store_port_member(call->port);
	if (rc == SQLITE_OK)
		rc = sqlite_operation_of(call->op)(&w->conn, call);
	if (rc == SQLITE_OK && apart)
		rc = sqlite_do_plain(&w->conn, SQL_RELEASE);
	if (rc == SQLITE_OK || !apart)
		return rc == SQLITE_OK;
	sqlite_engine_refuse(w, call, sqlite_engine_why(w, rc));
	if (sqlite3_get_autocommit(w->conn.db))
		return false;
	if (sqlite_do_plain(&w->conn, SQL_ROLLBACK_TO) == SQLITE_OK &&
	    sqlite_do_plain(&w->conn, SQL_RELEASE) == SQLITE_OK)
		return true;
	sqlite_engine_rollback(w);
	return false;
}

/* Refuses every call of a group that is not refused yet. */
static void
sqlite_engine_refuse_all(struct sqlite_worker *w, struct store_calls *group, int rc)
{
	char *why = mem_string(sqlite_engine_why(w, rc));
	struct store_call *call;

	STAILQ_FOREACH(call, group, link)
		if (call->reply.status != STORE_UNAVAILABLE)
			sqlite_engine_refuse(w, call, why);
	free(why);
}

/*
 * Does a group of calls in one transaction. Calls hardly ever fail, and a savepoint for
 * each costs a copy of every page that it changes: they get one when a first round without
 * has failed. A disk that fills up can make SQLite undo the whole transaction in the middle
 * of a call all the same: that call is refused and the others are done again from the
 * start, so each further round has one call less.
 */
static void
sqlite_engine_group(struct sqlite_worker *w, struct store_calls *group)
{
	int changes = sqlite3_total_changes(w->conn.db);
	struct store_call *call;
	bool whole, apart = false;
	int rc;

	do {
		rc = sqlite_do_plain(&w->conn, SQL_BEGIN);
		whole = true;
		STAILQ_FOREACH(call, group, link) {
			if (rc != SQLITE_OK || !whole)
				break;
			if (call->reply.status != STORE_UNAVAILABLE)
				whole = sqlite_engine_one(w, call, apart);
		}
		if (!whole)
			sqlite_engine_rollback(w);
		apart = true;
	} while (rc == SQLITE_OK && !whole);
	if (rc == SQLITE_OK)
		rc = sqlite_do_plain(&w->conn, SQL_COMMIT);
	if (rc == SQLITE_OK) {
		STAILQ_FOREACH(call, group, link)
			if (call->reply.status != STORE_UNAVAILABLE)
				sqlite_engine_well(w);
		w->commits += sqlite3_total_changes(w->conn.db) != changes;
		sqlite_member_tell(&w->conn);
		return;
	}
	sqlite_engine_refuse_all(w, group, rc);
	sqlite_engine_rollback(w);
}

/* Does reads, each on the newest state. */
static void
sqlite_engine_read(struct sqlite_worker *w, struct store_call *call)
{
	int rc = sqlite_do_plain(&w->conn, SQL_BEGIN_READ);

	if (rc == SQLITE_OK)
		rc = sqlite_operation_of(call->op)(&w->conn, call);
	if (rc == SQLITE_OK)
		rc = sqlite_do_plain(&w->conn, SQL_COMMIT);
	if (rc == SQLITE_OK)
		sqlite_engine_well(w);
	else
		sqlite_engine_refuse(w, call, sqlite_engine_why(w, rc));
	sqlite_engine_rollback(w);
}

/* Puts a call into a worker's queue. */
static void
sqlite_engine_push(struct sqlite_worker *w, struct store_call *call)
{
	pthread_mutex_lock(&w->lock);
	STAILQ_INSERT_TAIL(&w->queue, call, link);
	w->queued++;
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->more); /* a system call, for which nobody waits with the lock */
}

/* Whether an image's bytes are in a file. */
static bool
sqlite_engine_is_file(const struct sqlite_engine *e, const struct store_image *i)
{
	return e->folder != NULL && i->size > (int64_t)STORE_IMAGE_INLINE;
}

/* Whether a call that the database has done needs the files too: a piece to
 * read, or a file to remove that has no row any more, or never got one. */
static bool
sqlite_engine_wants_file(const struct sqlite_engine *e, const struct store_call *call)
{
	const struct store_reply *r = &call->reply;

	if (call->op == STORE_OP_IMAGE_PUT)
		return call->filed && r->status == STORE_UNAVAILABLE;
	if (r->status != STORE_OK)
		return false;
	if (call->op == STORE_OP_IMAGE_GET)
		return r->bytes == NULL && call->max > 0;
	if (call->op == STORE_OP_IMAGE_DELETE || call->op == STORE_OP_IMAGE_RELEASE)
		for (size_t i = 0; i < r->image_count; i++)
			if (sqlite_engine_is_file(e, &r->images[i]))
				return true;
	return false;
}

/* Reads the piece of an image that a call asks for. */
static void
sqlite_engine_read_file(struct sqlite_engine *e, struct store_call *call)
{
	struct store_reply *r = &call->reply;
	struct fail fail;

	r->len = call->max;
	r->number = call->offset;
	r->bytes = image_file_read(e->folder, r->images[0].id, r->images[0].size, call->offset,
	    &r->len, &fail);
	if (r->bytes == NULL)
		store_reply_fail(r, fail.text);
}

/* Writes a new image's file, before its row; false when that failed. */
static bool
sqlite_engine_write_file(struct sqlite_engine *e, struct store_call *call)
{
	char digest[DIGEST_HEX_SIZE];
	struct fail fail;

	if (image_file_write(e->folder, call->image.id, call->bytes, call->len, &fail) < 0) {
		store_reply_fail(&call->reply, fail.text);
		return false;
	}
	digest_hex(call->bytes, call->len, digest);
	call->image.digest = mem_string(digest);
	free(call->bytes);
	call->bytes = NULL;
	call->filed = true;
	return true;
}

/* Does what a call needs of the files, and passes it on. */
static void
sqlite_engine_file(struct sqlite_engine *e, struct store_call *call)
{
	if (call->op == STORE_OP_IMAGE_PUT && !call->filed) {
		if (sqlite_engine_write_file(e, call)) {
			sqlite_engine_push(&e->writer, call);
			return;
		}
	} else if (call->op == STORE_OP_IMAGE_PUT) {
		image_file_remove(e->folder, call->image.id);
	} else if (call->op == STORE_OP_IMAGE_GET) {
		sqlite_engine_read_file(e, call);
	} else {
		for (size_t i = 0; i < call->reply.image_count; i++)
			if (sqlite_engine_is_file(e, &call->reply.images[i]))
				image_file_remove(e->folder, call->reply.images[i].id);
	}
	store_call_done(call);
}

/* Gives a call to the thread of the files; when that has ended, nothing is left
 * but files to remove. */
static void
sqlite_engine_to_files(struct sqlite_engine *e, struct store_call *call)
{
	bool stopped;

	pthread_mutex_lock(&e->files.lock);
	stopped = e->files.stop;
	pthread_mutex_unlock(&e->files.lock);
	if (stopped)
		sqlite_engine_file(e, call);
	else
		sqlite_engine_push(&e->files, call);
}

/* Hands finished calls back and counts them. */
static void
sqlite_engine_answer(struct sqlite_worker *w, struct store_calls *group)
{
	struct store_call *call;
	uint64_t reads = 0, writes = 0, refused = 0;

	STAILQ_FOREACH(call, group, link) {
		reads += store_call_reads(call->op);
		writes += !store_call_reads(call->op);
		refused += call->reply.status == STORE_UNAVAILABLE;
	}
	pthread_mutex_lock(&w->lock);
	w->stats.reads += reads;
	w->stats.writes += writes;
	w->stats.refused += refused;
	w->stats.commits += w->commits;
	w->commits = 0;
	pthread_mutex_unlock(&w->lock);
	while ((call = STAILQ_FIRST(group)) != NULL) {
		STAILQ_REMOVE_HEAD(group, link);
		if (sqlite_engine_wants_file(w->engine, call))
			sqlite_engine_to_files(w->engine, call);
		else
			store_call_done(call);
	}
}

/* Writes a log longer than `pages` back into the database. It is done between
 * groups, so that no commit waits for it, and in a quiet moment if there is one;
 * a failure costs nothing but a longer log. */
static void
sqlite_engine_checkpoint(struct sqlite_worker *w, int pages)
{
	if (w->wal_pages < pages)
		return;
	w->wal_pages = 0;
	sqlite3_wal_checkpoint_v2(w->conn.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* SQLite tells how long the log is after a commit. */
static int
sqlite_engine_on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct sqlite_worker *w = arg;

	w->wal_pages = pages;
	return SQLITE_OK;
}

/* Waits for a call; false when the engine is closed, or the time has passed
 * (0: none). */
static bool
sqlite_engine_wait(struct sqlite_worker *w, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	while (STAILQ_EMPTY(&w->queue) && !w->stop) {
		if (ms == 0)
			pthread_cond_wait(&w->more, &w->lock);
		else if (pthread_cond_timedwait(&w->more, &w->lock, &until) != 0)
			break;
	}
	return !STAILQ_EMPTY(&w->queue);
}

/* Takes up to `most` calls from the queue, waiting for the first one. False when
 * the engine is closed and the queue is empty; no calls when `ms` have passed
 * without one (0: never). */
static bool
sqlite_engine_take(struct sqlite_worker *w, struct store_calls *group, size_t most, int ms)
{
	struct store_call *call;
	bool any, stop;

	pthread_mutex_lock(&w->lock);
	any = sqlite_engine_wait(w, ms);
	stop = w->stop;
	for (; most > 0 && (call = STAILQ_FIRST(&w->queue)) != NULL; most--) {
		STAILQ_REMOVE_HEAD(&w->queue, link);
		STAILQ_INSERT_TAIL(group, call, link);
		w->queued--;
	}
	pthread_mutex_unlock(&w->lock);
	return any || !stop;
}

/* Lets calls gather until the next transaction may begin. What one costs, the disk and the
 * processors, hardly depends on how many calls it has. */
static void
sqlite_engine_pace(struct timespec begun)
{
	begun.tv_nsec += SQLITE_ENGINE_PACE_US * 1000L;
	if (begun.tv_nsec >= 1000000000L) {
		begun.tv_nsec -= 1000000000L;
		begun.tv_sec++;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &begun, NULL) == EINTR)
		;
}

/* Whether a group has more than one call: several write at the same time. In memory a
 * transaction costs next to nothing, and nothing is gained by fewer. */
static bool
sqlite_engine_is_busy(const struct sqlite_worker *w, const struct store_calls *group)
{
	return w->engine->has_reader && STAILQ_NEXT(STAILQ_FIRST(group), link) != NULL;
}

/* The thread that writes. While several write at the same time, transactions keep their
 * distance; who writes alone does not wait. After a burst it writes its log back and gives
 * the memory of its pages back. */
static void *
sqlite_engine_write_thread(void *arg)
{
	struct store_calls group = STAILQ_HEAD_INITIALIZER(group);
	struct sqlite_worker *w = arg;
	struct timespec begun;
	bool busy;

	while (sqlite_engine_take(w, &group, SQLITE_ENGINE_GROUP,
	    w->untidy ? SQLITE_ENGINE_IDLE_MS : 0)) {
		w->untidy = !STAILQ_EMPTY(&group);
		if (w->untidy) {
			busy = sqlite_engine_is_busy(w, &group);
			clock_gettime(CLOCK_MONOTONIC, &begun);
			sqlite_engine_group(w, &group);
			sqlite_engine_answer(w, &group);
			sqlite_engine_checkpoint(w, SQLITE_ENGINE_WAL_MOST);
			if (busy)
				sqlite_engine_pace(begun);
		} else {
			sqlite_engine_checkpoint(w, SQLITE_ENGINE_WAL_PAGES);
			sqlite3_db_release_memory(w->conn.db);
		}
	}
	return NULL;
}

/* The thread that reads. */
static void *
sqlite_engine_read_thread(void *arg)
{
	struct store_calls one = STAILQ_HEAD_INITIALIZER(one);
	struct sqlite_worker *w = arg;

	while (sqlite_engine_take(w, &one, 1, 0)) {
		sqlite_engine_read(w, STAILQ_FIRST(&one));
		sqlite_engine_answer(w, &one);
	}
	return NULL;
}

/* The thread of the images' files. */
static void *
sqlite_engine_file_thread(void *arg)
{
	struct store_calls one = STAILQ_HEAD_INITIALIZER(one);
	struct sqlite_worker *w = arg;
	struct store_call *call;

	while (sqlite_engine_take(w, &one, 1, 0)) {
		call = STAILQ_FIRST(&one);
		STAILQ_REMOVE_HEAD(&one, link);
		sqlite_engine_file(w->engine, call);
	}
	return NULL;
}

/* Puts a call into its queue. */
static void
sqlite_engine_submit(struct store_engine *base, struct store_call *call)
{
	struct sqlite_engine *e = (struct sqlite_engine *)base;

	if (e->has_reader && store_call_reads(call->op))
		sqlite_engine_push(&e->reader, call);
	else if (call->op == STORE_OP_IMAGE_PUT && sqlite_engine_is_file(e, &call->image))
		sqlite_engine_push(&e->files, call);
	else
		sqlite_engine_push(&e->writer, call);
}

/* Gets ready for several members, in memory. */
static bool
sqlite_engine_member(struct store_engine *base)
{
	struct sqlite_engine *e = (struct sqlite_engine *)base;

	if (!e->has_reader)
		e->writer.conn.store = base->store;
	return !e->has_reader;
}

/* Adds up what the threads counted. */
static void
sqlite_engine_stats(struct store_engine *base, struct store_stats *out)
{
	struct sqlite_engine *e = (struct sqlite_engine *)base;
	struct sqlite_worker *const workers[] = {&e->writer, &e->reader, &e->files};

	memset(out, 0, sizeof *out);
	out->members = 1;
	for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++) {
		pthread_mutex_lock(&workers[i]->lock);
		out->reads += workers[i]->stats.reads;
		out->writes += workers[i]->stats.writes;
		out->commits += workers[i]->stats.commits;
		out->refused += workers[i]->stats.refused;
		out->queued += workers[i]->queued;
		pthread_mutex_unlock(&workers[i]->lock);
	}
}

/* Prepares a worker; its thread does not run yet. */
static void
sqlite_engine_init(struct sqlite_engine *e, struct sqlite_worker *w)
{
	pthread_condattr_t attr;

	w->engine = e;
	STAILQ_INIT(&w->queue);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->more, &attr);
	pthread_condattr_destroy(&attr);
}

/* Starts a worker's thread. */
static int
sqlite_engine_start(struct sqlite_worker *w, void *(*run)(void *), struct fail *f)
{
	int rc = thread_start(&w->thread, SQLITE_ENGINE_STACK, run, w);

	if (rc != 0)
		return fail_set(f, "the store's thread cannot be started: %s", strerror(rc));
	w->running = true;
	return 0;
}

/* Lets a worker finish and ends its thread. */
static void
sqlite_engine_stop_thread(struct sqlite_worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->more);
	if (w->running)
		pthread_join(w->thread, NULL);
}

/* Closes a stopped worker's connection. */
static void
sqlite_engine_clear(struct sqlite_worker *w)
{
	sqlite_conn_close(&w->conn);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
}

/* Lets a worker finish and ends it. */
static void
sqlite_engine_stop(struct sqlite_worker *w)
{
	sqlite_engine_stop_thread(w);
	sqlite_engine_clear(w);
}

/* Ends the engine. The writer is closed last, so that it is the one that writes
 * the log back and removes it. */
static void
sqlite_engine_close(struct store_engine *base)
{
	struct sqlite_engine *e = (struct sqlite_engine *)base;

	sqlite_engine_stop(&e->reader);
	sqlite_engine_stop_thread(&e->files);
	sqlite_engine_stop(&e->writer);
	sqlite_engine_clear(&e->files);
	free(e->folder);
	if (e->lock_fd >= 0)
		close(e->lock_fd);
	free(e);
}

/* Whether a row has its bytes in this file. */
static bool
sqlite_engine_knows_file(void *arg, const char *name)
{
	return sqlite_image_has_file(arg, name);
}

/* Opens the connections and starts the threads. */
static int
sqlite_engine_begin(struct sqlite_engine *e, const struct store_options *o, struct fail *f)
{
	const char *where = o->dir == NULL ? "memory" : o->dir;

	if (o->dir != NULL && (e->lock_fd = sqlite_file_lock(o->dir, f)) < 0)
		return -1;
	if (o->dir != NULL && store_restore_is_open(o->dir))
		return fail_set(f, "a restore into %s was cut off: run the same "
		    "`persona-gateway store restore` again", o->dir);
	e->writer.conn.db = sqlite_file_open_writer(o->dir, f);
	if (e->writer.conn.db == NULL ||
	    sqlite_schema_open(e->writer.conn.db, where, o->binding, o->rebind, f) < 0 ||
	    sqlite_file_prepare(e->writer.conn.db, o->dir, f) < 0)
		return -1;
	if (o->dir == NULL && sqlite_member_prepare(&e->writer.conn) != SQLITE_OK)
		return fail_set(f, "the store in memory cannot be made");
	sqlite3_wal_hook(e->writer.conn.db, sqlite_engine_on_commit, &e->writer);
	if (o->dir != NULL) {
		e->folder = image_file_open(o->dir, sqlite_engine_knows_file, &e->writer.conn, f);
		if (e->folder == NULL ||
		    sqlite_engine_start(&e->files, sqlite_engine_file_thread, f) < 0)
			return -1;
		e->reader.conn.db = sqlite_file_open_reader(o->dir, f);
		if (e->reader.conn.db == NULL ||
		    sqlite_engine_start(&e->reader, sqlite_engine_read_thread, f) < 0)
			return -1;
		e->has_reader = true;
	}
	return sqlite_engine_start(&e->writer, sqlite_engine_write_thread, f);
}

/* Opens the engine. */
struct store_engine *
sqlite_engine_open(const struct store_options *options, struct fail *f)
{
	struct sqlite_engine *e = mem_zero(1, sizeof *e);

	/* Counting each block behind a lock takes an eighth of a write. Refused, and no matter,
	 * when another store is open. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	e->base.submit = sqlite_engine_submit;
	e->base.member = sqlite_engine_member;
	e->base.stats = sqlite_engine_stats;
	e->base.close = sqlite_engine_close;
	e->lock_fd = -1;
	e->log = options->log;
	sqlite_engine_init(e, &e->writer);
	sqlite_engine_init(e, &e->reader);
	sqlite_engine_init(e, &e->files);
	if (sqlite_engine_begin(e, options, f) == 0)
		return &e->base;
	sqlite_engine_close(&e->base);
	return NULL;
}
