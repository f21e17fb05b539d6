#include "config.h"

#include "http_rig.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RIG_WALL INT64_C(1769594400000)
#define RIG_TURNS 4

static const char *const no_names[] = {NULL};

/* Notes a request as text. */
static void
note_request(struct rig *rig, const struct http_request *r)
{
	buf_addf(&rig->seen, "%s %s path=%s query=%s host=%s minor=%d body=%d length=%lld",
	    r->method, r->target, r->path, r->query ? r->query : "-", r->host, r->minor,
	    r->has_body, (long long)r->length);
	for (size_t i = 0; i < r->field_count; i++)
		buf_addf(&rig->seen, " [%s=%s]", r->fields[i].name, r->fields[i].value);
	buf_addc(&rig->seen, '\n');
}

/* Counts ends. */
static void
on_end(void *arg, enum http_end how)
{
	struct rig *rig = arg;

	if (how == HTTP_SENT)
		rig->sent++;
	else
		rig->gone++;
}

/* A held exchange ends. */
static void
on_held_end(void *arg, enum http_end how)
{
	struct rig *rig = arg;

	rig->held = NULL;
	on_end(rig, how);
}

/* A collected body is here. */
static void
on_body(void *arg, struct http_exchange *ex, const char *body, size_t len)
{
	struct rig *rig = arg;

	ck_assert_int_eq(body[len], '\0');
	buf_adds(&rig->seen, "body=");
	buf_add(&rig->seen, body, len);
	buf_addc(&rig->seen, '\n');
	http_answer(ex, 200, NULL, body, len);
}

/* A piece of a streamed body is here. */
static void
on_piece(void *arg, struct http_exchange *ex, const char *piece, size_t len)
{
	struct rig *rig = arg;

	if (len == 0) {
		buf_adds(&rig->seen, "|end\n");
		http_answer(ex, 200, NULL, "streamed", 8);
		return;
	}
	rig->pieces++;
	if (!rig->quiet)
		buf_add(&rig->seen, piece, len);
	if (rig->pause) {
		rig->held = ex;
		http_exchange_pause(ex);
	}
}

/* The service of the rig. */
static void
serve(void *arg, struct http_exchange *ex)
{
	const struct http_request *r = http_exchange_request(ex);
	struct rig *rig = arg;

	note_request(rig, r);
	if (rig->service != NULL) {
		rig->service(rig, ex);
		return;
	}
	http_exchange_on_end(ex, on_end, rig);
	if (strcmp(r->path, "/echo") == 0) {
		http_exchange_collect(ex, 0, on_body, rig);
	} else if (strcmp(r->path, "/short") == 0) {
		http_exchange_collect(ex, 8, on_body, rig);
	} else if (strcmp(r->path, "/skip") == 0) {
		http_answer_error(ex, 404, "Nothing here");
	} else if (strcmp(r->path, "/hold") == 0) {
		http_exchange_on_end(ex, on_held_end, rig);
		rig->held = ex;
		rig->quiet = true;
		http_exchange_stream(ex, on_piece, rig);
		http_exchange_pause(ex);
	} else if (strcmp(r->path, "/stream") == 0) {
		http_exchange_stream(ex, on_piece, rig);
	} else if (strcmp(r->path, "/none") != 0) {
		http_answer(ex, 200, NULL, "hello", 5);
	}
}

/* Starts on an address. */
void
rig_start_at(struct rig *rig, const char *address)
{
	struct fail f;

	rig->loop = loop_new_fake(RIG_WALL);
	if (rig->config.limits.head == 0)
		rig->config.limits = HTTP_LIMITS_DEFAULT;
	rig->config.allowed_hosts = no_names;
	rig->config.service = serve;
	rig->config.arg = rig;
	rig->server = http_server_new(rig->loop, &rig->config);
	ck_assert_msg(http_server_listen(rig->server, address, &f) == 0, "%s", f.text);
	snprintf(rig->address, sizeof rig->address, "%s", http_server_url(rig->server, 0));
}

/* Starts on a local socket. */
void
rig_start(struct rig *rig)
{
	char address[96];

	strcpy(rig->dir, "/tmp/http-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(rig->dir));
	snprintf(address, sizeof address, "unix:%s/s", rig->dir);
	rig_start_at(rig, address);
}

/* Frees everything. */
void
rig_stop(struct rig *rig)
{
	http_server_free(rig->server);
	loop_free(rig->loop);
	buf_free(&rig->seen);
	if (rig->dir[0] != '\0')
		ck_assert_int_eq(rmdir(rig->dir), 0);
}

/* Lets happen what can happen. */
void
rig_turn(struct rig *rig)
{
	for (int i = 0; i < RIG_TURNS; i++)
		loop_turn(rig->loop, false);
}

/* Connects. */
void
client_open(struct client *c, struct rig *rig)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	bool local = strncmp(rig->address, "unix:", 5) == 0;
	int rc;

	memset(c, 0, sizeof *c);
	c->rig = rig;
	c->fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	if (local) {
		strcpy(un.sun_path, rig->address + 5);
		rc = connect(c->fd, (struct sockaddr *)&un, sizeof un);
	} else {
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in.sin_port = htons((uint16_t)atoi(strrchr(rig->address, ':') + 1));
		rc = connect(c->fd, (struct sockaddr *)&in, sizeof in);
	}
	ck_assert_int_eq(rc, 0);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	rig_turn(rig);
}

/* Hangs up. */
void
client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	buf_free(&c->got);
	rig_turn(c->rig);
}

/* Takes what the server has sent; true when anything came. */
static bool
client_take(struct client *c)
{
	char bytes[65536];
	ssize_t n;
	bool any = false;

	while (!c->deaf && !c->closed && (n = recv(c->fd, bytes, sizeof bytes, 0)) != -1) {
		any = true;
		if (n == 0)
			c->closed = true;
		else
			buf_add(&c->got, bytes, (size_t)n);
	}
	if (!c->deaf && !c->closed && errno != EAGAIN)
		c->closed = c->reset = any = true;
	return any;
}

/* Turns the loop and reads until nothing more comes. */
void
client_read(struct client *c)
{
	for (int quiet = 0, i = 0; quiet < 3 && i < 10000; i++) {
		loop_turn(c->rig->loop, false);
		quiet = client_take(c) ? 0 : quiet + 1;
	}
}

/* Sends everything, reading meanwhile; stops when the server has hung up. */
void
client_send(struct client *c, const char *bytes, size_t len)
{
	for (int stuck = 0; len > 0 && !c->closed && stuck < 20;) {
		ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);

		stuck = n > 0 ? 0 : stuck + 1;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
		loop_turn(c->rig->loop, false);
		client_take(c);
	}
	client_read(c);
}

/* Sends a text. */
void
client_says(struct client *c, const char *text)
{
	client_send(c, text, strlen(text));
}

/* Ends the sending side. */
void
client_end(struct client *c)
{
	shutdown(c->fd, SHUT_WR);
	client_read(c);
}

/* Finds the n-th answer; *end is where its head ends. */
static const char *
client_find(const struct client *c, unsigned n, const char **end)
{
	const char *p = c->got.data, *at;

	while (p != NULL && *p != '\0') {
		*end = strstr(p, "\r\n\r\n");
		ck_assert_msg(strncmp(p, "HTTP/1.1 ", 9) == 0, "no answer begins here: %s", p);
		ck_assert_ptr_nonnull(*end);
		*end += 4;
		if (n-- == 0)
			return p;
		at = strstr(p, "\r\nContent-Length: ");
		p = *end + (at != NULL && at < *end ? atol(at + 18) : 0);
	}
	return NULL;
}

/* The n-th status. */
int
client_status(const struct client *c, unsigned n)
{
	const char *end, *p = client_find(c, n, &end);

	return p != NULL ? atoi(p + 9) : 0;
}

/* The n-th body. */
const char *
client_body(const struct client *c, unsigned n)
{
	static char body[65536];
	const char *end, *p = client_find(c, n, &end), *at;
	size_t len;

	ck_assert_ptr_nonnull(p);
	at = strstr(p, "\r\nContent-Length: ");
	ck_assert(at != NULL && at < end);
	len = (size_t)atol(at + 18);
	ck_assert_uint_lt(len, sizeof body);
	ck_assert_uint_le(len, strlen(end));
	memcpy(body, end, len);
	body[len] = '\0';
	return body;
}

/* Whether a head holds a text. */
bool
client_has(const struct client *c, unsigned n, const char *text)
{
	const char *end, *p = client_find(c, n, &end), *at;

	ck_assert_ptr_nonnull(p);
	at = strstr(p, text);
	return at != NULL && at < end;
}

/* How many answers there are. */
unsigned
client_answers(const struct client *c)
{
	const char *end;
	unsigned n = 0;

	while (client_find(c, n, &end) != NULL)
		n++;
	return n;
}
