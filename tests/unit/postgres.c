#include "config.h"

#include "base/mem.h"
#include "certificate.h"
#include "folder.h"
#include "postgres.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSTGRES_BREATH_MS 10
#define POSTGRES_TRIES 6000    /* breaths until a server is ready, or a standby has come */
#define POSTGRES_PORT 10000    /* the first port that is tried, and how many there are: */
#define POSTGRES_PORTS 10000U  /* below those of connections (ip_local_port_range) */
#define POSTGRES_SQL 32768     /* of statements, and of what they print */

struct postgres {
	struct folder folder; /* data/, log, the local socket, certificate */
	struct postgres_options options;
	int port;
	pid_t pid; /* 0: not running */
};

static char postgres_bin[128];
static struct folder postgres_template; /* data/, as initdb left it */
static uid_t postgres_uid;
static gid_t postgres_gid;

/* ---- programs ---- */

/* Where Debian has the newest server's programs, and others have theirs. */
const char *
postgres_programs(void)
{
	static const char *const where[] = {"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb",
	    "/usr/local/pgsql/bin/initdb", "/usr/bin/initdb", "/usr/local/bin/initdb"};
	double best = -1;

	for (size_t i = 0; postgres_bin[0] == '\0' && i < sizeof where / sizeof *where; i++) {
		glob_t found;

		if (glob(where[i], 0, NULL, &found) != 0)
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++) {
			const char *path = found.gl_pathv[j];
			double version = atof(path + strcspn(path, "0123456789"));

			if (version > best)
				snprintf(postgres_bin, sizeof postgres_bin, "%.*s",
				    (int)(strrchr(path, '/') - path), path);
			best = version > best ? version : best;
		}
		globfree(&found);
	}
	return postgres_bin[0] != '\0' ? postgres_bin : NULL;
}

/* Whom servers run as: they refuse to be root's. */
static void
postgres_choose_user(void)
{
	struct passwd *pw;

	postgres_uid = geteuid();
	postgres_gid = getegid();
	if (postgres_uid != 0)
		return;
	pw = getpwnam("postgres");
	if (pw == NULL)
		pw = getpwnam("nobody");
	if (pw == NULL) {
		fprintf(stderr, "there is no user postgres or nobody to run a server as\n");
		exit(EXIT_FAILURE);
	}
	postgres_uid = pw->pw_uid;
	postgres_gid = pw->pw_gid;
}

/* Starts a program of the server's as its user, with both outputs at a descriptor. */
static pid_t
postgres_spawn(const char *const argv[], int out)
{
	char path[192];
	pid_t pid;

	snprintf(path, sizeof path, "%s/%s", postgres_programs(), argv[0]);
	pid = fork();
	if (pid != 0)
		return pid;
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(postgres_gid) != 0 ||
	                          setuid(postgres_uid) != 0))
		_exit(126);
	if (chdir("/") != 0)
		_exit(126);
	setenv("LC_ALL", "C", 1);
	execv(path, (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Runs a program to its end; its exit code, and what it said (the caller frees). */
static int
postgres_run(const char *const argv[], char **said)
{
	int fds[2], status, n;
	size_t len = 0;
	pid_t pid;

	*said = mem_zero(1, POSTGRES_SQL + 1);
	if (pipe2(fds, O_CLOEXEC) != 0 || (pid = postgres_spawn(argv, fds[1])) < 0)
		return -1;
	close(fds[1]);
	while (len < POSTGRES_SQL && (n = (int)read(fds[0], *said + len, POSTGRES_SQL - len)) != 0)
		len += n > 0 ? (size_t)n : 0;
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Runs a program that must do well. */
static void
postgres_must(const char *const argv[])
{
	char *said;
	int code = postgres_run(argv, &said);

	ck_assert_msg(code == 0, "%s: %d: %s", argv[0], code, said);
	free(said);
}

/* ---- the template ---- */

/* Removes the template when the program that made it ends. */
static void
postgres_clean(void)
{
	folder_remove(&postgres_template);
}

/* Makes the template. Sorting by ICU is not that of bytes, which a query could rely on
 * unwittingly; small files of its log are quick to copy. */
bool
postgres_possible(void)
{
	char data[96], *said;
	const char *const argv[] = {"initdb", "-D", data, "-U", "postgres", "--no-sync", "-A", "trust",
	    "-E", "UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=und", "--wal-segsize=4",
	    NULL};

	if (postgres_programs() == NULL) {
		fprintf(stderr, "skipped: PostgreSQL's server is not here; Debian's package is "
		    "postgresql\n");
		return false;
	}
	postgres_choose_user();
	if (!folder_make(&postgres_template, false, postgres_uid, postgres_gid)) {
		perror("a folder for PostgreSQL");
		exit(EXIT_FAILURE);
	}
	atexit(postgres_clean);
	snprintf(data, sizeof data, "%s/data", postgres_template.path);
	if (postgres_run(argv, &said) != 0) {
		fprintf(stderr, "initdb: %s\n", said);
		exit(EXIT_FAILURE);
	}
	free(said);
	return true;
}

/* ---- files of a server ---- */

/* A path in a server's folder; static until the fourth next call. */
static const char *
postgres_path(const struct postgres *p, const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", p->folder.path, name);
	return path;
}

/* Writes a file that only the server's user may read. */
static void
postgres_write(const struct postgres *p, const char *name, const char *text)
{
	FILE *f = fopen(postgres_path(p, name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fchown(fileno(f), postgres_uid, postgres_gid), 0);
	ck_assert_int_eq(fchmod(fileno(f), 0600), 0);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

/* Says who is let in, and how. */
static void
postgres_write_hba(const struct postgres *p)
{
	char text[256];

	snprintf(text, sizeof text,
	    "local all postgres trust\nlocal replication postgres trust\n%s all %s 127.0.0.1/32 %s\n",
	    p->options.tls ? "hostssl" : "host", POSTGRES_USER,
	    p->options.password != NULL ? "scram-sha-256" : "trust");
	postgres_write(p, "data/pg_hba.conf", text);
}

/* Makes a certificate for 127.0.0.1 and localhost. */
static void
postgres_certify(const struct postgres *p)
{
	struct certificate c;

	certificate_make(&c, &(struct certificate_wish){0});
	postgres_write(p, "server.pem", c.pem);
	postgres_write(p, "server.key", c.key);
	certificate_free(&c);
}

/* Finds a free port, and none twice. */
static int
postgres_free_port(void)
{
	static unsigned turn;
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int fd, rc, port;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	do {
		port = POSTGRES_PORT + (int)(((unsigned)getpid() * 37 + turn++) % POSTGRES_PORTS);
		ck_assert_uint_lt(turn, POSTGRES_PORTS);
		sin.sin_port = htons((uint16_t)port);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		rc = bind(fd, (struct sockaddr *)&sin, sizeof sin);
		close(fd);
	} while (rc != 0);
	return port;
}

/* ---- starting and stopping ---- */

/* Whether the server has noted that it takes sessions (the eighth line of its file). */
static bool
postgres_ready(const struct postgres *p)
{
	char line[256] = "";
	FILE *f = fopen(postgres_path(p, "data/postmaster.pid"), "r");
	bool own = false;
	int i;

	if (f == NULL)
		return false;
	for (i = 0; i < 8 && fgets(line, sizeof line, f) != NULL; i++)
		own = i == 0 ? atoi(line) == p->pid : own;
	fclose(f);
	return own && i == 8 && (strncmp(line, "ready", 5) == 0 || strncmp(line, "standby", 7) == 0);
}

/* Starts a server. */
void
postgres_start(struct postgres *p)
{
	char *data = mem_string(postgres_path(p, "data"));
	char *port = mem_format("port=%d", p->port);
	char *where = mem_format("unix_socket_directories=%s", p->folder.path);
	char *pem = mem_format("ssl_cert_file=%s/server.pem", p->folder.path);
	char *key = mem_format("ssl_key_file=%s/server.key", p->folder.path);
	const char *const argv[] = {"postgres", "-D", data, "-c", port, "-c", where, "-c",
	    "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB", "-c",
	    "dynamic_shared_memory_type=mmap", "-c", /* files that go with the folder */
	    p->options.fsync ? "fsync=on" : "fsync=off", "-c", pem, "-c", key, "-c",
	    p->options.tls ? "ssl=on" : "ssl=off", p->options.settings != NULL ? "-c" : NULL,
	    p->options.settings, NULL};
	int log = open(postgres_path(p, "log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	ck_assert_int_eq(p->pid, 0);
	p->pid = postgres_spawn(argv, log);
	ck_assert_int_gt(p->pid, 0);
	close(log);
	for (int i = 0; !postgres_ready(p); i++) {
		if (i == POSTGRES_TRIES || waitpid(p->pid, NULL, WNOHANG) == p->pid)
			ck_abort_msg("a server does not start: %s", postgres_log(p));
		poll(NULL, 0, POSTGRES_BREATH_MS);
	}
	free(key);
	free(pem);
	free(where);
	free(port);
	free(data);
}

/* Waits for the end of a server that this process has started. */
static void
postgres_reap(struct postgres *p)
{
	while (p->pid != 0 && waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
	for (int i = 0; folder_signal(p->folder.path, 0) > 0; i++) {
		ck_assert_int_lt(i, POSTGRES_TRIES);
		poll(NULL, 0, POSTGRES_BREATH_MS);
	}
	p->pid = 0;
}

/* Stops it in order. */
void
postgres_stop(struct postgres *p)
{
	ck_assert_int_gt(p->pid, 0);
	kill(p->pid, SIGINT);
	postgres_reap(p);
}

/* Kills it. */
void
postgres_kill(struct postgres *p)
{
	ck_assert_int_gt(p->pid, 0);
	postgres_pause(p); /* so that none sees the other die */
	folder_signal(p->folder.path, SIGKILL);
	postgres_reap(p);
}

/* Stops time for it. */
void
postgres_pause(struct postgres *p)
{
	kill(p->pid, SIGSTOP); /* it starts no more */
	folder_signal(p->folder.path, SIGSTOP);
}

/* And goes on. */
void
postgres_resume(struct postgres *p)
{
	folder_signal(p->folder.path, SIGCONT);
}

/* A server without its data. */
static struct postgres *
postgres_prepare(const struct postgres_options *options)
{
	struct postgres *p = mem_zero(1, sizeof *p);

	ck_assert_msg(postgres_template.path[0] != '\0', "postgres_possible() was not asked");
	if (options != NULL)
		p->options = *options;
	p->port = postgres_free_port();
	ck_assert(folder_make(&p->folder, p->options.fsync, postgres_uid, postgres_gid));
	if (p->options.tls)
		postgres_certify(p);
	return p;
}

/* Starts a new server. */
struct postgres *
postgres_new(const struct postgres_options *options)
{
	struct postgres *p = postgres_prepare(options);
	char *command = mem_format("cp -a %s/data %s/data", postgres_template.path, p->folder.path);

	ck_assert_int_eq(system(command), 0);
	free(command);
	postgres_write_hba(p);
	postgres_start(p);
	free(postgres_sql(p, "postgres", "CREATE ROLE " POSTGRES_USER " LOGIN"));
	if (p->options.password != NULL)
		free(postgres_sql(p, "postgres", "ALTER ROLE " POSTGRES_USER " PASSWORD '%s'",
		    p->options.password));
	return p;
}

/* Ends it. */
void
postgres_free(struct postgres *p)
{
	if (p == NULL)
		return;
	folder_remove(&p->folder);
	while (p->pid != 0 && waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(p);
}

/* ---- a standby ---- */

/* Copies a server, follows it, and has it wait if that is wanted. */
static void
postgres_follow(struct postgres *s, struct postgres *p, bool synchronous)
{
	char *data = mem_string(postgres_path(s, "data"));
	char *port = mem_format("%d", p->port);
	const char *const argv[] = {"pg_basebackup", "-D", data, "-h", p->folder.path, "-p", port, "-U",
	    "postgres", "-c", "fast", "-X", "stream", "-R", "--no-sync", NULL};

	postgres_must(argv);
	free(port);
	free(data);
	postgres_start(s);
	if (!synchronous)
		return;
	free(postgres_sql(p, "postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'"));
	free(postgres_sql(p, "postgres", "SELECT pg_reload_conf()"));
	for (int i = 0; postgres_count(p, "postgres",
	         "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 0; i++) {
		ck_assert_int_lt(i, POSTGRES_TRIES);
		poll(NULL, 0, POSTGRES_BREATH_MS);
	}
}

/* Starts a standby. */
struct postgres *
postgres_standby(struct postgres *p, bool synchronous)
{
	struct postgres *s = postgres_prepare(&p->options);

	postgres_follow(s, p, synchronous);
	return s;
}

/* Makes a dead server a standby. */
void
postgres_rejoin(struct postgres *s, struct postgres *p, bool synchronous)
{
	char *command = mem_format("rm -rf %s/data", s->folder.path);

	ck_assert_int_eq(s->pid, 0);
	ck_assert_int_eq(system(command), 0);
	free(command);
	postgres_follow(s, p, synchronous);
}

/* Waits for no standby any more. */
void
postgres_alone(struct postgres *p)
{
	free(postgres_sql(p, "postgres", "ALTER SYSTEM RESET synchronous_standby_names"));
	free(postgres_sql(p, "postgres", "SELECT pg_reload_conf()"));
}

/* Makes a standby the first. */
void
postgres_promote(struct postgres *p)
{
	ck_assert_int_eq(postgres_count(p, "postgres", "SELECT pg_promote()::int"), 1);
}

/* ---- what a test asks ---- */

/* The port. */
int
postgres_port(const struct postgres *p)
{
	return p->port;
}

/* The certificate. */
const char *
postgres_certificate(const struct postgres *p)
{
	return postgres_path(p, "server.pem");
}

/* The URL. */
const char *
postgres_url(const struct postgres *p, const struct postgres *second, const char *database)
{
	static char urls[4][256];
	static unsigned turn;
	char *url = urls[turn++ % 4], other[32] = "";
	const char *password = p->options.password;

	if (second != NULL)
		snprintf(other, sizeof other, ",127.0.0.1:%d", second->port);
	snprintf(url, sizeof urls[0], "postgresql://%s%s%s@127.0.0.1:%d%s/%s%s", POSTGRES_USER,
	    password != NULL ? ":" : "", password != NULL ? password : "", p->port, other, database,
	    second != NULL ? "?target_session_attrs=read-write" : "");
	return url;
}

/* Makes a database. */
void
postgres_make(struct postgres *p, const char *database)
{
	free(postgres_sql(p, "postgres", "CREATE DATABASE %s OWNER %s", database, POSTGRES_USER));
}

/* Runs statements. */
static char *
postgres_ask(struct postgres *p, const char *database, const char *fmt, va_list ap)
{
	char sql[POSTGRES_SQL], port[16], *said;
	const char *const argv[] = {"psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h",
	    p->folder.path, "-p", port, "-U", "postgres", "-d", database, "-c", sql, NULL};
	size_t len;
	int code;

	snprintf(port, sizeof port, "%d", p->port);
	ck_assert_int_lt(vsnprintf(sql, sizeof sql, fmt, ap), sizeof sql);
	code = postgres_run(argv, &said);
	ck_assert_msg(code == 0, "psql: %d: %s: %s", code, sql, said);
	len = strlen(said);
	if (len > 0 && said[len - 1] == '\n')
		said[len - 1] = '\0';
	return said;
}

/* What statements print. */
char *
postgres_sql(struct postgres *p, const char *database, const char *fmt, ...)
{
	va_list ap;
	char *said;

	va_start(ap, fmt);
	said = postgres_ask(p, database, fmt, ap);
	va_end(ap);
	return said;
}

/* A number. */
long
postgres_count(struct postgres *p, const char *database, const char *fmt, ...)
{
	va_list ap;
	char *said;
	long n;

	va_start(ap, fmt);
	said = postgres_ask(p, database, fmt, ap);
	va_end(ap);
	n = atol(said);
	free(said);
	return n;
}

/* The log. */
char *
postgres_log(const struct postgres *p)
{
	size_t cap = (size_t)1 << 20, len;
	char *text = mem_zero(1, cap + 1);
	FILE *f = fopen(postgres_path(p, "log"), "r");

	ck_assert_ptr_nonnull(f);
	len = fread(text, 1, cap, f);
	fclose(f);
	text[len] = '\0';
	return text;
}
