#include "config.h"

#include "bulk/bulk_fetch.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "bulk/bulk_patience.h"
#include "bulk/bulk_site_impl.h"
#include "bulk/bulk_text.h"
#include "upstream/relay.h"
#include "upstream/retry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define BULK_FETCH_ERROR_MAX 65536 /* bytes of an answer that is no listing */
#define BULK_FETCH_WHY_MAX 300     /* of a server's sentence */

/* One listing on its way. */
struct bulk_fetch {
	struct bulk_site *site;
	bulk_fetched_fn done;
	void *arg;
	struct relay_call *call; /* NULL: waiting for the next try, or over */
	struct loop_timer timer;
	struct bulk_patience patience;
	int status;
	int64_t retry_after;
	int fd;
	uint64_t bytes;
	struct buf error; /* the body of another answer */
	int disk;         /* errno of a write that failed; 0 */
	struct fail why;
};

static void bulk_fetch_try(struct bulk_fetch *);

/* Opens a file without a name. */
int
bulk_spool_open(struct fail *f)
{
	const char *dir = getenv("TMPDIR");
	char *path;
	int fd;

	if (dir == NULL || *dir == '\0')
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) { /* not every file system can do that */
		path = mem_format("%s/persona-gateway.XXXXXX", dir);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
		free(path);
	}
	if (fd < 0)
		fail_set(f, "no temporary file can be made in %s: %s", dir, strerror(errno));
	return fd;
}

/* Frees it. */
static void
bulk_fetch_free(struct bulk_fetch *t)
{
	loop_timer_cancel(&t->timer);
	buf_free(&t->error);
	if (t->fd >= 0)
		close(t->fd);
	free(t);
}

/* Ends it: with the listing, or with the sentence in `why`. */
static void
bulk_fetch_finish(struct bulk_fetch *t, bool good)
{
	struct bulk_fetched got = {.fd = good ? t->fd : -1, .why = good ? NULL : t->why.text};

	if (good)
		t->fd = -1;
	t->done(t->arg, &got);
	bulk_fetch_free(t);
}

/* Says that a server answered something else. */
static void
bulk_fetch_note_answer(struct bulk_fetch *t)
{
	struct buf b;

	buf_init(&b, 0);
	bulk_text_error(&b, t->error.data, t->error.len, BULK_FETCH_WHY_MAX);
	fail_set(&t->why, "%s answers %d%s%s", t->site->name, t->status, b.len > 0 ? ": " : "",
	    b.len > 0 ? b.data : "");
	buf_free(&b);
}

/* Tries again, if it may help and patience allows it. */
static void
bulk_fetch_again(struct bulk_fetch *t, bool may_help)
{
	int64_t wait = may_help ? bulk_patience_wait(&t->patience, loop_now(t->site->loop),
	    t->retry_after, t->site->patience_ms) : -1;

	if (wait < 0)
		bulk_fetch_finish(t, false);
	else
		loop_timer_set(&t->timer, wait);
}

/* The head is there. */
static void
bulk_fetch_on_head(void *arg, const struct relay_head *head)
{
	struct bulk_fetch *t = arg;

	t->status = head->status;
	for (const struct wire_field *f = head->fields; f->name != NULL; f++)
		if (strcasecmp(f->name, "Retry-After") == 0)
			t->retry_after = retry_after_read(f->value, loop_wall(t->site->loop));
}

/* A piece of the body. */
static void
bulk_fetch_on_data(void *arg, const char *bytes, size_t len)
{
	struct bulk_fetch *t = arg;

	if (t->status != 200) {
		if (t->error.len + len <= BULK_FETCH_ERROR_MAX)
			buf_add(&t->error, bytes, len);
	} else if (t->disk == 0) {
		if (fd_write_all(t->fd, bytes, len) < 0)
			t->disk = errno;
		t->bytes += len;
	}
}

/* The body of the request: there is none. */
static void
bulk_fetch_on_room(void *arg)
{
}

/* The exchange is over. */
static void
bulk_fetch_on_end(void *arg, enum relay_end end, const char *why)
{
	struct bulk_fetch *t = arg;

	t->call = NULL;
	if (end != RELAY_WHOLE) {
		fail_set(&t->why, "%s does not answer: %s", t->site->name, why);
		bulk_fetch_again(t, true);
	} else if (t->status != 200) {
		bulk_fetch_note_answer(t);
		bulk_fetch_again(t, bulk_patience_status(t->status));
	} else if (t->disk != 0) {
		fail_set(&t->why, "the listing of %s cannot be kept: %s", t->site->name, strerror(t->disk));
		bulk_fetch_finish(t, false);
	} else {
		bulk_fetch_finish(t, true);
	}
}

/* Asks. */
static void
bulk_fetch_try(struct bulk_fetch *t)
{
	static const struct relay_events events = {bulk_fetch_on_head, bulk_fetch_on_data,
	    bulk_fetch_on_room, bulk_fetch_on_end};
	struct wire_field fields[] = {{"Accept", "application/json"}, {"Cache-Control", "no-cache"},
	    {"User-Agent", "persona-gateway/" PACKAGE_VERSION}, {"Authorization", t->site->bearer},
	    {NULL, NULL}};
	struct relay_request q = {.method = "GET", .target = t->site->path, .fields = fields};

	if (t->site->bearer == NULL)
		fields[3].name = NULL;
	t->status = 0;
	t->retry_after = -1;
	t->bytes = 0;
	t->disk = ftruncate(t->fd, 0) < 0 || lseek(t->fd, 0, SEEK_SET) < 0 ? errno : 0;
	buf_clear(&t->error);
	t->call = relay_start(t->site->listings, &q, &events, t);
}

/* It is time to try, or to say that it cannot be tried. */
static void
bulk_fetch_on_timer(void *arg)
{
	struct bulk_fetch *t = arg;

	if (t->fd < 0)
		bulk_fetch_finish(t, false);
	else
		bulk_fetch_try(t);
}

/* Starts. */
struct bulk_fetch *
bulk_fetch_start(struct bulk_site *s, bulk_fetched_fn done, void *arg)
{
	struct bulk_fetch *t = mem_zero(1, sizeof *t);
	uint64_t seed;

	uuid_random(&seed, sizeof seed);
	t->site = s;
	t->done = done;
	t->arg = arg;
	t->fd = bulk_spool_open(&t->why);
	bulk_patience_init(&t->patience, loop_now(s->loop), seed);
	loop_timer_init(&t->timer, s->loop, bulk_fetch_on_timer, t);
	loop_timer_set(&t->timer, 0);
	return t;
}

/* Ends it without a word. */
void
bulk_fetch_cancel(struct bulk_fetch *t)
{
	if (t->call != NULL)
		relay_cancel(t->call);
	bulk_fetch_free(t);
}

/* How it came out, for who waits. */
struct bulk_fetch_wait {
	bool over;
	int fd;
	struct fail *why;
};

/* It is over. */
static void
bulk_fetch_on_over(void *arg, const struct bulk_fetched *got)
{
	struct bulk_fetch_wait *w = arg;

	w->over = true;
	w->fd = got->fd;
	if (got->fd < 0)
		fail_set(w->why, "%s", got->why);
}

/* Waits for it. */
int
bulk_fetch_wait(struct bulk_site *s, const struct bulk_stop *stop, struct fail *f)
{
	struct bulk_fetch_wait w = {.fd = -1, .why = f};
	struct bulk_fetch *t = bulk_fetch_start(s, bulk_fetch_on_over, &w);

	while (!w.over && !bulk_stop_asked(stop))
		loop_turn(s->loop, true);
	if (!w.over) {
		bulk_fetch_cancel(t);
		fail_set(f, "interrupted");
	}
	return w.fd;
}
