#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/* Starts a thread that no signal comes to, with so many bytes of stack; 0: as many as usual.
 * 0, or an errno. */
int thread_start(pthread_t *, size_t stack, void *(*run)(void *), void *arg);

#endif
