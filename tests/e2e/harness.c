#include "config.h"

#include "harness.h"
#include "json/json_read.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HARNESS_WORKERS "TEST_WORKERS"
#define HARNESS_WAIT_MS 30000 /* longer than anything here should take */

#define HARNESS_HANDED 8      /* sockets that a program can be given */
#define HARNESS_FIRST 3       /* sd_listen_fds(3): their first descriptor */

static char harness_dir[64];
static int harness_handed[HARNESS_HANDED];
static size_t harness_handed_count;
static const char *harness_handed_names;
static pid_t harness_owner;

/* Milliseconds of a clock that only runs forward. */
int64_t
harness_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Lets the programs run. */
void
harness_breathe(void)
{
	poll(NULL, 0, 10);
}

/* Waits until a descriptor is readable; false after the time. */
static bool
harness_readable(int fd, int64_t until)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t left;

	while ((left = until - harness_now()) > 0) {
		int n = poll(&p, 1, (int)left);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

/* Removes the folder when the process that made it ends. */
static void
harness_clean(void)
{
	char command[128];

	if (harness_dir[0] == '\0' || getpid() != harness_owner)
		return;
	snprintf(command, sizeof command, "rm -rf '%s'", harness_dir);
	if (system(command) != 0)
		fprintf(stderr, "cannot remove %s\n", harness_dir);
}

/* The folder of this test. */
const char *
scratch_dir(void)
{
	if (harness_dir[0] == '\0' || harness_owner != getpid()) {
		strcpy(harness_dir, "/tmp/persona-gateway-e2e-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(harness_dir));
		harness_owner = getpid();
		atexit(harness_clean);
	}
	return harness_dir;
}

/* How many event loops every gateway is to have, as text; NULL: what the test says. */
static const char *
harness_workers(void)
{
	return getenv(HARNESS_WORKERS);
}

/* The same as a number. */
int
program_loops(void)
{
	return harness_workers() != NULL ? atoi(harness_workers()) : 1;
}

/* Whether a text is a gateway's configuration that does not say it itself. */
static bool
harness_wants_workers(const char *name, const char *text)
{
	size_t len = strlen(name);

	return harness_workers() != NULL && text[0] != '{' && len > 5 && strcmp(name + len - 5, ".yaml") == 0 &&
	    strncmp(text, "workers:", 8) != 0 && strstr(text, "\nworkers:") == NULL;
}

/* Writes a file. */
const char *
scratch_file(const char *name, const char *fmt, ...)
{
	static char paths[4][256];
	static unsigned turn;
	char *path = paths[turn++ % 4], *text;
	va_list ap;
	FILE *f;

	snprintf(path, sizeof paths[0], "%s/%s", scratch_dir(), name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	va_start(ap, fmt);
	ck_assert_int_ge(vasprintf(&text, fmt, ap), 0);
	va_end(ap);
	fputs(text, f);
	if (harness_wants_workers(name, text))
		fprintf(f, "\nworkers: %s\n", harness_workers());
	free(text);
	ck_assert_int_eq(fclose(f), 0);
	return path;
}

/* The program under test. */
const char *
program_path(void)
{
	const char *path = getenv("PERSONA_GATEWAY");

	return path != NULL ? path : "src/persona-gateway";
}

/* Sets what is handed over. */
void
program_hand_over(const int *fds, size_t count, const char *names)
{
	ck_assert_uint_le(count, HARNESS_HANDED);
	for (size_t i = 0; i < count; i++)
		harness_handed[i] = fds[i];
	harness_handed_count = count;
	harness_handed_names = names;
}

/* In the child: puts the sockets where they belong, and tells of them. */
static void
harness_hand_over(void)
{
	char text[32];

	if (harness_handed_count == 0)
		return;
	/* Out of each other's way first. */
	for (size_t i = 0; i < harness_handed_count; i++)
		harness_handed[i] = fcntl(harness_handed[i], F_DUPFD, 100);
	for (size_t i = 0; i < harness_handed_count; i++) {
		dup2(harness_handed[i], HARNESS_FIRST + (int)i);
		close(harness_handed[i]);
	}
	snprintf(text, sizeof text, "%ld", (long)getpid());
	setenv("LISTEN_PID", text, 0); /* a test may have set another */
	snprintf(text, sizeof text, "%zu", harness_handed_count);
	setenv("LISTEN_FDS", text, 1);
	if (harness_handed_names != NULL)
		setenv("LISTEN_FDNAMES", harness_handed_names, 1);
}

/* Gives a gateway without a file one that says how many event loops it has, and otherwise
 * what the sandbox has without a file. */
static void
harness_add_workers(const char *argv[], size_t n)
{
	static char path[256];

	if (harness_workers() == NULL || n < 2 || strcmp(argv[1], "serve") != 0)
		return;
	for (size_t i = 2; i < n; i++)
		if (strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "--help") == 0)
			return;
	snprintf(path, sizeof path, "%s", scratch_file("workers.yaml",
	    "projects: {demo: {agent_id: 1}, \"*\": {}}\n"));
	argv[n] = "--config";
	argv[n + 1] = path;
}

/* Starts the program with its output in a pipe and its log in a file. */
static void
harness_spawn(struct program *p, const char *const args[])
{
	static unsigned serial;
	const char *argv[32] = {program_path()};
	int fds[2];
	size_t n = 1;

	memset(p, 0, sizeof *p);
	while (*args != NULL && n < 29)
		argv[n++] = *args++;
	harness_add_workers(argv, n);
	snprintf(p->log, sizeof p->log, "%s/log.%u", scratch_dir(), serial++);
	ck_assert_int_eq(pipe(fds), 0);
	p->pid = fork();
	ck_assert_int_ge(p->pid, 0);
	if (p->pid == 0) {
		int err;

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing behind */
		err = open(p->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fds[1], STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		harness_hand_over();
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(fds[1]);
	p->out = fds[0];
}

/* Reads one line of the program's output; false at its end. */
static bool
harness_line(struct program *p, char *line, size_t size)
{
	int64_t until = harness_now() + HARNESS_WAIT_MS;
	size_t n = 0;
	char c;

	while (harness_readable(p->out, until) && read(p->out, &c, 1) == 1) {
		if (c == '\n') {
			line[n] = '\0';
			return true;
		}
		if (n + 1 < size)
			line[n++] = c;
	}
	return false;
}

/* Waits until a gateway's log is written; the thread that writes it gathers lines. */
static void
harness_wait_log(const struct program *p)
{
	bool waits = p->admin_port != 0;

	for (int i = 0; waits; i++) {
		char *said = shell("curl -s -m 10 http://127.0.0.1:%d/metrics | "
		                   "grep '^persona_gateway_log_waiting_bytes [1-9]'", p->admin_port);

		waits = *said != '\0';
		free(said);
		ck_assert_int_lt(i, 1000);
	}
}

/* The program's log so far. */
char *
program_log(const struct program *p)
{
	harness_wait_log(p);
	return shell("cat '%s'", p->log);
}

/* Fails the test with the program's log. */
static void
harness_never_listened(struct program *p)
{
	char *log = program_log(p);

	ck_abort_msg("the program does not listen; its log:\n%s", log);
}

/* Starts the program. */
void
program_start(struct program *p, const char *const args[])
{
	bool serve = strcmp(args[0], "serve") == 0, admin = serve;
	char line[256];
	size_t n = 0;

	for (size_t i = 0; args[i] != NULL; i++)
		if (strcmp(args[i], "--admin-listen") == 0 && strcmp(args[i + 1], "off") == 0)
			admin = false;
	harness_spawn(p, args);
	while (n == 0 || (admin && p->admin_port == 0)) {
		if (!harness_line(p, line, sizeof line))
			harness_never_listened(p);
		if (strncmp(line, "listening on ", 13) == 0 && n < PROGRAM_URLS)
			snprintf(p->url[n++], sizeof p->url[0], "%.100s", line + 13);
		else if (strncmp(line, "admin on ", 9) == 0)
			p->admin_port = atoi(strrchr(line, ':') + 1);
	}
	p->port = atoi(strrchr(p->url[0], ':') + 1);
}

/* Waits for the program's end. */
static int
harness_wait(struct program *p)
{
	int64_t until = harness_now() + HARNESS_WAIT_MS;
	char rest[4096];
	int status;

	/* The pipe ends with the process. */
	while (harness_readable(p->out, until) && read(p->out, rest, sizeof rest) > 0)
		;
	if (harness_now() >= until)
		kill(p->pid, SIGKILL);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(p->out);
	p->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Starts a program that must refuse to run. */
int
program_fails(struct program *p, const char *const args[])
{
	harness_spawn(p, args);
	return harness_wait(p);
}

/* Ends the program. */
int
program_stop(struct program *p)
{
	kill(p->pid, SIGTERM);
	return harness_wait(p);
}

/* Asks the program to end. */
void
program_term(struct program *p)
{
	kill(p->pid, SIGTERM);
}

/* Waits for the program's end. */
int
program_wait(struct program *p)
{
	return harness_wait(p);
}

/* Ends the program at once: the second signal cuts what the first waits for. */
void
program_cut(struct program *p)
{
	int64_t until = harness_now() + HARNESS_WAIT_MS;
	struct pollfd wait = {.fd = p->out, .events = POLLIN};

	while (harness_now() < until) {
		kill(p->pid, SIGTERM);
		if (poll(&wait, 1, 50) > 0)
			break;
	}
	ck_assert_int_eq(harness_wait(p), 0);
}

/* Kills the program. */
void
program_kill(struct program *p)
{
	kill(p->pid, SIGKILL);
	harness_wait(p);
}

/* Connects to a port of loopback. */
int
raw_connect(int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	return fd;
}

/* Waits until nothing listens. */
bool
raw_refused(int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int64_t until = harness_now() + HARNESS_WAIT_MS;
	bool refused = false;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (!refused && harness_now() < until) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		refused = connect(fd, (struct sockaddr *)&sin, sizeof sin) != 0 && errno == ECONNREFUSED;
		close(fd);
	}
	return refused;
}

/* Sends bytes; a peer that closed meanwhile is not an error here. */
void
raw_send(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

/* Reads one byte; false at the end. */
static bool
harness_byte(int fd, char *c, int64_t until)
{
	return harness_readable(fd, until) && recv(fd, c, 1, 0) == 1;
}

/* Reads a body of known length, or until the end when len is negative. */
static void
harness_body(int fd, long len, struct reply *r, int64_t until)
{
	size_t cap = len >= 0 ? (size_t)len : 65536;

	r->body = calloc(1, cap + 1);
	while (len < 0 || r->len < (size_t)len) {
		ssize_t n;

		if (r->len == cap) {
			cap *= 2;
			r->body = realloc(r->body, cap + 1);
		}
		if (!harness_readable(fd, until) || (n = recv(fd, r->body + r->len, cap - r->len, 0)) <= 0)
			break;
		r->len += (size_t)n;
	}
	r->body[r->len] = '\0';
}

/* Reads one answer. */
void
raw_reply(int fd, bool head_request, struct reply *r)
{
	int64_t until = harness_now() + HARNESS_WAIT_MS;
	const char *length;
	size_t n = 0;

	memset(r, 0, sizeof *r);
	while (n < sizeof r->head - 1 && harness_byte(fd, r->head + n, until)) {
		n++;
		if (n >= 4 && memcmp(r->head + n - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	r->head[n] = '\0';
	if (sscanf(r->head, "HTTP/1.1 %d", &r->status) != 1)
		return;
	length = reply_field(r, "content-length");
	if (!head_request && r->status != 204 && r->status != 304 && r->status >= 200)
		harness_body(fd, length != NULL ? atol(length) : -1, r, until);
	else
		r->body = calloc(1, 1);
}

/* Whether the peer has closed. */
bool
raw_closed(int fd)
{
	char c;

	return harness_readable(fd, harness_now() + HARNESS_WAIT_MS) && recv(fd, &c, 1, 0) <= 0;
}

/* Reads an answer into the next place, and closes. */
static struct reply *
harness_take(int fd, bool head_request)
{
	static struct reply replies[8];
	static unsigned turn;
	struct reply *r = &replies[turn++ % 8];

	free(r->body);
	raw_reply(fd, head_request, r);
	close(fd);
	return r;
}

/* Sends a request. */
int
ask_start(int port, const char *method, const char *path, const char *fields, const char *body)
{
	int fd = raw_connect(port);
	char head[8192];
	int n;

	n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s",
	    method, path, fields != NULL ? fields : "");
	if (body != NULL)
		n += snprintf(head + n, sizeof head - (size_t)n, "%sContent-Length: %zu\r\n",
		    fields != NULL && strcasestr(fields, "content-type:") != NULL
		        ? ""
		        : "Content-Type: application/json\r\n",
		    strlen(body));
	n += snprintf(head + n, sizeof head - (size_t)n, "\r\n");
	raw_send(fd, head, (size_t)n);
	if (body != NULL)
		raw_send(fd, body, strlen(body));
	return fd;
}

/* Its answer. */
struct reply *
ask_end(int fd)
{
	return harness_take(fd, false);
}

/* Both in one. */
struct reply *
ask(int port, const char *method, const char *path, const char *fields, const char *body)
{
	return harness_take(ask_start(port, method, path, fields, body), strcmp(method, "HEAD") == 0);
}

/* The value of a field. */
const char *
reply_field(const struct reply *r, const char *name)
{
	static char value[1024];
	size_t len = strlen(name);

	for (const char *p = strstr(r->head, "\r\n"); p != NULL; p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, len) == 0 && p[len] == ':') {
			p += len + 1;
			p += strspn(p, " ");
			snprintf(value, sizeof value, "%.*s", (int)strcspn(p, "\r"), p);
			return value;
		}
	}
	return NULL;
}

/* The body as JSON. */
struct json_object *
reply_json(const struct reply *r)
{
	static struct json_object *kept[4096]; /* reachable until the end, so not lost */
	static unsigned count;
	struct json_object *root = NULL;
	struct json_error err;

	if (r->body == NULL || !json_read(r->body, r->len, &root, &err))
		ck_abort_msg("not JSON: status %d, body %s", r->status, r->body);
	json_object_put(kept[count % 4096]);
	kept[count++ % 4096] = root;
	return root;
}

/* A string member of the body. */
const char *
reply_string(const struct reply *r, const char *member)
{
	struct json_object *root = reply_json(r), *value;

	if (!json_object_object_get_ex(root, member, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

/* Fails unless it is this error. */
void
expect_error(const struct reply *r, int status, const char *sentence)
{
	const char *error;

	ck_assert_msg(r->status == status, "status %d instead of %d: %s", r->status, status, r->body);
	error = reply_string(r, "error");
	ck_assert_ptr_nonnull(error);
	ck_assert_str_eq(reply_field(r, "content-type"), "application/json; charset=utf-8");
	if (sentence != NULL)
		ck_assert_str_eq(error, sentence);
}

/* Runs a command. */
char *
shell(const char *fmt, ...)
{
	char command[4096];
	size_t cap = 1 << 16, len = 0, n;
	char *out = calloc(1, cap + 1);
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	while ((n = fread(out + len, 1, cap - len, f)) > 0) {
		len += n;
		if (len == cap) {
			cap *= 2;
			out = realloc(out, cap + 1);
		}
	}
	out[len] = '\0';
	pclose(f);
	return out;
}
