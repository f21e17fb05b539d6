#include "config.h"

#include "bulk/bulk_side.h"
#include "base/fd.h"
#include "base/mem.h"
#include "bulk/bulk_fetch.h"
#include "bulk/bulk_site.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BULK_SIDE_COPY 65536 /* bytes of a pipe at a time */

/* Fetches a listing. */
static int
bulk_side_fetch(struct loop *loop, struct bulk_side *side, const struct bulk_stop *stop,
    struct fail *f)
{
	struct bulk_site_config cfg = {.url = side->word, .project = side->project, .token = side->token,
	    .ca_file = side->ca_file, .jobs = 1, .patience_ms = side->patience_ms};
	struct bulk_site *site = bulk_site_new(loop, &cfg, f);

	if (site == NULL)
		return -1;
	side->name = mem_string(bulk_site_name(site));
	side->form = BULK_FORM_JSON;
	side->fd = bulk_fetch_wait(site, stop, f);
	bulk_site_free(site);
	if (side->fd >= 0 && lseek(side->fd, 0, SEEK_SET) < 0)
		return fail_set(f, "%s cannot be read: %s", side->name, strerror(errno));
	return side->fd >= 0 ? 0 : -1;
}

/* A pipe has something. */
static void
bulk_side_on_readable(evutil_socket_t fd, short what, void *arg)
{
	*(bool *)arg = true;
}

/* Waits until a pipe has something; false when a stop comes first. */
static bool
bulk_side_wait(struct loop *loop, int fd, const struct bulk_stop *stop)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	bool ready = poll(&p, 1, 0) != 0;
	struct event *ev = ready ? NULL : event_new(loop_base(loop), fd, EV_READ, bulk_side_on_readable, &ready);

	if (ev != NULL && event_add(ev, NULL) == 0)
		while (!ready && !bulk_stop_asked(stop))
			loop_turn(loop, true);
	if (ev != NULL)
		event_free(ev);
	return !bulk_stop_asked(stop);
}

/* Keeps what comes from a pipe in a file. */
static int
bulk_side_keep(struct loop *loop, struct bulk_side *side, const struct bulk_stop *stop,
    struct fail *f)
{
	int from = side->fd, to = bulk_spool_open(f);
	char *piece = mem_alloc(BULK_SIDE_COPY);
	ssize_t n = -1;

	while (to >= 0 && bulk_side_wait(loop, from, stop) && (n = read(from, piece, BULK_SIDE_COPY)) != 0)
		if ((n < 0 && errno != EINTR && errno != EAGAIN) ||
		    (n > 0 && fd_write_all(to, piece, (size_t)n) < 0))
			break;
	if (to >= 0 && n != 0)
		fail_set(f, "%s cannot be read: %s", side->name, bulk_stop_asked(stop) ? "interrupted" :
		    strerror(errno));
	free(piece);
	close(from);
	side->fd = to;
	return n == 0 && lseek(to, 0, SEEK_SET) == 0 ? 0 : -1;
}

/* Opens a file or standard input. A named pipe that nobody writes to yet is waited for where
 * a stop is minded, not here. */
static int
bulk_side_open_file(struct loop *loop, struct bulk_side *side, const struct bulk_stop *stop,
    struct fail *f)
{
	bool standard = strcmp(side->word, "-") == 0;
	struct stat st;
	int error;

	side->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
	                    : open(side->word, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	error = side->fd < 0 || fstat(side->fd, &st) < 0 ? errno : 0;
	side->name = standard ? mem_string("standard input") : realpath(side->word, NULL);
	if (side->name == NULL)
		side->name = mem_string(side->word);
	if (error != 0)
		return fail_set(f, "%s cannot be read: %s", side->name, strerror(error));
	if (S_ISDIR(st.st_mode))
		return fail_set(f, "%s is a folder", side->name);
	return S_ISREG(st.st_mode) || !side->again ? 0 : bulk_side_keep(loop, side, stop, f);
}

/* Opens it. */
int
bulk_side_open(struct loop *loop, struct bulk_side *side, const struct bulk_stop *stop, struct fail *f)
{
	side->fd = -1;
	side->name = NULL;
	return bulk_site_is_url(side->word) ? bulk_side_fetch(loop, side, stop, f)
	                                    : bulk_side_open_file(loop, side, stop, f);
}

/* Closes it. */
void
bulk_side_close(struct bulk_side *side)
{
	if (side->fd >= 0)
		close(side->fd);
	free(side->name);
	side->fd = -1;
	side->name = NULL;
}
