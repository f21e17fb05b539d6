#include "config.h"

#include "cli/token_file.h"
#include "config/config_secret.h"

#include <stdio.h>

/* Reads a token. */
char *
token_file_read(const char *path)
{
	struct fail fail;
	unsigned mode;
	char *token = config_secret_read(path, true, &mode, &fail);

	if (token == NULL)
		fprintf(stderr, "persona-gateway: %s\n", fail.text);
	else if ((mode & 044) != 0)
		fprintf(stderr, "persona-gateway: warning: other users may read the token file %s (mode %04o); "
		    "take the right away with chmod 600\n", path, mode);
	return token;
}
