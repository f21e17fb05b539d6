#include "config.h"

#include "cli/cmd_intents.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "cli/admin_client.h"
#include "cli/option.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char intents_usage[] =
    "usage: persona-gateway intents [OPTIONS] list\n"
    "       persona-gateway intents [OPTIONS] adopt ID BLUEJAY_ID\n"
    "       persona-gateway intents [OPTIONS] forget ID\n"
    "\n"
    "Writes whose outcome is unknown, over the admin address of a running gateway.\n"
    "\n"
    "  --admin URL        the address, " ADMIN_CLIENT_URL " unless it is given\n"
    "  --token-file FILE  the token of a client with `admin: true`, where one is needed\n"
    "  --ca-file FILE     authorities (PEM) of an https:// address, in place of the system's\n"
    "\n"
    "  list     what is unsettled\n"
    "  adopt    this create made what has this id in Bluejay\n"
    "  forget   nothing was made: what it holds is free again\n";

/* Prints a member of an intent. */
static const char *
intents_member(struct json_object *intent, const char *key)
{
	const char *s = json_get_string(intent, key);

	return s != NULL ? s : "-";
}

/* What an intent is about: a name, or else an id. */
static const char *
intents_subject(struct json_object *intent)
{
	static const char *const members[] = {"name", "personaId", "communityId"};
	const char *s = NULL;

	for (size_t i = 0; i < sizeof members / sizeof *members && s == NULL; i++)
		s = json_get_string(intent, members[i]);
	return s != NULL ? s : "-";
}

/* Prints the list as columns. */
static int
intents_list_print(const struct admin_answer *q)
{
	struct json_object *list = NULL;

	if (q->status != 200 || !json_read(q->body, strlen(q->body), &list, NULL) ||
	    !json_object_is_type(list, json_type_array)) {
		admin_client_print_error(q);
		json_object_put(list);
		return 1;
	}
	if (json_object_array_length(list) == 0)
		printf("nothing is unsettled\n");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *in = json_object_array_get_idx(list, i);

		printf("%s  %s  %-6s  %-8s  %-9s  %s  %s\n", intents_member(in, "id"),
		    intents_member(in, "createdAt"), intents_member(in, "operation"),
		    intents_member(in, "state"), intents_member(in, "kind"),
		    intents_member(in, "project"), intents_subject(in));
	}
	json_object_put(list);
	return 0;
}

/* Whether an argument is an id as `list` prints it. */
static bool
intents_id_ok(const char *id)
{
	if (uuid_valid(id, strlen(id)))
		return true;
	fprintf(stderr, "persona-gateway: \"%s\" is not an id; `persona-gateway intents list` shows them\n",
	    id);
	return false;
}

/* The body that names a thing of Bluejay. */
static char *
intents_body(const char *item)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, "{\"id\":");
	json_add_string(&b, item, strlen(item));
	buf_addc(&b, '}');
	return buf_take(&b, NULL);
}

/* Runs `adopt` or `forget`. */
static int
intents_decide(const struct admin_client *admin, const char *action, const char *id,
    const char *item)
{
	struct admin_answer q;
	char *path, *body;
	int code = 1;

	if (!intents_id_ok(id))
		return 2;
	path = mem_format("/intents/%s/%s", id, action);
	body = item != NULL ? intents_body(item) : mem_string("{}");
	if (admin_client_ask(admin, "POST", path, body, &q)) {
		code = q.status == 200 || q.status == 204 ? 0 : 1;
		if (code != 0)
			admin_client_print_error(&q);
		else
			printf("%s\n", q.status == 200 ? q.body : "forgotten");
	}
	free(q.body);
	free(path);
	free(body);
	return code;
}

/* Does what the arguments say. */
static int
intents_run(const struct admin_client *admin, int argc, char **argv)
{
	struct admin_answer q;
	int code;

	if (argc == 1 && strcmp(argv[0], "list") == 0) {
		code = admin_client_ask(admin, "GET", "/intents", NULL, &q) ? intents_list_print(&q) : 1;
		free(q.body);
		return code;
	}
	if (argc == 3 && strcmp(argv[0], "adopt") == 0)
		return intents_decide(admin, "adopt", argv[1], argv[2]);
	if (argc == 2 && strcmp(argv[0], "forget") == 0)
		return intents_decide(admin, "forget", argv[1], NULL);
	fputs(intents_usage, stderr);
	return 2;
}

/* `intents`. */
int
cmd_intents(int argc, char **argv)
{
	static const struct option options[] = {{"admin", required_argument, NULL, 'a'},
	    {"token-file", required_argument, NULL, 't'}, {"ca-file", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0}};
	struct admin_client admin = {.url = ADMIN_CLIENT_URL};
	const char *file = NULL;
	uint64_t seen = 0;
	int opt, code;

	signal(SIGPIPE, SIG_IGN);
	while ((opt = option_next(argc, argv, options, &seen)) != -1) {
		switch (opt) {
		case 'a':
			admin.url = optarg;
			break;
		case 'c':
			admin.ca_file = optarg;
			break;
		case 't':
			file = optarg;
			break;
		case 'h':
			fputs(intents_usage, stdout);
			return 0;
		default:
			fputs(intents_usage, stderr);
			return 2;
		}
	}
	if (!admin_client_read_token(&admin, file))
		return 1;
	code = intents_run(&admin, argc - optind, argv + optind);
	admin_client_clear(&admin);
	return code;
}
