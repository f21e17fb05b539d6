#include "config.h"

#include "cli_test.h"
#include "base/mem.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts a command. */
void
run_start(struct run *r, run_fn command, const char *const *args)
{
	int out[2], err[2], argc = 0;

	while (args[argc] != NULL)
		argc++;
	ck_assert_int_eq(pipe(out), 0);
	ck_assert_int_eq(pipe(err), 0);
	fflush(NULL);
	r->pid = fork();
	ck_assert_int_ge(r->pid, 0);
	if (r->pid == 0) {
		char **argv = mem_zero((size_t)argc + 1, sizeof *argv);
		int code;

		for (int i = 0; i < argc; i++)
			argv[i] = mem_string(args[i]);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		for (int i = 0; i < 2; i++) {
			close(out[i]);
			close(err[i]);
		}
		alarm(30);
		code = command(argc, argv);
		fflush(NULL);
		_exit(code);
	}
	close(out[1]);
	close(err[1]);
	r->out = out[0];
	r->err = err[0];
}

/* Reads one line. */
void
run_line(struct run *r, char *line, size_t size)
{
	size_t n = 0;

	while (n < size - 1 && read(r->out, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
}

/* Reads what is left and closes. */
static void
run_rest(int fd, struct buf *b)
{
	char bytes[4096];
	ssize_t n;

	buf_clear(b);
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		buf_add(b, bytes, (size_t)n);
	buf_adds(b, ""); /* so that there is a string */
	close(fd);
}

/* Waits for the end. */
int
run_end(struct run *r, struct buf *out, struct buf *err)
{
	int status;

	run_rest(r->out, out);
	run_rest(r->err, err);
	ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

UNIT_MAIN(suite_cmd_check, suite_cmd_explain, suite_cmd_sandbox, suite_cmd_token,
    suite_mapping_doc)
