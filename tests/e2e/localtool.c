#include "config.h"

#include "localtool.h"

#include "base/uuid.h"

#include <arpa/inet.h>
#include <check.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOCALTOOL_WAIT_S 30
#define LOCALTOOL_SLOTS 4096

struct localtool_persona {
	char project[64];
	char id[UUID_SIZE];
	struct json_object *body;
	TAILQ_ENTRY(localtool_persona) link;
};

struct localtool_rule {
	char method[8], path[256];
	int times;
	enum localtool_action action;
	int status;
	STAILQ_ENTRY(localtool_rule) link;
};

/* One request that arrived; kept for counting. */
struct localtool_request {
	char method[8], path[512];
	STAILQ_ENTRY(localtool_request) link;
};

struct localtool_answer {
	int status;
	char *body;
};

static struct {
	int fd, port;
	pthread_t thread;
	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t changed;
	bool ending;
	unsigned connections;
	int fds[LOCALTOOL_SLOTS]; /* of running connections, by number */
	unsigned serial;
	unsigned epoch; /* grows with every release */
	TAILQ_HEAD(localtool_list_head, localtool_persona) personas;
	STAILQ_HEAD(, localtool_rule) rules;
	STAILQ_HEAD(, localtool_request) requests;
} localtool = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static const char *const localtool_fields[] = {"name", "description", "systemPrompt", "headers",
    "imageUrl"};

/* ---- the Personas API ---- */

/* An error in its form. */
static struct localtool_answer
localtool_error(int status, const char *sentence)
{
	struct json_object *o = json_object_new_object();
	struct localtool_answer a = {status, NULL};

	json_object_object_add(o, "error", json_object_new_string(sentence));
	a.body = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return a;
}

/* An answer with a value. */
static struct localtool_answer
localtool_give(int status, struct json_object *o)
{
	return (struct localtool_answer){status,
	    strdup(json_object_to_json_string_ext(o,
	        JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE))};
}

/* Finds a persona of a project by its id, or by its name. */
static struct localtool_persona *
localtool_find(const char *project, const char *id, const char *name)
{
	struct localtool_persona *p;

	TAILQ_FOREACH(p, &localtool.personas, link) {
		if (strcmp(p->project, project) != 0)
			continue;
		if (id != NULL && strcmp(p->id, id) == 0)
			return p;
		if (name != NULL && strcmp(json_object_get_string(json_object_object_get(p->body, "name")),
		                        name) == 0)
			return p;
	}
	return NULL;
}

/* Notes the time in a member. */
static void
localtool_stamp(struct json_object *body, const char *member)
{
	struct timespec now;
	char day[32], text[64];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof text, "%s.%03ldZ", day, now.tv_nsec / 1000000);
	json_object_object_add(body, member, json_object_new_string(text));
}

/* The value of a member that counts: not null. */
static struct json_object *
localtool_given(struct json_object *body, const char *field)
{
	return json_object_object_get(body, field);
}

/* The name of a body; NULL when it has none. */
static const char *
localtool_name(struct json_object *body)
{
	struct json_object *name = localtool_given(body, "name");

	return name == NULL ? NULL : json_object_get_string(name);
}

/* Says that a name is taken. */
static struct localtool_answer
localtool_taken(const char *name)
{
	char sentence[512];

	snprintf(sentence, sizeof sentence, "Persona with name \"%s\" already exists", name);
	return localtool_error(409, sentence);
}

/* Creates. imageUrl is ignored, as what nobody knows is. */
static struct localtool_answer
localtool_create(const char *project, struct json_object *given)
{
	const char *name = localtool_name(given);
	struct localtool_persona *p;
	struct json_object *value;

	if (name == NULL || *name == '\0')
		return localtool_error(400, "Name is required");
	if (localtool_find(project, NULL, name) != NULL)
		return localtool_taken(name);
	p = calloc(1, sizeof *p);
	snprintf(p->project, sizeof p->project, "%s", project);
	uuid_make(p->id);
	p->body = json_object_new_object();
	json_object_object_add(p->body, "id", json_object_new_string(p->id));
	for (size_t i = 0; i < 4; i++)
		if ((value = localtool_given(given, localtool_fields[i])) != NULL)
			json_object_object_add(p->body, localtool_fields[i], json_object_get(value));
	localtool_stamp(p->body, "createdAt");
	localtool_stamp(p->body, "updatedAt");
	TAILQ_INSERT_TAIL(&localtool.personas, p, link);
	return localtool_give(201, p->body);
}

/* Updates what is given and not null. */
static struct localtool_answer
localtool_update(struct localtool_persona *p, struct json_object *given)
{
	const char *name = localtool_name(given);
	struct localtool_persona *other =
	    name != NULL ? localtool_find(p->project, NULL, name) : NULL;
	struct json_object *value;

	if (other != NULL && other != p)
		return localtool_taken(name);
	for (size_t i = 0; i < 5; i++)
		if ((value = localtool_given(given, localtool_fields[i])) != NULL)
			json_object_object_add(p->body, localtool_fields[i], json_object_get(value));
	localtool_stamp(p->body, "updatedAt");
	return localtool_give(200, p->body);
}

/* Lists a project. */
static struct localtool_answer
localtool_list(const char *project)
{
	struct json_object *list = json_object_new_array();
	struct localtool_persona *p;
	struct localtool_answer a;

	TAILQ_FOREACH(p, &localtool.personas, link)
		if (strcmp(p->project, project) == 0)
			json_object_array_add(list, json_object_get(p->body));
	a = localtool_give(200, list);
	json_object_put(list);
	return a;
}

/* Removes a persona. */
static void
localtool_drop(struct localtool_persona *p)
{
	TAILQ_REMOVE(&localtool.personas, p, link);
	json_object_put(p->body);
	free(p);
}

/* Does what is asked of one persona. */
static struct localtool_answer
localtool_one(const char *method, const char *project, const char *id, struct json_object *given)
{
	struct localtool_persona *p = localtool_find(project, id, NULL);

	if (p == NULL)
		return localtool_error(404, "Persona not found");
	if (strcmp(method, "PUT") == 0)
		return localtool_update(p, given);
	if (strcmp(method, "DELETE") != 0)
		return localtool_give(200, p->body);
	localtool_drop(p);
	return (struct localtool_answer){204, strdup("")};
}

/* Does what is asked. */
static struct localtool_answer
localtool_do(const char *method, const char *path, const char *body)
{
	struct json_object *given = *body != '\0' ? json_tokener_parse(body) : NULL;
	char project[64] = "", id[128] = "";
	struct localtool_answer a;
	int n = sscanf(path, "/api/projects/%63[^/]/personas/%127s", project, id);

	if (n < 1 || (strcmp(project, "a") != 0 && strcmp(project, "b") != 0 &&
	                 strcmp(project, "plain") != 0))
		a = localtool_error(500, "Internal Server Error");
	else if ((strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) && given == NULL)
		a = localtool_error(400, "Bad Request");
	else if (n == 2)
		a = localtool_one(method, project, id, given);
	else if (strcmp(method, "POST") == 0)
		a = localtool_create(project, given);
	else
		a = localtool_list(project);
	json_object_put(given);
	return a;
}

/* ---- rules ---- */

/* The rule for a request, used up by one; false: behaves well. */
static bool
localtool_match(const char *method, const char *path, struct localtool_rule *out)
{
	struct localtool_rule *r;

	STAILQ_FOREACH(r, &localtool.rules, link) {
		if (r->times == 0 || strcmp(r->method, method) != 0 ||
		    strncmp(path, r->path, strlen(r->path)) != 0)
			continue;
		if (r->times > 0)
			r->times--;
		*out = *r;
		return true;
	}
	return false;
}

/* Waits for the next release; the lock is held. */
static void
localtool_hold(void)
{
	unsigned epoch = localtool.epoch;

	while (localtool.epoch == epoch && !localtool.ending)
		pthread_cond_wait(&localtool.changed, &localtool.lock);
}

/* Decides and does; false: the connection is cut. */
static bool
localtool_act(const char *method, const char *path, const char *body, struct localtool_answer *a)
{
	struct localtool_rule r;

	if (!localtool_match(method, path, &r)) {
		*a = localtool_do(method, path, body);
		return true;
	}
	if (r.action == LOCALTOOL_HOLD)
		localtool_hold();
	if (r.action == LOCALTOOL_ANSWER)
		*a = localtool_error(r.status, "Told to");
	else if (r.action != LOCALTOOL_CUT)
		*a = localtool_do(method, path, body);
	if (r.action == LOCALTOOL_DO_HOLD)
		localtool_hold();
	return r.action != LOCALTOOL_CUT && r.action != LOCALTOOL_DO_CUT;
}

/* ---- connections ---- */

/* Reads until the head is whole; returns its length, 0 at the end. */
static size_t
localtool_read_head(int fd, char *buf, size_t size)
{
	size_t n = 0;

	while (n + 1 < size) {
		if (recv(fd, buf + n, 1, 0) != 1)
			return 0;
		buf[++n] = '\0';
		if (n >= 4 && memcmp(buf + n - 4, "\r\n\r\n", 4) == 0)
			return n;
	}
	return 0;
}

/* Reads the body of a request. */
static char *
localtool_read_body(int fd, const char *head)
{
	const char *field = strcasestr(head, "\r\ncontent-length:");
	size_t len = field != NULL ? (size_t)atol(field + 17) : 0, n = 0;
	char *body = calloc(1, len + 1);

	while (n < len) {
		ssize_t got = recv(fd, body + n, len - n, 0);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	return body;
}

/* Notes that a request has arrived. */
static void
localtool_note(const char *method, const char *path)
{
	struct localtool_request *q = calloc(1, sizeof *q);

	snprintf(q->method, sizeof q->method, "%s", method);
	snprintf(q->path, sizeof q->path, "%s", path);
	STAILQ_INSERT_TAIL(&localtool.requests, q, link);
	pthread_cond_broadcast(&localtool.changed);
}

/* Serves one request; false: the connection ends. */
static bool
localtool_serve(int fd)
{
	char head[16384], method[8], path[512], out[256];
	struct localtool_answer a = {0, NULL};
	bool answered;
	char *body;
	int n;

	if (localtool_read_head(fd, head, sizeof head) == 0 ||
	    sscanf(head, "%7s %511s", method, path) != 2)
		return false;
	body = localtool_read_body(fd, head);
	pthread_mutex_lock(&localtool.lock);
	localtool_note(method, path);
	answered = localtool_act(method, path, body, &a);
	pthread_mutex_unlock(&localtool.lock);
	free(body);
	if (answered && a.status == 204) {
		n = snprintf(out, sizeof out, "HTTP/1.1 204 X\r\n\r\n");
		send(fd, out, (size_t)n, MSG_NOSIGNAL);
	} else if (answered) {
		n = snprintf(out, sizeof out, "HTTP/1.1 %d X\r\n"
		    "Content-Type: application/json; charset=utf-8\r\nContent-Length: %zu\r\n\r\n",
		    a.status, strlen(a.body));
		send(fd, out, (size_t)n, MSG_NOSIGNAL | MSG_MORE);
		send(fd, a.body, strlen(a.body), MSG_NOSIGNAL);
	}
	free(a.body);
	return answered;
}

/* Serves one connection. */
static void *
localtool_connection(void *arg)
{
	unsigned slot = (unsigned)(uintptr_t)arg;
	int fd = localtool.fds[slot];

	while (localtool_serve(fd))
		;
	pthread_mutex_lock(&localtool.lock);
	localtool.fds[slot] = -1;
	close(fd);
	localtool.connections--;
	pthread_cond_broadcast(&localtool.changed);
	pthread_mutex_unlock(&localtool.lock);
	return NULL;
}

/* Accepts connections. */
static void *
localtool_accept(void *arg)
{
	int listener = (int)(uintptr_t)arg, fd;
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		unsigned slot;

		pthread_mutex_lock(&localtool.lock);
		slot = localtool.serial++ % LOCALTOOL_SLOTS;
		localtool.fds[slot] = fd;
		localtool.connections++;
		if (localtool.ending || pthread_create(&thread, &attr, localtool_connection,
		                            (void *)(uintptr_t)slot) != 0) {
			localtool.fds[slot] = -1;
			localtool.connections--;
			close(fd);
		}
		pthread_mutex_unlock(&localtool.lock);
	}
	pthread_attr_destroy(&attr);
	return NULL;
}

/* ---- for tests ---- */

/* Listens, on the port that it had. */
void
localtool_up(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;
	int on = 1;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)localtool.port);
	localtool.ending = false;
	localtool.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(localtool.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	ck_assert_int_eq(bind(localtool.fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(localtool.fd, 256), 0);
	ck_assert_int_eq(getsockname(localtool.fd, (struct sockaddr *)&sin, &len), 0);
	localtool.port = ntohs(sin.sin_port);
	ck_assert_int_eq(pthread_create(&localtool.thread, NULL, localtool_accept,
	                     (void *)(uintptr_t)localtool.fd), 0);
}

/* Ends every connection. */
void
localtool_down(void)
{
	pthread_mutex_lock(&localtool.lock);
	localtool.ending = true;
	shutdown(localtool.fd, SHUT_RDWR);
	for (size_t i = 0; i < LOCALTOOL_SLOTS; i++)
		if (localtool.fds[i] >= 0)
			shutdown(localtool.fds[i], SHUT_RDWR);
	pthread_cond_broadcast(&localtool.changed);
	while (localtool.connections > 0)
		pthread_cond_wait(&localtool.changed, &localtool.lock);
	pthread_mutex_unlock(&localtool.lock);
	pthread_join(localtool.thread, NULL);
	close(localtool.fd);
}

/* Starts it. */
void
localtool_start(void)
{
	TAILQ_INIT(&localtool.personas);
	STAILQ_INIT(&localtool.rules);
	STAILQ_INIT(&localtool.requests);
	for (size_t i = 0; i < LOCALTOOL_SLOTS; i++)
		localtool.fds[i] = -1;
	localtool.port = 0;
	localtool_up();
}

/* Ends it and frees what it held. */
void
localtool_stop(void)
{
	struct localtool_request *q;
	struct localtool_rule *r;

	if (!localtool.ending)
		localtool_down();
	while (!TAILQ_EMPTY(&localtool.personas))
		localtool_drop(TAILQ_FIRST(&localtool.personas));
	while ((r = STAILQ_FIRST(&localtool.rules)) != NULL) {
		STAILQ_REMOVE_HEAD(&localtool.rules, link);
		free(r);
	}
	while ((q = STAILQ_FIRST(&localtool.requests)) != NULL) {
		STAILQ_REMOVE_HEAD(&localtool.requests, link);
		free(q);
	}
}

/* Where it listens. */
int
localtool_port(void)
{
	return localtool.port;
}

/* Adds a rule. */
void
localtool_rule(const char *method, const char *path, int times, enum localtool_action action,
    int status)
{
	struct localtool_rule *r = calloc(1, sizeof *r);

	snprintf(r->method, sizeof r->method, "%s", method);
	snprintf(r->path, sizeof r->path, "%s", path);
	r->times = times;
	r->action = action;
	r->status = status;
	pthread_mutex_lock(&localtool.lock);
	STAILQ_INSERT_TAIL(&localtool.rules, r, link);
	pthread_mutex_unlock(&localtool.lock);
}

/* Ends every rule. */
void
localtool_forget(void)
{
	struct localtool_rule *r;

	pthread_mutex_lock(&localtool.lock);
	STAILQ_FOREACH(r, &localtool.rules, link)
		r->times = 0;
	pthread_mutex_unlock(&localtool.lock);
	localtool_release();
}

/* Lets held requests go on. */
void
localtool_release(void)
{
	pthread_mutex_lock(&localtool.lock);
	localtool.epoch++;
	pthread_cond_broadcast(&localtool.changed);
	pthread_mutex_unlock(&localtool.lock);
}

/* Counts; the lock is held. */
static unsigned
localtool_counted(const char *method, const char *path)
{
	const struct localtool_request *q;
	unsigned n = 0;

	STAILQ_FOREACH(q, &localtool.requests, link)
		n += strcmp(q->method, method) == 0 && strncmp(q->path, path, strlen(path)) == 0;
	return n;
}

/* Counts requests. */
unsigned
localtool_count(const char *method, const char *path)
{
	unsigned n;

	pthread_mutex_lock(&localtool.lock);
	n = localtool_counted(method, path);
	pthread_mutex_unlock(&localtool.lock);
	return n;
}

/* Waits for requests. */
void
localtool_wait(const char *method, const char *path, unsigned count)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LOCALTOOL_WAIT_S;
	pthread_mutex_lock(&localtool.lock);
	while (localtool_counted(method, path) < count && rc == 0)
		rc = pthread_cond_timedwait(&localtool.changed, &localtool.lock, &until);
	pthread_mutex_unlock(&localtool.lock);
	ck_assert_msg(rc == 0, "%s %s came %u times, not %u", method, path,
	    localtool_count(method, path), count);
}

/* Keeps a text for a while. */
static const char *
localtool_keep(const char *text)
{
	static char kept[8][4096];
	static unsigned turn;
	char *out = kept[turn++ % 8];

	snprintf(out, sizeof kept[0], "%s", text);
	return out;
}

/* Keeps an id for longer. */
static const char *
localtool_keep_id(const char *id)
{
	static char kept[256][UUID_SIZE];
	static unsigned turn;
	char *out = kept[turn++ % 256];

	snprintf(out, sizeof kept[0], "%s", id);
	return out;
}

/* Makes a persona. */
const char *
localtool_make(const char *project, const char *json)
{
	struct json_object *given = json_tokener_parse(json);
	struct localtool_answer a;
	const char *id;

	pthread_mutex_lock(&localtool.lock);
	a = localtool_create(project, given);
	ck_assert_msg(a.status == 201, "%d %s", a.status, a.body);
	id = localtool_keep_id(TAILQ_LAST(&localtool.personas, localtool_list_head)->id);
	pthread_mutex_unlock(&localtool.lock);
	json_object_put(given);
	free(a.body);
	return id;
}

/* Changes a persona. */
void
localtool_edit(const char *project, const char *id, const char *json)
{
	struct json_object *given = json_tokener_parse(json);
	struct localtool_answer a;

	pthread_mutex_lock(&localtool.lock);
	a = localtool_one("PUT", project, id, given);
	pthread_mutex_unlock(&localtool.lock);
	ck_assert_msg(a.status == 200, "%d %s", a.status, a.body);
	json_object_put(given);
	free(a.body);
}

/* Removes personas. */
void
localtool_remove(const char *project, const char *id)
{
	struct localtool_persona *p, *next;

	pthread_mutex_lock(&localtool.lock);
	for (p = TAILQ_FIRST(&localtool.personas); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (strcmp(p->project, project) == 0 && (id == NULL || strcmp(p->id, id) == 0))
			localtool_drop(p);
	}
	pthread_mutex_unlock(&localtool.lock);
}

/* Counts personas. */
unsigned
localtool_personas(const char *project, const char *name)
{
	struct localtool_persona *p;
	unsigned n = 0;

	pthread_mutex_lock(&localtool.lock);
	TAILQ_FOREACH(p, &localtool.personas, link)
		n += strcmp(p->project, project) == 0 &&
		    (name == NULL || strcmp(localtool_name(p->body), name) == 0);
	pthread_mutex_unlock(&localtool.lock);
	return n;
}

/* Finds by name. */
const char *
localtool_id(const char *project, const char *name)
{
	struct localtool_persona *p;
	const char *id = "";

	pthread_mutex_lock(&localtool.lock);
	p = localtool_find(project, NULL, name);
	if (p != NULL)
		id = localtool_keep_id(p->id);
	pthread_mutex_unlock(&localtool.lock);
	return id;
}

/* Finds by id. */
bool
localtool_has(const char *project, const char *id)
{
	bool has;

	pthread_mutex_lock(&localtool.lock);
	has = localtool_find(project, id, NULL) != NULL;
	pthread_mutex_unlock(&localtool.lock);
	return has;
}

/* Reads a field. */
const char *
localtool_value(const char *project, const char *id, const char *field)
{
	struct localtool_persona *p;
	struct json_object *value;
	const char *text = "gone";

	pthread_mutex_lock(&localtool.lock);
	p = localtool_find(project, id, NULL);
	if (p != NULL)
		text = json_object_object_get_ex(p->body, field, &value)
		    ? localtool_keep(json_object_to_json_string_ext(value,
		          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE))
		    : "absent";
	pthread_mutex_unlock(&localtool.lock);
	return text;
}
