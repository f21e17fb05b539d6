#include "config.h"

#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER_MEMORY "/dev/shm"
#define FOLDER_ROOM ((uint64_t)1 << 30) /* bytes that must be free there */
#define FOLDER_BREATH_MS 10
#define FOLDER_TRIES 500 /* breaths that a process gets to end after SIGQUIT, and after SIGKILL */

/* Whether a process works in a folder or below it. */
static bool
folder_holds(const char *path, const char *pid)
{
	char link[64], cwd[256];
	size_t len = strlen(path);
	ssize_t n;

	if (strspn(pid, "0123456789") != strlen(pid))
		return false;
	snprintf(link, sizeof link, "/proc/%.20s/cwd", pid);
	n = readlink(link, cwd, sizeof cwd - 1);
	if (n < 0)
		return false;
	cwd[n] = '\0';
	return strncmp(cwd, path, len) == 0 && (cwd[len] == '/' || cwd[len] == '\0');
}

/* Sends a signal to what runs in a folder. */
unsigned
folder_signal(const char *path, int sig)
{
	DIR *d = opendir("/proc");
	unsigned count = 0;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (folder_holds(path, e->d_name) && atoi(e->d_name) != getpid())
			count += kill(atoi(e->d_name), sig) == 0;
	if (d != NULL)
		closedir(d);
	return count;
}

/* Waits until nothing runs in a folder any more. */
static bool
folder_empties(const char *path)
{
	for (int i = 0; i < FOLDER_TRIES; i++) {
		if (folder_signal(path, 0) == 0)
			return true;
		poll(NULL, 0, FOLDER_BREATH_MS);
	}
	return false;
}

/* A database that was killed leaves the shared memory that its folder names (the seventh
 * line of postmaster.pid: key and id). */
static void
folder_free_memory(const char *path)
{
	char file[128], line[256];
	FILE *f;
	int id;

	snprintf(file, sizeof file, "%s/data/postmaster.pid", path);
	f = fopen(file, "r");
	if (f == NULL)
		return;
	for (int i = 0; i < 7 && fgets(line, sizeof line, f) != NULL; i++)
		if (i == 6 && sscanf(line, "%*d %d", &id) == 1)
			shmctl(id, IPC_RMID, NULL);
	fclose(f);
}

/* In the guard: waits until it is told, or nobody holds the other end, then cleans up. */
static void
folder_guard(const char *path, int fd)
{
	char c;

	setsid(); /* not ended with the group of a test that takes too long */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	if (fd != 3)
		dup2(fd, 3);
	close_range(4, ~0U, 0);
	close_range(0, 2, 0);
	while (read(3, &c, 1) < 0 && errno == EINTR)
		;
	folder_signal(path, SIGCONT);
	folder_signal(path, SIGQUIT);
	if (!folder_empties(path)) {
		folder_signal(path, SIGKILL);
		folder_empties(path);
	}
	folder_free_memory(path);
	execl("/bin/rm", "rm", "-rf", path, (char *)NULL);
	_exit(127);
}

/* Whether a folder in memory has room. */
static bool
folder_fits(const char *path)
{
	struct statvfs v;

	return statvfs(path, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize >= FOLDER_ROOM &&
	    access(path, W_OK) == 0;
}

/* Makes a folder. */
bool
folder_make(struct folder *f, bool disk, uid_t uid, gid_t gid)
{
	int fds[2];

	snprintf(f->path, sizeof f->path, "%s/persona-gateway-db-XXXXXX",
	    !disk && folder_fits(FOLDER_MEMORY) ? FOLDER_MEMORY : "/tmp");
	if (mkdtemp(f->path) == NULL || chown(f->path, uid, gid) != 0 || pipe2(fds, O_CLOEXEC) != 0)
		return false;
	f->maker = getpid();
	f->pid = fork();
	if (f->pid == 0)
		folder_guard(f->path, fds[0]);
	close(fds[0]);
	f->guard = fds[1];
	return f->pid > 0;
}

/* Removes a folder. */
void
folder_remove(struct folder *f)
{
	if (f->path[0] == '\0' || f->maker != getpid())
		return;
	/* To be told matters: forks of the test may hold that end, too. */
	if (write(f->guard, "", 1) == 1)
		while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
			;
	close(f->guard);
	memset(f, 0, sizeof *f);
}
