#include "config.h"

#include "serve_folders.h"
#include "base/mem.h"

#include <limits.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define SERVE_FOLDERS_LINKS 40 /* on one way; more are a circle, as for the kernel */
#define SERVE_FOLDERS_SIGNS \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_ONLYDIR)

/* A name in a folder through which a way goes. */
struct serve_folders_step {
	int folder; /* inotify's number of it */
	char *name;
};

struct serve_folders {
	struct loop *loop;
	loop_fn sign;
	void *arg;
	int fd; /* of inotify; -1: none */
	struct event ev;
	struct serve_folders_step *steps;
	size_t count, room;
	char *last; /* the folder of the file that was added last, whose way is watched */
};

/* Whether something that happened is about a step. */
static bool
serve_folders_is_step(const struct serve_folders *f, const struct inotify_event *e)
{
	if (e->mask & (IN_Q_OVERFLOW | IN_UNMOUNT))
		return true;
	for (size_t i = 0; e->len > 0 && i < f->count; i++)
		if (f->steps[i].folder == e->wd && strcmp(f->steps[i].name, e->name) == 0)
			return true;
	return false;
}

/* Something happened. */
static void
serve_folders_on_event(evutil_socket_t fd, short what, void *arg)
{
	alignas(struct inotify_event) char events[4096];
	struct serve_folders *f = arg;
	bool sign = false;
	ssize_t n;

	while ((n = read(f->fd, events, sizeof events)) > 0) {
		for (char *p = events; p < events + n;) {
			const struct inotify_event *e = (const struct inotify_event *)p;

			sign = sign || serve_folders_is_step(f, e);
			p += sizeof *e + e->len;
		}
	}
	if (sign)
		f->sign(f->arg);
}

/* Makes one that watches nothing. */
struct serve_folders *
serve_folders_new(struct loop *loop, loop_fn sign, void *arg)
{
	struct serve_folders *f = mem_zero(1, sizeof *f);

	f->loop = loop;
	f->sign = sign;
	f->arg = arg;
	f->fd = -1;
	return f;
}

/* Forgets all ways. */
void
serve_folders_clear(struct serve_folders *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->steps[i].name);
	free(f->steps);
	free(f->last);
	f->steps = NULL;
	f->last = NULL;
	f->count = f->room = 0;
	if (f->fd < 0)
		return;
	event_del(&f->ev);
	close(f->fd);
	f->fd = -1;
}

/* Frees it. */
void
serve_folders_free(struct serve_folders *f)
{
	if (f == NULL)
		return;
	serve_folders_clear(f);
	free(f);
}

/* Opens the kernel's side. */
static void
serve_folders_open(struct serve_folders *f)
{
	f->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (f->fd < 0)
		return;
	event_assign(&f->ev, loop_base(f->loop), f->fd, EV_READ | EV_PERSIST, serve_folders_on_event, f);
	event_add(&f->ev, NULL);
}

/* Watches one name in a folder. */
static void
serve_folders_step(struct serve_folders *f, const char *folder, const char *name)
{
	int wd = inotify_add_watch(f->fd, folder, SERVE_FOLDERS_SIGNS);

	if (wd < 0)
		return;
	if (f->count == f->room) {
		f->room = f->room > 0 ? f->room * 2 : 16;
		f->steps = mem_resize(f->steps, f->room * sizeof *f->steps);
	}
	f->steps[f->count++] = (struct serve_folders_step){wd, mem_string(name)};
}

/* Where a link leads, or NULL for what is none. */
static char *
serve_folders_link(const char *path)
{
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof to);

	return n > 0 && n < (ssize_t)sizeof to ? mem_copy(to, (size_t)n) : NULL;
}

/* Cuts the first name off a path; NULL when there is none. */
static char *
serve_folders_name(const char **rest)
{
	const char *name = *rest + strspn(*rest, "/");
	size_t len = strcspn(name, "/");

	*rest = name + len;
	return len > 0 ? mem_copy(name, len) : NULL;
}

/* Goes on from a folder along a path; frees both. */
static void
serve_folders_walk(struct serve_folders *f, char *at, char *path, unsigned links)
{
	const char *rest = path;
	char *name;

	while ((name = serve_folders_name(&rest)) != NULL) {
		char *next = mem_format("%s/%s", at, name);
		char *to;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			serve_folders_step(f, at, name);
		free(name);
		to = serve_folders_link(next); /* after the step: what changes later is a sign */
		if (to != NULL && links < SERVE_FOLDERS_LINKS) {
			char *from = *to == '/' ? mem_string("/") : mem_string(at);

			serve_folders_walk(f, from, mem_format("%s%s", to, rest), links + 1);
			rest = "";
		}
		free(to);
		free(at);
		at = next;
	}
	free(at);
	free(path);
}

/* Watches the way to a file. Where many lie in one folder, the way there is walked once. */
void
serve_folders_add(struct serve_folders *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = mem_copy(path, slash != NULL ? (size_t)(slash - path) : 0);

	if (f->fd < 0)
		serve_folders_open(f);
	if (f->fd < 0) {
		free(folder);
	} else if (*folder != '\0' && f->last != NULL && strcmp(f->last, folder) == 0) {
		serve_folders_walk(f, folder, mem_string(slash), 0);
	} else {
		free(f->last);
		f->last = folder;
		serve_folders_walk(f, mem_string(*path == '/' ? "/" : "."), mem_string(path), 0);
	}
}
