#include "config.h"

#include "cli/cmd_export.h"
#include "base/loop.h"
#include "base/mem.h"
#include "bulk/bulk_export.h"
#include "bulk/bulk_out.h"
#include "bulk/bulk_side.h"
#include "bulk/bulk_site.h"
#include "bulk/bulk_stop.h"
#include "cli/bulk_options.h"
#include "cli/option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char export_usage[] =
    "usage: persona-gateway export --from URL [OPTIONS]\n"
    "\n"
    "Writes the personas of a project, as a gateway or the local tool's server shows them,\n"
    "oldest first and with all members. Images are not part of it: imageUrl is only a name.\n"
    "\n"
    "  --from URL         the server, http://127.0.0.1:3000; it may end with the project:\n"
    "                     http://127.0.0.1:3000/api/projects/shop\n"
    "  --project ID       the project, when the URL does not end with it\n"
    "  --format FORM      jsonl, a persona on each line, unless it is json, a list of them\n"
    "  --to FILE          written whole or not at all, for its owner's eyes; standard output\n"
    "                     unless it is given\n"
    "  --patience TIME    how long a server that is busy or away is asked again; 2m\n"
    "  --token-file FILE  the token for the server, else " BULK_OPTIONS_TOKEN "\n"
    "  --ca-file FILE     authorities (PEM) of an https:// URL, in place of the system's\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage.\n";

/* Fetches and writes; the exit code. */
static int
export_run(struct loop *loop, struct bulk_side *side, const char *to, bool lines)
{
	struct bulk_stop *stop = bulk_stop_new(loop);
	struct bulk_out *out = NULL;
	uint64_t count = 0;
	struct fail f;
	int rc = bulk_side_open(loop, side, stop, &f);

	if (rc == 0)
		rc = (out = bulk_out_open(to, &f)) != NULL ? bulk_export(side, lines, out, &count, &f) : -1;
	if (rc == 0)
		rc = bulk_out_commit(out, &f);
	else
		bulk_out_drop(out);
	if (rc < 0)
		fprintf(stderr, "persona-gateway: %s\n", f.text);
	else
		fprintf(stderr, "%" PRIu64 " persona%s of %s\n", count, count == 1 ? "" : "s", side->name);
	bulk_side_close(side);
	bulk_stop_free(stop);
	return rc == 0 ? 0 : 1;
}

/* Says what is wrong with the usage. */
static int
export_wrong(const char *what)
{
	fprintf(stderr, "persona-gateway export: %s\n\n%s", what, export_usage);
	return 2;
}

/* What the command line says beside the side. */
struct export_command {
	struct bulk_side side;
	const char *to, *token_file;
	enum bulk_form form;
};

/* Takes one option. -1: go on; else the exit code. */
static int
export_option(struct export_command *c, int opt)
{
	switch (opt) {
	case 'f':
		c->side.word = optarg;
		break;
	case 'p':
		c->side.project = optarg;
		break;
	case 'F':
		return bulk_options_form(optarg, &c->form) ? -1 : 2;
	case 't':
		c->to = optarg;
		break;
	case 'P':
		return bulk_options_duration("--patience", optarg, &c->side.patience_ms) ? -1 : 2;
	case 'k':
		c->token_file = optarg;
		break;
	case 'c':
		c->side.ca_file = optarg;
		break;
	case 'h':
		fputs(export_usage, stdout);
		return 0;
	default:
		fputs(export_usage, stderr);
		return 2;
	}
	return -1;
}

/* `export`. */
int
cmd_export(int argc, char **argv)
{
	static const struct option options[] = {{"from", required_argument, NULL, 'f'},
	    {"project", required_argument, NULL, 'p'}, {"format", required_argument, NULL, 'F'},
	    {"to", required_argument, NULL, 't'}, {"patience", required_argument, NULL, 'P'},
	    {"token-file", required_argument, NULL, 'k'}, {"ca-file", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct export_command c = {.side = {.fd = -1, .patience_ms = BULK_OPTIONS_PATIENCE_MS}};
	struct loop *loop;
	char *token = NULL;
	uint64_t seen = 0;
	int opt, code = 1;

	while ((opt = option_next(argc, argv, options, &seen)) != -1) {
		code = export_option(&c, opt);
		if (code >= 0)
			return code;
	}
	if (optind < argc)
		return export_wrong("there is a word too many");
	if (c.side.word == NULL || !bulk_site_is_url(c.side.word))
		return export_wrong("--from must be an http:// or https:// URL");
	if (!bulk_options_project(c.side.project, c.side.word, c.side.word))
		return 2;
	code = 1;
	if (!bulk_options_token(c.token_file, BULK_OPTIONS_TOKEN, &token))
		return code;
	c.side.token = token;
	loop = loop_new();
	if (loop != NULL) {
		code = export_run(loop, &c.side, c.to, c.form != BULK_FORM_JSON);
		loop_free(loop);
	}
	mem_wipe_free(token);
	return code;
}
