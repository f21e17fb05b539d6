#include "config.h"

#include "postgres_rig.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT(s) ((char *)(uintptr_t)(s))
#define RIG_SCOPE "agent:1"
#define RELAY_PAIRS 16

/* Notes what is told. */
static void
rig_told(void *arg, const struct store_change *changes, size_t count)
{
	struct rig *r = arg;
	size_t len = strlen(r->told);

	if (count == 0)
		snprintf(r->told + len, sizeof r->told - len, "lost ");
	for (size_t i = 0; i < count; i++) {
		const struct store_change *c = &changes[i];

		len = strlen(r->told);
		snprintf(r->told + len, sizeof r->told - len, "%s ",
		    c->kind == STORE_CHANGED_RECORD ? c->local_id
		    : c->kind == STORE_CHANGED_INTENT ? c->intent_id : c->scope);
	}
}

/* Opens a store. */
void
rig_open(struct rig *r, const char *url)
{
	struct store_options o = {.url = url, .binding = "https://upstream.example"};
	struct fail f;

	memset(r, 0, sizeof *r);
	r->loop = loop_new();
	r->store = store_open(&o, &f);
	if (r->store == NULL)
		ck_abort_msg("%s", f.text);
	r->port = store_port_open(r->store, r->loop);
	store_watch(r->port, rig_told, r);
}

/* Closes it. */
void
rig_close(struct rig *r)
{
	store_port_close(r->port);
	store_close(r->store);
	loop_free(r->loop);
}

/* Keeps what the tests ask for. */
void
rig_done(void *arg, struct store_reply *reply)
{
	struct rig *r = arg;

	r->done++;
	r->status = reply->status;
	r->number = reply->number;
	snprintf(r->text, sizeof r->text, "%s", reply->text != NULL ? reply->text
	    : reply->record_count > 0 ? reply->records[0].local_id : "");
	r->intents = reply->intent_count;
	r->held = reply->intent_count > 0 && reply->intents[0].held;
	r->orphaned = reply->intent_count > 0 && reply->intents[0].orphaned;
	r->fence = reply->intent_count > 0 ? reply->intents[0].fence : 0;
}

/* Waits for callbacks. */
enum store_status
rig_wait(struct rig *r, unsigned done)
{
	while (r->done < done)
		loop_turn(r->loop, true);
	return r->status;
}

/* Turns both loops. */
void
rig_turn(struct rig *a, struct rig *b)
{
	loop_turn(a->loop, false);
	if (b != NULL)
		loop_turn(b->loop, false);
	poll(NULL, 0, 2);
}

/* Begins a create, without waiting. */
void
rig_ask(struct rig *r, const char *id, const char *name)
{
	struct store_intent i = {.id = TEXT(id), .operation = STORE_CREATE, .state = STORE_PENDING,
	    .scope = TEXT(RIG_SCOPE), .project = TEXT("shop"), .name = TEXT(name),
	    .fingerprint = TEXT("print"), .sent = TEXT("{}"), .created_ms = 1, .touched_ms = 1};
	struct store_create create = {.intent = &i, .now_ms = 1, .key_expires_ms = 2};

	store_create_begin(r->port, &create, rig_done, r);
}

/* Begins a create. */
enum store_status
rig_begin(struct rig *r, const char *id, const char *name)
{
	rig_ask(r, id, name);
	return rig_wait(r, r->done + 1);
}

/* Settles a create. */
enum store_status
rig_settle(struct rig *r, const char *id, const char *made)
{
	struct store_record record = {.scope = TEXT(RIG_SCOPE), .local_id = TEXT(made),
	    .upstream_id = TEXT(made), .content = TEXT("{}"), .created_ms = 1, .updated_ms = 1,
	    .content_ms = 1};

	return RIG_CALL(r, store_create_settle, id, &record, NULL);
}

/* A relay: a thread between clients and a server. */
struct relay {
	int listener, port, wake[2];
	int server_port;
	int client[RELAY_PAIRS], server[RELAY_PAIRS];
	size_t count;
	atomic_bool deaf, cut, stop;
	pthread_t thread;
};

/* A socket on loopback, connected to a port, or listening on any. */
static int
relay_socket(int port, int *bound)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bound == NULL)
		return connect(fd, (struct sockaddr *)&a, sizeof a) == 0 ? fd : (close(fd), -1);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		abort();
	*bound = ntohs(a.sin_port);
	return fd;
}

/* Ends a pair. */
static void
relay_end(struct relay *r, size_t n)
{
	close(r->client[n]);
	close(r->server[n]);
	r->count--;
	r->client[n] = r->client[r->count];
	r->server[n] = r->server[r->count];
}

/* Passes on what one side says; false when it is over. */
static bool
relay_pass(int from, int to, bool eaten)
{
	char bytes[65536];
	ssize_t n = read(from, bytes, sizeof bytes);

	for (ssize_t at = 0, k; !eaten && at < n; at += k)
		if ((k = send(to, bytes + at, (size_t)(n - at), MSG_NOSIGNAL)) <= 0)
			return false;
	return n > 0;
}

/* Takes a client. */
static void
relay_accept(struct relay *r)
{
	int fd = accept(r->listener, NULL, NULL);

	if (fd < 0)
		return;
	r->client[r->count] = fd;
	r->server[r->count] = relay_socket(r->server_port, NULL);
	if (r->server[r->count] < 0 || r->count + 1 == RELAY_PAIRS)
		close(fd);
	else
		r->count++;
}

/* The thread. */
static void *
relay_run(void *arg)
{
	struct relay *r = arg;

	while (!atomic_load(&r->stop)) {
		struct pollfd p[2 + 2 * RELAY_PAIRS] = {{.fd = r->listener, .events = POLLIN},
		    {.fd = r->wake[0], .events = POLLIN}};
		size_t count = r->count;
		char byte;

		for (size_t i = 0; i < count; i++) {
			p[2 + 2 * i] = (struct pollfd){.fd = r->client[i], .events = POLLIN};
			p[3 + 2 * i] = (struct pollfd){.fd = r->server[i], .events = POLLIN};
		}
		poll(p, 2 + 2 * count, -1);
		if (p[1].revents != 0 && read(r->wake[0], &byte, 1) == 1 && atomic_load(&r->cut)) {
			while (r->count > 0)
				relay_end(r, 0);
			atomic_store(&r->deaf, false);
			atomic_store(&r->cut, false);
			continue;
		}
		for (size_t i = count; i-- > 0;)
			if ((p[2 + 2 * i].revents != 0 && !relay_pass(r->client[i], r->server[i], false)) ||
			    (p[3 + 2 * i].revents != 0 &&
			    !relay_pass(r->server[i], r->client[i], atomic_load(&r->deaf))))
				relay_end(r, i);
		if (p[0].revents != 0)
			relay_accept(r);
	}
	return NULL;
}

/* Starts a relay. */
struct relay *
relay_new(int port)
{
	struct relay *r = mem_zero(1, sizeof *r);

	r->server_port = port;
	r->listener = relay_socket(0, &r->port);
	if (pipe(r->wake) != 0 || pthread_create(&r->thread, NULL, relay_run, r) != 0)
		abort();
	return r;
}

/* Where it listens. */
int
relay_port(const struct relay *r)
{
	return r->port;
}

/* Eats what the server says. */
void
relay_deafen(struct relay *r)
{
	atomic_store(&r->deaf, true);
}

/* Cuts the connections, and waits until they are. */
void
relay_cut(struct relay *r)
{
	atomic_store(&r->cut, true);
	(void)!write(r->wake[1], "", 1);
	while (atomic_load(&r->cut))
		poll(NULL, 0, 1);
}

/* Ends it. */
void
relay_free(struct relay *r)
{
	atomic_store(&r->stop, true);
	(void)!write(r->wake[1], "", 1);
	pthread_join(r->thread, NULL);
	while (r->count > 0)
		relay_end(r, 0);
	close(r->listener);
	close(r->wake[0]);
	close(r->wake[1]);
	free(r);
}
