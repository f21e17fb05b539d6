#include "config.h"

#include "sandbox_test.h"
#include "base/mem.h"
#include "json/json_read.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define WIRE_QUIET 4     /* turns without a byte until nothing moves any more */
#define WIRE_TURNS 20000 /* bound of every wait */

/* Starts the service. */
void
rig_open(struct rig *r, const struct sandbox_options *o)
{
	struct sandbox_options none = {0};
	struct fail fail;

	r->loop = loop_new_fake(RIG_WALL);
	r->service = sandbox_service_new(r->loop, o != NULL ? o : &none, &fail);
	if (r->service == NULL)
		ck_abort_msg("%s", fail.text);
	ck_assert_int_eq(sscanf(sandbox_service_url(r->service), "http://127.0.0.1:%d", &r->port),
	    1);
}

/* Ends the service. */
void
rig_close(struct rig *r)
{
	sandbox_service_free(r->service);
	loop_free(r->loop);
}

/* Lets every request meet a fault. */
void
rig_faults(struct rig *r, const char *profile, uint64_t seed)
{
	struct sandbox_faults *f = sandbox_service_faults(r->service);

	ck_assert(sandbox_faults_choose(f, profile, seed));
	f->percent = 100;
}

/* Connects. */
void
wire_open(struct rig *r, struct wire *w)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)r->port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w->rig = r;
	w->end = WIRE_OPEN;
	buf_init(&w->in, 0);
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(w->fd, (struct sockaddr *)&a, sizeof a), 0);
	fcntl(w->fd, F_SETFL, O_NONBLOCK);
}

/* Disconnects and lets the service see it. */
void
wire_close(struct wire *w)
{
	close(w->fd);
	buf_free(&w->in);
	for (int i = 0; i < WIRE_QUIET; i++)
		loop_turn(w->rig->loop, false);
}

/* Reads what is there; true when something was. */
static bool
wire_read(struct wire *w)
{
	char bytes[65536];
	ssize_t n;

	if (w->end != WIRE_OPEN)
		return false;
	n = read(w->fd, bytes, sizeof bytes);
	if (n > 0)
		buf_add(&w->in, bytes, (size_t)n);
	else if (n == 0)
		w->end = WIRE_CLOSED;
	else if (errno != EAGAIN)
		w->end = WIRE_RESET;
	return n >= 0 || errno != EAGAIN;
}

/* Sends bytes. */
void
wire_send(struct wire *w, const char *bytes)
{
	size_t len = strlen(bytes);

	for (int i = 0; len > 0 && i < WIRE_TURNS; i++) {
		ssize_t n = send(w->fd, bytes, len, MSG_NOSIGNAL);

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else {
			ck_assert_int_eq(errno, EAGAIN);
			loop_turn(w->rig->loop, false);
		}
	}
	ck_assert_uint_eq(len, 0);
}

/* Sends a request. */
void
wire_request(struct wire *w, const char *method, const char *path, const char *body)
{
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: sandbox\r\n", method, path);
	if (body != NULL)
		buf_addf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		    strlen(body));
	buf_adds(&b, "\r\n");
	if (body != NULL)
		buf_adds(&b, body);
	wire_send(w, b.data);
	buf_free(&b);
}

/* Lets both sides work. */
void
wire_settle(struct wire *w)
{
	int quiet = 0;

	for (int i = 0; i < WIRE_TURNS && quiet < WIRE_QUIET; i++) {
		struct pollfd p = {w->fd, POLLIN, 0};

		loop_turn(w->rig->loop, false);
		if (wire_read(w))
			quiet = 0;
		else
			quiet += poll(&p, w->end == WIRE_OPEN, 1) == 0;
	}
}

/* The first answer's status. */
int
wire_status(const struct wire *w)
{
	int status = 0;

	if (w->in.len > 0)
		sscanf(w->in.data, "HTTP/1.1 %3d", &status);
	return status;
}

/* The first answer's body. */
const char *
wire_body(const struct wire *w)
{
	const char *end = w->in.len > 0 ? strstr(w->in.data, "\r\n\r\n") : NULL;

	ck_assert_ptr_nonnull(end);
	return end + 4;
}

/* Finds a header. */
bool
wire_header(const struct wire *w, const char *name, char out[256])
{
	const char *end = strstr(w->in.data, "\r\n\r\n"), *line = strstr(w->in.data, "\r\n");
	size_t len = strlen(name);

	ck_assert_ptr_nonnull(end);
	for (; line < end; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
			ck_assert_int_eq(sscanf(line + 3 + len, " %255[^\r]", out), 1);
			return true;
		}
	}
	return false;
}

/* True when the first answer is whole. */
static bool
wire_is_whole(const struct wire *w)
{
	char length[256];

	if (w->in.len == 0 || strstr(w->in.data, "\r\n\r\n") == NULL)
		return false;
	ck_assert(wire_header(w, "content-length", length));
	return w->in.len - (size_t)(wire_body(w) - w->in.data) >= strtoul(length, NULL, 10);
}

/* Lets both sides work until the answer is whole. */
static void
wire_wait(struct wire *w)
{
	for (int i = 0; i < WIRE_TURNS && w->end == WIRE_OPEN && !wire_is_whole(w); i++) {
		struct pollfd p = {w->fd, POLLIN, 0};

		loop_turn(w->rig->loop, false);
		poll(&p, 1, i > 50); /* by then a busy kernel needs time */
		wire_read(w);
	}
}

/* Fetches. */
struct reply
fetch(struct rig *r, const char *method, const char *path, const char *body)
{
	struct reply reply = {0};
	char length[256];
	struct wire w;
	size_t len;

	wire_open(r, &w);
	wire_request(&w, method, path, body);
	wire_wait(&w);
	reply.status = wire_status(&w);
	ck_assert_int_ne(reply.status, 0);
	len = w.in.len - (size_t)(wire_body(&w) - w.in.data);
	ck_assert(wire_header(&w, "content-length", length));
	ck_assert_uint_eq(len, strtoul(length, NULL, 10));
	reply.body = mem_copy(wire_body(&w), len);
	json_read(reply.body, len, &reply.json, NULL);
	wire_close(&w);
	return reply;
}

/* Frees a reply. */
void
reply_free(struct reply *r)
{
	free(r->body);
	json_object_put(r->json);
}

/* Fetches what must succeed. */
void
fetch_done(struct rig *r, const char *method, const char *path, const char *body)
{
	struct reply reply = fetch(r, method, path, body);

	ck_assert_msg(reply.status == 200, "%s %s: %s", method, path, reply.body);
	reply_free(&reply);
}

/* Creates a persona. */
void
make_persona(struct rig *r, int agent, const char *name, char id[UUID_SIZE])
{
	char *body = mem_format(
	    "{\"name\":\"%s\",\"description\":\"d\",\"goal\":\"g\",\"agent_id\":%d}", name, agent);
	struct reply reply = fetch(r, "POST", "/v1/create-customer-persona", body);

	ck_assert_int_eq(reply.status, 200);
	memcpy(id, dig_text(reply.json, "id"), UUID_SIZE);
	reply_free(&reply);
	free(body);
}

/* Follows names and indexes. */
struct json_object *
dig(struct json_object *o, const char *path)
{
	char name[64];
	int used;

	while (*path != '\0') {
		ck_assert_int_eq(sscanf(path, "%63[^.]%n", name, &used), 1);
		path += used + (path[used] == '.');
		if (json_object_is_type(o, json_type_array)) {
			o = json_object_array_get_idx(o, strtoul(name, NULL, 10));
		} else {
			ck_assert_msg(json_object_is_type(o, json_type_object), "no object at %s",
			    name);
			ck_assert_msg(json_object_object_get_ex(o, name, &o), "no %s", name);
		}
	}
	return o;
}

/* Follows to a text. */
const char *
dig_text(struct json_object *o, const char *path)
{
	struct json_object *v = dig(o, path);

	ck_assert_msg(json_object_is_type(v, json_type_string), "%s is no text", path);
	return json_object_get_string(v);
}

/* Checks `2026-01-28T10:00:00.000001Z`. */
static void
schema_time(const char *text)
{
	int used = 0, y, mo, d, h, mi, s, us;

	ck_assert_int_eq(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ%n", &y, &mo, &d, &h, &mi, &s,
	                     &us, &used),
	    7);
	ck_assert_int_eq(used, 27);
	ck_assert_uint_eq(strlen(text), 27);
}

/* CustomerPersonaPydantic. */
void
schema_persona(struct json_object *o)
{
	ck_assert(json_object_is_type(o, json_type_object));
	ck_assert_int_eq(json_object_object_length(o), 6);
	ck_assert(uuid_valid(dig_text(o, "id"), strlen(dig_text(o, "id"))));
	ck_assert(uuid_valid(dig_text(o, "org_id"), strlen(dig_text(o, "org_id"))));
	schema_time(dig_text(o, "created_at"));
	dig_text(o, "name");
	dig_text(o, "description");
	dig_text(o, "goal");
}

/* CommunityResponse. */
void
schema_community(struct json_object *o)
{
	struct json_object *ids = dig(o, "digital_human_ids"), *d = dig(o, "description");

	ck_assert_int_eq(json_object_object_length(o), 5);
	ck_assert(uuid_valid(dig_text(o, "id"), strlen(dig_text(o, "id"))));
	schema_time(dig_text(o, "created_at"));
	dig_text(o, "title");
	ck_assert(d == NULL || json_object_is_type(d, json_type_string));
	ck_assert(json_object_is_type(ids, json_type_array));
	for (size_t i = 0; i < json_object_array_length(ids); i++)
		ck_assert(
		    json_object_is_type(json_object_array_get_idx(ids, i), json_type_int));
}

/* HTTPValidationError, its mistakes with at least loc, msg and type. */
void
schema_mistakes(struct json_object *o)
{
	struct json_object *list = dig(o, "detail");

	ck_assert_int_eq(json_object_object_length(o), 1);
	ck_assert(json_object_is_type(list, json_type_array));
	ck_assert_uint_gt(json_object_array_length(list), 0);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *m = json_object_array_get_idx(list, i), *loc = dig(m, "loc");

		dig_text(m, "type");
		dig_text(m, "msg");
		dig(m, "input");
		ck_assert(json_object_is_type(loc, json_type_array));
		for (size_t n = 0; n < json_object_array_length(loc); n++) {
			struct json_object *v = json_object_array_get_idx(loc, n);

			ck_assert(json_object_is_type(v, json_type_string) ||
			    json_object_is_type(v, json_type_int));
		}
	}
}

/* Makes a folder and names a file in it. */
char *
scratch_file(void)
{
	char folder[] = "/tmp/sandbox-test-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(folder));
	return mem_format("%s/journal", folder);
}

/* Removes the file and its folder. */
void
scratch_remove(char *path)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	ck_assert_msg(rmdir(path) == 0, "something was left in %s", path);
	free(path);
}

UNIT_MAIN(suite_api, suite_mistakes, suite_community, suite_control, suite_fault, suite_image, suite_wire,
    suite_journal, suite_thread)
