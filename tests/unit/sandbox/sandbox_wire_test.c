#include "config.h"

#include "sandbox_test.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "json/json_read.h"

#include <stdio.h>
#include <string.h>

#define CREATE "/v1/create-customer-persona"
#define ANN "{\"name\":\"Ann\",\"description\":\"d\",\"goal\":\"g\",\"agent_id\":7}"

/* How many personas there are, whatever a listing shows. */
static size_t
personas(struct rig *r)
{
	struct reply reply = fetch(r, "GET", "/__sandbox/state", NULL);
	size_t n = json_object_array_length(dig(reply.json, "personas"));

	reply_free(&reply);
	return n;
}

/* Sends a create on a fresh connection and lets it work. */
static void
create(struct rig *r, struct wire *w)
{
	wire_open(r, w);
	wire_request(w, "POST", CREATE, ANN);
	wire_settle(w);
}

/* The announced and the received length of the first answer's body. */
static void
lengths(const struct wire *w, size_t *announced, size_t *received)
{
	char text[256];

	ck_assert(wire_header(w, "Content-Length", text));
	*announced = strtoul(text, NULL, 10);
	*received = w->in.len - (size_t)(wire_body(w) - w->in.data);
}

START_TEST(latency_answers_when_its_time_has_passed)
{
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	rig_faults(&r, "latency", 1);
	create(&r, &w);
	ck_assert_uint_eq(w.in.len, 0);
	ck_assert_uint_eq(personas(&r), 0);
	loop_fake_advance(r.loop, 49);
	wire_settle(&w);
	ck_assert_uint_eq(w.in.len, 0);
	loop_fake_advance(r.loop, 1);
	wire_settle(&w);
	ck_assert_int_eq(wire_status(&w), 200);
	wire_close(&w);
	rig_close(&r);
}
END_TEST

START_TEST(a_client_that_leaves_during_the_latency_changes_nothing)
{
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	rig_faults(&r, "jitter", 2);
	sandbox_service_faults(r.service)->delay_ms = 100;
	create(&r, &w);
	wire_close(&w);
	loop_fake_advance(r.loop, 200);
	rig_faults(&r, "none", 0);
	ck_assert_uint_eq(personas(&r), 0);
	rig_close(&r);
}
END_TEST

START_TEST(rate_limits_say_when_to_come_back_in_both_forms)
{
	bool seconds = false, date = false;
	char text[256];
	struct wire w;
	struct rig r;
	int64_t ms;

	rig_open(&r, NULL);
	rig_faults(&r, "rate-limit", 1);
	for (int i = 0; i < 20; i++) {
		create(&r, &w);
		ck_assert_int_eq(wire_status(&w), 429);
		ck_assert_str_eq(wire_body(&w), "{\"detail\":\"Rate limit exceeded\"}");
		ck_assert_int_eq(w.end, WIRE_OPEN);
		ck_assert(wire_header(&w, "Retry-After", text));
		if (strcmp(text, "1") == 0) {
			seconds = true;
		} else {
			date = true;
			ck_assert(timestamp_parse_http(text, &ms));
			ck_assert_int_ge(ms, loop_wall(r.loop) + 1000);
			ck_assert_int_le(ms, loop_wall(r.loop) + 2000);
		}
		wire_close(&w);
	}
	ck_assert(seconds && date);
	ck_assert_uint_eq(personas(&r), 0);
	rig_close(&r);
}
END_TEST

START_TEST(errors_come_before_or_after_the_work)
{
	bool seen[3] = {false, false, false};
	struct wire w;
	struct rig r;

	for (int after = 0; after < 2; after++) {
		rig_open(&r, NULL);
		rig_faults(&r, after ? "errors-after" : "errors-before", 5);
		for (int i = 0; i < 20; i++) {
			create(&r, &w);
			switch (wire_status(&w)) {
			case 500:
				seen[0] = true;
				ck_assert_str_eq(wire_body(&w), "Internal Server Error");
				break;
			case 502:
				seen[1] = true;
				break;
			case 503:
				seen[2] = true;
				break;
			default:
				ck_abort_msg("%d", wire_status(&w));
			}
			wire_close(&w);
		}
		ck_assert(seen[0] && seen[1] && seen[2]);
		ck_assert_uint_eq(personas(&r), after ? 20 : 0);
		rig_close(&r);
	}
}
END_TEST

START_TEST(resets_give_no_byte_before_or_after_the_work)
{
	struct wire w;
	struct rig r;

	for (int after = 0; after < 2; after++) {
		rig_open(&r, NULL);
		rig_faults(&r, after ? "reset-after" : "reset-before", 1);
		create(&r, &w);
		ck_assert_int_eq(w.end, WIRE_RESET);
		ck_assert_uint_eq(w.in.len, 0);
		wire_close(&w);
		ck_assert_uint_eq(personas(&r), (size_t)after);
		rig_close(&r);
	}
}
END_TEST

START_TEST(a_stale_connection_works_once_and_then_closes_on_a_request)
{
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	rig_faults(&r, "stale-connection", 1);
	create(&r, &w);
	ck_assert_int_eq(wire_status(&w), 200);
	ck_assert_int_eq(w.end, WIRE_OPEN);
	buf_clear(&w.in);
	wire_request(&w, "POST", CREATE, ANN);
	wire_settle(&w);
	ck_assert_int_eq(w.end, WIRE_CLOSED);
	ck_assert_uint_eq(w.in.len, 0);
	wire_close(&w);
	ck_assert_uint_eq(personas(&r), 1);
	rig_close(&r);
}
END_TEST

START_TEST(a_truncated_answer_ends_within_its_body)
{
	size_t announced, received;
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	rig_faults(&r, "truncated", 1);
	create(&r, &w);
	ck_assert_int_ne(w.end, WIRE_OPEN);
	ck_assert_int_eq(wire_status(&w), 200);
	lengths(&w, &announced, &received);
	ck_assert_uint_eq(received, announced / 2);
	ck_assert_uint_gt(received, 50);
	wire_close(&w);
	ck_assert_uint_eq(personas(&r), 1);
	rig_close(&r);
}
END_TEST

START_TEST(a_wrong_length_is_too_large_or_too_small)
{
	bool large = false, small = false;
	size_t announced, received;
	struct json_object *o;
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	rig_faults(&r, "wrong-length", 1);
	for (int i = 0; i < 12; i++) {
		create(&r, &w);
		ck_assert_int_eq(wire_status(&w), 200);
		lengths(&w, &announced, &received);
		ck_assert(json_read(wire_body(&w), received, &o, NULL));
		schema_persona(o);
		json_object_put(o);
		if (announced > received) {
			large = true;
			ck_assert_int_eq(w.end, WIRE_OPEN);
			loop_fake_advance(r.loop, 1999);
			wire_settle(&w);
			ck_assert_int_eq(w.end, WIRE_OPEN);
			loop_fake_advance(r.loop, 1);
			wire_settle(&w);
		} else {
			ck_assert_uint_lt(announced, received);
			small = true;
		}
		ck_assert_int_ne(w.end, WIRE_OPEN);
		wire_close(&w);
	}
	ck_assert(large && small);
	ck_assert_uint_eq(personas(&r), 12);
	rig_close(&r);
}
END_TEST

START_TEST(a_long_body_keeps_its_wrong_length)
{
	char *goal = mem_zero(1, 100001), *body;
	size_t announced, received;
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	memset(goal, 'g', 100000);
	body = mem_format("{\"name\":\"n\",\"description\":\"\",\"goal\":\"%s\",\"agent_id\":7}",
	    goal);
	fetch_done(&r, "POST", CREATE, body);
	rig_faults(&r, "wrong-length", 1);
	for (int i = 0; i < 8; i++) {
		wire_open(&r, &w);
		wire_request(&w, "GET", "/v1/customer-personas-by-agent/7", NULL);
		wire_settle(&w);
		lengths(&w, &announced, &received);
		ck_assert_uint_ne(announced, received);
		ck_assert_uint_gt(received, 100000);
		ck_assert_int_eq(w.in.data[w.in.len - 1], ']');
		wire_close(&w);
	}
	free(goal);
	free(body);
	rig_close(&r);
}
END_TEST

START_TEST(garbage_is_a_whole_answer_that_is_not_the_json)
{
	size_t announced, received, kinds = 0;
	struct json_object *o;
	char seen[4][8] = {"", "", "", ""};
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	rig_faults(&r, "garbage", 1);
	for (int i = 0; i < 24; i++) {
		size_t n;

		create(&r, &w);
		ck_assert_int_eq(wire_status(&w), 200);
		lengths(&w, &announced, &received);
		ck_assert_uint_eq(announced, received);
		ck_assert(!json_read(wire_body(&w), received, &o, NULL));
		for (n = 0; n < kinds && strncmp(seen[n], wire_body(&w), 1) != 0; n++)
			;
		if (n == kinds) {
			ck_assert_uint_lt(kinds, 4);
			snprintf(seen[kinds++], sizeof *seen, "%.1s", wire_body(&w));
		}
		wire_close(&w);
	}
	ck_assert_uint_eq(kinds, 4);
	ck_assert_uint_eq(personas(&r), 24);
	rig_close(&r);
}
END_TEST

START_TEST(a_drip_comes_byte_by_byte_and_whole)
{
	size_t announced, received;
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	rig_faults(&r, "drip", 1);
	create(&r, &w);
	lengths(&w, &announced, &received);
	ck_assert_uint_eq(received, 1);
	for (size_t i = 2; i <= announced; i++) {
		loop_fake_advance(r.loop, 10);
		wire_settle(&w);
		lengths(&w, &announced, &received);
		ck_assert_uint_eq(received, i);
	}
	ck_assert_int_eq(wire_body(&w)[received - 1], '}');
	ck_assert_int_eq(w.end, WIRE_OPEN);
	wire_close(&w);
	rig_close(&r);
}
END_TEST

START_TEST(a_long_drip_takes_three_seconds)
{
	size_t announced, received;
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	for (int i = 0; i < 10; i++)
		fetch_done(&r, "POST", CREATE, ANN);
	rig_faults(&r, "drip", 1);
	wire_open(&r, &w);
	wire_request(&w, "GET", "/v1/customer-personas-by-agent/7", NULL);
	wire_settle(&w);
	loop_fake_advance(r.loop, 1000);
	wire_settle(&w);
	lengths(&w, &announced, &received);
	ck_assert_uint_lt(received, announced);
	loop_fake_advance(r.loop, 2000);
	wire_settle(&w);
	lengths(&w, &announced, &received);
	ck_assert_uint_eq(received, announced);
	wire_close(&w);
	rig_close(&r);
}
END_TEST

START_TEST(slow_after_works_at_once_and_answers_late)
{
	struct wire w;
	struct rig r;

	rig_open(&r, NULL);
	rig_faults(&r, "slow-after", 1);
	create(&r, &w);
	ck_assert_uint_eq(w.in.len, 0);
	ck_assert_uint_eq(personas(&r), 1);
	loop_fake_advance(r.loop, 19999);
	wire_settle(&w);
	ck_assert_uint_eq(w.in.len, 0);
	loop_fake_advance(r.loop, 1);
	wire_settle(&w);
	ck_assert_int_eq(wire_status(&w), 200);
	wire_close(&w);
	create(&r, &w);
	wire_close(&w); /* gone before the answer: still processed */
	loop_fake_advance(r.loop, 30000);
	ck_assert_uint_eq(personas(&r), 2);
	rig_close(&r);
}
END_TEST

/* How long a listing takes to show a create and to lose a deleted one, in steps of 50 ms. */
static void
lag_of(struct rig *r, int *shown, int *gone)
{
	char id[UUID_SIZE], path[128];
	struct reply reply;

	make_persona(r, 7, "Ann", id);
	snprintf(path, sizeof path, "/v1/customer-persona/%s", id);
	for (*shown = 0; *shown < 100; ++*shown) {
		fetch_done(r, "GET", path, NULL); /* its own GET never lags */
		reply = fetch(r, "GET", "/v1/customer-personas-by-agent/7", NULL);
		if (strstr(reply.body, id) != NULL)
			break;
		reply_free(&reply);
		loop_fake_advance(r->loop, 50);
	}
	reply_free(&reply);
	fetch_done(r, "DELETE", path, NULL);
	for (*gone = 0; *gone < 100; ++*gone) {
		reply = fetch(r, "GET", path, NULL);
		ck_assert_int_eq(reply.status, 404);
		reply_free(&reply);
		reply = fetch(r, "GET", "/v1/customer-personas-by-agent/7", NULL);
		if (strstr(reply.body, id) == NULL)
			break;
		reply_free(&reply);
		loop_fake_advance(r->loop, 50);
	}
	reply_free(&reply);
}

START_TEST(listings_lag_by_the_seed_and_catch_up)
{
	int shown[2][4], gone[2][4];
	bool differ = false, gone_differ = false;

	for (int run = 0; run < 2; run++) {
		struct sandbox_options o = {.faults = "lagging-lists", .seed = 99};
		struct rig r;

		rig_open(&r, &o);
		for (int i = 0; i < 4; i++) {
			lag_of(&r, &shown[run][i], &gone[run][i]);
			ck_assert(shown[run][i] >= 6 && shown[run][i] <= 40);
			ck_assert(gone[run][i] >= 6 && gone[run][i] <= 40);
			differ = differ || shown[run][i] != shown[run][0];
			gone_differ = gone_differ || gone[run][i] != gone[run][0];
		}
		loop_fake_advance(r.loop, 5000);
		ck_assert_uint_eq(sandbox_state_bytes(sandbox_service_state(r.service)), 0);
		rig_close(&r);
	}
	ck_assert(differ && gone_differ);
	ck_assert_mem_eq(shown[0], shown[1], sizeof shown[0]);
	ck_assert_mem_eq(gone[0], gone[1], sizeof gone[0]);
}
END_TEST

START_TEST(an_update_neither_shows_nor_hides_what_lags)
{
	char id[UUID_SIZE], path[128];
	struct reply reply;
	struct rig r;

	rig_open(&r, NULL);
	make_persona(&r, 7, "Ann", id);
	snprintf(path, sizeof path, "/v1/update-customer-persona/%s", id);
	rig_faults(&r, "lagging-lists", 1);
	fetch_done(&r, "PUT", path, "{\"name\":\"Bea\"}");
	reply = fetch(&r, "GET", "/v1/customer-personas-by-agent/7", NULL);
	ck_assert_str_eq(dig_text(reply.json, "0.name"), "Bea");
	reply_free(&reply);
	make_persona(&r, 8, "Cyd", id);
	rig_faults(&r, "none", 1);
	snprintf(path, sizeof path, "/v1/update-customer-persona/%s", id);
	fetch_done(&r, "PUT", path, "{\"name\":\"Dee\"}");
	reply = fetch(&r, "GET", "/v1/customer-personas-by-agent/8", NULL);
	ck_assert_str_eq(reply.body, "[]");
	reply_free(&reply);
	loop_fake_advance(r.loop, 2000);
	reply = fetch(&r, "GET", "/v1/customer-personas-by-agent/8", NULL);
	ck_assert_str_eq(dig_text(reply.json, "0.name"), "Dee");
	reply_free(&reply);
	rig_close(&r);
}
END_TEST

/* Writes down what a client meets in a run of chaos. */
static void
chaos(uint64_t seed, struct buf *story)
{
	struct sandbox_options o = {.faults = "chaos-no-lag", .seed = seed};
	struct rig r;

	rig_open(&r, &o);
	for (int i = 0; i < 100; i++) {
		struct wire w;

		create(&r, &w);
		loop_fake_advance(r.loop, 500); /* longer than anything in it takes */
		wire_settle(&w);
		buf_addf(story, "%d %d,", wire_status(&w), (int)w.end);
		wire_close(&w);
	}
	rig_faults(&r, "none", 0);
	buf_addf(story, "%zu", personas(&r));
	rig_close(&r);
}

START_TEST(chaos_on_the_wire_repeats_by_its_seed)
{
	struct buf first, again, other;

	buf_init(&first, 0);
	buf_init(&again, 0);
	buf_init(&other, 0);
	chaos(5, &first);
	chaos(5, &again);
	chaos(6, &other);
	ck_assert_str_eq(first.data, again.data);
	ck_assert_str_ne(first.data, other.data);
	ck_assert_ptr_nonnull(strstr(first.data, "429 0"));
	ck_assert_ptr_nonnull(strstr(first.data, "0 2"));
	buf_free(&first);
	buf_free(&again);
	buf_free(&other);
}
END_TEST

START_TEST(ending_the_service_ends_what_waits)
{
	struct wire slow, dripping;
	struct rig r;

	rig_open(&r, NULL);
	rig_faults(&r, "slow-after", 1);
	create(&r, &slow);
	rig_faults(&r, "drip", 1);
	create(&r, &dripping);
	sandbox_service_free(r.service);
	wire_settle(&slow);
	wire_settle(&dripping);
	ck_assert_int_ne(slow.end, WIRE_OPEN);
	ck_assert_int_ne(dripping.end, WIRE_OPEN);
	wire_close(&slow);
	wire_close(&dripping);
	loop_free(r.loop);
}
END_TEST

/* The tests. */
Suite *
suite_wire(void)
{
	const TTest *const tests[] = {
		latency_answers_when_its_time_has_passed,
		a_client_that_leaves_during_the_latency_changes_nothing,
		rate_limits_say_when_to_come_back_in_both_forms,
		errors_come_before_or_after_the_work,
		resets_give_no_byte_before_or_after_the_work,
		a_stale_connection_works_once_and_then_closes_on_a_request,
		a_truncated_answer_ends_within_its_body,
		a_wrong_length_is_too_large_or_too_small,
		a_long_body_keeps_its_wrong_length,
		garbage_is_a_whole_answer_that_is_not_the_json,
		a_drip_comes_byte_by_byte_and_whole,
		a_long_drip_takes_three_seconds,
		slow_after_works_at_once_and_answers_late,
		listings_lag_by_the_seed_and_catch_up,
		an_update_neither_shows_nor_hides_what_lags,
		chaos_on_the_wire_repeats_by_its_seed,
		ending_the_service_ends_what_waits,
		NULL,
	};

	return unit_suite("sandbox faults on the wire", tests);
}
