#include "config.h"

#include "serve_watch.h"
#include "base/mem.h"
#include "config/config_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVE_WATCH_SLOW_MS 30000 /* between two looks at the files themselves */
#define SERVE_WATCH_SOON_MS 50    /* after a sign: several changes are mostly one */
#define SERVE_WATCH_SIGNS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE)

/* One file, and how it was when it was last looked at. */
struct serve_watch_file {
	char *path;
	struct stat was; /* all zero: it was not there */
};

struct serve_watch {
	struct loop *loop;
	struct log *log;
	loop_fn changed;
	void *arg;
	int fd; /* of inotify; -1: none */
	struct event ev;
	struct loop_timer look;
	struct serve_watch_file *files;
	size_t count;
};

/* How a file is, its links followed. */
static void
serve_watch_stat(const char *path, struct stat *out)
{
	if (stat(path, out) != 0)
		memset(out, 0, sizeof *out);
}

/* Whether a file is as it was. */
static bool
serve_watch_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Looks at the files. */
static void
serve_watch_on_look(void *arg)
{
	struct serve_watch *w = arg;
	bool changed = false;

	for (size_t i = 0; i < w->count; i++) {
		struct stat now;

		serve_watch_stat(w->files[i].path, &now);
		if (serve_watch_same(&now, &w->files[i].was))
			continue;
		w->files[i].was = now;
		changed = true;
		log_info(w->log, "a file of the configuration has changed", LOG_S("file", w->files[i].path));
	}
	loop_timer_set(&w->look, SERVE_WATCH_SLOW_MS);
	if (changed)
		w->changed(w->arg);
}

/* Something happened in a folder: looks soon. */
static void
serve_watch_on_sign(evutil_socket_t fd, short what, void *arg)
{
	struct serve_watch *w = arg;
	char signs[4096];

	while (read(w->fd, signs, sizeof signs) > 0)
		;
	/* Not put off by further signs: a file may be replaced all the time. */
	if (!w->look.armed || w->look.due > loop_now(w->loop) + SERVE_WATCH_SOON_MS)
		loop_timer_set(&w->look, SERVE_WATCH_SOON_MS);
}

/* Opens the kernel's side anew, without a folder. */
static void
serve_watch_open(struct serve_watch *w)
{
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		return;
	event_assign(&w->ev, loop_base(w->loop), w->fd, EV_READ | EV_PERSIST, serve_watch_on_sign, w);
	event_add(&w->ev, NULL);
}

/* Forgets files and folders. */
static void
serve_watch_clear(struct serve_watch *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->files[i].path);
	free(w->files);
	w->files = NULL;
	w->count = 0;
	if (w->fd < 0)
		return;
	event_del(&w->ev);
	close(w->fd);
	w->fd = -1;
}

/* Makes one that watches nothing. */
struct serve_watch *
serve_watch_new(struct loop *loop, struct log *log, loop_fn changed, void *arg)
{
	struct serve_watch *w = mem_zero(1, sizeof *w);

	w->loop = loop;
	w->log = log;
	w->changed = changed;
	w->arg = arg;
	w->fd = -1;
	loop_timer_init(&w->look, loop, serve_watch_on_look, w);
	return w;
}

/* Frees it. */
void
serve_watch_free(struct serve_watch *w)
{
	if (w == NULL)
		return;
	loop_timer_cancel(&w->look);
	serve_watch_clear(w);
	free(w);
}

/* Watches the folder of a path. */
static void
serve_watch_folder(struct serve_watch *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? mem_string(".") : mem_copy(path, (size_t)(slash - path) + 1);

	if (w->fd >= 0)
		inotify_add_watch(w->fd, folder, SERVE_WATCH_SIGNS);
	free(folder);
}

/* Watches a file: its folder, and that of what it leads to. */
static void
serve_watch_file(struct serve_watch *w, const char *beside, const char *text)
{
	struct serve_watch_file *f;
	char *real;

	w->files = mem_resize(w->files, (w->count + 1) * sizeof *w->files);
	f = &w->files[w->count++];
	f->path = config_file_resolve(beside, text);
	serve_watch_folder(w, f->path);
	real = realpath(f->path, NULL);
	if (real != NULL)
		serve_watch_folder(w, real);
	free(real);
}

/* Whether a key names a file. */
static bool
serve_watch_names(const char *key)
{
	static const char end[] = "_file";
	size_t len = strlen(key);

	return len >= sizeof end && strcmp(key + len - (sizeof end - 1), end) == 0;
}

/* Watches what a part of the document names. */
static void
serve_watch_node(struct serve_watch *w, const struct yaml_node *node)
{
	for (size_t i = 0; node != NULL && i < node->count; i++) {
		const struct yaml_node *item = node->items[i];

		if (node->kind == YAML_MAP && serve_watch_names(node->keys[i]->text) &&
		    item->kind == YAML_SCALAR)
			serve_watch_file(w, item->file, item->text);
		else
			serve_watch_node(w, item);
	}
}

/* Watches certificate and key. */
static void
serve_watch_tls(struct serve_watch *w, const struct yaml_node *section)
{
	static const char *const names[] = {"certificate", "key", "client_ca"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct yaml_node *item = yaml_node_get(section, names[i]);

		if (item != NULL && item->kind == YAML_SCALAR)
			serve_watch_file(w, item->file, item->text);
	}
}

/* Watches the files of a snapshot. Their state is noted when they are first watched, so
 * that a change in between is seen. */
void
serve_watch_take(struct serve_watch *w, const struct snapshot *snap)
{
	struct serve_watch_file *before = w->files;
	size_t count = w->count;

	w->files = NULL;
	w->count = 0;
	serve_watch_clear(w);
	serve_watch_open(w);
	serve_watch_node(w, yaml_node_get(snap->config->document, "bluejay"));
	serve_watch_node(w, yaml_node_get(snap->config->document, "projects"));
	serve_watch_node(w, yaml_node_get(snap->config->document, "images"));
	serve_watch_node(w, yaml_node_get(snap->config->document, "clients"));
	serve_watch_tls(w, yaml_node_get(snap->config->document, "tls"));
	for (size_t i = 0; i < w->count; i++) {
		serve_watch_stat(w->files[i].path, &w->files[i].was);
		for (size_t k = 0; k < count; k++)
			if (strcmp(before[k].path, w->files[i].path) == 0)
				w->files[i].was = before[k].was;
	}
	for (size_t k = 0; k < count; k++)
		free(before[k].path);
	free(before);
	if (w->count > 0)
		loop_timer_set(&w->look, SERVE_WATCH_SOON_MS);
}
