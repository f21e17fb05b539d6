#include "config.h"

#include "cli/cmd_import.h"
#include "base/loop.h"
#include "base/mem.h"
#include "bulk/bulk_fetch.h"
#include "bulk/bulk_import.h"
#include "bulk/bulk_side.h"
#include "bulk/bulk_stop.h"
#include "cli/bulk_options.h"
#include "cli/import_print.h"
#include "cli/option.h"
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMPORT_JOBS 8

static const char import_usage[] =
    "usage: persona-gateway import --from FILE --to URL [OPTIONS]\n"
    "\n"
    "Puts many personas into a project of a running gateway, over its local API.\n"
    "\n"
    "  --from FILE             the personas: JSON lines, a JSON list, or a JSON object with a list\n"
    "                          \"personas\"; `-` for standard input; or the URL of a server that has\n"
    "                          them, such as the local tool's own\n"
    "  --to URL                the gateway, http://127.0.0.1:3000; a URL may end with the project:\n"
    "                          http://127.0.0.1:3000/api/projects/shop\n"
    "  --project ID            the project of a URL that does not end with one\n"
    "  --format FORM           of the file: jsonl, json, or auto, which looks at it\n"
    "  --on-conflict POLICY    what happens when another persona has the name; see below\n"
    "  --jobs N                so many writes at a time, from 1 to 64; 8 unless it is given\n"
    "  --journal FILE          notes what is done; with it the same command goes on after any end\n"
    "  --report FILE           a JSON line for each persona; `-` for standard output\n"
    "  --dry-run               says what would be done, and changes nothing\n"
    "  --patience TIME         how long a server that is busy or away is asked again; 2m\n"
    "  --token-file FILE       the token for the gateway, else " BULK_OPTIONS_TOKEN "\n"
    "  --from-token-file FILE  the token for the source, else " BULK_OPTIONS_FROM_TOKEN "\n"
    "  --ca-file FILE          authorities (PEM) of https:// URLs, in place of the system's\n"
    "\n"
    "policies:\n"
    "\n"
    "  fail    the persona of the source fails, the others go on; this one unless it is given\n"
    "  skip    the other persona stays as it is\n"
    "  update  the other persona becomes what the source says\n"
    "  rename  the persona of the source is created as \"NAME (2)\", or (3) and so on\n"
    "\n"
    "Exit codes: 0 all done, 1 some failed or it ended early, 2 wrong usage.\n";

/* What the command line says. */
struct import_command {
	const char *to, *project, *journal, *report, *token_file, *from_token_file, *ca_file;
	enum bulk_policy policy;
	unsigned jobs;
	bool dry_run;
	struct bulk_side from;
	char *token, *from_token;
};

/* One run. */
struct import_run {
	struct import_command *c;
	struct loop *loop;
	struct bulk_stop *stop;
	struct bulk_site *site;
	struct bulk_journal *journal;
	struct bulk_import *import;
	struct import_print print;
	struct stat before; /* the source when it began */
	int64_t begun;
	bool over;
};

/* Says why nothing can be done. */
static int
import_fail(const struct fail *f)
{
	fprintf(stderr, "persona-gateway: %s\n", f->text);
	return 1;
}

/* An outcome. */
static void
import_on_told(void *arg, const struct bulk_told *told)
{
	struct import_run *r = arg;

	import_print_told(&r->print, told);
}

/* Everything is told. */
static void
import_on_over(void *arg)
{
	struct import_run *r = arg;

	r->over = true;
	loop_stop(r->loop);
}

/* The first signal. */
static void
import_on_stop(void *arg)
{
	struct import_run *r = arg;

	bulk_meter_print(r->print.meter, stderr,
	    "persona-gateway: stopping; what is under way comes to its end first");
	bulk_import_stop(r->import);
}

/* How far it is. */
static void
import_on_meter(void *arg, struct bulk_progress *p, int64_t now)
{
	struct import_run *r = arg;
	struct bulk_import_state s;
	uint64_t total = S_ISREG(r->before.st_mode) ? (uint64_t)r->before.st_size : 0;

	bulk_import_state(r->import, &s);
	bulk_progress_set(p, now, s.items, s.bytes, total);
}

/* Whether a file is not what it was when the reading began. */
static bool
import_source_changed(const struct import_run *r)
{
	struct stat now;

	return S_ISREG(r->before.st_mode) && (fstat(r->c->from.fd, &now) < 0 ||
	    now.st_size != r->before.st_size || now.st_mtim.tv_sec != r->before.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != r->before.st_mtim.tv_nsec);
}

/* Says how it ended; the exit code. */
static int
import_conclude(struct import_run *r)
{
	struct bulk_import_state s;
	int code;

	bulk_import_state(r->import, &s);
	bulk_meter_free(r->print.meter);
	r->print.meter = NULL;
	import_print_summary(&r->print, &s, loop_now(r->loop) - r->begun);
	code = s.told[BULK_FAILED] > 0 || s.early || s.why != NULL ? 1 : 0;
	if (s.why != NULL)
		fprintf(stderr, "persona-gateway: %s%s\n", s.early ? "ended early: " : "", s.why);
	if (s.early && s.left > 0)
		fprintf(stderr, "persona-gateway: of %llu persona%s under way it is not known whether they "
		    "are there\n", (unsigned long long)s.left, s.left == 1 ? "" : "s");
	if (s.early && !r->c->dry_run)
		fprintf(stderr, "persona-gateway: the same command goes on%s\n", r->journal != NULL ?
		    " from here" : "; it finds what is done by its name");
	if (import_source_changed(r)) {
		fprintf(stderr, "persona-gateway: %s has changed meanwhile; import it again\n", r->c->from.name);
		code = 1;
	}
	if (r->print.report != NULL && (fflush(r->print.report) != 0 || ferror(r->print.report))) {
		fprintf(stderr, "persona-gateway: the report %s cannot be written\n", r->c->report);
		code = 1;
	}
	return output_done() ? code : 1;
}

/* Runs it. */
static int
import_go(struct import_run *r, struct bulk_index *target)
{
	struct import_command *c = r->c;
	struct bulk_import_config cfg = {.loop = r->loop, .to = r->site, .target = target,
	    .from = c->from.fd, .form = c->from.form, .journal = r->journal, .policy = c->policy,
	    .jobs = c->jobs, .dry_run = c->dry_run, .told = import_on_told, .over = import_on_over,
	    .arg = r};

	if (fstat(c->from.fd, &r->before) < 0)
		memset(&r->before, 0, sizeof r->before);
	r->import = bulk_import_start(&cfg);
	r->print.meter = bulk_meter_new(r->loop, stderr, bulk_meter_columns(stderr), "personas",
	    import_on_meter, r);
	bulk_stop_tell(r->stop, import_on_stop, r);
	if (bulk_stop_asked(r->stop))
		import_on_stop(r);
	while (!r->over)
		loop_run(r->loop);
	return import_conclude(r);
}

/* Whether a path leads to a file that is open. */
static bool
import_is_file(const char *path, int fd)
{
	struct stat a, b;

	return stat(path, &a) == 0 && fstat(fd, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Opens both sides and the journal. */
static int
import_open(struct import_run *r, struct bulk_index **target, struct fail *f)
{
	struct import_command *c = r->c;
	struct bulk_site_config to = {.url = c->to, .project = c->project, .token = c->token,
	    .ca_file = c->ca_file, .jobs = c->jobs, .patience_ms = c->from.patience_ms};
	int fd;

	r->site = bulk_site_new(r->loop, &to, f);
	if (r->site == NULL || bulk_side_open(r->loop, &c->from, r->stop, f) < 0)
		return -1;
	if (c->journal != NULL) {
		if (import_is_file(c->journal, c->from.fd))
			return fail_set(f, "the journal %s is the source itself", c->journal);
		r->journal = bulk_journal_open(c->journal, c->dry_run, c->from.name, bulk_site_name(r->site), f);
		if (r->journal == NULL)
			return -1;
	}
	fd = bulk_fetch_wait(r->site, r->stop, f);
	*target = fd >= 0 ? bulk_index_read(fd, BULK_FORM_JSON, "name", bulk_site_name(r->site), f) : NULL;
	return *target != NULL ? 0 : -1;
}

/* Opens the report, for its owner's eyes. It is emptied last: a mistake costs nobody a file. */
static int
import_open_report(struct import_run *r, struct fail *f)
{
	const char *path = r->c->report;
	struct stat st;
	int fd;

	if (path == NULL)
		return 0;
	if (strcmp(path, "-") == 0) {
		r->print.report = stdout;
		r->print.lines = stderr;
		return 0;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		fail_set(f, "the report %s cannot be written: %s", path, strerror(errno));
	else if (S_ISREG(st.st_mode) && (import_is_file(path, r->c->from.fd) ||
	    (r->c->journal != NULL && import_is_file(r->c->journal, fd))))
		fail_set(f, "the report %s is the source or the journal itself", path);
	else if ((S_ISREG(st.st_mode) && ftruncate(fd, 0) < 0) ||
	    (r->print.report = fdopen(fd, "w")) == NULL)
		fail_set(f, "the report %s cannot be written: %s", path, strerror(errno));
	else
		return 0;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Does what the command line says. */
static int
import_run(struct import_command *c)
{
	struct import_run r = {.c = c, .print = {.dry_run = c->dry_run, .lines = stdout}};
	struct bulk_index *target = NULL;
	struct fail f;
	int code;

	r.loop = loop_new();
	if (r.loop == NULL)
		return 1;
	r.stop = bulk_stop_new(r.loop);
	setvbuf(stdout, NULL, _IOLBF, 0); /* lines of both streams in their order */
	r.begun = loop_now(r.loop);
	if (import_open(&r, &target, &f) < 0 || import_open_report(&r, &f) < 0) {
		code = import_fail(&f);
		bulk_index_free(target);
	} else {
		code = import_go(&r, target);
	}
	bulk_import_free(r.import);
	if (r.print.report != NULL && r.print.report != stdout)
		fclose(r.print.report);
	bulk_journal_close(r.journal);
	bulk_side_close(&c->from);
	bulk_site_free(r.site);
	bulk_stop_free(r.stop);
	loop_free(r.loop);
	return code;
}

/* Says what is wrong with the usage. */
static int
import_wrong(const char *what)
{
	fprintf(stderr, "persona-gateway import: %s\n\n%s", what, import_usage);
	return 2;
}

/* Takes one option. -1: go on; else the exit code. */
static int
import_option(struct import_command *c, int opt)
{
	switch (opt) {
	case 'f':
		c->from.word = optarg;
		break;
	case 't':
		c->to = optarg;
		break;
	case 'p':
		c->project = c->from.project = optarg;
		break;
	case 'F':
		return bulk_options_form(optarg, &c->from.form) ? -1 : 2;
	case 'o':
		return bulk_policy_read(optarg, &c->policy) ? -1 :
		    import_wrong("--on-conflict must be fail, skip, update or rename");
	case 'j':
		return bulk_options_jobs(optarg, &c->jobs) ? -1 : 2;
	case 'J':
		c->journal = optarg;
		break;
	case 'r':
		c->report = optarg;
		break;
	case 'd':
		c->dry_run = true;
		break;
	case 'P':
		return bulk_options_duration("--patience", optarg, &c->from.patience_ms) ? -1 : 2;
	case 'k':
		c->token_file = optarg;
		break;
	case 'K':
		c->from_token_file = optarg;
		break;
	case 'c':
		c->ca_file = c->from.ca_file = optarg;
		break;
	case 'h':
		fputs(import_usage, stdout);
		return 0;
	default:
		fputs(import_usage, stderr);
		return 2;
	}
	return -1;
}

/* `import`. */
int
cmd_import(int argc, char **argv)
{
	static const struct option options[] = {{"from", required_argument, NULL, 'f'},
	    {"to", required_argument, NULL, 't'}, {"project", required_argument, NULL, 'p'},
	    {"format", required_argument, NULL, 'F'}, {"on-conflict", required_argument, NULL, 'o'},
	    {"jobs", required_argument, NULL, 'j'}, {"journal", required_argument, NULL, 'J'},
	    {"report", required_argument, NULL, 'r'}, {"dry-run", no_argument, NULL, 'd'},
	    {"patience", required_argument, NULL, 'P'}, {"token-file", required_argument, NULL, 'k'},
	    {"from-token-file", required_argument, NULL, 'K'},
	    {"ca-file", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0}};
	struct import_command c = {.jobs = IMPORT_JOBS,
	    .from = {.fd = -1, .patience_ms = BULK_OPTIONS_PATIENCE_MS}};
	uint64_t seen = 0;
	int opt, code = 1;

	while ((opt = option_next(argc, argv, options, &seen)) != -1) {
		code = import_option(&c, opt);
		if (code >= 0)
			return code;
	}
	if (optind < argc)
		return import_wrong("there is a word too many");
	if (c.from.word == NULL || c.to == NULL)
		return import_wrong("--from and --to say what is imported into which gateway");
	if (!bulk_site_is_url(c.to))
		return import_wrong("--to must be an http:// or https:// URL");
	if (!bulk_options_project(c.project, c.from.word, c.to))
		return 2;
	code = 1;
	if (bulk_options_token(c.token_file, BULK_OPTIONS_TOKEN, &c.token) &&
	    bulk_options_token(c.from_token_file, BULK_OPTIONS_FROM_TOKEN, &c.from_token)) {
		c.from.token = c.from_token;
		code = import_run(&c);
	}
	mem_wipe_free(c.token);
	mem_wipe_free(c.from_token);
	return code;
}
