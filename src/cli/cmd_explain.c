#include "config.h"

#include "cli/cmd_explain.h"

#include "base/buf.h"
#include "base/mem.h"
#include "cli/explain_past.h"
#include "cli/explain_print.h"
#include "cli/option.h"
#include "core/resource.h"
#include "core/snapshot.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPLAIN_BODY_MAX ((size_t)16 << 20)

static const char explain_usage[] =
    "usage: persona-gateway explain [OPTIONS] --project ID create|update|read < body.json\n"
    "       persona-gateway explain --request ID [--admin URL] [--token-file FILE] [--ca-file FILE]\n"
    "                               [--json]\n"
    "\n"
    "Prints what a body becomes, and which line of the file decides that. Sends nothing.\n"
    "create and update take a body of the local API and print the request to Bluejay;\n"
    "read takes what Bluejay answers and prints the local answer.\n"
    "\n"
    "  --config FILE    YAML file; without one, what is built in\n"
    "  --sandbox        as for serve\n"
    "  --project ID     the project in the path\n"
    "  --resource NAME  persona (the default), community, or one that the file declares\n"
    "  --id ID          its id, for the path of an update\n"
    "  --json           one JSON object\n"
    "\n"
    "With --request it prints a past request of a running gateway whose recording is on,\n"
    "both ways, by its X-Request-Id:\n"
    "\n"
    "  --request ID       the id\n"
    "  --admin URL        the admin address, " ADMIN_CLIENT_URL " unless it is given\n"
    "  --token-file FILE  the token of a client with `admin: true`, where one is needed\n"
    "  --ca-file FILE     authorities (PEM) of an https:// address, in place of the system's\n";

/* Says what is wrong with the usage. */
static int
explain_wrong(FILE *err, const char *what)
{
	fprintf(err, "persona-gateway explain: %s (see persona-gateway explain --help)\n", what);
	return 2;
}

/* Notes one member's way. */
static void
explain_on_member(void *arg, const struct mapping_explained *e)
{
	explain_print_member(arg, e);
}

/* Explains a create or an update. */
static bool
explain_request(struct explain_print *p, const struct project *project, bool create,
    const char *id, struct json_object *body)
{
	struct mapping_project mp = {project->id, project->has_agent, project->agent_id};
	enum mapping_operation operation = create ? MAPPING_CREATE : MAPPING_UPDATE;
	const struct resource *resource = project->resource;
	const struct resource_call *call = create ? &resource->create : &resource->update;
	struct mapping_request r;
	struct fail fail;
	char *path;

	if (resource_check_name(resource, project->mapping, body, create, &fail) != 0 ||
	    mapping_request_make(project->mapping, operation, body, &mp, &r, &fail) != 0) {
		explain_print_refusal(p, fail.text);
		return false;
	}
	mapping_hide(project->mapping, r.upstream);
	if (call->method == NULL) {
		explain_print_refusal(p, "the declaration of this resource has no such call");
		mapping_request_clear(&r);
		return false;
	}
	path = project_path(project, call, id);
	explain_print_request(p, call->method, path, project->api_key, &r);
	free(path);
	mapping_explain_request(project->mapping, operation, body, &mp, explain_on_member, p);
	mapping_request_clear(&r);
	return true;
}

/* Explains an answer of Bluejay. */
static bool
explain_answer(struct explain_print *p, const struct project *project, struct json_object *body)
{
	const char *id = resource_id(project->resource, body); /* or whatever the body says */
	struct json_object *out;
	struct fail fail;

	if (id == NULL)
		id = json_get_string(body, project->resource->id);
	if (mapping_answer_make(project->mapping, body, id != NULL ? id : "", NULL, NULL, 0, &out,
	        &fail) != 0) {
		explain_print_misfit(p, fail.text);
		return false;
	}
	json_object_object_del(out, "updatedAt"); /* the gateway's own, and not in the body */
	explain_print_answer(p, out);
	mapping_explain_answer(project->mapping, body, explain_on_member, p);
	json_object_put(out);
	return true;
}

/* Explains a body for a project that was found. */
static int
explain_body(const struct explain_options *o, struct snapshot *snap,
    const struct project *project, struct json_object *body, FILE *out)
{
	struct explain_print p;
	bool good;

	explain_print_init(&p, snap->config, o->config, out, o->json, o->colour);
	if (strcmp(o->operation, "read") == 0)
		good = explain_answer(&p, project, body);
	else
		good = explain_request(&p, project, strcmp(o->operation, "create") == 0,
		    o->id != NULL ? o->id : "{id}", body);
	return explain_print_end(&p) && good ? 0 : 1;
}

/* Reads the body as an object; NULL with a sentence printed. */
static struct json_object *
explain_read_body(const char *text, size_t len, FILE *err)
{
	struct json_object *body = NULL;
	struct json_error error;

	if (len == 0)
		fprintf(err, "there is no body on standard input; give one with < body.json\n");
	else if (!json_read(text, len, &body, &error))
		fprintf(err, "the body is not JSON: %s (after %zu bytes)\n", error.text, error.offset);
	else if (!json_object_is_type(body, json_type_object)) {
		fprintf(err, "the body must be a JSON object\n");
		json_object_put(body);
		body = NULL;
	}
	return body;
}

/* The kind of thing that is explained, by its noun or its key; NULL with a sentence printed
 * for none of that name. */
static const struct resource *
explain_resource(const struct snapshot *snap, const char *name, FILE *err)
{
	for (size_t i = 0; i < snap->resource_count; i++) {
		const struct resource *r = snap->resources[i].resource;

		if (name == NULL || strcmp(name, r->noun) == 0 || strcmp(name, r->key) == 0)
			return r;
	}
	fprintf(err, "unknown resource \"%s\"; possible are", name);
	for (size_t i = 0; i < snap->resource_count; i++) {
		const struct resource *r = snap->resources[i].resource;

		fprintf(err, "%s %s", i > 0 ? "," : "", r->built_in ? r->noun : r->key);
	}
	fputc('\n', err);
	return NULL;
}

/* Explains a body. */
int
explain(const struct explain_options *o, const char *body, size_t len, FILE *out, FILE *err)
{
	/* without a file nothing is sent, so no key is needed */
	struct config_source source = {.file = o->config,
	    .sandbox = o->sandbox || o->config == NULL};
	struct diag_list diags = {0};
	struct snapshot *snap = snapshot_load(&source, &diags);
	const struct resource *resource;
	struct json_object *tree;
	struct project project;
	int code = 1;

	diag_print(&diags, err);
	diag_free(&diags);
	if (snap == NULL)
		return 1;
	resource = explain_resource(snap, o->resource, err);
	tree = resource == NULL ? NULL : explain_read_body(body, len, err);
	if (tree != NULL && !snapshot_project(snap, o->project, resource, &project))
		fprintf(err, "there is no project \"%s\" in the file\n", o->project);
	else if (tree != NULL)
		code = explain_body(o, snap, &project, tree, out);
	json_object_put(tree);
	snapshot_unref(snap);
	return code;
}

/* Reads standard input; false when it is too long. */
static bool
explain_read_input(struct buf *in)
{
	char bytes[65536];
	size_t n;

	buf_init(in, EXPLAIN_BODY_MAX);
	while ((n = fread(bytes, 1, sizeof bytes, stdin)) > 0)
		if (!buf_add(in, bytes, n))
			return false;
	return true;
}

/* Reads the options; false when they are wrong, with *code set. */
static bool
explain_read_options(int argc, char **argv, struct explain_options *o, int *code)
{
	enum { CONFIG = 1, SANDBOX, PROJECT, RESOURCE, ID, JSON, REQUEST, ADMIN, TOKEN, CA,
		HELP };
	static const struct option options[] = {{"config", required_argument, NULL, CONFIG},
	    {"sandbox", no_argument, NULL, SANDBOX}, {"project", required_argument, NULL, PROJECT},
	    {"resource", required_argument, NULL, RESOURCE},
	    {"id", required_argument, NULL, ID}, {"json", no_argument, NULL, JSON},
	    {"request", required_argument, NULL, REQUEST}, {"admin", required_argument, NULL, ADMIN},
	    {"token-file", required_argument, NULL, TOKEN}, {"ca-file", required_argument, NULL, CA},
	    {"help", no_argument, NULL, HELP}, {NULL, 0, NULL, 0}};
	uint64_t seen = 0;
	int opt;

	while ((opt = option_next(argc, argv, options, &seen)) != -1) {
		if (opt == CONFIG)
			o->config = optarg;
		else if (opt == SANDBOX)
			o->sandbox = true;
		else if (opt == PROJECT)
			o->project = optarg;
		else if (opt == RESOURCE)
			o->resource = optarg;
		else if (opt == ID)
			o->id = optarg;
		else if (opt == JSON)
			o->json = true;
		else if (opt == REQUEST)
			o->request = optarg;
		else if (opt == ADMIN)
			o->admin = optarg;
		else if (opt == TOKEN)
			o->token_file = optarg;
		else if (opt == CA)
			o->ca_file = optarg;
		else {
			if (opt == HELP)
				fputs(explain_usage, stdout);
			*code = opt == HELP ? 0 : explain_wrong(stderr, "wrong option");
			return false;
		}
	}
	o->operation = optind + 1 == argc ? argv[optind] : "";
	return true;
}

/* Explains a past request. */
static int
explain_old(const struct explain_options *o)
{
	struct admin_client admin = {.url = o->admin != NULL ? o->admin : ADMIN_CLIENT_URL,
	    .ca_file = o->ca_file};
	int code = 1;

	if (o->operation[0] != '\0' || o->project != NULL || o->config != NULL || o->sandbox ||
	    o->resource != NULL || o->id != NULL)
		return explain_wrong(stderr, "--request goes with --admin, --token-file, --ca-file and --json alone");
	signal(SIGPIPE, SIG_IGN);
	if (admin_client_read_token(&admin, o->token_file))
		code = explain_past(&admin, o->request, o->json, o->colour);
	admin_client_clear(&admin);
	return code;
}

/* Runs the command. */
int
cmd_explain(int argc, char **argv)
{
	struct explain_options o = {0};
	struct buf in;
	int code;

	if (!explain_read_options(argc, argv, &o, &code))
		return code;
	o.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	if (o.request != NULL)
		return explain_old(&o);
	if (o.admin != NULL || o.token_file != NULL || o.ca_file != NULL)
		return explain_wrong(stderr, "--admin, --token-file and --ca-file go with --request");
	if (strcmp(o.operation, "create") != 0 && strcmp(o.operation, "update") != 0 &&
	    strcmp(o.operation, "read") != 0)
		return explain_wrong(stderr, "say what to explain: create, update or read");
	if (o.project == NULL)
		return explain_wrong(stderr, "--project is needed");
	if (!explain_read_input(&in)) {
		fprintf(stderr, "the body is longer than 16 MiB\n");
		code = 1;
	} else
		code = explain(&o, in.len > 0 ? in.data : "", in.len, stdout, stderr);
	buf_free(&in);
	return code;
}
