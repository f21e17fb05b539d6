#include "config.h"

#include "cli/cmd_sandbox.h"
#include "base/log.h"
#include "sandbox/sandbox.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char cmd_sandbox_usage[] =
	"usage: persona-gateway sandbox [OPTION]...\n"
	"\n"
	"Serves a simulated Bluejay on loopback until SIGTERM or SIGINT.\n"
	"\n"
	"  --listen ADDRESS   127.0.0.1:PORT, [::1]:PORT or unix:PATH; port 0, the\n"
	"                     default, picks a free one\n"
	"  --faults PROFILE   what goes wrong; see below\n"
	"  --seed NUMBER      of the faults' random choices (0)\n"
	"  --api-key KEY      the key that X-API-Key must hold (sandbox)\n"
	"  --journal FILE     keeps the state in a file, also over a kill; without it\n"
	"                     everything is forgotten at the end\n"
	"  --help             this text\n"
	"\n"
	"When ready it prints `listening on http://127.0.0.1:PORT` to standard output.\n"
	"\n"
	"Fault profiles:\n";

/* Prints how to use the command. */
static void
cmd_sandbox_help(FILE *out)
{
	fputs(cmd_sandbox_usage, out);
	for (const struct sandbox_profile *p = sandbox_profiles(); p->name != NULL; p++)
		fprintf(out, "  %-17s  %s\n", p->name, p->help);
}

/* Says what is wrong with the usage. */
static int
cmd_sandbox_wrong(const char *what, const char *value)
{
	fprintf(stderr, "persona-gateway sandbox: %s: %s (see persona-gateway sandbox --help)\n",
	    what, value);
	return 2;
}

/* True when there is a profile of that name. */
static bool
cmd_sandbox_is_profile(const char *name)
{
	for (const struct sandbox_profile *p = sandbox_profiles(); p->name != NULL; p++)
		if (strcmp(p->name, name) == 0)
			return true;
	return false;
}

/* Reads a whole number. */
static bool
cmd_sandbox_number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return isdigit((unsigned char)*text) && *end == '\0' && errno == 0;
}

/* Reads the options; -1 to go on, else the exit code. */
static int
cmd_sandbox_options(int argc, char **argv, struct sandbox_options *o)
{
	static const struct option options[] = {
		{"listen", required_argument, NULL, 'l'},
		{"faults", required_argument, NULL, 'f'},
		{"seed", required_argument, NULL, 's'},
		{"api-key", required_argument, NULL, 'k'},
		{"journal", required_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			o->listen = optarg;
			break;
		case 'f':
			if (!cmd_sandbox_is_profile(optarg))
				return cmd_sandbox_wrong("no such fault profile", optarg);
			o->faults = optarg;
			break;
		case 's':
			if (!cmd_sandbox_number(optarg, &o->seed))
				return cmd_sandbox_wrong("--seed needs a whole number", optarg);
			break;
		case 'k':
			if (*optarg == '\0')
				return cmd_sandbox_wrong("--api-key needs a key", "it is empty");
			o->api_key = optarg;
			break;
		case 'j':
			o->journal = optarg;
			break;
		case 'h':
			cmd_sandbox_help(stdout);
			return fflush(stdout) == 0 ? 0 : 1;
		case ':':
			return cmd_sandbox_wrong("option without its value", argv[optind - 1]);
		default:
			return cmd_sandbox_wrong("unknown option",
			    argv[optind > 1 ? optind - 1 : 1]);
		}
	}
	if (optind < argc)
		return cmd_sandbox_wrong("unexpected argument", argv[optind]);
	return -1;
}

/* Runs until one of the signals arrives. */
static int
cmd_sandbox_serve(const struct sandbox_options *o)
{
	struct sandbox *s;
	sigset_t ends;
	struct fail fail;
	int which, result = 0;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	s = sandbox_start(o, &fail);
	if (s == NULL) {
		fprintf(stderr, "persona-gateway sandbox: %s\n", fail.text);
		return 1;
	}
	printf("listening on %s\n", sandbox_url(s));
	if (fflush(stdout) != 0) {
		fprintf(stderr, "persona-gateway sandbox: cannot write to standard output: %s\n",
		    strerror(errno));
		result = 1;
	} else {
		sigwait(&ends, &which);
	}
	sandbox_stop(s);
	return result;
}

/* The command. */
int
cmd_sandbox(int argc, char **argv)
{
	struct sandbox_options o = {0};
	int result = cmd_sandbox_options(argc, argv, &o);

	if (result >= 0)
		return result;
	o.log = log_new(STDERR_FILENO, LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	result = cmd_sandbox_serve(&o);
	log_free(o.log);
	return result;
}
