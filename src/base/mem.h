#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Allocation that does not come back empty-handed: out of memory ends the
 * process with a sentence. Small, bounded objects only; what a peer can make
 * large lives in a struct buf (buf.h), which refuses beyond its limit. All
 * results belong to the caller, who frees them with free().
 */

void *mem_alloc(size_t size);
void *mem_zero(size_t count, size_t size);
void *mem_resize(void *old, size_t size);
char *mem_copy(const void *bytes, size_t len); /* adds a NUL after the bytes */
char *mem_string(const char *s);               /* NULL gives NULL */
char *mem_join(const char *a, const char *b); /* one behind the other */
char *mem_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Overwrites secret bytes in a way the compiler keeps, then frees; NULL is fine. */
void mem_wipe_free(char *secret);
void mem_wipe_free_bytes(void *secrets, size_t len);

#endif
