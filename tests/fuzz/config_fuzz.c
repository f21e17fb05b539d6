#include "config.h"

#include "config/config_load.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Ends the run when something does not hold. */
static void
config_fuzz_expect(bool holds)
{
	if (!holds)
		abort();
}

/* Every variable holds its own name. */
static const char *
config_fuzz_env(void *arg, const char *name)
{
	return name;
}

/* Loads a file; what comes out is whole. */
static void
config_fuzz_load(const char *file, bool sandbox)
{
	struct config_source source = {.file = file, .sandbox = sandbox, .env = config_fuzz_env};
	struct diag_list diags = {0};
	struct config *config = config_load(&source, &diags);

	config_fuzz_expect((config == NULL) == (diags.errors > 0));
	diag_sort(&diags);
	if (config != NULL) {
		config_fuzz_expect(config->listen[0] != NULL && config->data_dir != NULL);
		config_fuzz_expect(config->bluejay.url != NULL && config->bluejay.api_key != NULL);
		config_fuzz_expect(config->bluejay.connect <= config->bluejay.total);
		config_fuzz_expect(config->bluejay.first_byte <= config->bluejay.total);
		config_fuzz_expect(config->project_count > 0);
	}
	config_free(config);
	diag_free(&diags);
}

/* Loads the input as a file, for Bluejay and for the sandbox. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("config_fuzz", MFD_CLOEXEC);
	char path[64];

	config_fuzz_expect(fd >= 0);
	config_fuzz_expect(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	config_fuzz_load(path, false);
	config_fuzz_load(path, true);
	close(fd);
	return 0;
}
