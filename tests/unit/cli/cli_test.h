#ifndef CLI_TEST_H
#define CLI_TEST_H

#include "base/buf.h"
#include "unit.h"

#include <sys/types.h>

/* A command in a process of its own. */
struct run {
	pid_t pid;
	int out, err; /* read ends of its standard output and error */
};
typedef int (*run_fn)(int argc, char **argv);

/* Starts a command; the arguments end with NULL. */
void run_start(struct run *, run_fn, const char *const *args);
/* Reads one line of standard output, without its end. */
void run_line(struct run *, char *line, size_t size);
/* Waits for the end and reads what is left of both; gives the exit code. */
int run_end(struct run *, struct buf *out, struct buf *err);

Suite *suite_cmd_check(void);
Suite *suite_cmd_explain(void);
Suite *suite_cmd_sandbox(void);
Suite *suite_cmd_token(void);
Suite *suite_mapping_doc(void);

#endif
