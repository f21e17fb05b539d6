#include "config.h"

#include "cli/cmd_store.h"
#include "cli/cmd_store_copy.h"
#include "base/mem.h"
#include "cli/option.h"
#include "cli/output.h"
#include "config/config_load.h"
#include "sandbox/sandbox.h"
#include "store/store_backup.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STORE_NICE 10       /* a gateway on the same machine goes first */
#define STORE_TELL_MS 100   /* between two states of the progress line */

static const char store_usage[] =
    "usage: persona-gateway store backup  --to DIR STORE\n"
    "       persona-gateway store verify  STORE\n"
    "       persona-gateway store verify  --from DIR [--config FILE]\n"
    "       persona-gateway store restore --from DIR STORE [--replace]\n"
    "       persona-gateway store copy    --from PLACE --to PLACE\n"
    "\n"
    "What a gateway keeps: records, unsettled writes, images. STORE is one of\n"
    "\n"
    "  --data-dir DIR  the folder\n"
    "  --config FILE   the folder that data_dir of the configuration file names\n"
    "\n"
    "  backup   copies it into a new folder, also while the gateway works on it\n"
    "  verify   looks whether a store, or a backup, is whole and this program's\n"
    "  restore  puts a backup back; no gateway may run on the folder\n"
    "  copy     moves all of it into an empty store of the same kind or another, and\n"
    "           compares both; no gateway may run on either\n"
    "\n"
    "  --to DIR    the backup that is made; it must not be there yet\n"
    "  --from DIR  the backup that is read\n"
    "  --replace   the folder holds a store: it is moved into a folder within, and kept\n"
    "  PLACE       sqlite:DIR or postgresql://USER@HOST/DATABASE; PGPASSWORD or a\n"
    "              password file of libpq gives the password\n"
    "\n"
    "A backup holds what people wrote: nobody but its owner can read it.\n";

/* What the command line says. */
struct store_command {
	const char *config, *data_dir, *to, *from;
	bool replace;
	char *dir; /* the store's folder */
	char *url; /* of Bluejay, in the configuration file; NULL: no file */
};

/* Set by a signal: the work ends, and leaves nothing. */
static volatile sig_atomic_t store_stopped;

/* SIGINT, SIGTERM, SIGHUP. */
static void
store_on_signal(int sig)
{
	store_stopped = 1;
}

/* Milliseconds of a clock. */
static int64_t
store_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Shows on a terminal how far it is. */
static bool
store_on_step(void *arg, const char *what, uint64_t done, uint64_t total)
{
	int64_t *shown_ms = arg, now = store_clock(CLOCK_MONOTONIC);

	if (shown_ms != NULL && now - *shown_ms >= STORE_TELL_MS) {
		fprintf(stderr, "\r%-10s %3u %% of %llu MiB", what,
		    total == 0 || done >= total ? 100 : (unsigned)(done * 100 / total),
		    (unsigned long long)(total >> 20) + 1);
		*shown_ms = now;
	}
	return !store_stopped;
}

/* Takes the progress line away. */
static void
store_clear_line(const int64_t *shown_ms)
{
	if (shown_ms != NULL && *shown_ms != 0)
		fprintf(stderr, "\r%-40s\r", "");
}

/* Says what a store holds. */
static void
store_print(const char *where, const struct store_facts *facts)
{
	printf("%s: schema %lld, of %s", where, (long long)facts->schema,
	    facts->binding != NULL ? facts->binding : "any Bluejay");
	if (facts->made[0] != '\0')
		printf(", made %s", facts->made);
	printf("\n%llu items, %llu unsettled writes, %llu images, %llu KiB\n",
	    (unsigned long long)facts->personas, (unsigned long long)facts->unsettled,
	    (unsigned long long)facts->images, (unsigned long long)((facts->bytes + 1023) >> 10));
	if (facts->replaced != NULL)
		printf("what was there before is in %s\n", facts->replaced);
}

typedef int (*store_work_fn)(const struct store_backup_options *, struct store_facts *,
    struct fail *);

/* Does the work, and says what came of it. */
static int
store_do(const struct store_command *c, store_work_fn work, const char *from, const char *to)
{
	int64_t shown_ms = 0, *shown = isatty(STDERR_FILENO) ? &shown_ms : NULL;
	struct store_backup_options o = {
	    .from = from,
	    .to = to,
	    .journal = SANDBOX_JOURNAL,
	    .program = "persona-gateway " PACKAGE_VERSION,
	    .replace = c->replace,
	    .now_ms = store_clock(CLOCK_REALTIME),
	    .step = store_on_step,
	    .arg = shown,
	};
	struct store_facts facts;
	struct fail fail;
	int rc = work(&o, &facts, &fail);

	store_clear_line(shown);
	if (rc < 0) {
		fprintf(stderr, "persona-gateway: %s\n", fail.text);
		return 1;
	}
	store_print(to != NULL ? to : from, &facts);
	if (c->url != NULL && facts.binding != NULL && strcmp(facts.binding, c->url) != 0 &&
	    strcmp(facts.binding, "sandbox") != 0) {
		fprintf(stderr, "persona-gateway: it belongs to %s, and the configuration names %s: no "
		    "gateway starts on it without --rebind\n", facts.binding, c->url);
		rc = 1;
	}
	store_facts_clear(&facts);
	if (rc == 0)
		printf("ok\n");
	return rc == 0 && output_done() ? 0 : 1;
}

/* Finds out which folder is meant. */
static bool
store_find(struct store_command *c)
{
	struct config_source source = {.file = c->config, .sandbox = true, .data_dir = c->data_dir};
	struct diag_list diags = {0};
	struct config *config;

	if (c->config == NULL) {
		c->dir = mem_string(c->data_dir);
		return true;
	}
	config = config_load(&source, &diags); /* no key is needed for this */
	if (config != NULL && config->store.kind == CONFIG_STORE_POSTGRESQL) {
		fprintf(stderr, "persona-gateway: the store is a PostgreSQL database: pg_dump copies it, "
		    "pg_restore puts it back, and the gateway looks at it when it starts\n");
		config_free(config);
		config = NULL;
	} else if (config != NULL) {
		c->dir = mem_string(config->data_dir);
		c->url = mem_string(config->bluejay.url);
		if (access(c->dir, F_OK) != 0)
			fprintf(stderr, "persona-gateway: data_dir of the configuration is %s; a service may be "
			    "told another folder, which --data-dir names here\n", c->dir);
	} else {
		diag_print(&diags, stderr);
		fprintf(stderr, "persona-gateway: the configuration cannot be read; --data-dir in its place "
		    "names the folder\n");
	}
	diag_free(&diags);
	config_free(config);
	return config != NULL;
}

/* Says what is wrong with the usage. */
static int
store_wrong(const char *what)
{
	fprintf(stderr, "persona-gateway store: %s\n\n%s", what, store_usage);
	return 2;
}

/* Whether the options fit the verb; says why not. */
static int
store_check_usage(const struct store_command *c, const char *verb)
{
	bool store = c->config != NULL || c->data_dir != NULL;
	bool backup = strcmp(verb, "backup") == 0, restore = strcmp(verb, "restore") == 0;

	if (strcmp(verb, "copy") == 0)
		return c->from != NULL && c->to != NULL && !store && !c->replace ? 0
		    : store_wrong("copy goes from one place to another: --from and --to, and nothing else");
	if (!backup && !restore && strcmp(verb, "verify") != 0)
		return store_wrong("what is to be done: backup, verify, restore or copy?");
	if (backup != (c->to != NULL))
		return store_wrong(backup ? "--to names the folder of the backup"
		    : "--to is for backup and copy");
	if (backup && c->from != NULL)
		return store_wrong("--from is for restore, verify and copy");
	if (restore && c->from == NULL)
		return store_wrong("--from names the folder of the backup");
	if (c->replace && !restore)
		return store_wrong("--replace is for restore");
	if (!store && (backup || restore || c->from == NULL))
		return store_wrong("--data-dir or --config says which store is meant");
	if (c->from != NULL && c->data_dir != NULL && !restore)
		return store_wrong("verify looks at a store or at a backup, one at a time");
	return 0;
}

/* Does what the verb says. */
static int
store_run(struct store_command *c, const char *verb)
{
	if (strcmp(verb, "copy") == 0)
		return cmd_store_copy(c->from, c->to, &store_stopped);
	if (!store_find(c))
		return 1;
	if (strcmp(verb, "backup") == 0)
		return store_do(c, store_backup_make, c->dir, c->to);
	if (strcmp(verb, "restore") == 0)
		return store_do(c, store_restore, c->from, c->dir);
	if (c->from != NULL)
		return store_do(c, store_backup_check, c->from, NULL);
	return store_do(c, store_check, c->dir, NULL);
}

/* Ends in good order, and lets others go first. */
static void
store_prepare_process(void)
{
	struct sigaction stop = {.sa_handler = store_on_signal};

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	(void)!nice(STORE_NICE);
}

/* `store`. */
int
cmd_store(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
	    {"data-dir", required_argument, NULL, 'd'}, {"to", required_argument, NULL, 't'},
	    {"from", required_argument, NULL, 'f'}, {"replace", no_argument, NULL, 'r'},
	    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct store_command c = {0};
	const char *verb;
	uint64_t seen = 0;
	int opt, code;

	while ((opt = option_next(argc, argv, options, &seen)) != -1) {
		switch (opt) {
		case 'c':
			c.config = optarg;
			break;
		case 'd':
			c.data_dir = optarg;
			break;
		case 't':
			c.to = optarg;
			break;
		case 'f':
			c.from = optarg;
			break;
		case 'r':
			c.replace = true;
			break;
		case 'h':
			fputs(store_usage, stdout);
			return 0;
		default:
			fputs(store_usage, stderr);
			return 2;
		}
	}
	verb = argc - optind == 1 ? argv[optind] : "";
	code = store_check_usage(&c, verb);
	if (code != 0)
		return code;
	store_prepare_process();
	code = store_run(&c, verb);
	free(c.dir);
	free(c.url);
	return code;
}
