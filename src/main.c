#include "config.h"

#include "base/dump.h"
#include "cli/cmd_check.h"
#include "cli/cmd_config.h"
#include "cli/cmd_diff.h"
#include "cli/cmd_explain.h"
#include "cli/cmd_export.h"
#include "cli/cmd_import.h"
#include "cli/cmd_intents.h"
#include "cli/cmd_sandbox.h"
#include "cli/cmd_store.h"
#include "cli/cmd_token.h"
#include "cli/option.h"
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char main_usage[] =
    "usage: persona-gateway COMMAND [OPTIONS]\n"
    "\n"
    "  serve     serve the local Personas API from Bluejay (or a simulated one)\n"
    "  check     check a configuration file, and with --live Bluejay's answers\n"
    "  explain   show what a body becomes, and which line of the file decides that\n"
    "  config    print what is built in\n"
    "  sandbox   run the simulated Bluejay alone\n"
    "  intents   see and resolve creates whose outcome is unknown\n"
    "  import    put many personas into a project of a running gateway\n"
    "  export    write the personas of a project\n"
    "  diff      say how the personas of two files or servers differ\n"
    "  token     make a token for a client\n"
    "  store     back up, restore, verify and move what the gateway keeps\n"
    "\n"
    "persona-gateway COMMAND --help says more; --version prints the version.\n";

static const char main_serve_usage[] =
    "usage: persona-gateway serve [OPTIONS]\n"
    "\n"
    "  --config FILE         YAML file (docs/configuration.md)\n"
    "  --sandbox             use a simulated Bluejay in this process; needs no file and no key\n"
    "  --listen ADDRESS      127.0.0.1:3000, [::1]:3000 or unix:/path; port 0 picks a free one\n"
    "  --admin-listen ADDRESS  a page, health and unsettled writes; `off` for none\n"
    "  --data-dir DIR        where records are kept; with --sandbox and without it: in memory\n"
    "  --rebind              take over records that belong to another bluejay.url\n"
    "\n"
    "Prints `listening on URL` when ready; SIGTERM drains and stops, SIGHUP reads the file again.\n";

static const char main_check_usage[] =
    "usage: persona-gateway check [--config FILE] [--sandbox] [--live]\n"
    "\n"
    "Loads everything, contacts nobody, prints every mistake with file:line:column, or `ok`.\n"
    "With --live it then asks Bluejay with each key, by a few GETs, and prints whether the key\n"
    "is accepted and whether the answers are what the configuration declares.\n";

/* Wrong usage: says what and how to learn more. */
static int
main_wrong(const char *command)
{
	fprintf(stderr, "try `persona-gateway %s%s--help`\n", command, *command ? " " : "");
	return 2;
}

/* `serve`. */
static int
main_serve(int argc, char **argv)
{
	enum { CONFIG = 1, SANDBOX, LISTEN, ADMIN, DATA, REBIND, HELP };
	static const struct option options[] = {
	    {"config", required_argument, NULL, CONFIG},
	    {"sandbox", no_argument, NULL, SANDBOX},
	    {"listen", required_argument, NULL, LISTEN},
	    {"admin-listen", required_argument, NULL, ADMIN},
	    {"data-dir", required_argument, NULL, DATA},
	    {"rebind", no_argument, NULL, REBIND},
	    {"help", no_argument, NULL, HELP},
	    {NULL, 0, NULL, 0},
	};
	struct serve_options o = {0};
	uint64_t seen = 0;
	int opt;

	while ((opt = option_next(argc, argv, options, &seen)) != -1) {
		switch (opt) {
		case CONFIG:
			o.config = optarg;
			break;
		case SANDBOX:
			o.sandbox = true;
			break;
		case LISTEN:
			o.listen = optarg;
			break;
		case ADMIN:
			o.admin_listen = optarg;
			break;
		case DATA:
			o.data_dir = optarg;
			break;
		case REBIND:
			o.rebind = true;
			break;
		case HELP:
			fputs(main_serve_usage, stdout);
			return 0;
		default:
			return main_wrong("serve");
		}
	}
	if (optind < argc) {
		fprintf(stderr, "unexpected argument: %s\n", argv[optind]);
		return main_wrong("serve");
	}
	return serve(&o);
}

/* `check`. */
static int
main_check(int argc, char **argv)
{
	enum { CONFIG = 1, SANDBOX, LIVE, HELP };
	static const struct option options[] = {
	    {"config", required_argument, NULL, CONFIG},
	    {"sandbox", no_argument, NULL, SANDBOX},
	    {"live", no_argument, NULL, LIVE},
	    {"help", no_argument, NULL, HELP},
	    {NULL, 0, NULL, 0},
	};
	const char *config = NULL;
	bool sandbox = false, live = false;
	uint64_t seen = 0;
	int opt;

	while ((opt = option_next(argc, argv, options, &seen)) != -1) {
		switch (opt) {
		case CONFIG:
			config = optarg;
			break;
		case SANDBOX:
			sandbox = true;
			break;
		case LIVE:
			live = true;
			break;
		case HELP:
			fputs(main_check_usage, stdout);
			return 0;
		default:
			return main_wrong("check");
		}
	}
	if (optind < argc) {
		fprintf(stderr, "unexpected argument: %s\n", argv[optind]);
		return main_wrong("check");
	}
	return cmd_check(config, sandbox, live, stdout, stderr);
}

/* Picks the command. */
int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {{"serve", main_serve}, {"check", main_check}, {"explain", cmd_explain},
	    {"config", cmd_config}, {"sandbox", cmd_sandbox}, {"intents", cmd_intents},
	    {"import", cmd_import}, {"export", cmd_export}, {"diff", cmd_diff}, {"token", cmd_token}, {"store", cmd_store}};
	const char *command = argc > 1 ? argv[1] : "";

	dump_allow(false); /* whatever it does, it may read keys */
	signal(SIGUSR1, SIG_IGN); /* who rotates a log sends it to all of this name; `serve` listens */
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(command, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(command, "--version") == 0) {
		printf("persona-gateway %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (strcmp(command, "--help") == 0) {
		fputs(main_usage, stdout);
		return 0;
	}
	if (*command != '\0')
		fprintf(stderr, "unknown command: %s\n", command);
	else
		fputs(main_usage, stderr);
	return main_wrong("");
}
