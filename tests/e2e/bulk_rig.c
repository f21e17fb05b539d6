#include "config.h"

#include "bulk_rig.h"
#include "stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BULK_COMMAND 4096

/* A path. */
const char *
bulk_path(const char *name)
{
	static char paths[16][512];
	static unsigned at;
	char *path = paths[at++ % 16];

	snprintf(path, sizeof paths[0], "%s/%s", scratch_dir(), name);
	return path;
}

/* Runs a command. */
static struct bulk_ran *
bulk_run_command(const char *command)
{
	static struct bulk_ran rans[4];
	static unsigned at;
	struct bulk_ran *r = &rans[at++ % 4];
	char *end;

	free(r->text);
	r->text = shell("%s %s 2>&1; echo \"exit $?\"", program_path(), command);
	end = strstr(r->text, "exit ");
	for (char *next = end; next != NULL; next = strstr(next + 1, "exit "))
		end = next;
	ck_assert_ptr_nonnull(end);
	r->code = atoi(end + 5);
	*end = '\0';
	return r;
}

/* Runs a command. */
struct bulk_ran *
bulk_run(const char *fmt, ...)
{
	char command[BULK_COMMAND];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	return bulk_run_command(command);
}

/* Runs one and looks at its end. */
void
bulk_expect(int code, const char *says, const char *fmt, ...)
{
	char command[BULK_COMMAND];
	struct bulk_ran *r;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	r = bulk_run_command(command);
	ck_assert_msg(r->code == code, "%s ends with %d:\n%.3000s", command, r->code, r->text);
	ck_assert_msg(says == NULL || strstr(r->text, says) != NULL, "%s does not say %s:\n%.3000s", command,
	    says, r->text);
}

/* Starts a command. */
pid_t
bulk_spawn(const char *name, const char *fmt, ...)
{
	char command[BULK_COMMAND], line[2 * BULK_COMMAND], out[64];
	va_list ap;
	pid_t pid;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	snprintf(out, sizeof out, "out.%s", name);
	snprintf(line, sizeof line, "exec %s %s >%s 2>&1", program_path(), command, bulk_path(out));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Waits for its end. */
int
bulk_wait(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* What it has written. */
const char *
bulk_output(const char *name)
{
	static char text[65536];
	char file[64];
	FILE *in;
	size_t n;

	snprintf(file, sizeof file, "out.%s", name);
	in = fopen(bulk_path(file), "r");
	ck_assert_ptr_nonnull(in);
	n = fread(text, 1, sizeof text - 1, in);
	text[n] = '\0';
	fclose(in);
	return text;
}

/* Writes a source. */
const char *
bulk_source(const char *name, int first, int last)
{
	static char paths[4][512];
	static unsigned at;
	char *path = paths[at++ % 4];
	FILE *out;

	snprintf(path, sizeof paths[0], "%s", bulk_path(name));
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	for (int i = first; i <= last; i++)
		fprintf(out, "{\"name\":\"persona %d\",\"description\":\"number %d\",\"systemPrompt\":\"You are %d.\","
		    "\"headers\":{\"X-Number\":\"%d\"}}\n", i, i, i, i);
	ck_assert_int_eq(fclose(out), 0);
	return path;
}

/* How many lines hold a text. */
int
bulk_lines(const char *path, const char *text)
{
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	int n = 0;

	if (in == NULL)
		return 0;
	while (getline(&line, &cap, in) > 0)
		n += strstr(line, text) != NULL;
	free(line);
	fclose(in);
	return n;
}

/* The gateway's URL. */
const char *
bulk_url(void)
{
	return stage_gateway.url[0];
}

/* The personas that the simulated Bluejay has. */
static struct json_object *
bulk_state(void)
{
	struct reply *r = stage_bluejay("GET", "/__sandbox/state", NULL);

	ck_assert_int_eq(r->status, 200);
	return json_object_object_get(reply_json(r), "personas");
}

/* How many it has. */
int
bulk_held(void)
{
	return (int)json_object_array_length(bulk_state());
}

/* Looks that nothing is lost, doubled or foreign. */
void
bulk_audit(int n)
{
	struct json_object *list = bulk_state();
	int *times = calloc((size_t)n + 1, sizeof *times), number;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		const char *name = json_object_get_string(json_object_object_get(one, "name"));
		char description[64];

		ck_assert_msg(sscanf(name, "persona %d", &number) == 1 && number >= 0 && number < n, "%s", name);
		snprintf(description, sizeof description, "number %d", number);
		ck_assert_str_eq(json_object_get_string(json_object_object_get(one, "description")), description);
		times[number]++;
	}
	for (int i = 0; i < n; i++)
		ck_assert_msg(times[i] == 1, "persona %d is there %d times", i, times[i]);
	free(times);
}
