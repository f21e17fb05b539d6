#ifndef SERVE_WATCH_H
#define SERVE_WATCH_H

#include "base/log.h"
#include "base/loop.h"
#include "core/snapshot.h"

/*
 * Watches the files with keys, tokens and certificates that the configuration names
 * (every key that ends in `_file`, and those of `tls`): replaced by a rename, written in
 * place, with other rights, or behind a link or a folder that is another one now, as
 * Kubernetes swaps the folders of its mounts. The ways to them are watched (serve_folders.h);
 * where that is not possible, files are looked at every half a minute.
 */
struct serve_watch;

/* `changed` is called on the loop when a file is another one, or holds something else. */
struct serve_watch *serve_watch_new(struct loop *, struct log *, loop_fn changed, void *arg);
void serve_watch_free(struct serve_watch *);

/* Watches the files of this snapshot from now on. */
void serve_watch_take(struct serve_watch *, const struct snapshot *);

#endif
