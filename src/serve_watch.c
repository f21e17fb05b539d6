#include "config.h"

#include "serve_watch.h"
#include "serve_folders.h"
#include "base/mem.h"
#include "config/config_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SERVE_WATCH_SLOW_MS 30000 /* between two looks at the files themselves */
#define SERVE_WATCH_SOON_MS 50    /* after a sign: several changes are mostly one */

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
	struct serve_folders *folders;
	bool moved; /* a way may be another one */
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

/* Watches the ways to the files as they are now. */
static void
serve_watch_follow(struct serve_watch *w)
{
	serve_folders_clear(w->folders);
	for (size_t i = 0; i < w->count; i++)
		serve_folders_add(w->folders, w->files[i].path);
	w->moved = false;
}

/* Looks at the files, after the ways to them: what changes later is another sign. */
static void
serve_watch_on_look(void *arg)
{
	struct serve_watch *w = arg;
	bool changed = false;

	if (w->moved)
		serve_watch_follow(w);
	for (size_t i = 0; i < w->count; i++) {
		struct stat now;

		serve_watch_stat(w->files[i].path, &now);
		if (serve_watch_same(&now, &w->files[i].was))
			continue;
		w->files[i].was = now;
		changed = w->moved = true;
		log_info(w->log, "a file of the configuration has changed", LOG_S("file", w->files[i].path));
	}
	loop_timer_set(&w->look, w->moved ? SERVE_WATCH_SOON_MS : SERVE_WATCH_SLOW_MS);
	if (changed)
		w->changed(w->arg);
}

/* Something happened on the way to a file: looks soon. */
static void
serve_watch_on_sign(void *arg)
{
	struct serve_watch *w = arg;

	w->moved = true;
	/* Not put off by further signs: a file may be replaced all the time. */
	if (!w->look.armed || w->look.due > loop_now(w->loop) + SERVE_WATCH_SOON_MS)
		loop_timer_set(&w->look, SERVE_WATCH_SOON_MS);
}

/* Forgets files. */
static void
serve_watch_forget(struct serve_watch_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(files[i].path);
	free(files);
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
	w->folders = serve_folders_new(loop, serve_watch_on_sign, w);
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
	serve_folders_free(w->folders);
	serve_watch_forget(w->files, w->count);
	free(w);
}

/* Watches a file. */
static void
serve_watch_file(struct serve_watch *w, const char *beside, const char *text)
{
	w->files = mem_resize(w->files, (w->count + 1) * sizeof *w->files);
	w->files[w->count++].path = config_file_resolve(beside, text);
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
	serve_watch_node(w, yaml_node_get(snap->config->document, "bluejay"));
	serve_watch_node(w, yaml_node_get(snap->config->document, "projects"));
	serve_watch_node(w, yaml_node_get(snap->config->document, "images"));
	serve_watch_node(w, yaml_node_get(snap->config->document, "clients"));
	serve_watch_tls(w, yaml_node_get(snap->config->document, "tls"));
	serve_watch_follow(w);
	for (size_t i = 0; i < w->count; i++) {
		serve_watch_stat(w->files[i].path, &w->files[i].was);
		for (size_t k = 0; k < count; k++)
			if (strcmp(before[k].path, w->files[i].path) == 0)
				w->files[i].was = before[k].was;
	}
	serve_watch_forget(before, count);
	if (w->count > 0)
		loop_timer_set(&w->look, SERVE_WATCH_SOON_MS);
}
