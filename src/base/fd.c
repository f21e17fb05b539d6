#include "config.h"

#include "base/fd.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes all bytes. */
int
fd_write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Syncs a folder. */
int
fd_sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd), error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return rc;
}

/* Syncs the folder of a name. */
int
fd_sync_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? mem_string(".") : mem_copy(path, (size_t)(slash - path) + 1);
	int rc = fd_sync_folder(folder), error = errno;

	free(folder);
	errno = error;
	return rc;
}
