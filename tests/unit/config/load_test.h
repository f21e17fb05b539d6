#ifndef LOAD_TEST_H
#define LOAD_TEST_H

#include "config/config_load.h"
#include "config_test.h"

/* Loads a text as the file c.yaml of the working folder, which becomes the
 * test's own, and compares what is noted. The variables KEY ("k3y"), EMPTY, N
 * ("7") and YES ("true") are set. The caller frees. */
struct config *load(const char *text, const char *lines);

/* The same with the sandbox. */
struct config *load_sandbox(const char *text, const char *lines);

/* The same with a source of one's own, whose file and env are filled in. */
struct config *load_source(struct config_source *, const char *text, const char *lines);

/* Loads what must be good, and frees it. */
void accept(const char *text);

/* Loads what must be refused with these lines. */
void refuse(const char *text, const char *lines);

/* The end of the sentence about an address that other machines can reach. */
#define OPEN_REMEDY                                                                     \
	"add \"clients\" to the file (\"persona-gateway token NAME\" makes a token), "    \
	"listen on 127.0.0.1, or allow it with \"listen_without_tokens: true\" in the file\n"

/* What every file needs, on two lines. */
#define KEY "bluejay:\n  api_key: ${KEY}\n"

#endif
