#include "config.h"

#include "front.h"
#include "harness.h"
#include "base/buf.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRONT_TRIES 400     /* to reach a port ... */
#define FRONT_BREATH_MS 25  /* ... and the time between two */
#define FRONT_PORT 20000   /* the first port that is tried, and how many there are: */
#define FRONT_PORTS 12000U  /* below those of connections (ip_local_port_range) */
#define FRONT_WAIT_MS 20000 /* longer than a connection should last */

static pid_t front_pids[2];

/* ---- starting and stopping ---- */

/* Finds a program where Debian puts it, or in the path. */
static const char *
front_find(const char *name, char path[128])
{
	static const char *const folders[] = {"/usr/sbin", "/usr/local/sbin", "/usr/bin",
	    "/usr/local/bin"};

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(path, 128, "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* nginx. */
const char *
front_nginx(void)
{
	static char path[128];

	return front_find("nginx", path);
}

/* haproxy. */
const char *
front_haproxy(void)
{
	static char path[128];

	return front_find("haproxy", path);
}

/* Whether both are here. */
bool
front_possible(void)
{
	if (front_nginx() == NULL)
		fprintf(stderr, "skipped: nginx is not here; Debian's package is nginx\n");
	if (front_haproxy() == NULL)
		fprintf(stderr, "skipped: haproxy is not here; Debian's package is haproxy\n");
	return front_nginx() != NULL && front_haproxy() != NULL;
}

/* Finds a free port, where the kernel puts no connections of others meanwhile, and none twice. */
int
front_port(void)
{
	static unsigned turn;
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int fd, rc, port;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	do {
		port = FRONT_PORT + (int)(((unsigned)getpid() * 37 + turn++) % FRONT_PORTS);
		ck_assert_uint_lt(turn, FRONT_PORTS);
		sin.sin_port = htons((uint16_t)port);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		rc = bind(fd, (struct sockaddr *)&sin, sizeof sin);
		close(fd);
	} while (rc != 0);
	return port;
}

/* Connects; -1 when nobody listens. */
static int
front_connect(int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&sin, sizeof sin) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Runs a program whose output goes to a file, and waits until a port answers. */
static void
front_run(pid_t *pid, const char *const argv[], int port)
{
	char log[256];
	int fd, tries = 0;

	snprintf(log, sizeof log, "%s/front.log", scratch_dir());
	*pid = fork();
	ck_assert_int_ge(*pid, 0);
	if (*pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* nginx then ends its workers, too */
		fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	while ((fd = front_connect(port)) < 0) {
		if (waitpid(*pid, NULL, WNOHANG) == *pid || tries++ == FRONT_TRIES) {
			*pid = 0;
			ck_abort_msg("%s does not listen: %s", argv[0], front_log());
		}
		poll(NULL, 0, FRONT_BREATH_MS);
	}
	close(fd);
}

/* Starts nginx. It keeps what it needs in the folder of the test. */
void
front_start_nginx(const char *text, int port)
{
	const char *dir = scratch_dir();
	const char *file = scratch_file("nginx.conf",
	    "daemon off;\nworker_processes 1;\n%serror_log stderr warn;\npid %s/nginx.pid;\n"
	    "events { worker_connections 256; }\nhttp {\n"
	    "  client_body_temp_path %s/body;\n  proxy_temp_path %s/proxy;\n"
	    "  fastcgi_temp_path %s/fastcgi;\n  uwsgi_temp_path %s/uwsgi;\n  scgi_temp_path %s/scgi;\n"
	    "  access_log off;\n%s\n}\n",
	    geteuid() == 0 ? "user root;\n" : "", dir, dir, dir, dir, dir, dir, text);
	const char *const argv[] = {front_nginx(), "-e", "stderr", "-p", dir, "-c", file, NULL};
	char *checked = shell("%s -t -e stderr -p %s -c %s 2>&1", front_nginx(), dir, file);

	ck_assert_msg(strstr(checked, "test is successful") != NULL, "nginx -t: %s", checked);
	free(checked);
	front_run(&front_pids[0], argv, port);
}

/* Starts haproxy. */
void
front_start_haproxy(const char *text, int port)
{
	const char *file = scratch_file("haproxy.cfg", "global\n    log stdout format raw local0\n%s\n",
	    text);
	const char *const argv[] = {front_haproxy(), "-db", "-f", file, NULL};
	char *checked = shell("%s -c -f %s 2>&1; echo \"code $?\"", front_haproxy(), file);

	ck_assert_msg(strstr(checked, "code 0") != NULL, "haproxy -c: %s", checked);
	ck_assert_msg(strstr(checked, "[WARNING]") == NULL, "haproxy -c: %s", checked);
	free(checked);
	front_run(&front_pids[1], argv, port);
}

/* Stops both. */
void
front_stop(void)
{
	for (int i = 0; i < 2; i++) {
		if (front_pids[i] == 0)
			continue;
		kill(front_pids[i], SIGTERM);
		while (waitpid(front_pids[i], NULL, 0) < 0 && errno == EINTR)
			;
		front_pids[i] = 0;
	}
}

/* Reads the log. */
char *
front_log(void)
{
	return shell("cat %s/front.log", scratch_dir());
}

/* ---- a client that sends bytes ---- */

/* Reads until the end of a connection that began with these bytes. */
static void
front_read(int fd, const struct buf *sent, struct buf *b)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char bytes[65536];
	ssize_t n;

	for (;;) {
		ck_assert_msg(poll(&p, 1, FRONT_WAIT_MS) > 0, "a connection does not end: %.60s: %s",
		    sent->data, b->len > 0 ? b->data : "");
		n = recv(fd, bytes, sizeof bytes, 0);
		if (n <= 0)
			return;
		buf_add(b, bytes, (size_t)n);
	}
}

/* The value of a field in a head that ends at `end`; NULL without it. */
static const char *
front_field(const char *head, const char *end, const char *name)
{
	const char *at = strcasestr(head, name);

	return at != NULL && at < end ? at + strlen(name) : NULL;
}

/* Takes chunks; where they end. */
static const char *
front_chunks(const char *p, struct front_answer *a)
{
	size_t have = 0, len;
	char *line;

	while ((len = strtoul(p, &line, 16)) > 0 && (line = strstr(line, "\r\n")) != NULL) {
		if (have + len < sizeof a->body) {
			memcpy(a->body + have, line + 2, len);
			have += len;
		}
		p = line + 2 + len + 2;
	}
	a->body[have] = '\0';
	line = strstr(p, "\r\n\r\n");
	return line != NULL ? line + 4 : p + strlen(p);
}

/* Takes what has no head at all: an answer in HTTP/0.9, until the end. */
static const char *
front_headless(const char *p, struct front_answer *a)
{
	size_t len = strlen(p);

	memset(a, 0, sizeof *a);
	a->echo = *p != '{' && *p != '<'; /* else a sentence of the gateway's or the proxy's */
	a->status = a->echo ? 200 : 400;
	memcpy(a->body, p, len < sizeof a->body ? len : sizeof a->body - 1);
	return p + len;
}

/* Takes one answer; where it ends. One to HEAD is known by what follows it. */
static const char *
front_answer(const char *p, struct front_answer *a)
{
	const char *end = strstr(p, "\r\n\r\n"), *length;
	size_t len, have;

	memset(a, 0, sizeof *a);
	a->status = atoi(p + 9);
	if (end == NULL)
		return p + strlen(p);
	end += 4;
	a->echo = front_field(p, end, "\r\nX-Echo:") != NULL;
	if (a->status < 200 || a->status == 204 || a->status == 304 || strncmp(end, "HTTP/1.", 7) == 0)
		return end;
	if (front_field(p, end, "\r\nTransfer-Encoding: chunked") != NULL)
		return front_chunks(end, a);
	length = front_field(p, end, "\r\nContent-Length: ");
	have = strlen(end);
	len = length != NULL ? strtoul(length, NULL, 10) : have;
	if (len > have)
		len = have;
	memcpy(a->body, end, len < sizeof a->body ? len : sizeof a->body - 1);
	return end + len;
}

/* Sends and reads. */
void
front_send(int port, const char *bytes, size_t len, const char *last, struct front_answers *out)
{
	int fd = front_connect(port);
	struct buf all, got;
	const char *p;

	ck_assert_int_ge(fd, 0);
	buf_init(&all, 1 << 22);
	buf_init(&got, 1 << 22);
	buf_add(&all, bytes, len);
	if (last != NULL)
		buf_adds(&all, last);
	/* The other side may hang up before it has everything. */
	for (size_t sent = 0; sent < all.len;) {
		ssize_t n = send(fd, all.data + sent, all.len - sent, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	front_read(fd, &all, &got);
	close(fd);
	out->count = 0;
	for (p = got.len > 0 ? got.data : ""; *p != '\0' && out->count < FRONT_ANSWERS;) {
		struct front_answer *a = &out->list[out->count];

		p = strncmp(p, "HTTP/1.", 7) == 0 ? front_answer(p, a) : front_headless(p, a);
		out->count += a->status >= 200;
	}
	buf_free(&all);
	buf_free(&got);
}
