#ifndef HARNESS_H
#define HARNESS_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Starts the real program on free ports of loopback and speaks to it with raw
 * sockets and with curl. Whatever goes wrong in here fails the running test.
 * Every wait is bounded; nothing sleeps.
 *
 * With TEST_WORKERS=2 in the environment every gateway that a test starts has two event
 * loops, unless its configuration says how many.
 */

#define PROGRAM_URLS 4

/* A running program. */
struct program {
	pid_t pid;
	int out;                 /* its standard output */
	char url[PROGRAM_URLS][128]; /* of each `listening on` line */
	int port;                /* of the first of them */
	int admin_port;          /* 0: none */
	char log[256];           /* file with its standard error */
};

/* Starts `persona-gateway ARGS…` (NULL-terminated) and waits until it listens. */
void program_start(struct program *, const char *const args[]);
/* The same, but expects it to end without listening; returns its exit code. */
int program_fails(struct program *, const char *const args[]);
/* Ends it with SIGTERM and returns its exit code. */
int program_stop(struct program *);
/* Asks it to end, and does not wait; waits for its end, and returns its exit code. */
void program_term(struct program *);
int program_wait(struct program *);
/* Ends it at once, without waiting for what runs; it must end well. */
void program_cut(struct program *);
/* Ends it with SIGKILL. */
void program_kill(struct program *);
/* What it wrote to standard error so far; of a gateway that runs, everything that it
 * logged before this call. The caller frees. */
char *program_log(const struct program *);

/* Plays a service manager that hands sockets over: every program started after this call
 * inherits them, with LISTEN_FDNAMES if `names` is not NULL; none with count 0. They stay
 * the caller's. */
void program_hand_over(const int *fds, size_t count, const char *names);

/* A folder for one test, removed at the end of the test program. */
const char *scratch_dir(void);
/* Writes a file into the folder; returns its path (static, four at a time). */
const char *scratch_file(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Path of the program under test. */
const char *program_path(void);

/* Fails unless a condition becomes true within a bound; it is asked again and again. */
#define EVENTUALLY(condition) EVENTUALLY_WITHIN(HARNESS_EVENTUALLY_MS, condition)
#define EVENTUALLY_WITHIN(ms, condition)                                                  \
	do {                                                                              \
		int64_t harness_until = harness_now() + (ms);                             \
		bool harness_true;                                                        \
                                                                                          \
		while (!(harness_true = (condition)) && harness_now() < harness_until)    \
			harness_breathe();                                                \
		ck_assert_msg(harness_true, "never: %s", #condition);                     \
	} while (0)
#define HARNESS_EVENTUALLY_MS 15000
int64_t harness_now(void);  /* ms */
void harness_breathe(void); /* lets the programs run for a moment */

/* Event loops of a gateway whose configuration does not say how many it has. */
int program_loops(void);

/* ---- HTTP by raw sockets ---- */

struct reply {
	int status;      /* 0: the connection ended before an answer */
	char head[8192]; /* status line and fields */
	char *body;
	size_t len;
};

int raw_connect(int port);
/* Waits until nothing listens on a port any more; false when that takes too long. */
bool raw_refused(int port);
void raw_send(int fd, const char *bytes, size_t len);
/* Reads one answer; `head_request` when it has no body whatever its length says. */
void raw_reply(int fd, bool head_request, struct reply *);
/* True when the peer closes without sending anything more. */
bool raw_closed(int fd);

/* One request on a connection of its own. `body` NULL: none. `fields` are whole
 * lines with CRLF, or NULL. A body gets Content-Type: application/json unless
 * `fields` has one. The reply is static until the fourth next call. */
struct reply *ask(int port, const char *method, const char *path, const char *fields,
    const char *body);
/* The same in two steps: sends, and reads the answer and closes. */
int ask_start(int port, const char *method, const char *path, const char *fields,
    const char *body);
struct reply *ask_end(int fd);
/* The value of an answer's field, or NULL; static. */
const char *reply_field(const struct reply *, const char *name);
/* The body as JSON; it belongs to the harness and lives for some thousand calls. */
struct json_object *reply_json(const struct reply *);
/* A string member of the body, or NULL. */
const char *reply_string(const struct reply *, const char *member);
/* Fails unless the answer is this error. */
void expect_error(const struct reply *, int status, const char *sentence);

/* Runs a command by the shell and returns its output; the caller frees. */
char *shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
