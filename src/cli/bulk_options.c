#include "config.h"

#include "cli/bulk_options.h"
#include "base/mem.h"
#include "bulk/bulk_site.h"
#include "cli/token_file.h"
#include "config/config_secret.h"
#include "config/config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BULK_OPTIONS_JOBS_MAX 64
#define BULK_OPTIONS_DURATION_MAX ((int64_t)24 * 3600 * 1000)

/* Reads a token. */
bool
bulk_options_token(const char *file, const char *variable, char **token)
{
	const char *given = getenv(variable);
	struct fail fail;

	if (file != NULL) {
		*token = token_file_read(file);
		return *token != NULL;
	}
	if (given == NULL || *given == '\0')
		return true;
	if (config_secret_check(given, &fail) != 0) {
		fprintf(stderr, "persona-gateway: %s %s\n", variable, fail.text);
		return false;
	}
	*token = mem_string(given);
	unsetenv(variable);
	return true;
}

/* Looks whether a project is for one of two words. */
bool
bulk_options_project(const char *project, const char *a, const char *b)
{
	if (project == NULL || bulk_site_wants_project(a) || bulk_site_wants_project(b))
		return true;
	fprintf(stderr, "persona-gateway: --project is for a URL that does not end with a project; there is "
	    "none\n");
	return false;
}

/* Reads a number of a type; says what is wrong. */
static bool
bulk_options_number(const char *option, const struct config_key *key, const char *text, int64_t *out)
{
	struct fail fail;

	if (config_value_number(key, text, true, out, &fail) == 0)
		return true;
	fprintf(stderr, "persona-gateway: %s %s\n", option, fail.text);
	return false;
}

/* Reads how many writes may be under way. */
bool
bulk_options_jobs(const char *text, unsigned *out)
{
	static const struct config_key key = {.path = "jobs", .type = CONFIG_INT, .min = 1,
	    .max = BULK_OPTIONS_JOBS_MAX};
	int64_t number;

	if (!bulk_options_number("--jobs", &key, text, &number))
		return false;
	*out = (unsigned)number;
	return true;
}

/* Reads a duration. */
bool
bulk_options_duration(const char *option, const char *text, int64_t *out)
{
	static const struct config_key key = {.path = "duration", .type = CONFIG_DURATION, .min = 0,
	    .max = BULK_OPTIONS_DURATION_MAX};

	return bulk_options_number(option, &key, text, out);
}

/* Reads the form of a file. */
bool
bulk_options_form(const char *text, enum bulk_form *out)
{
	static const char *const names[] = {"auto", "jsonl", "json"};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum bulk_form)i;
			return true;
		}
	}
	fprintf(stderr, "persona-gateway: --format must be auto, jsonl or json\n");
	return false;
}
