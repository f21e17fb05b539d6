#include "config.h"

#include "store/image_file.h"
#include "base/fd.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether a name is nothing but a name. */
bool
image_file_name_ok(const char *name)
{
	size_t len = strspn(name,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

	return len > 0 && len < 128 && name[len] == '\0' && name[0] != '.';
}

/* Removes what a crash has left: temporary files, and files without a row. */
static int
image_file_sweep(const char *folder, bool (*known)(void *arg, const char *name), void *arg)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (!image_file_name_ok(e->d_name) || !known(arg, e->d_name))
			(void)unlinkat(dirfd(d), e->d_name, 0); /* a folder in there stays */
	}
	closedir(d);
	return 0;
}

/* Makes the folder and tidies it up. */
char *
image_file_open(const char *dir, bool (*known)(void *arg, const char *name), void *arg,
    struct fail *f)
{
	char *folder = mem_format("%s/images", dir);
	int rc = mkdir(folder, 0700);

	if (rc == 0)
		rc = fd_sync_folder(dir);
	else if (errno == EEXIST)
		rc = 0;
	if (rc == 0)
		rc = image_file_sweep(folder, known, arg);
	if (rc == 0)
		return folder;
	fail_set(f, "the folder %s cannot be used: %s", folder, strerror(errno));
	free(folder);
	return NULL;
}

/* Writes a file under another name first, so that its own never shows a part. */
int
image_file_write(const char *folder, const char *name, const char *bytes, size_t len,
    struct fail *f)
{
	char *path = mem_format("%s/%s", folder, name), *part = mem_format("%s/.%s", folder, name);
	int fd = -1, rc = -1, why;

	if (!image_file_name_ok(name))
		errno = EINVAL;
	else if (access(path, F_OK) == 0)
		errno = EEXIST;
	else
		fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		rc = fd_write_all(fd, bytes, len) == 0 ? fsync(fd) : -1;
	why = errno;
	if (fd >= 0 && close(fd) < 0 && rc == 0) {
		why = errno;
		rc = -1;
	}
	if (rc == 0 && (rename(part, path) < 0 || fd_sync_folder(folder) < 0)) {
		why = errno;
		rc = -1;
		unlink(path);
	}
	if (rc < 0) {
		if (fd >= 0)
			unlink(part);
		fail_set(f, "an image cannot be written: %s", strerror(why));
	}
	free(path);
	free(part);
	return rc;
}

/* Reads a piece of an open file. */
static int
image_file_take(int fd, char *to, size_t len, int64_t offset)
{
	while (len > 0) {
		ssize_t n = pread(fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return -1;
		to += n;
		offset += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Reads a piece of a file. */
char *
image_file_read(const char *folder, const char *name, int64_t size, int64_t offset, size_t *len,
    struct fail *f)
{
	char *path = mem_format("%s/%s", folder, name), *bytes = NULL;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int rc = fd < 0 ? -1 : fstat(fd, &st);

	free(path);
	if (rc == 0 && st.st_size != size) {
		errno = EIO;
		rc = -1;
	}
	if (offset < 0 || offset > size)
		offset = size;
	if ((int64_t)*len > size - offset)
		*len = (size_t)(size - offset);
	if (rc == 0) {
		bytes = mem_alloc(*len + 1);
		rc = image_file_take(fd, bytes, *len, offset);
	}
	if (rc < 0) {
		fail_set(f, "an image's file cannot be read: %s", strerror(errno));
		free(bytes);
		bytes = NULL;
	}
	if (fd >= 0)
		close(fd);
	return bytes;
}

/* Removes a file. If that fails, or is undone by a power cut, the next start
 * removes it. */
void
image_file_remove(const char *folder, const char *name)
{
	char *path = mem_format("%s/%s", folder, name);

	if (image_file_name_ok(name))
		unlink(path);
	free(path);
}
