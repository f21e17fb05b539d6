#ifndef BASE_MEM_TRIM_H
#define BASE_MEM_TRIM_H

#include "base/loop.h"

/*
 * Gives memory back after a burst. The C library keeps what lies between pieces that are
 * still in use; the kernel gets it when it is asked for, which takes milliseconds for a
 * hundred megabytes. So it is done in a quiet moment: when the process, with all of its
 * threads, took hardly any processor time since the last look, and holds far more memory
 * than it uses.
 */
struct mem_trim {
	struct loop_timer timer;
	int64_t cpu_us; /* of the process, at the last look */
};

#define MEM_TRIM_LOOK_MS 5000
#define MEM_TRIM_LEAST (8 << 20) /* bytes held and not used */

void mem_trim_start(struct mem_trim *, struct loop *);
void mem_trim_stop(struct mem_trim *); /* fine when it was never started */

/* What the C library has of memory, in bytes. Looking takes as long as there are free pieces:
 * well under a millisecond, but after a burst. Nothing under a sanitizer, which has its own. */
struct mem_trim_heap {
	size_t live; /* in use by the program; each thread keeps some freed small pieces, which count */
	size_t kept; /* freed, and kept for later */
};
void mem_trim_look_at_heap(struct mem_trim_heap *);

/* Bytes of anonymous memory that this process has; 0 when /proc does not tell. */
size_t mem_trim_held(void);

#endif
