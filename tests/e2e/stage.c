#include "config.h"

#include "stage.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAGE_KEY "X-API-Key: sandbox\r\n"

struct program stage_sandbox, stage_gateway;
static char stage_config_path[256], stage_data_path[256];

/* The gateway's file. */
const char *
stage_config(void)
{
	return stage_config_path;
}

/* The gateway's folder. */
const char *
stage_data(void)
{
	return stage_data_path;
}

/* Starts the gateway. */
void
stage_start_gateway(void)
{
	const char *const args[] = {"serve", "--config", stage_config_path, "--data-dir",
	    stage_data_path, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", NULL};

	program_start(&stage_gateway, args);
}

/* Kills the gateway. */
void
stage_kill_gateway(void)
{
	program_kill(&stage_gateway);
}

/* Starts both. */
void
stage_open(const char *settings, const char *more)
{
	const char *const args[] = {"sandbox", NULL};

	if (settings == NULL)
		settings = "  timeouts: {connect: 1s, first_byte: 1s, total: 5s}\n"
		    "  settle: {grace: 300ms}\n"
		    "  cache: {fresh: 0s}\n";
	program_start(&stage_sandbox, args);
	snprintf(stage_config_path, sizeof stage_config_path, "%s",
	    scratch_file("gateway.yaml",
	        "bluejay:\n  url: %s\n  api_key: sandbox\n%s"
	        "projects:\n  demo: {agent_id: %d}\n  plain: {}\n%s",
	        stage_sandbox.url[0], settings, STAGE_AGENT, more != NULL ? more : ""));
	snprintf(stage_data_path, sizeof stage_data_path, "%.200s/data", scratch_dir());
	stage_start_gateway();
}

/* Ends both. */
void
stage_close(void)
{
	ck_assert_int_eq(program_stop(&stage_gateway), 0);
	ck_assert_int_eq(program_stop(&stage_sandbox), 0);
}

/* Asks the sandbox. */
struct reply *
stage_bluejay(const char *method, const char *path, const char *body)
{
	return ask(stage_sandbox.port, method, path, STAGE_KEY, body);
}

/* Chooses what goes wrong. */
void
stage_faults(const char *json)
{
	struct reply *r = stage_bluejay("POST", "/__sandbox/faults", json);

	ck_assert_msg(r->status == 200, "%s: %d %s", json, r->status, r->body);
}

/* The next requests meet a fault. */
void
stage_fault(const char *profile, const char *method, int count)
{
	char json[200], only[40] = "";

	if (method != NULL)
		snprintf(only, sizeof only, ",\"method\":\"%s\"", method);
	snprintf(json, sizeof json, "{\"profile\":\"%s\",\"percent\":100,\"count\":%d%s}", profile, count,
	    only);
	stage_faults(json);
}

/* Nothing goes wrong any more. */
void
stage_no_faults(void)
{
	stage_faults("{\"profile\":\"none\"}");
}

/* Makes a persona in Bluejay itself. */
char *
stage_make(int agent, const char *name, const char *description)
{
	struct reply *r;
	char body[512];

	snprintf(body, sizeof body, "{\"name\":\"%s\",\"description\":\"%s\",\"goal\":\"\",\"agent_id\":%d}",
	    name, description, agent);
	r = stage_bluejay("POST", "/v1/create-customer-persona", body);
	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	return strdup(reply_string(r, "id"));
}

/* The personas that Bluejay has. */
static struct json_object *
stage_personas(void)
{
	struct reply *r = stage_bluejay("GET", "/__sandbox/state", NULL);
	struct json_object *list = NULL;

	ck_assert_int_eq(r->status, 200);
	ck_assert(json_object_object_get_ex(reply_json(r), "personas", &list));
	return list;
}

/* A string member of an object; empty without it. */
static const char *
stage_string(struct json_object *o, const char *member)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(o, member, &value) ? json_object_get_string(value) : "";
}

/* How many personas of a name there are. */
int
stage_has(const char *name, const char **id)
{
	struct json_object *list = stage_personas();
	static char found[64];
	int n = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *p = json_object_array_get_idx(list, i);

		if (strcmp(stage_string(p, "name"), name) != 0)
			continue;
		snprintf(found, sizeof found, "%s", stage_string(p, "id"));
		n++;
	}
	if (id != NULL)
		*id = found;
	return n;
}

/* A member of a persona there. */
const char *
stage_member(const char *id, const char *member)
{
	struct json_object *list = stage_personas();

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *p = json_object_array_get_idx(list, i);

		if (strcmp(stage_string(p, "id"), id) == 0)
			return stage_string(p, member);
	}
	return "(absent)";
}

/* A number that the sandbox counts for a route. */
static int
stage_tally(const char *method, const char *path, const char *what)
{
	struct reply *r = stage_bluejay("GET", "/__sandbox/requests", NULL);
	struct json_object *list = NULL, *n = NULL;

	ck_assert(json_object_object_get_ex(reply_json(r), "requests", &list));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);

		if (strcmp(stage_string(one, "method"), method) == 0 &&
		    strcmp(stage_string(one, "path"), path) == 0 &&
		    json_object_object_get_ex(one, what, &n))
			return json_object_get_int(n);
	}
	ck_abort_msg("no route %s %s", method, path);
	return -1;
}

/* How many requests arrived for a route. */
int
stage_received(const char *method, const char *path)
{
	return stage_tally(method, path, "received");
}

/* How many of them were processed. */
int
stage_processed(const char *method, const char *path)
{
	return stage_tally(method, path, "processed");
}

/* Asks the gateway. */
struct reply *
call(const char *method, const char *path, const char *body)
{
	return ask(stage_gateway.port, method, path, NULL, body);
}

/* Asks it with more fields. */
struct reply *
call_with(const char *method, const char *path, const char *fields, const char *body)
{
	return ask(stage_gateway.port, method, path, fields, body);
}

/* Sends a request. */
int
call_start(const char *method, const char *path, const char *fields, const char *body)
{
	return ask_start(stage_gateway.port, method, path, fields, body);
}

/* Creates. */
char *
create(const char *path, const char *body)
{
	struct reply *r = call("POST", path, body);

	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	return strdup(reply_string(r, "id"));
}

/* A path below a collection. */
const char *
below(const char *path, const char *id)
{
	static char paths[4][256];
	static unsigned turn;
	char *out = paths[turn++ % 4];

	snprintf(out, sizeof paths[0], "%s/%s", path, id);
	return out;
}

/* How many writes are not settled. */
int
stage_unsettled(void)
{
	struct reply *r = ask(stage_gateway.admin_port, "GET", "/intents", NULL, NULL);

	return r->status == 200 ? (int)json_object_array_length(reply_json(r)) : -1;
}
