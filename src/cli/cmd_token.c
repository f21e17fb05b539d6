#include "config.h"

#include "cli/cmd_token.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/uuid.h"
#include "cli/option.h"
#include "config/config_value.h"
#include "json/json_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TOKEN_PREFIX "pgw_" /* so that a token is known for one wherever it turns up */
#define TOKEN_BYTES 32      /* random ones */
#define TOKEN_TEXT_MAX 64   /* of the token, with its prefix */

static const char token_usage[] =
    "usage: persona-gateway token NAME [OPTIONS]\n"
    "\n"
    "Makes a random token for a client, prints it this once, and then the line for the list\n"
    "\"clients\" of the configuration file, which holds only its hash.\n"
    "\n"
    "  --projects A,B   the client may use these projects alone\n"
    "  --read-only      it may only read\n"
    "  --passthrough    it may use /v1/ too; not with --projects\n"
    "  --admin          it may use the admin address too; not with --projects\n"
    "  --rate N         it may make N requests in a minute\n";

/* What the client may. */
struct token_rights {
	const char *projects; /* NULL: every one */
	const char *rate;     /* NULL: no limit */
	bool read_only, passthrough, admin;
};

/* Writes a token (base64url, RFC 4648, section 5, without padding). */
static void
token_make(struct buf *out)
{
	unsigned char bytes[TOKEN_BYTES];

	uuid_random(bytes, sizeof bytes);
	buf_init(out, TOKEN_TEXT_MAX);
	out->secret = true;
	buf_adds(out, TOKEN_PREFIX);
	base64_encode(out, bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	for (size_t i = 0; i < out->len; i++) {
		if (out->data[i] == '+')
			out->data[i] = '-';
		else if (out->data[i] == '/')
			out->data[i] = '_';
		else if (out->data[i] == '=')
			out->data[out->len = i] = '\0';
	}
}

/* Adds a text as YAML reads it inside [ ] and { }: plain when it is a word that can be
 * nothing else. */
static void
token_add_text(struct buf *b, const char *text, size_t len)
{
	static const char *const others[] = {"true", "false", "null"};
	bool plain = len > 0 && isalpha((unsigned char)text[0]);

	for (size_t i = 0; i < len; i++)
		plain = plain && (isalnum((unsigned char)text[i]) || strchr("-_.", text[i]) != NULL);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		plain = plain && !(strlen(others[i]) == len && strncasecmp(text, others[i], len) == 0);
	if (plain)
		buf_add(b, text, len);
	else
		json_add_string(b, text, len);
}

/* Adds the projects, which have commas between. */
static void
token_add_projects(struct buf *b, const char *list)
{
	const char *separator = "";

	buf_adds(b, ", projects: [");
	while (*list != '\0') {
		size_t len = strcspn(list, ",");

		if (len > 0) {
			buf_adds(b, separator);
			token_add_text(b, list, len);
			separator = ", ";
		}
		list += len + (list[len] == ',');
	}
	buf_addc(b, ']');
}

/* Prints a new token and its line. */
static void
token_print(const char *name, const struct token_rights *r)
{
	char digest[DIGEST_HEX_SIZE];
	struct buf token, line;

	token_make(&token);
	digest_hex(token.data, token.len, digest);
	buf_init(&line, 0);
	buf_adds(&line, "- {name: ");
	token_add_text(&line, name, strlen(name));
	buf_addf(&line, ", token_sha256: %s", digest);
	if (r->projects != NULL)
		token_add_projects(&line, r->projects);
	buf_addf(&line, "%s%s%s", r->read_only ? ", read_only: true" : "",
	    r->passthrough ? ", passthrough: true" : "", r->admin ? ", admin: true" : "");
	if (r->rate != NULL)
		buf_addf(&line, ", rate: {per_minute: %s}", r->rate);
	printf("%s\n%s}\n", token.data, line.data);
	fflush(stdout);
	fprintf(stderr, "The first line is the token of \"%s\"; it is not shown again. The second is its "
	    "entry for \"clients:\" in the file.\n", name);
	buf_free(&token);
	buf_free(&line);
}

/* Whether the rights fit together and can be written; says why not. */
static bool
token_check(const char *name, const struct token_rights *r)
{
	struct fail fail;
	bool good = false;

	if (config_value_name(name, &fail) != 0)
		fprintf(stderr, "persona-gateway: the name %s\n", fail.text);
	else if (r->projects != NULL && r->projects[strspn(r->projects, ",")] == '\0')
		fprintf(stderr, "persona-gateway: --projects names no project\n");
	else if (r->projects != NULL && (r->passthrough || r->admin))
		fprintf(stderr, "persona-gateway: a client that is limited to projects cannot have "
		    "--passthrough or --admin, which reach every project\n");
	else if (r->rate != NULL && (strspn(r->rate, "0123456789") != strlen(r->rate) ||
	    strlen(r->rate) > 7 || atoi(r->rate) < 1 || atoi(r->rate) > 1000000))
		fprintf(stderr, "persona-gateway: --rate must be a number from 1 to 1000000\n");
	else
		good = true;
	return good;
}

/* `token`. */
int
cmd_token(int argc, char **argv)
{
	static const struct option options[] = {{"projects", required_argument, NULL, 'p'},
	    {"read-only", no_argument, NULL, 'r'}, {"passthrough", no_argument, NULL, 't'},
	    {"admin", no_argument, NULL, 'a'}, {"rate", required_argument, NULL, 'n'},
	    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct token_rights r = {0};
	uint64_t seen = 0;
	int opt;

	while ((opt = option_next(argc, argv, options, &seen)) != -1) {
		switch (opt) {
		case 'p':
			r.projects = optarg;
			break;
		case 'r':
			r.read_only = true;
			break;
		case 't':
			r.passthrough = true;
			break;
		case 'a':
			r.admin = true;
			break;
		case 'n':
			r.rate = optarg;
			break;
		case 'h':
			fputs(token_usage, stdout);
			return 0;
		default:
			fputs(token_usage, stderr);
			return 2;
		}
	}
	if (argc - optind != 1) {
		fputs(token_usage, stderr);
		return 2;
	}
	if (!token_check(argv[optind], &r))
		return 2;
	token_print(argv[optind], &r);
	return 0;
}
