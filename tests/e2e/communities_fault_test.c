#include "config.h"

#include "communities_test.h"
#include "base/buf.h"
#include "stage.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Communities while Bluejay, the network or the gateway fails: nothing lost, nothing doubled. */

#define POST_PATH "/v1/create-community"
#define LIST_PATH "/v1/communities"
#define ADD_PATH "/v1/add-to-community/{community_id}"
#define UPDATE_PATH "/v1/update-community/{community_id}"
#define SHORT "  timeouts: {connect: 1s, first_byte: 1s, total: 1s}\n  settle: {grace: 300ms}\n"

static const char body[] = "{\"title\":\"T\",\"description\":\"d\",\"digitalHumanIds\":[2,1,2]}";
static const char shown[] = "\"title\":\"T\",\"description\":\"d\",\"digitalHumanIds\":[2,1,2]";

static const char *const faults[] = {"none", "latency", "jitter", "rate-limit", "errors-before",
    "errors-after", "reset-before", "reset-after", "stale-connection", "truncated", "wrong-length",
    "garbage", "drip", "slow-after", "lagging-lists"};
#define FAULTS (int)(sizeof faults / sizeof *faults)

/* An answer is a create's, and Bluejay has so many of the title. */
static void
expect_created(const struct reply *r, int count)
{
	const char *id;

	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	ck_assert_int_eq(community_has("T", &id), count);
	community_expect(r, 201, id, shown);
}

START_TEST(a_create_under_a_fault_exists_once)
{
	stage_open(NULL, NULL);
	ck_assert_int_eq(call("GET", COMMUNITIES, NULL)->status, 200); /* a connection to be stale */
	stage_fault(faults[_i], "POST", 1);
	expect_created(call("POST", COMMUNITIES, body), 1);
	ck_assert_int_eq(stage_unsettled(), 0);
	expect_created(call("POST", COMMUNITIES, body), 2); /* another one: titles may be equal */
	stage_close();
}
END_TEST

/* Changes one under a fault: a whole answer that makes no sense is told as such, and the
 * change is settled all the same. */
static void
expect_changed(const char *fault, const char *path, const char *change, const char *id,
    const char *members)
{
	struct reply *r;

	stage_fault(fault, "PUT", 1);
	r = call("PUT", path, change);
	if (r->status != 502 || (strcmp(fault, "garbage") != 0 && strcmp(fault, "wrong-length") != 0))
		community_expect(r, 200, id, members);
	EVENTUALLY(stage_unsettled() == 0);
	community_expect(call("GET", below(COMMUNITIES, id), NULL), 200, id, members);
}

START_TEST(a_change_under_a_fault_is_done_once)
{
	char *id, *path, *add;

	stage_open(NULL, NULL);
	id = create(COMMUNITIES, body);
	path = strdup(below(COMMUNITIES, id));
	add = strdup(below(path, "digital-humans"));
	expect_changed(faults[_i], add, "{\"digitalHumanIds\":[7,1,7]}", id,
	    "\"title\":\"T\",\"description\":\"d\",\"digitalHumanIds\":[2,1,2,7]");
	expect_changed(faults[_i], path, "{\"title\":\"U\",\"digitalHumanIds\":[5]}", id,
	    "\"title\":\"U\",\"description\":\"d\",\"digitalHumanIds\":[5]");
	ck_assert_str_eq(community_there(id, "digital_human_ids"), "[5]");
	stage_fault(faults[_i], "DELETE", 1);
	ck_assert_int_eq(call("DELETE", path, NULL)->status, 204);
	ck_assert_str_eq(community_there(id, "id"), "(absent)");
	ck_assert_int_eq(stage_unsettled(), 0);
	free(id);
	free(path);
	free(add);
	stage_close();
}
END_TEST

/* Starts a create that Bluejay makes and answers with an error, and lets nothing be looked
 * up: its outcome stays open until stage_no_faults(). */
static int
start_open_create(const char *path, const char *fields)
{
	int before = community_has("T", NULL), looks = stage_received("GET", LIST_PATH), fd;

	stage_faults("{\"profile\":\"errors-after\",\"percent\":100}");
	fd = call_start("POST", path, fields, body);
	EVENTUALLY(community_has("T", NULL) == before + 1);
	EVENTUALLY(stage_received("GET", LIST_PATH) > looks + 1);
	return fd;
}

START_TEST(equal_creates_join_one_whose_outcome_is_unknown)
{
	char *id;
	int one, two, three, posts;
	struct reply *r;

	stage_open(NULL, NULL);
	one = start_open_create(COMMUNITIES, NULL);
	posts = stage_received("POST", POST_PATH);
	two = call_start("POST", COMMUNITIES, NULL, body);
	three = call_start("POST", COMMUNITIES, NULL, body);
	EVENTUALLY(stage_received("GET", LIST_PATH) > 4);
	ck_assert_int_eq(stage_received("POST", POST_PATH), posts);
	stage_no_faults();
	r = ask_end(one);
	expect_created(r, 1);
	id = strdup(reply_string(r, "id"));
	community_expect(ask_end(two), 201, id, shown);
	community_expect(ask_end(three), 201, id, shown);
	expect_created(call("POST", COMMUNITIES, body), 2);
	free(id);
	stage_close();
}
END_TEST

START_TEST(another_body_project_or_key_joins_nobody)
{
	int one;
	struct reply *r;

	stage_open(NULL, NULL);
	one = start_open_create(COMMUNITIES, "Idempotency-Key: one\r\n");
	stage_no_faults();
	ck_assert_int_eq(ask_end(one)->status, 201);
	one = start_open_create(COMMUNITIES, NULL);
	stage_fault("none", NULL, 0);
	r = call("POST", COMMUNITIES, "{\"title\":\"T\"}");
	ck_assert_int_eq(r->status, 201);
	r = call("POST", COMMUNITIES_PLAIN, body);
	ck_assert_int_eq(r->status, 201);
	r = call_with("POST", COMMUNITIES, "Idempotency-Key: two\r\n", body);
	ck_assert_int_eq(r->status, 201);
	ck_assert_int_eq(ask_end(one)->status, 201);
	ck_assert_int_eq(community_has("T", NULL), 5);
	ck_assert_int_eq(stage_unsettled(), 0);
	stage_close();
}
END_TEST

START_TEST(creates_in_flight_at_once_make_one_each)
{
	char ids[8][64];
	int fds[8];

	stage_open(NULL, NULL);
	stage_faults("{\"profile\":\"latency\",\"delay_ms\":30}");
	for (int i = 0; i < 8; i++)
		fds[i] = call_start("POST", COMMUNITIES, NULL, body);
	for (int i = 0; i < 8; i++) {
		struct reply *r = ask_end(fds[i]);

		ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
		snprintf(ids[i], sizeof ids[i], "%s", reply_string(r, "id"));
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(ids[i], ids[k]);
	}
	ck_assert_int_eq(community_has("T", NULL), 8);
	stage_close();
}
END_TEST

/* Connects so that the kernel takes little of an answer that nobody reads. */
static int
connect_narrow(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), window = 4096, segment = 536;
	struct sockaddr_in sin = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)stage_gateway.port)};

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window), 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	return fd;
}

START_TEST(what_one_client_is_told_another_is_not)
{
	struct buf b;
	char *id, head[200];
	struct reply *r;
	int fd, n;

	/* The first client does not read its answer for now, so it is not told yet. */
	stage_open(NULL, NULL);
	buf_init(&b, 0);
	buf_adds(&b, "{\"title\":\"T\",\"description\":\"");
	while (b.len < 1000000)
		buf_adds(&b, "dddddddddddddddddddddddddddddddd");
	buf_adds(&b, "\"}");
	fd = connect_narrow();
	n = snprintf(head, sizeof head, "POST " COMMUNITIES " HTTP/1.1\r\nHost: localhost\r\n"
	    "Connection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", b.len);
	raw_send(fd, head, (size_t)n);
	raw_send(fd, b.data, b.len);
	EVENTUALLY(community_has("T", NULL) == 1 && stage_unsettled() == 0);
	id = create(COMMUNITIES, b.data);
	r = ask_end(fd);
	ck_assert_int_eq(r->status, 201);
	ck_assert_str_ne(reply_string(r, "id"), id);
	ck_assert_int_eq(community_has("T", NULL), 2);
	free(id);
	buf_free(&b);
	stage_close();
}
END_TEST

START_TEST(a_create_that_was_told_504_is_inherited_once)
{
	stage_open(SHORT, NULL);
	expect_error(ask_end(start_open_create(COMMUNITIES, NULL)), 504,
	    "It is not known yet whether Bluejay created this community; the gateway keeps looking. Send "
	    "the same request again to learn the outcome (an Idempotency-Key makes this exact)");
	if (_i == 1) {
		stage_kill_gateway();
		stage_start_gateway();
	}
	stage_no_faults();
	EVENTUALLY(stage_unsettled() == 0);
	expect_created(call("POST", COMMUNITIES, body), 1);
	ck_assert_int_eq(stage_processed("POST", POST_PATH), 1);
	expect_created(call("POST", COMMUNITIES, body), 2);
	stage_close();
}
END_TEST

START_TEST(a_create_proven_absent_is_not_kept)
{
	stage_open("  timeouts: {connect: 1s, first_byte: 1s, total: 1s}\n"
	    "  settle: {grace: 1500ms}\n", NULL);
	stage_fault("reset-before", "POST", 1);
	expect_error(call("POST", COMMUNITIES, body), 504, NULL);
	EVENTUALLY(stage_unsettled() == 0);
	ck_assert_int_eq(community_has("T", NULL), 0);
	ck_assert_int_eq(stage_received("POST", POST_PATH), 1);
	ck_assert_str_eq(call("GET", COMMUNITIES, NULL)->body, "[]");
	expect_created(call("POST", COMMUNITIES, body), 1);
	stage_close();
}
END_TEST

START_TEST(a_key_gives_the_same_answer)
{
	static const char key[] = "Idempotency-Key: one\r\n";
	static const char both[] = "{\"title\":\"T\",\"name\":\"n\"}";
	struct reply *r;
	char *id;
	int one, two;

	stage_open(NULL, NULL);
	one = start_open_create(COMMUNITIES, key);
	two = call_start("POST", COMMUNITIES, key, body);
	expect_error(call_with("POST", COMMUNITIES, key, both), 422,
	    "This Idempotency-Key was used before with another request body");
	stage_no_faults();
	r = ask_end(one);
	expect_created(r, 1);
	id = strdup(reply_string(r, "id"));
	community_expect(ask_end(two), 201, id, shown);
	for (int round = 0; round < 2; round++) {
		community_expect(call_with("POST", COMMUNITIES, key, body), 201, id, shown);
		expect_error(call_with("POST", COMMUNITIES, key, both), 422, NULL);
		stage_kill_gateway();
		stage_start_gateway();
	}
	/* A key of communities is not one of personas. */
	r = call_with("POST", COMMUNITIES, "Idempotency-Key: two\r\n", both);
	ck_assert_ptr_nonnull(strstr(r->body, "\"title\":\"T\""));
	r = call_with("POST", STAGE_DEMO, "Idempotency-Key: two\r\n", both);
	ck_assert_int_eq(r->status, 201);
	ck_assert_ptr_nonnull(strstr(r->body, "\"name\":\"n\""));
	free(id);
	stage_close();
}
END_TEST

START_TEST(changes_are_settled_after_a_kill)
{
	static const char *const kinds[] = {"add", "update", "delete"};
	const char *kind = kinds[_i % 3];
	bool done = _i < 3;
	char *id, *path;
	int fd;

	stage_open("  timeouts: {connect: 1s, first_byte: 5s, total: 5s}\n  retries: 1\n"
	    "  settle: {grace: 300ms}\n", NULL);
	id = create(COMMUNITIES, "{\"title\":\"T\",\"digitalHumanIds\":[1]}");
	path = strdup(below(COMMUNITIES, id));
	stage_faults(done ? "{\"profile\":\"slow-after\",\"percent\":100}"
	                  : "{\"profile\":\"latency\",\"percent\":100,\"delay_ms\":3000}");
	fd = _i % 3 == 0 ? call_start("PUT", below(path, "digital-humans"), NULL,
	                      "{\"digitalHumanIds\":[2,1]}")
	    : _i % 3 == 1 ? call_start("PUT", path, NULL, "{\"digitalHumanIds\":[2,1]}")
	                  : call_start("DELETE", path, NULL, NULL);
	if (done && _i % 3 == 2)
		EVENTUALLY(community_has("T", NULL) == 0);
	else if (done)
		EVENTUALLY(strstr(community_there(id, "digital_human_ids"), "2") != NULL);
	else
		EVENTUALLY(stage_unsettled() == 1 &&
		    stage_received("PUT", ADD_PATH) + stage_received("PUT", UPDATE_PATH) +
		            stage_received("DELETE", "/v1/community/{community_id}") == 1);
	stage_kill_gateway();
	close(fd);
	stage_no_faults();
	stage_start_gateway();
	EVENTUALLY(stage_unsettled() == 0);
	if (done && _i % 3 == 2)
		expect_error(call("GET", path, NULL), 404, "Community not found");
	else
		community_expect(call("GET", path, NULL), 200, id, !done
		        ? "\"title\":\"T\",\"digitalHumanIds\":[1]"
		        : _i % 3 == 0 ? "\"title\":\"T\",\"digitalHumanIds\":[1,2]"
		                      : "\"title\":\"T\",\"digitalHumanIds\":[2,1]");
	ck_assert_msg(stage_received("POST", POST_PATH) == 1, "%s", kind);
	free(id);
	free(path);
	stage_close();
}
END_TEST

/* Runs `persona-gateway intents WORDS`; the caller frees the output. */
static char *
intents(const char *words)
{
	return shell("'%s' intents --admin http://127.0.0.1:%d %s 2>&1; echo $?", program_path(),
	    stage_gateway.admin_port, words);
}

/* The intent's own word of the list. */
static char *
intent_id(void)
{
	char *list = intents("list"), *id = strndup(list, 36);

	free(list);
	return id;
}

START_TEST(the_operator_sees_and_decides)
{
	char *id, *out, words[200];
	struct reply *r;
	const char *made;

	/* Bluejay changed what it was given, so nobody can say whether this is it. */
	stage_open(SHORT, NULL);
	id = community_make("{\"title\":\"T\",\"description\":\"other\"}");
	stage_fault("reset-before", "POST", 1);
	ck_assert_int_eq(call("POST", COMMUNITIES, body)->status, 504);
	community_has("T", &made);
	EVENTUALLY(strstr((out = intents("list")), "operator") != NULL);
	ck_assert_ptr_nonnull(strstr(out, "  create  operator  community  demo  T\n"));
	free(out);
	r = ask(stage_gateway.admin_port, "GET", "/intents", NULL, NULL);
	ck_assert_ptr_nonnull(strstr(r->body, "\"kind\":\"community\",\"project\":\"demo\",\"name\":\"T\""));
	expect_error(call("POST", COMMUNITIES, body), 504, NULL); /* the same: not sent again */
	ck_assert_int_eq(call("POST", COMMUNITIES, "{\"title\":\"T\"}")->status, 201);
	ck_assert_int_eq(stage_received("POST", POST_PATH), 3);
	free(id);
	id = intent_id();
	if (_i == 0) {
		snprintf(words, sizeof words, "adopt %s %s", id, made);
		out = intents(words);
		ck_assert_ptr_nonnull(strstr(out, "\"description\":\"other\""));
		ck_assert_int_eq(call("GET", below(COMMUNITIES, made), NULL)->status, 200);
	} else {
		snprintf(words, sizeof words, "forget %s", id);
		out = intents(words);
		ck_assert_str_eq(out, "forgotten\n0\n");
		ck_assert_int_eq(call("POST", COMMUNITIES, body)->status, 201);
	}
	ck_assert_int_eq(stage_unsettled(), 0);
	free(out);
	free(id);
	stage_close();
}
END_TEST

/* The suite. */
Suite *
communities_fault_suite(void)
{
	Suite *suite = suite_create("communities: faults");
	TCase *tcase = tcase_create("faults");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_create_under_a_fault_exists_once, 0, FAULTS);
	tcase_add_loop_test(tcase, a_change_under_a_fault_is_done_once, 0, FAULTS);
	tcase_add_test(tcase, equal_creates_join_one_whose_outcome_is_unknown);
	tcase_add_test(tcase, another_body_project_or_key_joins_nobody);
	tcase_add_test(tcase, creates_in_flight_at_once_make_one_each);
	tcase_add_test(tcase, what_one_client_is_told_another_is_not);
	tcase_add_loop_test(tcase, a_create_that_was_told_504_is_inherited_once, 0, 2);
	tcase_add_test(tcase, a_create_proven_absent_is_not_kept);
	tcase_add_test(tcase, a_key_gives_the_same_answer);
	tcase_add_loop_test(tcase, changes_are_settled_after_a_kill, 0, 6);
	tcase_add_loop_test(tcase, the_operator_sees_and_decides, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
