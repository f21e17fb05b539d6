#ifndef FD_H
#define FD_H

#include <stddef.h>

/* Writes all bytes to a file, over interruptions; -1 with errno when it cannot, and then
 * some may be there. Waits for the disk. */
int fd_write_all(int fd, const char *bytes, size_t len);

#endif
