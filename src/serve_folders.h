#ifndef SERVE_FOLDERS_H
#define SERVE_FOLDERS_H

#include "base/loop.h"

/*
 * Watches the ways that paths take: each folder from the root to the file, and from there
 * wherever links lead, for the one name that the way goes through, by inotify(7). So it is
 * seen when a file, a folder or a link anywhere on the way is another one, and nothing
 * else that happens in these folders is a sign. Folders that cannot be read, and what
 * the kernel does not tell, such as changes on network file systems, are not seen.
 */
struct serve_folders;

/* `sign` is called on the loop when something on a way may be another one. */
struct serve_folders *serve_folders_new(struct loop *, loop_fn sign, void *arg);
void serve_folders_free(struct serve_folders *);

/* Forgets all ways. A way that has changed must be added anew. */
void serve_folders_clear(struct serve_folders *);

/* Watches the way to a file, as far as it is there; relative ones begin in the working folder. */
void serve_folders_add(struct serve_folders *, const char *path);

#endif
