#include "config.h"

#include "item_stage.h"

#include <check.h>
#include <stdio.h>

#define ITEM_IDS 16 /* that live at a time */

struct program item_gateway;

/* The path; static. */
static const char *
path_of(const char *project, const char *id)
{
	static char path[256];

	snprintf(path, sizeof path, "/api/projects/%s/personas%s%s", project, id != NULL ? "/" : "",
	    id != NULL ? id : "");
	return path;
}

/* One request. */
struct reply *
call(const char *method, const char *project, const char *id, const char *fields, const char *body)
{
	return ask(item_gateway.port, method, path_of(project, id), fields, body);
}

/* Sends a request. */
int
begin(const char *method, const char *project, const char *id, const char *fields, const char *body)
{
	return ask_start(item_gateway.port, method, path_of(project, id), fields, body);
}

/* Creates. */
const char *
create(const char *project, const char *body)
{
	static char ids[ITEM_IDS][64];
	static unsigned turn;
	struct reply *r = call("POST", project, NULL, NULL, body);
	char *id = ids[turn++ % ITEM_IDS];

	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	snprintf(id, sizeof ids[0], "%s", reply_string(r, "id"));
	return id;
}
