#include "config.h"

#include "cli/cmd_diff.h"
#include "base/loop.h"
#include "base/mem.h"
#include "bulk/bulk_diff.h"
#include "bulk/bulk_side.h"
#include "bulk/bulk_stop.h"
#include "cli/bulk_options.h"
#include "cli/diff_print.h"
#include "cli/option.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

static const char diff_usage[] =
    "usage: persona-gateway diff [OPTIONS] FROM TO\n"
    "\n"
    "Compares the personas of two sides, member by member. A side is a file as `import` reads\n"
    "it, `-` for standard input, or the URL of a server, which may end with the project:\n"
    "http://127.0.0.1:3000/api/projects/shop. What every side makes by itself (id, createdAt,\n"
    "updatedAt, imageUrl) is not compared; absent and empty are different.\n"
    "\n"
    "  --project ID            the project of a URL that does not end with one\n"
    "  --by MEMBER             what says which two personas are one: name, unless it is id\n"
    "  --json                  a JSON object on each line\n"
    "  --format FORM           of files: jsonl, json, or auto, which looks at them\n"
    "  --patience TIME         how long a server that is busy or away is asked again; 2m\n"
    "  --token-file FILE       the token for TO, else " BULK_OPTIONS_TOKEN "\n"
    "  --from-token-file FILE  the token for FROM, else " BULK_OPTIONS_FROM_TOKEN "\n"
    "  --ca-file FILE          authorities (PEM) of https:// URLs, in place of the system's\n"
    "\n"
    "Exit codes: 0 equal, 1 different, 2 wrong usage or no comparison was possible.\n";

/* What the command line says. */
struct diff_command {
	struct bulk_side sides[2];
	const char *by, *token_files[2];
	bool json;
	char *tokens[2];
};

/* Opens a side and reads what is in it; NULL with a sentence. */
static struct bulk_index *
diff_open(struct loop *loop, struct bulk_side *side, const char *by, const struct bulk_stop *stop,
    struct fail *f)
{
	int fd;

	if (bulk_side_open(loop, side, stop, f) < 0)
		return NULL;
	fd = side->fd;
	side->fd = -1; /* the index closes it */
	return bulk_index_read(fd, side->form, by, side->name, f);
}

/* Opens both sides and compares them; the exit code. */
static int
diff_run(struct loop *loop, struct diff_command *c)
{
	struct bulk_stop *stop = bulk_stop_new(loop);
	struct bulk_index *left, *right = NULL;
	struct bulk_diff_counts counts;
	struct fail f;
	int code = 2;

	left = diff_open(loop, &c->sides[0], c->by, stop, &f);
	if (left != NULL)
		right = diff_open(loop, &c->sides[1], c->by, stop, &f);
	if (right == NULL || bulk_diff(left, right, diff_print_told, &c->json, &counts, &f) < 0)
		fprintf(stderr, "persona-gateway: %s\n", f.text);
	else
		code = !output_done() ? 2 : diff_print_summary(&counts) ? 0 : 1;
	bulk_index_free(left);
	bulk_index_free(right);
	bulk_side_close(&c->sides[0]);
	bulk_side_close(&c->sides[1]);
	bulk_stop_free(stop);
	return code;
}

/* Says what is wrong with the usage. */
static int
diff_wrong(const char *what)
{
	fprintf(stderr, "persona-gateway diff: %s\n\n%s", what, diff_usage);
	return 2;
}

/* Takes one option. -1: go on; else the exit code. */
static int
diff_option(struct diff_command *c, int opt)
{
	switch (opt) {
	case 'p':
		c->sides[0].project = c->sides[1].project = optarg;
		break;
	case 'b':
		c->by = optarg;
		if (strcmp(optarg, "name") != 0 && strcmp(optarg, "id") != 0)
			return diff_wrong("--by must be name or id");
		break;
	case 'j':
		c->json = true;
		break;
	case 'F':
		if (!bulk_options_form(optarg, &c->sides[0].form))
			return 2;
		c->sides[1].form = c->sides[0].form;
		break;
	case 'P':
		if (!bulk_options_duration("--patience", optarg, &c->sides[0].patience_ms))
			return 2;
		c->sides[1].patience_ms = c->sides[0].patience_ms;
		break;
	case 'k':
	case 'K':
		c->token_files[opt == 'k'] = optarg;
		break;
	case 'c':
		c->sides[0].ca_file = c->sides[1].ca_file = optarg;
		break;
	case 'h':
		fputs(diff_usage, stdout);
		return 0;
	default:
		fputs(diff_usage, stderr);
		return 2;
	}
	return -1;
}

/* Reads the tokens, and compares. */
static int
diff_begin(struct diff_command *c)
{
	struct loop *loop;
	int code = 2;

	if (bulk_options_token(c->token_files[0], BULK_OPTIONS_FROM_TOKEN, &c->tokens[0]) &&
	    bulk_options_token(c->token_files[1], BULK_OPTIONS_TOKEN, &c->tokens[1]) &&
	    (loop = loop_new()) != NULL) {
		for (int i = 0; i < 2; i++) {
			c->sides[i].token = c->tokens[i];
			c->sides[i].fd = -1;
			c->sides[i].again = true;
		}
		code = diff_run(loop, c);
		loop_free(loop);
	}
	mem_wipe_free(c->tokens[0]);
	mem_wipe_free(c->tokens[1]);
	return code;
}

/* `diff`. */
int
cmd_diff(int argc, char **argv)
{
	static const struct option options[] = {{"project", required_argument, NULL, 'p'},
	    {"by", required_argument, NULL, 'b'}, {"json", no_argument, NULL, 'j'},
	    {"format", required_argument, NULL, 'F'}, {"patience", required_argument, NULL, 'P'},
	    {"token-file", required_argument, NULL, 'k'},
	    {"from-token-file", required_argument, NULL, 'K'},
	    {"ca-file", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0}};
	struct diff_command c = {.by = "name", .sides = {{.patience_ms = BULK_OPTIONS_PATIENCE_MS},
	    {.patience_ms = BULK_OPTIONS_PATIENCE_MS}}};
	uint64_t seen = 0;
	int opt, code;

	while ((opt = option_next(argc, argv, options, &seen)) != -1) {
		code = diff_option(&c, opt);
		if (code >= 0)
			return code;
	}
	if (argc - optind != 2)
		return diff_wrong("two sides are to be compared");
	c.sides[0].word = argv[optind];
	c.sides[1].word = argv[optind + 1];
	if (strcmp(c.sides[0].word, "-") == 0 && strcmp(c.sides[1].word, "-") == 0)
		return diff_wrong("standard input can be only one of the sides");
	if (!bulk_options_project(c.sides[0].project, c.sides[0].word, c.sides[1].word))
		return 2;
	return diff_begin(&c);
}
