#include "config.h"

#include "scripted_stage.h"
#include "bluejay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char config[256];

/* Starts the program, again if need be, on the same data. */
void
scripted_run(void)
{
	const char *const args[] = {"serve", "--config", config, NULL};

	program_start(&item_gateway, args);
}

/* Starts Bluejay and a gateway; `more` are lines of the section bluejay. */
void
scripted_start(const char *more)
{
	bluejay_start();
	snprintf(config, sizeof config, "%s",
	    scratch_file("gateway.yaml",
	        "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	        "log: {level: debug, format: json}\n"
	        "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: good\n%s"
	        "projects:\n"
	        "  a: {agent_id: 1, shared_agent: true}\n"
	        "  twin: {agent_id: 1, shared_agent: true, api_key: other}\n"
	        "  \"*\": {}\n",
	        bluejay_port(), more));
	scripted_run();
}

/* Ends both; the gateway must end well. */
void
scripted_stop(void)
{
	ck_assert_int_eq(program_stop(&item_gateway), 0);
	bluejay_stop();
}

/* Writes a file whose only project has an agent, or none. */
void
scripted_one_project(const char *agent)
{
	snprintf(config, sizeof config, "%s",
	    scratch_file("one.yaml",
	        "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	        "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: good\n  cache: {fresh: 0s}\n"
	        "projects:\n  p: {%s}\n", bluejay_port(), agent));
}

/* How many personas the gateway lists. */
int
listed(const char *project)
{
	struct reply *r = call("GET", project, NULL, NO_CACHE, NULL);

	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	return (int)json_object_array_length(reply_json(r));
}

/* How many writes of the gateway are unsettled. */
int
unsettled(void)
{
	struct json_object *n;

	ck_assert(json_object_object_get_ex(
	    reply_json(ask(item_gateway.admin_port, "GET", "/readyz", NULL, NULL)), "unsettled", &n));
	return json_object_get_int(n);
}

/* Waits until the gateway has nothing unsettled. */
void
settled(void)
{
	EVENTUALLY(unsettled() == 0);
}

/* What the operator sees of the only intent; NULL when there is none. */
const char *
intent(const char *member)
{
	struct json_object *list =
	    reply_json(ask(item_gateway.admin_port, "GET", "/intents", NULL, NULL)), *value;

	if (json_object_array_length(list) == 0)
		return NULL;
	ck_assert_uint_eq(json_object_array_length(list), 1);
	ck_assert(json_object_object_get_ex(json_object_array_get_idx(list, 0), member, &value));
	return json_object_get_string(value);
}

/* Whether the only intent is in this state. */
bool
intent_is(const char *wanted)
{
	const char *state = intent("state");

	return state != NULL && strcmp(state, wanted) == 0;
}

/* Waits until the only intent is with the operator. */
void
left_to_operator(void)
{
	EVENTUALLY(intent_is("operator"));
}

/* The description of the only persona in a list. */
const char *
described(void)
{
	struct reply *r = call("GET", "a", NULL, NO_CACHE, NULL);
	struct json_object *list, *value;

	ck_assert_msg(r->status == 200, "%d %s", r->status, r->body);
	list = reply_json(r);
	ck_assert_uint_eq(json_object_array_length(list), 1);
	ck_assert(json_object_object_get_ex(json_object_array_get_idx(list, 0), "description", &value));
	return json_object_get_string(value);
}
