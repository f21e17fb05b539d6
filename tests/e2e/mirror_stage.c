#include "config.h"

#include "mirror_stage.h"
#include "bluejay.h"
#include "localtool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char config[256];

/* Starts the program, again if need be, on the same data. */
void
mirror_run(void)
{
	const char *const args[] = {"serve", "--config", config, NULL};

	program_start(&item_gateway, args);
}

/* Writes the gateway's file. */
void
mirror_configure(bool mirror)
{
	snprintf(config, sizeof config, "%s",
	    scratch_file("gateway.yaml",
	        "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\n"
	        "log: {level: debug, format: json}\n"
	        "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: good\n"
	        "  timeouts: {total: 3s}\n  retries: 1\n  settle: {grace: 300ms}\n  cache: {fresh: 0s}\n"
	        "projects:\n  a: {agent_id: 1}\n  b: {agent_id: 2}\n  plain: {}\n  elsewhere: {agent_id: 3}\n"
	        "passthrough:\n  local: http://127.0.0.1:%d\n  mirror_personas: %s\n",
	        bluejay_port(), localtool_port(), mirror ? "true" : "false"));
}

/* Starts Bluejay, the local tool and a gateway. */
void
mirror_start(void)
{
	bluejay_start();
	localtool_start();
	mirror_configure(true);
	mirror_run();
}

/* Ends all; the gateway must end well. */
void
mirror_stop(void)
{
	ck_assert_int_eq(program_stop(&item_gateway), 0);
	localtool_stop();
	bluejay_stop();
}

/* Kills the gateway and starts it again. */
void
mirror_kill_and_run(void)
{
	program_kill(&item_gateway);
	mirror_run();
}

/* The status of a request. */
int
status(const char *method, const char *project, const char *id, const char *body)
{
	return call(method, project, id, NULL, body)->status;
}

/* Whether a persona and its twin show the same. */
bool
is_twin(const char *project, struct json_object *persona, const char *twin)
{
	static const char *const fields[] = {"name", "description", "systemPrompt", "headers", "imageUrl"};
	struct json_object *value;

	for (size_t i = 0; i < 5; i++) {
		const char *is = localtool_value(project, twin, fields[i]);
		const char *should = json_object_object_get_ex(persona, fields[i], &value)
		    ? json_object_to_json_string_ext(value,
		          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
		    : "absent";

		if (strcmp(is, should) != 0 && !(strcmp(should, "absent") == 0 &&
		                                   (strcmp(is, "\"\"") == 0 || strcmp(is, "{}") == 0)))
			return false;
	}
	return true;
}

/* Whether the personas of a project and those of the local tool are the same set, each
 * with its own id there. */
bool
mirrored(const char *project)
{
	struct reply *r = call("GET", project, NULL, NULL, NULL);
	struct json_object *list;
	size_t n;

	if (r->status != 200)
		return false;
	list = reply_json(r);
	n = json_object_array_length(list);
	if (n != localtool_personas(project, NULL))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(list, i), *id;

		if (!json_object_object_get_ex(one, "id", &id) ||
		    !is_twin(project, one, json_object_get_string(id)))
			return false;
	}
	return true;
}

/* Whether the admin address says so of twins. */
bool
ready_says(const char *words)
{
	return strstr(ask(item_gateway.admin_port, "GET", "/readyz", NULL, NULL)->body, words) != NULL;
}

/* Whether the log of the running gateway has these words. */
bool
logged(const char *words)
{
	char *log = program_log(&item_gateway);
	bool has = strstr(log, words) != NULL;

	free(log);
	return has;
}
