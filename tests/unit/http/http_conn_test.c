#include "config.h"

#include "base/uuid.h"
#include "http/http_conn.h"
#include "http_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define POST(path, len) \
	"POST " path " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " len "\r\n\r\n"
#define FLOOD GET("/a")
#define GET_ID "GET / HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: %s\r\n\r\n"
#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

START_TEST(a_connection_is_kept)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	for (unsigned i = 0; i < 3; i++) {
		client_says(&c, GET("/"));
		ck_assert_int_eq(client_status(&c, i), 200);
		ck_assert_str_eq(client_body(&c, i), "hello");
		ck_assert(client_has(&c, i, "\r\nDate: Wed, 28 Jan 2026 10:00:00 GMT\r\n"));
		ck_assert(!client_has(&c, i, "Connection"));
		ck_assert_uint_eq(rig.sent, i + 1);
	}
	ck_assert(!c.closed);
	client_close(&c);
	ck_assert_uint_eq(rig.gone, 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_idle_connection_costs_little)
{
	struct http_hub *hub;
	struct rig rig = {0};
	struct http_conn *hc;
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, POST("/echo", "3") "abc" GET("/"));
	ck_assert_uint_eq(client_answers(&c), 2);
	hub = (struct http_hub *)rig.server;
	hc = TAILQ_FIRST(&hub->conns);
	ck_assert_int_eq(hc->state, HTTP_CONN_IDLE);
	ck_assert_ptr_null(hc->in.data);
	ck_assert_ptr_null(hc->out.data);
	ck_assert_ptr_null(hc->exchange);
	ck_assert_uint_lt(sizeof *hc, 1024);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* Answers with the request's id and serial. */
static void
serve_id(struct rig *rig, struct http_exchange *ex)
{
	const struct http_request *r = http_exchange_request(ex);
	char text[200];

	snprintf(text, sizeof text, "%s %d %s", r->id, (int)r->serial, r->peer);
	http_answer(ex, 200, NULL, text, strlen(text));
}

START_TEST(request_ids_are_taken_when_well_formed)
{
	static const struct {
		const char *id;
		bool taken;
	} cases[] = {
	    {"abc-1.2_3:4/5+6=7", true},
	    {"a", true},
	    {"", false},
	    {"a b", false},
	    {"a\"b", false},
	    {"a\xc3\xa9", false},
	};
	struct rig rig = {.service = serve_id};
	char request[400], want[200], longest[130];
	struct client c;

	memset(longest, 'x', sizeof longest);
	longest[128] = '\0';
	rig_start(&rig);
	client_open(&c, &rig);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(request, sizeof request, GET_ID, cases[i].id);
		client_says(&c, request);
		snprintf(want, sizeof want, "%s %u unix", cases[i].id, i + 1);
		ck_assert_msg((strcmp(client_body(&c, i), want) == 0) == cases[i].taken, "%s",
		    client_body(&c, i));
		snprintf(want, sizeof want, "\r\nX-Request-Id: %.*s\r\n",
		    (int)strcspn(client_body(&c, i), " "), client_body(&c, i));
		ck_assert(client_has(&c, i, want));
		if (!cases[i].taken)
			ck_assert(uuid_valid(client_body(&c, i), 36));
	}
	client_close(&c);
	for (int extra = 0; extra < 2; extra++) {
		client_open(&c, &rig);
		longest[128] = extra ? 'y' : '\0';
		longest[129] = '\0';
		snprintf(request, sizeof request, GET_ID, longest);
		client_says(&c, request);
		ck_assert_int_eq(strncmp(client_body(&c, 0), longest, 128) == 0, !extra);
		client_close(&c);
	}
	rig_stop(&rig);
}
END_TEST

START_TEST(ids_differ)
{
	struct rig rig = {.service = serve_id};
	char first[37];
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/"));
	memcpy(first, client_body(&c, 0), 36);
	first[36] = '\0';
	for (unsigned i = 1; i < 130; i++) {
		client_says(&c, GET("/"));
		ck_assert_int_ne(strncmp(client_body(&c, i), first, 36), 0);
		ck_assert_int_eq(client_body(&c, i)[14], '4');
	}
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(pipelined_requests_wait_for_the_answer_before)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold") GET("/a") GET("/hold"));
	ck_assert_uint_eq(c.got.len, 0);
	ck_assert_ptr_null(strstr(rig.seen.data, "/a"));
	http_answer(rig.held, 201, NULL, "one", 3);
	ck_assert_uint_eq(rig.sent, 0); /* never inside the call */
	client_read(&c);
	ck_assert_uint_eq(client_answers(&c), 2);
	ck_assert_str_eq(client_body(&c, 0), "one");
	ck_assert_str_eq(client_body(&c, 1), "hello");
	ck_assert_ptr_nonnull(rig.held);
	http_answer(rig.held, 202, NULL, "three", 5);
	client_read(&c);
	ck_assert_int_eq(client_status(&c, 2), 202);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* Sends GET /a, in large pieces, until the kernel takes no more, while the
 * server works or not; returns how many bytes it took. */
static size_t
flood(struct client *c, bool works)
{
	static char requests[1000 * (sizeof FLOOD - 1) + 1];
	size_t len = sizeof requests - 1, at = 0, total = 0;
	int stuck = 0;
	ssize_t n;

	for (size_t i = 0; i < len; i += sizeof FLOOD - 1)
		memcpy(requests + i, FLOOD, sizeof FLOOD - 1);
	while (stuck < 10 && total < (64 << 20)) {
		n = client_put(c, requests + at, len - at);
		stuck = n > 0 ? 0 : stuck + 1;
		if (n > 0) {
			total += (size_t)n;
			at = (at + (size_t)n) % len;
		}
		if (works)
			rig_turn(c->rig);
	}
	ck_assert_uint_lt(total, 64 << 20);
	return total;
}

START_TEST(a_flood_of_pipelined_requests_stays_in_the_kernel)
{
	struct http_server_counts n;
	struct rig rig = {0};
	struct http_hub *hub;
	struct client c;
	size_t total;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	c.deaf = true;
	total = flood(&c, true);
	hub = (struct http_hub *)rig.server;
	ck_assert_uint_le(TAILQ_FIRST(&hub->conns)->in.len, HTTP_CONN_PIPELINE_MAX);
	ck_assert_ptr_nonnull(rig.held);
	c.deaf = false;
	http_answer(rig.held, 200, NULL, "held", 4);
	client_read(&c);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.requests, 1 + total / (sizeof FLOOD - 1));
	ck_assert_uint_eq(rig.sent, n.requests);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

/* How often a text occurs before another. */
static unsigned
count_before(const char *text, const char *what, const char *end)
{
	const char *stop = strstr(text, end);
	unsigned n = 0;

	ck_assert_ptr_nonnull(stop);
	while ((text = strstr(text, what)) != NULL && text++ < stop)
		n++;
	return n;
}

START_TEST(a_flood_is_answered_whole)
{
	struct http_server_counts n;
	struct rig rig = {0};
	struct client c;
	size_t total;

	rig_start(&rig);
	client_open(&c, &rig);
	total = flood(&c, false);
	client_read(&c);
	client_says(&c, &FLOOD[total % (sizeof FLOOD - 1)]); /* the rest of the last one */
	total += sizeof FLOOD - 1;
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.requests, total / (sizeof FLOOD - 1));
	ck_assert_uint_eq(rig.sent, n.requests);
	ck_assert(!c.closed);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

static struct client *latecomer;

/* Holds the first request; at the 10th another client sends its own. */
static void
serve_latecomer(struct rig *rig, struct http_exchange *ex)
{
	const struct http_request *r = http_exchange_request(ex);

	if (strcmp(r->path, "/hold") == 0) {
		rig->held = ex;
		http_exchange_stream(ex, (http_data_fn)abort, NULL);
		http_exchange_pause(ex);
		return;
	}
	if (r->serial == 10)
		ck_assert_int_gt(client_put(latecomer, GET("/b"), strlen(GET("/b"))), 0);
	http_answer(ex, 200, NULL, "x", 1);
}

START_TEST(a_flood_leaves_room_for_others)
{
	struct rig rig = {.service = serve_latecomer};
	struct client busy, other;

	rig_start(&rig);
	client_open(&busy, &rig);
	client_open(&other, &rig);
	latecomer = &other;
	client_says(&busy, GET("/hold"));
	flood(&busy, true);
	buf_clear(&rig.seen);
	http_answer(rig.held, 200, NULL, "held", 4);
	client_read(&other);
	ck_assert_int_eq(client_status(&other, 0), 200);
	client_read(&busy);
	client_says(&other, GET("/last"));
	ck_assert_uint_le(count_before(rig.seen.data, "GET /a", "GET /b"), 2 * HTTP_CONN_TURNS);
	ck_assert_uint_gt(count_before(rig.seen.data, "GET /a", "GET /last"), 4 * HTTP_CONN_TURNS);
	client_close(&busy);
	client_close(&other);
	rig_stop(&rig);
}
END_TEST

static struct client *leaving;

/* Holds the first request; at the 40th the client hangs up. */
static void
serve_leaving(struct rig *rig, struct http_exchange *ex)
{
	const struct http_request *r = http_exchange_request(ex);

	if (r->serial == 1) {
		rig->held = ex;
		http_exchange_stream(ex, (http_data_fn)abort, NULL);
		http_exchange_pause(ex);
		return;
	}
	if (r->serial == 40) {
		close(leaving->fd);
		leaving->fd = -1;
	}
	http_answer(ex, 200, NULL, "x", 1);
}

START_TEST(a_flood_whose_sender_hangs_up_is_dropped)
{
	struct rig rig = {.service = serve_leaving};
	struct http_server_counts n;
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	leaving = &c;
	client_says(&c, GET("/hold"));
	c.deaf = true;
	flood(&c, true);
	http_answer(rig.held, 200, NULL, "held", 4);
	rig_turn(&rig);
	ck_assert_int_eq(c.fd, -1);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 0);
	ck_assert_uint_eq(n.pending, 0);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_client_that_goes_away_is_seen)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	ck_assert_ptr_nonnull(rig.held);
	client_close(&c);
	ck_assert_ptr_null(rig.held);
	ck_assert_uint_eq(rig.gone, 1);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_client_that_goes_away_behind_a_flood_is_seen)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	flood(&c, true);
	ck_assert_ptr_nonnull(rig.held);
	client_close(&c);
	ck_assert_ptr_null(rig.held);
	ck_assert_uint_eq(rig.gone, 1);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_reset_is_seen_and_does_not_spin)
{
	struct rig rig = {0};
	struct client c;

	for (int flooded = 0; flooded < 2; flooded++) {
		memset(&rig, 0, sizeof rig);
		rig_start_at(&rig, "127.0.0.1:0");
		client_open(&c, &rig);
		client_says(&c, GET("/hold"));
		ck_assert_ptr_nonnull(rig.held);
		ck_assert_str_eq(http_exchange_request(rig.held)->peer, "127.0.0.1");
		if (flooded)
			flood(&c, true);
		ck_assert_ptr_nonnull(rig.held);
		client_harden(&c);
		client_close(&c);
		for (int i = 0; i < 1000 && rig.gone == 0; i++)
			rig_turn(&rig);
		ck_assert_uint_eq(rig.gone, 1);
		ck_assert_ptr_null(rig.held);
		rig_stop(&rig);
	}
}
END_TEST

START_TEST(an_answer_to_a_client_that_is_gone_ends_once)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	close(c.fd); /* the loop does not know yet */
	c.fd = -1;
	http_answer(rig.held, 200, NULL, "x", 1);
	rig_turn(&rig);
	ck_assert_uint_eq(rig.gone + rig.sent, 1);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(head_has_the_length_and_no_body)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, HEAD("/"));
	ck_assert(client_has(&c, 0, "\r\nContent-Length: 5\r\n"));
	ck_assert_str_eq(c.got.data + c.got.len - 4, "\r\n\r\n");
	buf_clear(&c.got);
	client_says(&c, GET("/"));
	ck_assert_str_eq(client_body(&c, 0), "hello");
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(answers_without_a_body)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	http_answer(rig.held, 204, NULL, NULL, 0);
	client_read(&c);
	client_says(&c, GET("/hold"));
	http_answer(rig.held, 304, (struct http_field[]){{"ETag", "\"a\""}, {NULL, NULL}}, "x", 1);
	client_read(&c);
	ck_assert_int_eq(client_status(&c, 0), 204);
	ck_assert(!client_has(&c, 0, "Content-Length"));
	ck_assert_int_eq(client_status(&c, 1), 304);
	ck_assert(!client_has(&c, 1, "Content-Length"));
	ck_assert(client_has(&c, 1, "\r\nETag: \"a\"\r\n"));
	ck_assert_uint_eq(client_answers(&c), 2);
	client_says(&c, GET("/hold"));
	http_answer(rig.held, 200, NULL, NULL, 0);
	client_read(&c);
	ck_assert(client_has(&c, 2, "\r\nContent-Length: 0\r\n"));
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(fields_of_the_service_cannot_break_the_answer)
{
	static const struct http_field fields[] = {{"Content-Type", "text/plain"},
	    {"X-A", "1\r\nX-Evil: 1"}, {"X-B\r\nX-Evil", "1"}, {"", "1"}, {"Content-Length", "99"},
	    {"Transfer-Encoding", "chunked"}, {"connection", "x"}, {"Keep-Alive", "timeout=1"},
	    {"x-request-id", "other"}, {"Date", "then"}, {"X-C", ""}, {"X-D", "caf\xc3\xa9"},
	    {NULL, NULL}};
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, "GET /hold HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine\r\n\r\n");
	http_answer(rig.held, 299, fields, "ok", 2);
	client_read(&c);
	ck_assert_str_eq(c.got.data, "HTTP/1.1 299 \r\nContent-Type: text/plain\r\nDate: then\r\n"
	                             "X-C: \r\nX-D: caf\xc3\xa9\r\nX-Request-Id: mine\r\n"
	                             "Content-Length: 2\r\n\r\nok");
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(the_service_can_close)
{
	static const struct http_field fields[] = {{"Connection", "close"}, {NULL, NULL}};
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	http_answer(rig.held, 200, fields, "ok", 2);
	client_read(&c);
	ck_assert(client_has(&c, 0, "\r\nConnection: close\r\n"));
	ck_assert(c.closed);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(http_1_0_is_told_that_the_connection_is_kept)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	ck_assert(client_has(&c, 0, "\r\nConnection: keep-alive\r\n"));
	client_says(&c, "GET / HTTP/1.0\r\n\r\n");
	ck_assert(client_has(&c, 1, "\r\nConnection: close\r\n"));
	ck_assert(c.closed);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

#define EXPECT(path, rest) \
	"POST " path " HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n" rest

START_TEST(a_client_that_waits_is_told_to_go_on)
{
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	client_says(&c, EXPECT("/echo", "Content-Length: 3\r\n\r\n"));
	ck_assert_str_eq(c.got.data, "HTTP/1.1 100 Continue\r\n\r\n");
	client_says(&c, "abc");
	ck_assert_int_eq(client_status(&c, 1), 200);
	ck_assert_str_eq(client_body(&c, 1), "abc");
	buf_clear(&c.got);
	client_says(&c, EXPECT("/stream", "Transfer-Encoding: chunked\r\n\r\n"));
	ck_assert_str_eq(c.got.data, "HTTP/1.1 100 Continue\r\n\r\n");
	client_says(&c, "0\r\n\r\n");
	ck_assert_int_eq(client_status(&c, 1), 200);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_client_that_does_not_wait_is_not_told)
{
	static const char old[] = "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\n"
	                          "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n";
	static const char *const cases[] = {
	    EXPECT("/echo", "Content-Length: 3\r\n\r\nabc"),
	    EXPECT("/echo", "Content-Length: 0\r\n\r\n"),
	    EXPECT("/echo", "\r\n"),
	    old,
	};
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	client_open(&c, &rig);
	for (unsigned i = 0; i < 4; i++) {
		client_says(&c, cases[i]);
		if (i == 3)
			client_says(&c, "abc");
		ck_assert_int_eq(client_status(&c, i), 200);
		ck_assert_uint_eq(client_answers(&c), i + 1);
	}
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(a_refused_expectation_closes)
{
	static const struct {
		const char *request;
		int status;
	} cases[] = {
	    {EXPECT("/short", "Content-Length: 9\r\n\r\n"), 413},
	    {EXPECT("/skip", "Content-Length: 9\r\n\r\n"), 404},
	};
	struct rig rig = {0};
	struct client c;

	rig_start(&rig);
	for (unsigned i = 0; i < 2; i++) {
		client_open(&c, &rig);
		client_says(&c, cases[i].request);
		ck_assert_int_eq(client_status(&c, 0), cases[i].status);
		ck_assert(client_has(&c, 0, "\r\nConnection: close\r\n"));
		ck_assert(c.closed);
		client_close(&c);
	}
	ck_assert_uint_eq(rig.gone, 1); /* the 413 */
	ck_assert_uint_eq(rig.sent, 1);
	rig_stop(&rig);
}
END_TEST

/* Sends a head and a long body without reading, then reads the answer. */
static void
send_deaf(struct client *c, struct rig *rig, const char *head, size_t body)
{
	static char zeros[1 << 20];

	client_open(c, rig);
	c->deaf = true;
	client_says(c, head);
	for (; body > 0; body -= body < sizeof zeros ? body : sizeof zeros)
		client_send(c, zeros, body < sizeof zeros ? body : sizeof zeros);
	c->deaf = false;
	client_read(c);
}

START_TEST(a_body_too_long_is_refused_unread_and_the_answer_arrives)
{
	struct http_server_counts n;
	struct rig rig = {0};
	struct client c;

	rig_start_at(&rig, "127.0.0.1:0");
	send_deaf(&c, &rig, POST("/echo", "8388608"), 8 << 20);
	ck_assert_int_eq(client_status(&c, 0), 413);
	ck_assert(!c.reset);
	client_close(&c);
	http_server_counts(rig.server, &n);
	ck_assert_uint_eq(n.open, 0);
	rig_stop(&rig);
}
END_TEST

START_TEST(an_unread_body_is_dropped_if_short_else_the_connection)
{
	struct rig rig = {0};
	struct client c;

	rig_start_at(&rig, "127.0.0.1:0");
	send_deaf(&c, &rig, POST("/skip", "262144"), 262144);
	ck_assert_int_eq(client_status(&c, 0), 404);
	ck_assert(!client_has(&c, 0, "Connection: close"));
	client_says(&c, GET("/"));
	ck_assert_int_eq(client_status(&c, 1), 200);
	client_close(&c);
	send_deaf(&c, &rig, POST("/skip", "4000000"), 4000000);
	ck_assert_int_eq(client_status(&c, 0), 404);
	ck_assert(client_has(&c, 0, "Connection: close"));
	ck_assert(c.closed && !c.reset);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(lingering_is_bounded_in_bytes)
{
	static char zeros[1 << 20];
	struct rig rig = {0};
	struct client c;
	size_t total = 0;

	rig_start(&rig);
	client_open(&c, &rig);
	c.deaf = true;
	client_says(&c, "GET\r\n\r\n");
	while (total < 2 * HTTP_CONN_LINGER_MAX) {
		ssize_t n = client_put(&c, zeros, sizeof zeros);

		if (n < 0 && errno != EAGAIN)
			break;
		total += n > 0 ? (size_t)n : 0;
		rig_turn(&rig);
	}
	ck_assert_uint_ge(total, HTTP_CONN_LINGER_MAX / 2);
	ck_assert_uint_lt(total, 2 * HTTP_CONN_LINGER_MAX);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(raw_answers_end_the_connection)
{
	struct rig rig = {0};
	struct client c;

	rig_start_at(&rig, "127.0.0.1:0");
	client_open(&c, &rig);
	client_says(&c, GET("/hold") GET("/"));
	http_answer_raw(rig.held, "garbage", 7, false);
	client_read(&c);
	ck_assert_str_eq(c.got.data, "garbage");
	ck_assert(c.closed && !c.reset);
	ck_assert_uint_eq(rig.sent, 1);
	client_close(&c);
	client_open(&c, &rig);
	client_says(&c, GET("/hold"));
	http_answer_raw(rig.held, NULL, 0, true);
	client_read(&c);
	ck_assert_uint_eq(c.got.len, 0);
	ck_assert(c.reset);
	ck_assert_uint_eq(rig.sent, 2);
	client_close(&c);
	rig_stop(&rig);
}
END_TEST

START_TEST(freeing_the_server_ends_what_is_pending)
{
	struct rig rig = {0};
	struct client c[2];

	rig_start(&rig);
	client_open(&c[0], &rig);
	client_open(&c[1], &rig);
	client_says(&c[0], GET("/hold"));
	client_says(&c[1], POST("/echo", "3") "a");
	http_server_free(rig.server);
	rig.server = NULL;
	ck_assert_uint_eq(rig.gone, 2);
	client_close(&c[0]);
	client_close(&c[1]);
	rig_stop(&rig);
}
END_TEST

/* The suite. */
Suite *
http_conn_suite(void)
{
	const TTest *const tests[] = {a_connection_is_kept, an_idle_connection_costs_little,
	    request_ids_are_taken_when_well_formed, ids_differ,
	    pipelined_requests_wait_for_the_answer_before,
	    a_flood_of_pipelined_requests_stays_in_the_kernel,
	    a_flood_is_answered_whole, a_flood_leaves_room_for_others,
	    a_flood_whose_sender_hangs_up_is_dropped, a_client_that_goes_away_is_seen,
	    a_client_that_goes_away_behind_a_flood_is_seen, a_reset_is_seen_and_does_not_spin,
	    an_answer_to_a_client_that_is_gone_ends_once, head_has_the_length_and_no_body,
	    answers_without_a_body, fields_of_the_service_cannot_break_the_answer,
	    the_service_can_close, http_1_0_is_told_that_the_connection_is_kept,
	    a_client_that_waits_is_told_to_go_on, a_client_that_does_not_wait_is_not_told,
	    a_refused_expectation_closes, a_body_too_long_is_refused_unread_and_the_answer_arrives,
	    an_unread_body_is_dropped_if_short_else_the_connection, lingering_is_bounded_in_bytes,
	    raw_answers_end_the_connection, freeing_the_server_ends_what_is_pending, NULL};

	return unit_suite("http conn", tests);
}
