#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Loaded before everything else (LD_PRELOAD), this library looks for system calls that
 * a thread of the program makes while it holds a lock. Only locks that the program itself
 * takes count, not those of the libraries that it uses. When the program ends, a line is added
 * to the file that $LOCKWATCH names: how many locks were taken, how many system calls were
 * looked at, how many of them with a lock, and the first one of those.
 */

static uintptr_t watch_from, watch_to; /* the program's code */
static unsigned long watch_locks, watch_calls, watch_held;
static const char *watch_first;
static __thread unsigned watch_depth;

/* Finds the program's code: the first object that is loaded. */
static int
watch_on_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || (p->p_flags & PF_X) == 0)
			continue;
		watch_from = info->dlpi_addr + p->p_vaddr;
		watch_to = watch_from + p->p_memsz;
	}
	return 1;
}

__attribute__((constructor)) static void
watch_begin(void)
{
	dl_iterate_phdr(watch_on_object, NULL);
}

/* Whether a call came from the program itself. */
static bool
watch_is_own(const void *from)
{
	return (uintptr_t)from >= watch_from && (uintptr_t)from < watch_to;
}

/* Notes a system call. */
static void
watch_call(const char *what)
{
	__atomic_add_fetch(&watch_calls, 1, __ATOMIC_RELAXED);
	if (watch_depth == 0)
		return;
	__atomic_add_fetch(&watch_held, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&watch_first, what, __ATOMIC_RELAXED);
}

__attribute__((destructor)) static void
watch_end(void)
{
	const char *path = getenv("LOCKWATCH");
	FILE *f = path != NULL ? fopen(path, "a") : NULL;

	if (f == NULL)
		return;
	fprintf(f, "%lu locks %lu calls %lu held %s\n", watch_locks, watch_calls, watch_held,
	    watch_first != NULL ? watch_first : "-");
	fclose(f);
}

/* What the next library has under a name; conditions have old namesakes. */
static void *
watch_next(const char *name)
{
	void *next = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");

	return next != NULL ? next : dlsym(RTLD_NEXT, name);
}

#define WATCH_NEXT(name)                                                                    \
	static __typeof__(name) *next;                                                      \
	__typeof__(name) *next_now = __atomic_load_n(&next, __ATOMIC_RELAXED);              \
                                                                                            \
	if (next_now == NULL) {                                                             \
		next_now = (__typeof__(name) *)watch_next(#name);                           \
		__atomic_store_n(&next, next_now, __ATOMIC_RELAXED);                        \
	}

/* A function of the C library that makes a system call. */
#define WATCH(type, name, declared, passed)                                                 \
	type name declared                                                                  \
	{                                                                                   \
		WATCH_NEXT(name)                                                            \
		watch_call(#name);                                                          \
		return next_now passed;                                                     \
	}

WATCH(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
WATCH(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))
WATCH(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
WATCH(ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
WATCH(ssize_t, pread64, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
WATCH(ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
WATCH(ssize_t, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
WATCH(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
WATCH(ssize_t, send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))
WATCH(ssize_t, sendto, (int fd, const void *from, size_t n, int flags, const struct sockaddr *a,
    socklen_t len), (fd, from, n, flags, a, len))
WATCH(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
WATCH(int, poll, (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms))
WATCH(int, epoll_wait, (int fd, struct epoll_event *e, int n, int ms), (fd, e, n, ms))
WATCH(int, epoll_ctl, (int fd, int op, int of, struct epoll_event *e), (fd, op, of, e))
WATCH(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WATCH(int, accept4, (int fd, struct sockaddr *a, socklen_t *len, int flags), (fd, a, len, flags))
WATCH(int, connect, (int fd, const struct sockaddr *a, socklen_t len), (fd, a, len))
WATCH(int, close, (int fd), (fd))
WATCH(int, fsync, (int fd), (fd))
WATCH(int, fdatasync, (int fd), (fd))
WATCH(int, ftruncate, (int fd, off_t size), (fd, size))
WATCH(int, fstat, (int fd, struct stat *st), (fd, st))
WATCH(int, stat, (const char *path, struct stat *st), (path, st))
WATCH(int, flock, (int fd, int how), (fd, how))
WATCH(ssize_t, getrandom, (void *to, size_t n, unsigned flags), (to, n, flags))
WATCH(int, rename, (const char *from, const char *to), (from, to))
WATCH(int, unlink, (const char *path), (path))
WATCH(int, pthread_cond_signal, (pthread_cond_t *c), (c))
WATCH(int, pthread_cond_broadcast, (pthread_cond_t *c), (c))

/* Opens a file; with the mode, if there is one. */
#define WATCH_OPEN(name)                                                                    \
	int name(const char *path, int flags, ...)                                          \
	{                                                                                   \
		WATCH_NEXT(name)                                                            \
		va_list ap;                                                                 \
		mode_t mode;                                                                \
                                                                                            \
		va_start(ap, flags);                                                        \
		mode = va_arg(ap, mode_t);                                                  \
		va_end(ap);                                                                 \
		watch_call(#name);                                                          \
		return next_now(path, flags, mode);                                         \
	}

WATCH_OPEN(open)
WATCH_OPEN(open64)

/* A lock is taken. */
int
pthread_mutex_lock(pthread_mutex_t *m)
{
	WATCH_NEXT(pthread_mutex_lock)
	int rc = next_now(m);

	if (watch_is_own(__builtin_return_address(0))) {
		watch_depth++;
		__atomic_add_fetch(&watch_locks, 1, __ATOMIC_RELAXED);
	}
	return rc;
}

/* A lock is let go. */
int
pthread_mutex_unlock(pthread_mutex_t *m)
{
	WATCH_NEXT(pthread_mutex_unlock)

	if (watch_is_own(__builtin_return_address(0)))
		watch_depth--;
	return next_now(m);
}
