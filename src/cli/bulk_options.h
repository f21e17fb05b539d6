#ifndef CLI_BULK_OPTIONS_H
#define CLI_BULK_OPTIONS_H

#include "bulk/bulk_reader.h"

#include <stdbool.h>
#include <stdint.h>

/* What `import`, `export` and `diff` have in common on their command lines. What is wrong is
 * told on standard error. */
#define BULK_OPTIONS_TOKEN "PERSONA_GATEWAY_TOKEN" /* variables that hold tokens */
#define BULK_OPTIONS_FROM_TOKEN "PERSONA_GATEWAY_FROM_TOKEN"
#define BULK_OPTIONS_PATIENCE_MS 120000

/* Reads a token from a file, or else from a variable, which is taken out of the
 * environment; *token stays NULL when neither is given. The caller frees with
 * mem_wipe_free(). */
bool bulk_options_token(const char *file, const char *variable, char **token);

/* Whether --project (NULL: it is not given) is for one of two words; false: they are files, or
 * each of them ends with a project of its own, which may be another one. */
bool bulk_options_project(const char *project, const char *a, const char *b);

/* Reads a number, or a duration such as "90s" into milliseconds. */
bool bulk_options_jobs(const char *text, unsigned *out);
bool bulk_options_duration(const char *option, const char *text, int64_t *out);

/* Reads "auto", "jsonl" or "json". */
bool bulk_options_form(const char *text, enum bulk_form *out);

#endif
