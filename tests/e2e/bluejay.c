#include "config.h"

#include "bluejay.h"

#include "base/uuid.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
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

#define BLUEJAY_WAIT_S 30

struct bluejay_persona {
	char id[UUID_SIZE];
	int agent; /* 0: none */
	bool listed;
	struct json_object *body;
	TAILQ_ENTRY(bluejay_persona) link;
};

struct bluejay_rule {
	char method[8], path[128];
	int times;
	enum bluejay_action action;
	int status;
	const char *body;
	STAILQ_ENTRY(bluejay_rule) link;
};

/* One request that arrived; kept for counting, and for its fields. */
struct bluejay_request {
	char method[8], path[256];
	char *head;
	STAILQ_ENTRY(bluejay_request) link;
};

struct bluejay_answer {
	int status;
	char *body;
};

static struct {
	int fd, port;
	pthread_t thread;
	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t changed;
	bool running, ending;
	unsigned connections;
	int fds[4096];  /* of running connections, by number */
	unsigned serial;
	unsigned epoch; /* grows with every release */
	bool other_account;
	char *frozen_list; /* NULL: listings go on */
	char *key;
	TAILQ_HEAD(, bluejay_persona) personas;
	STAILQ_HEAD(, bluejay_rule) rules;
	STAILQ_HEAD(, bluejay_request) requests;
} bluejay = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* ---- what Bluejay holds ---- */

/* Finds a persona. */
static struct bluejay_persona *
bluejay_find(const char *id)
{
	struct bluejay_persona *p;

	TAILQ_FOREACH(p, &bluejay.personas, link)
		if (strcmp(p->id, id) == 0)
			return p;
	return NULL;
}

/* Adds a persona with what the body gives. */
static struct bluejay_persona *
bluejay_add(int agent, struct json_object *given)
{
	static const char *const fields[] = {"name", "description", "goal"};
	struct bluejay_persona *p = calloc(1, sizeof *p);
	struct json_object *value;
	struct timespec now;
	char day[32], when[64];
	struct tm tm;

	uuid_make(p->id);
	p->agent = agent;
	p->listed = true;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(when, sizeof when, "%s.%06ldZ", day, now.tv_nsec / 1000);
	p->body = json_object_new_object();
	json_object_object_add(p->body, "id", json_object_new_string(p->id));
	json_object_object_add(p->body, "created_at", json_object_new_string(when));
	for (size_t i = 0; i < 3; i++)
		if (json_object_object_get_ex(given, fields[i], &value))
			json_object_object_add(p->body, fields[i], json_object_get(value));
	TAILQ_INSERT_TAIL(&bluejay.personas, p, link);
	return p;
}

/* Removes a persona. */
static void
bluejay_drop(struct bluejay_persona *p)
{
	TAILQ_REMOVE(&bluejay.personas, p, link);
	json_object_put(p->body);
	free(p);
}

/* Prints a persona. */
static char *
bluejay_print(const struct bluejay_persona *p)
{
	return strdup(json_object_to_json_string_ext(p->body, JSON_C_TO_STRING_PLAIN));
}

/* ---- behaving well ---- */

/* An error in Bluejay's form. */
static struct bluejay_answer
bluejay_error(int status, const char *detail)
{
	char text[128];

	snprintf(text, sizeof text, "{\"detail\":\"%s\"}", detail);
	return (struct bluejay_answer){status, strdup(text)};
}

/* Lists the personas of an agent. */
static struct bluejay_answer
bluejay_listing(int agent)
{
	struct json_object *list;
	struct bluejay_persona *p;
	struct bluejay_answer a = {200, NULL};

	if (bluejay.other_account)
		return (struct bluejay_answer){200, strdup("[]")};
	if (bluejay.frozen_list != NULL && agent == 1)
		return (struct bluejay_answer){200, strdup(bluejay.frozen_list)};
	list = json_object_new_array();
	TAILQ_FOREACH(p, &bluejay.personas, link)
		if (p->agent == agent && p->listed)
			json_object_array_add(list, json_object_get(p->body));
	a.body = strdup(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN));
	json_object_put(list);
	return a;
}

/* Creates. */
static struct bluejay_answer
bluejay_create(const char *body)
{
	struct json_object *given = json_tokener_parse(body), *agent = NULL;
	struct bluejay_persona *p;

	json_object_object_get_ex(given, "agent_id", &agent);
	p = bluejay_add(agent == NULL ? 0 : json_object_get_int(agent), given);
	json_object_put(given);
	return (struct bluejay_answer){200, bluejay_print(p)};
}

/* Updates. */
static struct bluejay_answer
bluejay_update(struct bluejay_persona *p, const char *body)
{
	struct json_object *given = json_tokener_parse(body);

	json_object_object_foreach(given, field, value)
		json_object_object_add(p->body, field, json_object_get(value));
	json_object_put(given);
	return (struct bluejay_answer){200, bluejay_print(p)};
}

/* Does what is asked. */
static struct bluejay_answer
bluejay_do(const char *method, const char *path, const char *body, bool key)
{
	static const char by_agent[] = "/v1/customer-personas-by-agent/";
	static const char one[] = "/v1/customer-persona/";
	static const char update[] = "/v1/update-customer-persona/";
	struct bluejay_persona *p;

	if (!key)
		return bluejay_error(401, "Invalid API key");
	if (strncmp(path, by_agent, sizeof by_agent - 1) == 0)
		return bluejay_listing(atoi(path + sizeof by_agent - 1));
	if (strcmp(path, "/v1/create-customer-persona") == 0)
		return bluejay_create(body);
	p = bluejay_find(strncmp(path, one, sizeof one - 1) == 0 ? path + sizeof one - 1
	                                                        : path + sizeof update - 1);
	if (p == NULL || bluejay.other_account)
		return bluejay_error(404, "Customer persona not found");
	if (strncmp(path, update, sizeof update - 1) == 0)
		return bluejay_update(p, body);
	if (strcmp(method, "DELETE") == 0) {
		bluejay_drop(p);
		return (struct bluejay_answer){200, strdup("{\"message\":\"deleted\"}")};
	}
	return (struct bluejay_answer){200, bluejay_print(p)};
}

/* ---- rules ---- */

/* The rule for a request, used up by one; false: behaves well. */
static bool
bluejay_match(const char *method, const char *path, struct bluejay_rule *out)
{
	struct bluejay_rule *r;

	STAILQ_FOREACH(r, &bluejay.rules, link) {
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
bluejay_hold(void)
{
	unsigned epoch = bluejay.epoch;

	while (bluejay.epoch == epoch && !bluejay.ending)
		pthread_cond_wait(&bluejay.changed, &bluejay.lock);
}

/* Leaves nothing of an answer but the id. */
static void
bluejay_only_id(struct bluejay_answer *a)
{
	struct json_object *root = json_tokener_parse(a->body), *id;

	ck_assert(json_object_object_get_ex(root, "id", &id));
	free(a->body);
	ck_assert_int_gt(asprintf(&a->body, "{\"id\":\"%s\"}", json_object_get_string(id)), 0);
	json_object_put(root);
}

/* Decides and does; false: the connection is cut. */
static bool
bluejay_act(const char *method, const char *path, const char *body, bool key,
    struct bluejay_answer *a)
{
	struct bluejay_rule r = {.action = BLUEJAY_SKIP};

	bluejay_match(method, path, &r);
	switch (r.action) {
	case BLUEJAY_CUT:
		return false;
	case BLUEJAY_DO_CUT:
		*a = bluejay_do(method, path, body, key);
		return false;
	case BLUEJAY_ANSWER:
		*a = (struct bluejay_answer){r.status, strdup(r.body != NULL ? r.body : "")};
		return true;
	case BLUEJAY_DO_ANSWER:
		*a = bluejay_do(method, path, body, key);
		free(a->body);
		*a = (struct bluejay_answer){r.status, strdup(r.body != NULL ? r.body : "")};
		return true;
	case BLUEJAY_DO_ID:
		*a = bluejay_do(method, path, body, key);
		bluejay_only_id(a);
		return true;
	case BLUEJAY_HOLD_ANSWER:
		bluejay_hold();
		*a = (struct bluejay_answer){r.status, strdup(r.body != NULL ? r.body : "")};
		return true;
	case BLUEJAY_HOLD_CUT:
		bluejay_hold();
		return false;
	case BLUEJAY_HOLD:
		bluejay_hold();
		*a = bluejay_do(method, path, body, key);
		return true;
	case BLUEJAY_DO_HOLD:
		*a = bluejay_do(method, path, body, key);
		bluejay_hold();
		return true;
	case BLUEJAY_SKIP:
		break;
	}
	*a = bluejay_do(method, path, body, key);
	return true;
}

/* ---- connections ---- */

/* Reads until the head is whole; returns its length, 0 at the end. */
static size_t
bluejay_read_head(int fd, char *buf, size_t size)
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
bluejay_read_body(int fd, const char *head)
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

/* Whether the request has the key that is wanted. */
static bool
bluejay_has_key(const char *head)
{
	char line[256];

	if (bluejay.key == NULL)
		return true;
	snprintf(line, sizeof line, "X-API-Key: %s\r\n", bluejay.key);
	return strcasestr(head, line) != NULL;
}

/* Notes that a request has arrived. */
static void
bluejay_note(const char *method, const char *path, const char *head)
{
	struct bluejay_request *q = calloc(1, sizeof *q);

	snprintf(q->method, sizeof q->method, "%s", method);
	snprintf(q->path, sizeof q->path, "%s", path);
	q->head = strdup(head);
	STAILQ_INSERT_TAIL(&bluejay.requests, q, link);
	pthread_cond_broadcast(&bluejay.changed);
}

/* Serves one request; false: the connection ends. */
static bool
bluejay_serve(int fd)
{
	char head[16384], method[8], path[256], out[256];
	struct bluejay_answer a = {0, NULL};
	char *body;
	bool answered;
	int n;

	if (bluejay_read_head(fd, head, sizeof head) == 0 ||
	    sscanf(head, "%7s %255s", method, path) != 2)
		return false;
	body = bluejay_read_body(fd, head);
	pthread_mutex_lock(&bluejay.lock);
	bluejay_note(method, path, head);
	answered = bluejay_act(method, path, body, bluejay_has_key(head), &a);
	pthread_mutex_unlock(&bluejay.lock);
	free(body);
	if (answered) {
		n = snprintf(out, sizeof out,
		    "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", a.status,
		    strlen(a.body));
		send(fd, out, (size_t)n, MSG_NOSIGNAL | MSG_MORE);
		send(fd, a.body, strlen(a.body), MSG_NOSIGNAL);
	}
	free(a.body);
	return answered;
}

/* Serves one connection. */
static void *
bluejay_connection(void *arg)
{
	unsigned slot = (unsigned)(uintptr_t)arg;
	int fd = bluejay.fds[slot];

	while (bluejay_serve(fd))
		;
	pthread_mutex_lock(&bluejay.lock);
	bluejay.fds[slot] = -1;
	close(fd);
	bluejay.connections--;
	pthread_cond_broadcast(&bluejay.changed);
	pthread_mutex_unlock(&bluejay.lock);
	return NULL;
}

/* Accepts connections. */
static void *
bluejay_accept(void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	int fd;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	while ((fd = accept(bluejay.fd, NULL, NULL)) >= 0) {
		unsigned slot;

		pthread_mutex_lock(&bluejay.lock);
		slot = bluejay.serial++ % 4096;
		bluejay.fds[slot] = fd;
		bluejay.connections++;
		if (bluejay.ending || pthread_create(&thread, &attr, bluejay_connection,
		                         (void *)(uintptr_t)slot) != 0) {
			bluejay.fds[slot] = -1;
			bluejay.connections--;
			close(fd);
		}
		pthread_mutex_unlock(&bluejay.lock);
	}
	pthread_attr_destroy(&attr);
	return NULL;
}

/* ---- for tests ---- */

/* Starts it. */
void
bluejay_start(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;

	TAILQ_INIT(&bluejay.personas);
	STAILQ_INIT(&bluejay.rules);
	STAILQ_INIT(&bluejay.requests);
	for (size_t i = 0; i < 4096; i++)
		bluejay.fds[i] = -1;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bluejay.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(bluejay.fd, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(bluejay.fd, 256), 0);
	ck_assert_int_eq(getsockname(bluejay.fd, (struct sockaddr *)&sin, &len), 0);
	bluejay.port = ntohs(sin.sin_port);
	bluejay.running = true;
	ck_assert_int_eq(pthread_create(&bluejay.thread, NULL, bluejay_accept, NULL), 0);
}

/* Frees what was noted. */
static void
bluejay_clear(void)
{
	struct bluejay_request *q;
	struct bluejay_rule *r;

	while (!TAILQ_EMPTY(&bluejay.personas))
		bluejay_drop(TAILQ_FIRST(&bluejay.personas));
	while ((r = STAILQ_FIRST(&bluejay.rules)) != NULL) {
		STAILQ_REMOVE_HEAD(&bluejay.rules, link);
		free(r);
	}
	while ((q = STAILQ_FIRST(&bluejay.requests)) != NULL) {
		STAILQ_REMOVE_HEAD(&bluejay.requests, link);
		free(q->head);
		free(q);
	}
	free(bluejay.frozen_list);
	free(bluejay.key);
}

/* Ends it. */
void
bluejay_stop(void)
{
	pthread_mutex_lock(&bluejay.lock);
	bluejay.ending = true;
	shutdown(bluejay.fd, SHUT_RDWR);
	for (size_t i = 0; i < 4096; i++)
		if (bluejay.fds[i] >= 0)
			shutdown(bluejay.fds[i], SHUT_RDWR);
	pthread_cond_broadcast(&bluejay.changed);
	while (bluejay.connections > 0)
		pthread_cond_wait(&bluejay.changed, &bluejay.lock);
	pthread_mutex_unlock(&bluejay.lock);
	pthread_join(bluejay.thread, NULL);
	close(bluejay.fd);
	bluejay_clear();
}

/* Where it listens. */
int
bluejay_port(void)
{
	return bluejay.port;
}

/* Adds a rule. */
void
bluejay_rule(const char *method, const char *path, int times, enum bluejay_action action, int status,
    const char *body)
{
	struct bluejay_rule *r = calloc(1, sizeof *r);

	snprintf(r->method, sizeof r->method, "%s", method);
	snprintf(r->path, sizeof r->path, "%s", path);
	r->times = times;
	r->action = action;
	r->status = status;
	r->body = body;
	pthread_mutex_lock(&bluejay.lock);
	STAILQ_INSERT_TAIL(&bluejay.rules, r, link);
	pthread_mutex_unlock(&bluejay.lock);
}

/* Ends every rule. */
void
bluejay_forget(void)
{
	struct bluejay_rule *r;

	pthread_mutex_lock(&bluejay.lock);
	STAILQ_FOREACH(r, &bluejay.rules, link)
		r->times = 0;
	pthread_mutex_unlock(&bluejay.lock);
	bluejay_release();
}

/* Lets held requests go on. */
void
bluejay_release(void)
{
	pthread_mutex_lock(&bluejay.lock);
	bluejay.epoch++;
	pthread_cond_broadcast(&bluejay.changed);
	pthread_mutex_unlock(&bluejay.lock);
}

/* Counts; the lock is held. */
static unsigned
bluejay_counted(const char *method, const char *path)
{
	const struct bluejay_request *q;
	unsigned n = 0;

	STAILQ_FOREACH(q, &bluejay.requests, link)
		n += strcmp(q->method, method) == 0 && strncmp(q->path, path, strlen(path)) == 0;
	return n;
}

/* Counts requests. */
unsigned
bluejay_count(const char *method, const char *path)
{
	unsigned n;

	pthread_mutex_lock(&bluejay.lock);
	n = bluejay_counted(method, path);
	pthread_mutex_unlock(&bluejay.lock);
	return n;
}

/* Waits for requests. */
void
bluejay_wait(const char *method, const char *path, unsigned count)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += BLUEJAY_WAIT_S;
	pthread_mutex_lock(&bluejay.lock);
	while (bluejay_counted(method, path) < count && rc == 0)
		rc = pthread_cond_timedwait(&bluejay.changed, &bluejay.lock, &until);
	pthread_mutex_unlock(&bluejay.lock);
	ck_assert_msg(rc == 0, "%s %s came %u times, not %u", method, path, bluejay_count(method, path),
	    count);
}

/* Keeps a text for a while. */
static const char *
bluejay_keep(const char *text)
{
	static char kept[8][4096];
	static unsigned turn;
	char *out = kept[turn++ % 8];

	snprintf(out, sizeof kept[0], "%s", text);
	return out;
}

/* Adds the values of a field of a head; false when it has none. */
static bool
bluejay_values(const char *head, const char *name, char *out, size_t size)
{
	size_t len = strlen(name), n = 0;
	bool found = false;

	out[0] = '\0';
	for (const char *p = head; (p = strstr(p, "\r\n")) != NULL;) {
		p += 2;
		if (strncasecmp(p, name, len) != 0 || p[len] != ':')
			continue;
		p += len + 1;
		p += strspn(p, " ");
		n += (size_t)snprintf(out + n, size - n, "%s%.*s", found ? "|" : "",
		    (int)strcspn(p, "\r"), p);
		found = true;
		if (n >= size)
			break;
	}
	return found;
}

/* The value of a field. */
const char *
bluejay_field(const char *method, const char *path, const char *name)
{
	const struct bluejay_request *q, *last = NULL;
	const char *value = NULL;
	char text[4096];

	pthread_mutex_lock(&bluejay.lock);
	STAILQ_FOREACH(q, &bluejay.requests, link)
		if (strcmp(q->method, method) == 0 && strncmp(q->path, path, strlen(path)) == 0)
			last = q;
	if (last != NULL && bluejay_values(last->head, name, text, sizeof text))
		value = bluejay_keep(text);
	pthread_mutex_unlock(&bluejay.lock);
	return value;
}

/* Makes a persona. */
const char *
bluejay_make(int agent, const char *name, const char *description, const char *goal)
{
	struct json_object *given = json_object_new_object();
	const char *id;

	json_object_object_add(given, "name", json_object_new_string(name));
	json_object_object_add(given, "description", json_object_new_string(description));
	json_object_object_add(given, "goal", json_object_new_string(goal));
	pthread_mutex_lock(&bluejay.lock);
	id = bluejay_keep(bluejay_add(agent, given)->id);
	pthread_mutex_unlock(&bluejay.lock);
	json_object_put(given);
	return id;
}

/* Changes a field. */
bool
bluejay_edit(const char *id, const char *field, const char *value)
{
	struct bluejay_persona *p;

	pthread_mutex_lock(&bluejay.lock);
	p = bluejay_find(id);
	if (p != NULL)
		json_object_object_add(p->body, field, json_object_new_string(value));
	pthread_mutex_unlock(&bluejay.lock);
	return p != NULL;
}

/* Sets or removes a member. */
void
bluejay_member(const char *id, const char *name, const char *json)
{
	struct bluejay_persona *p;

	pthread_mutex_lock(&bluejay.lock);
	p = bluejay_find(id);
	if (p != NULL && json == NULL)
		json_object_object_del(p->body, name);
	else if (p != NULL)
		json_object_object_add(p->body, name, json_tokener_parse(json));
	pthread_mutex_unlock(&bluejay.lock);
	ck_assert_ptr_nonnull(p);
}

/* Removes one. */
void
bluejay_remove(const char *id)
{
	struct bluejay_persona *p;

	pthread_mutex_lock(&bluejay.lock);
	p = bluejay_find(id);
	if (p != NULL)
		bluejay_drop(p);
	pthread_mutex_unlock(&bluejay.lock);
}

/* Hides or shows. */
void
bluejay_list(const char *id, bool listed)
{
	struct bluejay_persona *p;

	pthread_mutex_lock(&bluejay.lock);
	p = bluejay_find(id);
	if (p != NULL)
		p->listed = listed;
	pthread_mutex_unlock(&bluejay.lock);
}

/* Keeps the listings as they are. */
void
bluejay_freeze(bool frozen)
{
	pthread_mutex_lock(&bluejay.lock);
	free(bluejay.frozen_list);
	bluejay.frozen_list = NULL;
	if (frozen)
		bluejay.frozen_list = bluejay_listing(1).body;
	pthread_mutex_unlock(&bluejay.lock);
}

/* Counts personas. */
unsigned
bluejay_personas(const char *name)
{
	struct bluejay_persona *p;
	struct json_object *value;
	unsigned n = 0;

	pthread_mutex_lock(&bluejay.lock);
	TAILQ_FOREACH(p, &bluejay.personas, link)
		n += name == NULL || (json_object_object_get_ex(p->body, "name", &value) &&
		                         strcmp(json_object_get_string(value), name) == 0);
	pthread_mutex_unlock(&bluejay.lock);
	return n;
}

/* Finds by name. */
const char *
bluejay_id(const char *name)
{
	struct bluejay_persona *p;
	struct json_object *value;
	const char *id = NULL;

	ck_assert_uint_eq(bluejay_personas(name), 1);
	pthread_mutex_lock(&bluejay.lock);
	TAILQ_FOREACH(p, &bluejay.personas, link)
		if (json_object_object_get_ex(p->body, "name", &value) &&
		    strcmp(json_object_get_string(value), name) == 0)
			id = bluejay_keep(p->id);
	pthread_mutex_unlock(&bluejay.lock);
	return id;
}

/* Reads a field. */
const char *
bluejay_value(const char *id, const char *field)
{
	struct bluejay_persona *p;
	struct json_object *value;
	const char *text = NULL;

	pthread_mutex_lock(&bluejay.lock);
	p = bluejay_find(id);
	if (p != NULL && json_object_object_get_ex(p->body, field, &value))
		text = bluejay_keep(json_object_get_string(value));
	pthread_mutex_unlock(&bluejay.lock);
	return text;
}

/* Wants a key. */
void
bluejay_key(const char *key)
{
	pthread_mutex_lock(&bluejay.lock);
	free(bluejay.key);
	bluejay.key = key == NULL ? NULL : strdup(key);
	pthread_mutex_unlock(&bluejay.lock);
}

/* Is another account. */
void
bluejay_other_account(bool other)
{
	pthread_mutex_lock(&bluejay.lock);
	bluejay.other_account = other;
	pthread_mutex_unlock(&bluejay.lock);
}
