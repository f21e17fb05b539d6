#ifndef FOLDER_H
#define FOLDER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A folder of a test's own, in which programs of other users may run. A process beside the
 * test guards it: when the test ends, however it ends, whatever still runs in the folder is
 * ended and the folder is removed.
 */
struct folder {
	char path[64];
	int guard;  /* the guard waits for its end */
	pid_t pid;  /* of the guard */
	pid_t maker;
};

/* Makes an empty folder that belongs to a user, on a disk or where the files are quickest:
 * in memory if there is room; false when that cannot be. */
bool folder_make(struct folder *, bool disk, uid_t, gid_t);
/* Ends what runs in it and removes it; only in the process that made it. */
void folder_remove(struct folder *);

/* Sends a signal to all processes whose working folder is this one or is in it; how many
 * there were. */
unsigned folder_signal(const char *path, int sig);

#endif
