#include "config.h"

#include "load.h"
#include "stage.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD_CLIENTS 3

/* What the clients share with the test. */
struct load {
	volatile int stop;
	volatile unsigned done, failed;
	char first[400]; /* the first failure */
	char demo[64], plain[64];
	bool further;
	pid_t pids[LOAD_CLIENTS];
};

/* One client. */
struct load_client {
	struct load *load;
	int number, fd;
};

/* Asks on a kept connection; anything but this status is a failure. */
static void
load_ask(struct load_client *c, const char *method, const char *path, const char *body, int good)
{
	static char request[1000];
	struct load *l = c->load;
	struct reply r;

	if (c->fd < 0)
		c->fd = raw_connect(stage_gateway.port);
	snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", method, path,
	    body != NULL ? strlen(body) : 0, body != NULL ? body : "");
	raw_send(c->fd, request, strlen(request));
	raw_reply(c->fd, false, &r);
	__atomic_add_fetch(&l->done, 1, __ATOMIC_SEQ_CST);
	if (r.status != good && __atomic_fetch_add(&l->failed, 1, __ATOMIC_SEQ_CST) == 0)
		snprintf(l->first, sizeof l->first, "%s %s: %d %s", method, path, r.status,
		    r.body != NULL ? r.body : "");
	free(r.body);
}

/* One persona, from its create to its delete. */
static void
load_live(struct load_client *c, const char *path, int n)
{
	char body[100], *id;

	snprintf(body, sizeof body, "{\"name\":\"c%d-%d\"}", c->number, n);
	id = create(path, body);
	load_ask(c, "PUT", below(path, id), "{}", 200);
	load_ask(c, "DELETE", below(path, id), NULL, 204);
	free(id);
}

/* What goes through to Bluejay, and to who draws. */
static void
load_further(struct load_client *c, int n)
{
	const struct load *l = c->load;
	char path[200];

	load_ask(c, "GET", below("/v1/customer-persona", l->demo), NULL, 200);
	snprintf(path, sizeof path, "/v1/update-customer-persona/%s", l->demo);
	load_ask(c, "PUT", path, "{\"description\":\"d\"}", 200);
	snprintf(path, sizeof path, "%s/generate-image", below(STAGE_DEMO, l->demo));
	if (n % 10 == 0)
		load_ask(c, "POST", path, "{}", 200);
}

/* Asks until it is told to stop. */
static void
load_run(struct load *l, int number)
{
	struct load_client c = {l, number, -1};

	for (int n = 0; !l->stop; n++) {
		load_ask(&c, "GET", below(STAGE_DEMO, l->demo), NULL, 200);
		load_ask(&c, "GET", below(STAGE_PLAIN, l->plain), NULL, 200);
		load_ask(&c, "GET", STAGE_DEMO, NULL, 200);
		if (n % 10 == 0 && n < 500)
			load_live(&c, n % 20 == 0 ? STAGE_DEMO : STAGE_PLAIN, n);
		if (l->further)
			load_further(&c, n);
	}
	close(c.fd);
}

/* Starts the clients. */
struct load *
load_start(const char *demo, const char *plain, bool further)
{
	struct load *l = mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(l, MAP_FAILED);
	snprintf(l->demo, sizeof l->demo, "%s", demo);
	snprintf(l->plain, sizeof l->plain, "%s", plain);
	l->further = further;
	for (int i = 0; i < LOAD_CLIENTS; i++) {
		pid_t pid = fork(); /* the memory is the clients' too */

		if (pid == 0) {
			load_run(l, i);
			_exit(0);
		}
		l->pids[i] = pid;
	}
	return l;
}

/* Ends them. */
void
load_end(struct load *l, const char *what, unsigned count)
{
	l->stop = 1;
	for (int i = 0; i < LOAD_CLIENTS; i++) {
		int status;

		ck_assert_int_eq(waitpid(l->pids[i], &status, 0), l->pids[i]);
		ck_assert_int_eq(status, 0);
	}
	printf("%u %s, %u requests, %u failed\n", count, what, l->done, l->failed);
	ck_assert_msg(l->failed == 0, "%u of %u failed, the first: %s", l->failed, l->done, l->first);
	ck_assert_uint_gt(l->done, 100);
	munmap(l, sizeof *l);
}
