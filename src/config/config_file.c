#include "config.h"

#include "config/config_file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads up to max + 1 bytes of a descriptor; false with errno. */
static bool
config_file_slurp(int fd, size_t max, struct config_file *file)
{
	file->text = mem_alloc(max + 2);
	file->len = 0;
	while (file->len <= max) {
		ssize_t n = read(fd, file->text + file->len, max + 1 - file->len);

		if (n == 0)
			break;
		if (n > 0)
			file->len += (size_t)n;
		else if (errno != EINTR)
			return false;
	}
	file->text[file->len] = '\0';
	return true;
}

/* Reads a file. */
int
config_file_read(const char *path, bool regular, size_t max, struct config_file *file,
    struct fail *fail)
{
	/* Opening a pipe without a writer would wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (regular ? O_NONBLOCK : 0));
	struct stat st = {0};
	int saved;

	*file = (struct config_file){0};
	if (fd < 0)
		return fail_set(fail, "%s", strerror(errno));
	if (fstat(fd, &st) == 0 && regular && !S_ISREG(st.st_mode)) {
		close(fd);
		return fail_set(fail, "it is not a file");
	}
	file->mode = st.st_mode & 07777;
	if (!config_file_slurp(fd, max, file)) {
		saved = errno;
		close(fd);
		config_file_free(file);
		return fail_set(fail, "%s", strerror(saved));
	}
	close(fd);
	return 0;
}

/* Wipes and frees what was read. */
void
config_file_free(struct config_file *file)
{
	mem_wipe_free_bytes(file->text, file->len);
	*file = (struct config_file){0};
}

/* Resolves a path. */
char *
config_file_resolve(const char *beside, const char *path)
{
	const char *slash = beside == NULL ? NULL : strrchr(beside, '/');

	if (path[0] == '/' || slash == NULL)
		return mem_string(path);
	while (strncmp(path, "./", 2) == 0 && path[2] != '/' && path[2] != '\0')
		path += 2;
	return mem_format("%.*s/%s", (int)(slash - beside), beside, path);
}

/* Resolves a path, from the working folder if need be. */
char *
config_file_resolve_absolute(const char *beside, const char *path)
{
	char *resolved = config_file_resolve(beside, path), *folder, *absolute;

	if (resolved[0] == '/')
		return resolved;
	folder = getcwd(NULL, 0);
	absolute = mem_format("%s/%s", folder == NULL || folder[1] == '\0' ? "" : folder, resolved);
	free(folder);
	free(resolved);
	return absolute;
}
