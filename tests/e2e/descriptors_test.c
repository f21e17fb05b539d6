#include "config.h"

#include "stage.h"
#include "unit.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A gateway that gets no descriptors any more: for clients, for calls to Bluejay, for the
 * files of images, to read its configuration. It refuses or lets wait what needs one, does
 * nothing by halves, does not spin, and goes on when there are some again. The limit of the
 * running process is moved from outside.
 */

#define DUMPABLE "core_dumps: true\n" /* or nobody but root may look at its descriptors */
#define WATCH_MS 1500
#define BUSY_PERCENT 25 /* of one processor, with nothing to do but be out of descriptors */

/* Sets how many descriptors the gateway may have; the most that it may ask for stays. */
static void
set_limit(rlim_t count)
{
	struct rlimit limit;

	ck_assert_int_eq(prlimit(stage_gateway.pid, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = count;
	ck_assert_int_eq(prlimit(stage_gateway.pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* Takes every free descriptor away. */
static void
exhaust(void)
{
	char path[64];
	bool used[1024] = {false};
	struct dirent *e;
	int lowest = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)stage_gateway.pid);
	ck_assert_ptr_nonnull(d = opendir(path));
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && atoi(e->d_name) < 1024)
			used[atoi(e->d_name)] = true;
	closedir(d);
	while (used[lowest])
		lowest++;
	set_limit((rlim_t)lowest);
}

/* Gives them back. */
static void
relieve(void)
{
	set_limit(1000);
}

/* Asks on a connection that is open already. Static until the next call. */
static struct reply *
ask_on(int fd, const char *method, const char *path, const char *fields, const char *body)
{
	static struct reply r;
	char head[512];
	int n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s"
	    "Content-Length: %zu\r\n\r\n", method, path, fields,
	    body != NULL ? "Content-Type: application/json\r\n" : "", body != NULL ? strlen(body) : 0);

	free(r.body);
	raw_send(fd, head, (size_t)n);
	if (body != NULL)
		raw_send(fd, body, strlen(body));
	raw_reply(fd, false, &r);
	return &r;
}

/* Milliseconds of processor time that the gateway took. */
static long
cpu_ms(void)
{
	char *out = shell("cut -d' ' -f14,15 /proc/%d/stat", (int)stage_gateway.pid);
	long user = 0, system = 0;

	ck_assert_int_eq(sscanf(out, "%ld %ld", &user, &system), 2);
	free(out);
	return (user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

/* Fails when the gateway is busy. */
static void
expect_calm(void)
{
	int64_t until = harness_now() + WATCH_MS;
	long before = cpu_ms();

	while (harness_now() < until)
		harness_breathe();
	ck_assert_int_lt(cpu_ms() - before, WATCH_MS * BUSY_PERCENT / 100);
}

START_TEST(new_clients_wait_and_others_are_served)
{
	int kept, waiting[20];
	struct reply r;

	stage_open(NULL, DUMPABLE);
	free(create(STAGE_DEMO, "{\"name\":\"ann\"}"));
	kept = raw_connect(stage_gateway.port);
	ck_assert_int_eq(ask_on(kept, "GET", STAGE_DEMO, "", NULL)->status, 200);
	exhaust();
	for (int i = 0; i < 20; i++)
		waiting[i] = call_start("GET", STAGE_DEMO, "", NULL);
	expect_calm();
	ck_assert_int_eq(ask_on(kept, "GET", STAGE_DEMO, "", NULL)->status, 200);
	for (int i = 0; i < 20; i++) {
		char c;

		ck_assert_int_lt(recv(waiting[i], &c, 1, MSG_DONTWAIT), 0);
	}
	relieve();
	for (int i = 0; i < 20; i++) {
		raw_reply(waiting[i], false, &r);
		ck_assert_int_eq(r.status, 200);
		free(r.body);
		close(waiting[i]);
	}
	ck_assert_ptr_nonnull(strstr(call("GET", STAGE_DEMO, NULL)->body, "ann"));
	close(kept);
	stage_close();
}
END_TEST

START_TEST(idle_clients_leave_what_serving_others_takes)
{
	const struct rlimit few = {128, 128};
	int kept, idle[200];
	struct reply *r;

	stage_open(NULL, DUMPABLE);
	kept = raw_connect(stage_gateway.port);
	ck_assert_int_eq(ask_on(kept, "GET", "/api/projects", "", NULL)->status, 200);
	ck_assert_int_eq(prlimit(stage_gateway.pid, RLIMIT_NOFILE, &few, NULL), 0);
	ck_assert_int_eq(ask(stage_gateway.admin_port, "POST", "/reload", NULL, "{}")->status, 200);
	for (int i = 0; i < 200; i++)
		idle[i] = raw_connect(stage_gateway.port);
	expect_calm();
	r = ask_on(kept, "POST", STAGE_DEMO, "", "{\"name\":\"ann\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_int_eq(ask(stage_gateway.admin_port, "GET", "/healthz", NULL, NULL)->status, 200);
	for (int i = 0; i < 200; i++)
		close(idle[i]);
	ck_assert_ptr_nonnull(strstr(call("GET", STAGE_DEMO, NULL)->body, "ann"));
	close(kept);
	stage_close();
}
END_TEST

START_TEST(what_cannot_be_sent_to_bluejay_is_refused_whole)
{
	int kept;
	struct reply *r;

	stage_open(NULL, DUMPABLE);
	kept = raw_connect(stage_gateway.port);
	ck_assert_int_eq(ask_on(kept, "GET", "/api/projects", "", NULL)->status, 200);
	exhaust(); /* there is no connection to Bluejay yet */
	r = ask_on(kept, "GET", STAGE_DEMO, "", NULL);
	expect_error(r, 502, "Bluejay could not be reached");
	r = ask_on(kept, "POST", STAGE_DEMO, "", "{\"name\":\"ann\"}");
	expect_error(r, 502, "Bluejay could not be reached");
	ck_assert_int_eq(stage_received("POST", "/v1/create-customer-persona"), 0);
	expect_calm();
	relieve();
	EVENTUALLY(ask_on(kept, "GET", STAGE_DEMO, "", NULL)->status == 200);
	r = ask_on(kept, "POST", STAGE_DEMO, "", "{\"name\":\"ann\"}");
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_int_eq(stage_has("ann", NULL), 1);
	ck_assert_int_eq(stage_unsettled(), 0);
	close(kept);
	stage_close();
}
END_TEST

/* An upload whose picture is kept in a file. The caller frees. */
static char *
picture(void)
{
	size_t len = 200000;
	char *bytes = mem_zero(1, len);
	struct buf b;

	memcpy(bytes, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
	buf_init(&b, 0);
	buf_adds(&b, "{\"role\":\"r\",\"imageBase64\":\"");
	base64_encode(&b, bytes, len);
	buf_adds(&b, "\"}");
	free(bytes);
	return buf_take(&b, NULL);
}

START_TEST(an_image_is_stored_whole_or_not_at_all)
{
	char *body = picture(), *files, path[200];
	int kept;
	struct reply *r;

	stage_open(NULL, DUMPABLE);
	kept = raw_connect(stage_gateway.port);
	r = ask_on(kept, "POST", "/api/projects/demo/images", "", body);
	ck_assert_int_eq(r->status, 201);
	snprintf(path, sizeof path, "/api/projects/demo/images/%s", reply_string(r, "id"));
	exhaust();
	r = ask_on(kept, "POST", "/api/projects/demo/images", "", body);
	expect_error(r, 503, NULL);
	r = ask_on(kept, "GET", path, "", NULL);
	expect_error(r, 503, NULL);
	ck_assert_ptr_nonnull(strstr(ask_on(kept, "GET", "/api/projects/demo/images?role=r", "", NULL)->body,
	    strrchr(path, '/') + 1));
	relieve();
	EVENTUALLY(ask_on(kept, "GET", path, "", NULL)->status == 200);
	ck_assert_int_eq(ask_on(kept, "POST", "/api/projects/demo/images", "", body)->status, 201);
	files = shell("ls '%s/images' | wc -l", stage_data());
	ck_assert_int_eq(atoi(files), 2);
	free(files);
	free(body);
	close(kept);
	stage_close();
}
END_TEST

START_TEST(a_configuration_that_cannot_be_read_changes_nothing)
{
	int admin, kept;
	struct reply *r;

	stage_open(NULL, DUMPABLE);
	admin = raw_connect(stage_gateway.admin_port);
	kept = raw_connect(stage_gateway.port);
	ck_assert_int_eq(ask_on(admin, "GET", "/healthz", "", NULL)->status, 200);
	ck_assert_int_eq(ask_on(kept, "GET", STAGE_DEMO, "", NULL)->status, 200);
	exhaust();
	kill(stage_gateway.pid, SIGUSR1); /* no log file is configured: nothing to open */
	r = ask_on(admin, "POST", "/reload", "", "{}");
	ck_assert_msg(r->status == 400 && strstr(r->body, "Too many open files") != NULL, "%d %s", r->status,
	    r->body);
	r = ask_on(admin, "GET", "/metrics", "", NULL);
	ck_assert_int_eq(r->status, 200);
	ck_assert_int_eq(ask_on(kept, "GET", STAGE_DEMO, "", NULL)->status, 200);
	relieve();
	r = ask_on(admin, "POST", "/reload", "", "{}");
	ck_assert_int_eq(r->status, 200);
	close(kept);
	close(admin);
	stage_close();
}
END_TEST

START_TEST(without_any_room_it_does_not_start_and_says_why)
{
	for (int n = 10; n <= 16; n += 2) {
		char *said = shell("(ulimit -n %d; exec timeout 20 %s serve --sandbox --listen 127.0.0.1:0) 2>&1 </dev/null; "
		    "echo exit $?", n, program_path());

		ck_assert_msg(strstr(said, "\nexit 1\n") != NULL && (strstr(said, "Too many open files") != NULL ||
		    strstr(said, "the kernel gives no ") != NULL), "%s", said);
		free(said);
	}
}
END_TEST

/* The suite. */
static Suite *
descriptors_suite(void)
{
	const TTest *const tests[] = {new_clients_wait_and_others_are_served,
	    idle_clients_leave_what_serving_others_takes,
	    what_cannot_be_sent_to_bluejay_is_refused_whole, an_image_is_stored_whole_or_not_at_all,
	    a_configuration_that_cannot_be_read_changes_nothing,
	    without_any_room_it_does_not_start_and_says_why, NULL};

	return unit_suite("descriptors", tests);
}

UNIT_MAIN(descriptors_suite)
