#include "config.h"

#include "config/config_secret.h"

#include "base/mem.h"
#include "config/config_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_SECRET_MAX 4096

/* Checks a key. */
int
config_secret_check(const char *secret, struct fail *fail)
{
	if (secret[0] == '\0')
		return fail_set(fail, "is empty; it must hold the key");
	for (size_t i = 0; secret[i] != '\0'; i++)
		if ((unsigned char)secret[i] <= ' ' || (unsigned char)secret[i] > '~')
			return fail_set(fail, "holds a character that cannot be part of a key "
			    "(byte %zu); a key is visible ASCII without spaces", i + 1);
	if (strlen(secret) > CONFIG_SECRET_MAX)
		return fail_set(fail, "is longer than %d bytes; that is no key", CONFIG_SECRET_MAX);
	return 0;
}

/* Reads a key file. */
char *
config_secret_read(const char *path, bool shown, unsigned *mode, struct fail *fail)
{
	const char *space = shown ? " " : "", *name = shown ? path : "";
	struct config_file file;
	struct fail why;

	if (config_file_read(path, true, CONFIG_SECRET_MAX + 16, &file, &why) != 0) {
		fail_set(fail, "cannot read %s: %s", shown ? path : "the file", why.text);
		return NULL;
	}
	while (file.len > 0 && (file.text[file.len - 1] == '\n' || file.text[file.len - 1] == '\r'))
		file.text[--file.len] = '\0';
	*mode = file.mode;
	if (strlen(file.text) != file.len)
		fail_set(fail, "the key file%s%s holds a NUL byte; it must hold the key alone", space,
		    name);
	else if (config_secret_check(file.text, &why) != 0)
		fail_set(fail, "the key file%s%s %s", space, name, why.text);
	else
		return file.text;
	config_file_free(&file);
	return NULL;
}
