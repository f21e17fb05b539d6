#ifndef BULK_RIG_H
#define BULK_RIG_H

#include <check.h>
#include <json-c/json_object.h>
#include <sys/types.h>

/* What the tests of `import`, `export` and `diff` have in common. */

Suite *bulk_suite(void);
Suite *bulk_fault_suite(void);
Suite *bulk_server_suite(void);

/* The output of a command, whose standard error is in it; static until the fourth next. */
struct bulk_ran {
	int code;
	char *text;
};
struct bulk_ran *bulk_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Fails unless a command ends so and says this (NULL: anything). */
void bulk_expect(int code, const char *says, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Starts a command and leaves it running; its output goes to the file out.NAME. */
pid_t bulk_spawn(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Waits for its end; the exit code, or minus the signal. */
int bulk_wait(pid_t);
/* What it has written (static). */
const char *bulk_output(const char *name);

/* Writes JSON lines with the personas `first` to `last`; the path (static, four at a time). */
const char *bulk_source(const char *name, int first, int last);
/* A path in the folder of the tests; static, 16 at a time. */
const char *bulk_path(const char *name);
/* How many lines of a file hold a text. */
int bulk_lines(const char *path, const char *text);

/* The gateway's URL. */
const char *bulk_url(void);
/* Fails unless the simulated Bluejay has the personas 0 to n - 1, each once, and nothing else. */
void bulk_audit(int n);
/* How many personas the simulated Bluejay has. */
int bulk_held(void);

#endif
