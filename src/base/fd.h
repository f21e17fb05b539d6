#ifndef FD_H
#define FD_H

#include <stddef.h>

/* Writes all bytes to a file, over interruptions; -1 with errno when it cannot, and then
 * some may be there. Waits for the disk. */
int fd_write_all(int fd, const char *bytes, size_t len);

/* Makes names durable, over a power cut: all that are in a folder, or the one that a path ends
 * with. -1 with errno. Waits for the disk. */
int fd_sync_folder(const char *folder);
int fd_sync_name(const char *path);

#endif
