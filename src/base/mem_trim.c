#include "config.h"

#include "base/mem_trim.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEM_TRIM_BUSY 20 /* a part of the time so large is no quiet moment: one in 20 */

/* Processor time of all threads, in microseconds. */
static int64_t
mem_trim_cpu(void)
{
	struct rusage use;

	if (getrusage(RUSAGE_SELF, &use) != 0)
		return 0;
	return (int64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 + use.ru_utime.tv_usec +
	    use.ru_stime.tv_usec;
}

/* Reads what the kernel counts. */
size_t
mem_trim_held(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long resident, shared;
	bool ok;

	if (f == NULL)
		return 0;
	ok = fscanf(f, "%*u %llu %llu", &resident, &shared) == 2;
	fclose(f);
	return ok && resident > shared ? (size_t)(resident - shared) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Adds up the arenas. */
void
mem_trim_look_at_heap(struct mem_trim_heap *h)
{
	struct mallinfo2 info = mallinfo2();

	h->live = info.uordblks + info.hblkhd;
	h->kept = info.fordblks;
}

/* Looks whether it is quiet and there is something to give back. */
static void
mem_trim_look(void *arg)
{
	struct mem_trim *t = arg;
	int64_t cpu_us = mem_trim_cpu();
	bool quiet = cpu_us - t->cpu_us < MEM_TRIM_LOOK_MS * 1000 / MEM_TRIM_BUSY;
	struct mem_trim_heap heap;

	t->cpu_us = cpu_us;
	if (quiet && mem_trim_held() > MEM_TRIM_LEAST) {
		mem_trim_look_at_heap(&heap);
		if (mem_trim_held() > heap.live + MEM_TRIM_LEAST)
			malloc_trim(0);
	}
	loop_timer_set(&t->timer, MEM_TRIM_LOOK_MS);
}

/* Starts. */
void
mem_trim_start(struct mem_trim *t, struct loop *loop)
{
	loop_timer_init(&t->timer, loop, mem_trim_look, t);
	t->cpu_us = mem_trim_cpu();
	loop_timer_set(&t->timer, MEM_TRIM_LOOK_MS);
}

/* Stops. */
void
mem_trim_stop(struct mem_trim *t)
{
	if (t->timer.loop != NULL)
		loop_timer_cancel(&t->timer);
}
