#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "base/fail.h"

#include <stdbool.h>
#include <stddef.h>

/* A file as a whole, and paths beside it. */
struct config_file {
	char *text; /* NUL-terminated */
	size_t len;
	unsigned mode; /* permission bits */
};

/* Reads a file, at most max bytes and one more. `regular` refuses pipes and
 * devices, which might never end. -1 with the reason alone. */
int config_file_read(const char *path, bool regular, size_t max, struct config_file *,
    struct fail *);
void config_file_free(struct config_file *); /* wipes */

/* A path that the file `beside` (NULL: none) names: absolute ones stay, others
 * begin in its folder. The caller frees. */
char *config_file_resolve(const char *beside, const char *path);

/* The same, and absolute whatever `beside` is. */
char *config_file_resolve_absolute(const char *beside, const char *path);

#endif
