#include "config.h"

#include "sandbox/sandbox_api.h"
#include "base/mem.h"
#include "sandbox/sandbox_image.h"
#include "sandbox/sandbox_print.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API_NO_PERSONA "Customer persona not found"
#define API_NO_COMMUNITY "Community not found"

/* One request on its way through an endpoint. */
struct sandbox_job {
	struct sandbox_state *state;
	const struct http_match *match;
	const struct sandbox_request *request;
	struct sandbox_answer *answer;
	struct sandbox_check check; /* with a mistake in it, nothing is done */
	struct json_object *body;
	bool raw; /* the body is not of a JSON type */
};
typedef void (*sandbox_endpoint_fn)(struct sandbox_job *);

/* Starts an empty answer. */
void
sandbox_answer_init(struct sandbox_answer *a)
{
	a->status = 200;
	a->type = "application/json";
	a->allow[0] = '\0';
	buf_init(&a->body, 0);
}

/* Frees the body. */
void
sandbox_answer_free(struct sandbox_answer *a)
{
	buf_free(&a->body);
}

/* Makes an answer that holds a sentence. */
void
sandbox_answer_detail(struct sandbox_answer *a, int status, const char *sentence)
{
	a->status = status;
	buf_clear(&a->body);
	buf_addf(&a->body, "{\"detail\":\"%s\"}", sentence);
}

/* Makes the answer to a request with mistakes. */
void
sandbox_answer_mistakes(struct sandbox_answer *a, const struct sandbox_check *c)
{
	a->status = 422;
	buf_clear(&a->body);
	sandbox_check_answer(c, &a->body);
}

/* Turns an answer to a change that was not saved into an error; true when it was saved. */
static bool
sandbox_api_saved(struct sandbox_job *j, enum sandbox_saved saved)
{
	if (saved == SANDBOX_FULL)
		sandbox_answer_detail(j->answer, 507, "The sandbox is full");
	else if (saved == SANDBOX_UNWRITTEN)
		sandbox_answer_detail(j->answer, 500, "The sandbox cannot write its journal");
	return saved == SANDBOX_SAVED;
}

/* Finds the item that the path names; NULL when there is none or a mistake was
 * made, the 404 written. */
static struct sandbox_item *
sandbox_api_item(struct sandbox_job *j, enum sandbox_kind kind, const char *id)
{
	struct sandbox_item *item = NULL;

	if (j->check.count > 0)
		return NULL;
	item = sandbox_state_find(j->state, kind, id);
	if (item == NULL)
		sandbox_answer_detail(j->answer, 404,
		    kind == SANDBOX_PERSONA ? API_NO_PERSONA : API_NO_COMMUNITY);
	return item;
}

/* Answers with an item. */
static void
sandbox_api_show(struct sandbox_job *j, const struct sandbox_item *item)
{
	if (item->kind == SANDBOX_PERSONA)
		sandbox_print_persona(&j->answer->body, (const struct sandbox_persona *)item,
		    sandbox_state_org(j->state));
	else
		sandbox_print_community(&j->answer->body, (const struct sandbox_community *)item);
}

/* Saves an item and answers with it. */
static void
sandbox_api_put(struct sandbox_job *j, struct sandbox_item *item)
{
	if (sandbox_api_saved(j, sandbox_state_put(j->state, item, j->request->lag_ms)))
		sandbox_api_show(j, item);
}

/* Wants the body to be an object. */
static bool
sandbox_api_body(struct sandbox_job *j)
{
	return sandbox_check_object(&j->check, j->body, j->raw, j->request->body, j->request->len);
}

/* GET /v1/ping */
static void
sandbox_api_ping(struct sandbox_job *j)
{
	if (j->check.count == 0)
		buf_adds(&j->answer->body, "{\"message\":\"pong\"}");
}

/* POST /v1/create-customer-persona */
static void
sandbox_api_create_persona(struct sandbox_job *j)
{
	struct sandbox_text name = {0}, description = {0}, goal = {0};
	bool has_agent = false;
	int64_t agent_id;

	if (sandbox_api_body(j)) {
		has_agent = sandbox_check_integer(&j->check, j->body, "agent_id", &agent_id);
		sandbox_check_text(&j->check, j->body, "name", true, &name);
		sandbox_check_text(&j->check, j->body, "description", true, &description);
		sandbox_check_text(&j->check, j->body, "goal", true, &goal);
	}
	if (j->check.count > 0)
		return;
	sandbox_api_put(j, &sandbox_persona_new(NULL, 0, has_agent ? &agent_id : NULL, name,
	    description, goal)->item);
}

/* Adds a persona to a listing. */
static void
sandbox_api_each_persona(void *arg, const struct sandbox_item *item)
{
	struct sandbox_job *j = arg;

	if (j->answer->body.len > 1)
		buf_addc(&j->answer->body, ',');
	sandbox_api_show(j, item);
}

/* GET /v1/customer-personas-by-agent/{agent_id} */
static void
sandbox_api_list_personas(struct sandbox_job *j)
{
	const char *text = j->match->params[0];
	int64_t agent_id = 0;

	sandbox_check_number(&j->check, (struct sandbox_place){"path", "agent_id", -1}, text,
	    strlen(text), &agent_id);
	if (j->check.count > 0)
		return;
	buf_addc(&j->answer->body, '[');
	sandbox_state_list_agent(j->state, agent_id, sandbox_api_each_persona, j);
	buf_addc(&j->answer->body, ']');
}

/* GET /v1/customer-persona/{persona_id} */
static void
sandbox_api_get_persona(struct sandbox_job *j)
{
	struct sandbox_item *item;
	char id[UUID_SIZE];

	sandbox_check_uuid(&j->check, "persona_id", j->match->params[0], id);
	item = sandbox_api_item(j, SANDBOX_PERSONA, id);
	if (item != NULL)
		sandbox_api_show(j, item);
}

/* PUT /v1/update-customer-persona/{persona_id} */
static void
sandbox_api_update_persona(struct sandbox_job *j)
{
	struct sandbox_text name = {0}, description = {0}, goal = {0};
	struct sandbox_persona *old;
	char id[UUID_SIZE];

	sandbox_check_uuid(&j->check, "persona_id", j->match->params[0], id);
	if (sandbox_api_body(j)) {
		sandbox_check_text(&j->check, j->body, "name", false, &name);
		sandbox_check_text(&j->check, j->body, "description", false, &description);
		sandbox_check_text(&j->check, j->body, "goal", false, &goal);
	}
	old = (struct sandbox_persona *)sandbox_api_item(j, SANDBOX_PERSONA, id);
	if (old == NULL)
		return;
	sandbox_api_put(j, &sandbox_persona_new(id, old->item.created_us,
	    old->has_agent ? &old->agent_id : NULL, name.s != NULL ? name : old->name,
	    description.s != NULL ? description : old->description,
	    goal.s != NULL ? goal : old->goal)->item);
}

/* Deletes an item and answers with what it was. */
static void
sandbox_api_delete(struct sandbox_job *j, enum sandbox_kind kind, const char *member)
{
	struct sandbox_item *item;
	char id[UUID_SIZE];

	sandbox_check_uuid(&j->check, member, j->match->params[0], id);
	item = sandbox_api_item(j, kind, id);
	if (item == NULL)
		return;
	sandbox_api_show(j, item);
	sandbox_api_saved(j, sandbox_state_delete(j->state, item, j->request->lag_ms));
}

/* DELETE /v1/customer-persona/{persona_id} */
static void
sandbox_api_delete_persona(struct sandbox_job *j)
{
	sandbox_api_delete(j, SANDBOX_PERSONA, "persona_id");
}

/* POST /v1/create-community */
static void
sandbox_api_create_community(struct sandbox_job *j)
{
	struct sandbox_text title = {0}, description = {0};
	int64_t *ids = NULL;
	size_t count = 0;

	if (sandbox_api_body(j)) {
		sandbox_check_text(&j->check, j->body, "title", true, &title);
		sandbox_check_text(&j->check, j->body, "description", false, &description);
		ids = sandbox_check_integers(&j->check, j->body, "digital_human_ids", false,
		    &count);
	}
	if (j->check.count == 0)
		sandbox_api_put(j, &sandbox_community_new(NULL, 0, title, description, ids,
		    count)->item);
	free(ids);
}

/* A listing of communities while it is written. */
struct sandbox_api_listing {
	struct sandbox_job *job;
	bool filtered;
	int64_t digital_human_id;
	uint64_t count;
};

/* True when the community holds the id. */
static bool
sandbox_api_holds(const struct sandbox_community *c, int64_t id)
{
	for (size_t i = 0; i < c->id_count; i++)
		if (c->ids[i] == id)
			return true;
	return false;
}

/* Adds a community to a listing when the filter lets it through. */
static void
sandbox_api_each_community(void *arg, const struct sandbox_item *item)
{
	struct sandbox_api_listing *l = arg;

	if (l->filtered &&
	    !sandbox_api_holds((const struct sandbox_community *)item, l->digital_human_id))
		return;
	if (l->count++ > 0)
		buf_addc(&l->job->answer->body, ',');
	sandbox_api_show(l->job, item);
}

/* Finds the last value of a name in the query; NULL when there is none. */
static const char *
sandbox_api_query(const char *query, const char *name, size_t *len)
{
	size_t name_len = strlen(name);
	const char *value = NULL;

	while (query != NULL && *query != '\0') {
		size_t part = strcspn(query, "&");

		if (part >= name_len && strncmp(query, name, name_len) == 0 &&
		    (part == name_len || query[name_len] == '=')) {
			value = query + name_len + (part > name_len);
			*len = part - (size_t)(value - query);
		}
		query += part + (query[part] == '&');
	}
	return value;
}

/* GET /v1/communities */
static void
sandbox_api_list_communities(struct sandbox_job *j)
{
	struct sandbox_api_listing l = {.job = j};
	const char *text;
	size_t len;

	text = sandbox_api_query(j->request->query, "digital_human_id", &len);
	if (text != NULL) {
		l.filtered = true;
		sandbox_check_number(&j->check,
		    (struct sandbox_place){"query", "digital_human_id", -1}, text, len,
		    &l.digital_human_id);
	}
	if (j->check.count > 0)
		return;
	buf_adds(&j->answer->body, "{\"communities\":[");
	sandbox_state_list_communities(j->state, sandbox_api_each_community, &l);
	buf_addf(&j->answer->body, "],\"total_count\":%llu}", (unsigned long long)l.count);
}

/* GET /v1/community/{community_id} */
static void
sandbox_api_get_community(struct sandbox_job *j)
{
	struct sandbox_item *item;
	char id[UUID_SIZE];

	sandbox_check_uuid(&j->check, "community_id", j->match->params[0], id);
	item = sandbox_api_item(j, SANDBOX_COMMUNITY, id);
	if (item != NULL)
		sandbox_api_show(j, item);
}

/* PUT /v1/update-community/{community_id} */
static void
sandbox_api_update_community(struct sandbox_job *j)
{
	struct sandbox_text title = {0}, description = {0};
	struct sandbox_community *old;
	char id[UUID_SIZE];
	int64_t *ids = NULL;
	size_t count = 0;

	sandbox_check_uuid(&j->check, "community_id", j->match->params[0], id);
	if (sandbox_api_body(j)) {
		sandbox_check_text(&j->check, j->body, "title", false, &title);
		sandbox_check_text(&j->check, j->body, "description", false, &description);
		ids = sandbox_check_integers(&j->check, j->body, "digital_human_ids", false,
		    &count);
	}
	old = (struct sandbox_community *)sandbox_api_item(j, SANDBOX_COMMUNITY, id);
	if (old != NULL)
		sandbox_api_put(j, &sandbox_community_new(id, old->item.created_us,
		    title.s != NULL ? title : old->title,
		    description.s != NULL ? description : old->description,
		    ids != NULL ? ids : old->ids, ids != NULL ? count : old->id_count)->item);
	free(ids);
}

/* PUT /v1/add-to-community/{community_id} */
static void
sandbox_api_add_to_community(struct sandbox_job *j)
{
	struct sandbox_community *old, *c;
	char id[UUID_SIZE];
	int64_t *ids = NULL, *all;
	size_t count = 0;

	sandbox_check_uuid(&j->check, "community_id", j->match->params[0], id);
	if (sandbox_api_body(j))
		ids = sandbox_check_integers(&j->check, j->body, "digital_human_ids", true, &count);
	old = (struct sandbox_community *)sandbox_api_item(j, SANDBOX_COMMUNITY, id);
	if (old != NULL) {
		all = mem_zero(old->id_count + count, sizeof *all);
		if (old->id_count > 0)
			memcpy(all, old->ids, old->id_count * sizeof *all);
		c = sandbox_community_new(id, old->item.created_us, old->title, old->description,
		    all, old->id_count + count);
		c->id_count = old->id_count;
		for (size_t i = 0; i < count; i++)
			if (!sandbox_api_holds(c, ids[i]))
				c->ids[c->id_count++] = ids[i];
		free(all);
		sandbox_api_put(j, &c->item);
	}
	free(ids);
}

/* DELETE /v1/community/{community_id} */
static void
sandbox_api_delete_community(struct sandbox_job *j)
{
	sandbox_api_delete(j, SANDBOX_COMMUNITY, "community_id");
}

static const struct http_route sandbox_api_routes[SANDBOX_API_ROUTES] = {
	{"GET", "/v1/ping", 0},
	{"POST", "/v1/create-customer-persona", 1},
	{"GET", "/v1/customer-personas-by-agent/:agent_id", 2},
	{"GET", "/v1/customer-persona/:persona_id", 3},
	{"DELETE", "/v1/customer-persona/:persona_id", 4},
	{"PUT", "/v1/update-customer-persona/:persona_id", 5},
	{"POST", "/v1/create-community", 6},
	{"GET", "/v1/communities", 7},
	{"GET", "/v1/community/:community_id", 8},
	{"DELETE", "/v1/community/:community_id", 9},
	{"PUT", "/v1/update-community/:community_id", 10},
	{"PUT", "/v1/add-to-community/:community_id", 11},
	{"POST", "/v1/images/generations", 12},
	{"POST", "/v1/images/edits", 13},
};

/* What the routes do, in the same order. Images are another service's, with a key
 * and errors of another form. */
static const struct {
	sandbox_endpoint_fn run;
	bool has_body;
	void (*image)(const char *api_key, const struct sandbox_request *, struct sandbox_answer *);
} sandbox_api_endpoints[SANDBOX_API_ROUTES] = {
	{sandbox_api_ping, false, NULL},
	{sandbox_api_create_persona, true, NULL},
	{sandbox_api_list_personas, false, NULL},
	{sandbox_api_get_persona, false, NULL},
	{sandbox_api_delete_persona, false, NULL},
	{sandbox_api_update_persona, true, NULL},
	{sandbox_api_create_community, true, NULL},
	{sandbox_api_list_communities, false, NULL},
	{sandbox_api_get_community, false, NULL},
	{sandbox_api_delete_community, false, NULL},
	{sandbox_api_update_community, true, NULL},
	{sandbox_api_add_to_community, true, NULL},
	{NULL, true, sandbox_image_generate},
	{NULL, true, sandbox_image_edit},
};

/* Gives the methods of a path that was asked for with another one. The service
 * does not answer HEAD, which the router offers beside GET. */
static void
sandbox_answer_allow(const struct http_route *table, size_t count, const char *path,
    struct sandbox_answer *a)
{
	static const char *const methods[] = {"DELETE", "GET", "POST", "PUT"};
	struct http_match m;
	size_t used = 0;

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (http_route_find(table, count, methods[i], path, &m) == HTTP_ROUTE_FOUND)
			used += (size_t)snprintf(a->allow + used, sizeof a->allow - used, "%s%s",
			    used == 0 ? "" : ", ", methods[i]);
}

/* Looks a request up in a table. */
int
sandbox_answer_find(const struct http_route *table, size_t count, const char *method,
    const char *path, struct http_match *m, struct sandbox_answer *a)
{
	enum http_route_result found = http_route_find(table, count, method, path, m);

	if (found == HTTP_ROUTE_FOUND && strcmp(method, "HEAD") == 0)
		found = HTTP_ROUTE_METHOD;
	if (found == HTTP_ROUTE_FOUND)
		return m->id;
	if (found == HTTP_ROUTE_METHOD) {
		sandbox_answer_detail(a, 405, "Method Not Allowed");
		sandbox_answer_allow(table, count, path, a);
	} else {
		sandbox_answer_detail(a, 404, "Not Found");
	}
	return -1;
}

/* Looks a request up. */
int
sandbox_api_find(const char *method, const char *path, struct http_match *m,
    struct sandbox_answer *a)
{
	return sandbox_answer_find(sandbox_api_routes, SANDBOX_API_ROUTES, method, path, m, a);
}

/* Gives a route. */
const struct http_route *
sandbox_api_route(int n)
{
	return n >= 0 && n < SANDBOX_API_ROUTES ? &sandbox_api_routes[n] : NULL;
}

/* Looks at the key. */
bool
sandbox_api_admit(const char *api_key, const char *given, struct sandbox_check *check,
    struct sandbox_answer *answer)
{
	if (given == NULL) {
		sandbox_check_add(check, "missing",
		    (struct sandbox_place){"header", "X-API-Key", -1}, "Field required", NULL,
		    NULL);
	} else if (strcmp(given, api_key) != 0) {
		sandbox_answer_detail(answer, 401, "Invalid API key");
		return false;
	}
	return true;
}

/* Answers a request in the order of the real framework: broken JSON, then the
 * key, then every other mistake at once, then the endpoint. */
void
sandbox_api_answer(struct sandbox_state *state, const char *api_key, const struct http_match *match,
    const struct sandbox_request *r, struct sandbox_answer *answer)
{
	struct sandbox_job j = {.state = state, .match = match, .request = r, .answer = answer};
	bool readable = true;

	if (sandbox_api_endpoints[match->id].image != NULL) {
		sandbox_api_endpoints[match->id].image(api_key, r, answer);
		return;
	}
	sandbox_check_init(&j.check);
	if (sandbox_api_endpoints[match->id].has_body)
		readable = sandbox_check_parse(&j.check, r->content_type, r->body, r->len, &j.body,
		    &j.raw);
	if (readable && sandbox_api_admit(api_key, r->key, &j.check, answer))
		sandbox_api_endpoints[match->id].run(&j);
	if (j.check.count > 0)
		sandbox_answer_mistakes(answer, &j.check);
	json_object_put(j.body);
	sandbox_check_free(&j.check);
}
