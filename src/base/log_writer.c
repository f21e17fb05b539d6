#include "config.h"

#include "base/log_writer.h"
#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_WRITER_SAY_MAX 512 /* bytes of a line that tells an event */
#define LOG_WRITER_LOOK_MS 100 /* how often a writer that waits sees whether the log ends */
#define LOG_WRITER_STACK (64 << 10)
#define LOG_WRITER_MODE 0640 /* of a new file: its lines tell who did what */

struct log_writer {
	int fd;
	bool regular; /* a file that always takes everything */
	bool cut;     /* what was written last is a part of a line; of the thread */
	char *path; /* NULL: fd is not ours */
	log_writer_say_fn say;
	void *arg;
	pthread_t thread;
	char *out; /* being written; of the thread */
	pthread_mutex_t lock; /* guards the rest; never held across a write */
	pthread_cond_t more;
	char *fill;
	size_t len;
	size_t busy; /* bytes being written */
	uint64_t dropped; /* in all */
	uint64_t untold;  /* of them, those that no line has told of */
	bool waiting, hurry, reopen, stop;
	time_t stop_by; /* seconds of the monotonic clock */
};

/* Opens a log file. */
int
log_writer_open(const char *path)
{
	/* Non-blocking: a pipe that nobody reads is refused at once, not waited for. */
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, LOG_WRITER_MODE);
}

/* A time from now. */
static struct timespec
log_writer_after(clockid_t clock, int64_t ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Waits until the descriptor takes bytes; false when the log ends and it still takes
 * none. */
static bool
log_writer_ready(struct log_writer *w)
{
	struct pollfd p = {.fd = w->fd, .events = POLLOUT};
	struct timespec now;
	bool over;

	while (poll(&p, 1, LOG_WRITER_LOOK_MS) <= 0) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		pthread_mutex_lock(&w->lock);
		over = w->stop && now.tv_sec > w->stop_by;
		pthread_mutex_unlock(&w->lock);
		if (over)
			return false;
	}
	return true;
}

/* How many bytes are written at once. A pipe that is ready takes PIPE_BUF of them
 * without making anybody wait (pipe(7)); whole lines, if there is more than one. */
static size_t
log_writer_piece(const struct log_writer *w, const char *bytes, size_t len)
{
	const char *end;

	if (w->regular || len <= PIPE_BUF)
		return len;
	end = memrchr(bytes, '\n', PIPE_BUF);
	return end != NULL ? (size_t)(end + 1 - bytes) : PIPE_BUF;
}

/* Writes as much as can be; returns the number of bytes. */
static size_t
log_writer_write(struct log_writer *w, const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len && log_writer_ready(w)) {
		ssize_t n = write(w->fd, bytes + done, log_writer_piece(w, bytes + done, len - done));

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

/* Writes all; returns the number of lines that could not be written. A part of a line, which a
 * full disk leaves, is ended before the next one, so that it spoils no other. */
static uint64_t
log_writer_write_all(struct log_writer *w, const char *bytes, size_t len)
{
	uint64_t lost = 0;
	size_t done = 0;

	if (w->cut && log_writer_write(w, "\n", 1) == 1)
		w->cut = false;
	if (!w->cut)
		done = log_writer_write(w, bytes, len);
	if (done > 0)
		w->cut = bytes[done - 1] != '\n';
	for (; done < len; done++)
		lost += bytes[done] == '\n';
	return lost;
}

/* Writes a line that tells an event; false when it could not be written. */
static bool
log_writer_tell(struct log_writer *w, enum log_writer_event event, int64_t number)
{
	char line[LOG_WRITER_SAY_MAX];
	size_t len = w->say(w->arg, event, number, line, sizeof line);

	return log_writer_write_all(w, line, len) == 0;
}

/* Whether a file of `size` bytes ends within a line, as a process leaves it that was killed. */
static bool
log_writer_is_cut(const char *path, off_t size)
{
	int fd = path != NULL && size > 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	char last = '\n';
	bool cut;

	if (fd < 0)
		return false;
	cut = pread(fd, &last, 1, size - 1) == 1 && last != '\n';
	close(fd);
	return cut;
}

/* Takes a descriptor. */
static void
log_writer_use(struct log_writer *w, int fd)
{
	struct stat st;

	w->fd = fd;
	w->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	w->cut = w->regular && log_writer_is_cut(w->path, st.st_size);
}

/* Opens the file again; the old one is kept when that fails. */
static void
log_writer_turn(struct log_writer *w)
{
	int fd = log_writer_open(w->path);

	if (fd < 0) {
		log_writer_tell(w, LOG_WRITER_REOPEN_FAILED, errno);
		return;
	}
	close(w->fd);
	log_writer_use(w, fd);
}

/* Waits for lines, and for a moment for more of them; with the lock. */
static void
log_writer_wait(struct log_writer *w)
{
	struct timespec until;

	w->waiting = true;
	while (w->len == 0 && !w->stop && !w->reopen)
		pthread_cond_wait(&w->more, &w->lock);
	w->waiting = false;
	until = log_writer_after(CLOCK_MONOTONIC, LOG_WRITER_GATHER_MS);
	while (!w->hurry && !w->stop && !w->reopen)
		if (pthread_cond_timedwait(&w->more, &w->lock, &until) != 0)
			break;
	w->hurry = false;
}

/* Writes what waited; called with the lock, which is let go meanwhile. */
static void
log_writer_pass(struct log_writer *w)
{
	uint64_t untold = w->untold, lost;
	bool reopen = w->reopen;
	size_t len = w->len;
	char *out = w->fill;

	w->fill = w->out;
	w->out = out;
	w->busy = len;
	w->len = 0;
	w->untold = 0;
	w->reopen = false;
	pthread_mutex_unlock(&w->lock);
	if (reopen)
		log_writer_turn(w);
	lost = log_writer_write_all(w, out, len);
	if (untold > 0 && log_writer_tell(w, LOG_WRITER_DROPPED, (int64_t)untold))
		untold = 0;
	pthread_mutex_lock(&w->lock);
	w->busy = 0;
	w->dropped += lost;
	w->untold += untold + lost;
}

/* The thread. */
static void *
log_writer_run(void *arg)
{
	struct log_writer *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->stop || w->len > 0) {
		log_writer_wait(w);
		log_writer_pass(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Frees what a writer has; its thread has ended or never ran. */
static void
log_writer_clear(struct log_writer *w)
{
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w->path);
	free(w->fill);
	free(w->out);
	free(w);
}

/* Makes a writer. */
struct log_writer *
log_writer_new(int fd, const char *path, log_writer_say_fn say, void *arg)
{
	struct log_writer *w = mem_zero(1, sizeof *w);
	pthread_condattr_t attr;

	w->path = mem_string(path);
	log_writer_use(w, fd);
	w->say = say;
	w->arg = arg;
	w->fill = mem_alloc(LOG_WRITER_MAX);
	w->out = mem_alloc(LOG_WRITER_MAX);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->more, &attr);
	pthread_condattr_destroy(&attr);
	if (thread_start(&w->thread, LOG_WRITER_STACK, log_writer_run, w) == 0)
		return w;
	log_writer_clear(w);
	return NULL;
}

/* Takes lines. */
bool
log_writer_put(struct log_writer *w, const char *line, size_t len, bool urgent)
{
	bool wake, taken;

	pthread_mutex_lock(&w->lock);
	taken = len <= LOG_WRITER_MAX - w->len;
	if (taken) {
		memcpy(w->fill + w->len, line, len);
		w->len += len;
	} else {
		w->dropped++;
		w->untold++;
	}
	urgent = urgent || w->len > LOG_WRITER_MAX / 2;
	wake = w->waiting || (urgent && !w->hurry);
	w->waiting = false;
	w->hurry = w->hurry || urgent;
	pthread_mutex_unlock(&w->lock);
	if (wake)
		pthread_cond_signal(&w->more);
	return taken;
}

/* Has the file opened again. */
void
log_writer_reopen(struct log_writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->reopen = w->path != NULL;
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->more);
}

/* Lines that are not in the log. */
uint64_t
log_writer_dropped(struct log_writer *w)
{
	uint64_t n;

	pthread_mutex_lock(&w->lock);
	n = w->dropped;
	pthread_mutex_unlock(&w->lock);
	return n;
}

/* Bytes that wait. */
size_t
log_writer_waiting(struct log_writer *w)
{
	size_t n;

	pthread_mutex_lock(&w->lock);
	n = w->len + w->busy;
	pthread_mutex_unlock(&w->lock);
	return n;
}

/* Ends a writer. One that hangs in the kernel, at a terminal that was stopped, cannot
 * be ended: its memory is left. */
void
log_writer_free(struct log_writer *w)
{
	struct timespec until;

	if (w == NULL)
		return;
	until = log_writer_after(CLOCK_MONOTONIC, LOG_WRITER_STOP_MS);
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	w->stop_by = until.tv_sec;
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->more);
	until = log_writer_after(CLOCK_REALTIME, 2 * LOG_WRITER_STOP_MS);
	if (pthread_timedjoin_np(w->thread, NULL, &until) != 0) {
		pthread_detach(w->thread);
		return;
	}
	if (w->path != NULL)
		close(w->fd);
	log_writer_clear(w);
}
