#include "config.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "harness.h"
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Images of a project, spoken to the real program. */

#define IMAGES "/api/projects/demo/images"
#define BIG 300000 /* bytes of an image that is a file */

static struct program gateway;
static const char *data_dir; /* NULL: in memory */

/* Starts the gateway; in memory, or with its data in the scratch folder. */
static void
start(bool on_disk)
{
	const char *args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL, NULL, NULL};

	if (on_disk && data_dir == NULL)
		data_dir = mem_format("%s/data", scratch_dir());
	if (on_disk) {
		args[6] = "--data-dir";
		args[7] = data_dir;
	}
	program_start(&gateway, args);
}

/* Ends it; it must end well. */
static void
stop(void)
{
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* Bytes that begin as a PNG. */
static char *
picture(size_t len)
{
	char *bytes = mem_alloc(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	memcpy(bytes, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
	return bytes;
}

/* An upload's body. */
static char *
upload_body(const char *bytes, size_t len, const char *prefix, const char *rest)
{
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "{\"imageBase64\":\"%s", prefix);
	base64_encode(&b, bytes, len);
	buf_addf(&b, "\"%s}", rest);
	return buf_take(&b, NULL);
}

/* Uploads a picture of a length; its path. Static, four at a time. */
static const char *
upload(const char *base, size_t len, const char *role)
{
	static char paths[4][200];
	static unsigned turn;
	char *path = paths[turn++ % 4], rest[100];
	char *bytes = picture(len), *body;
	struct reply *r;

	snprintf(rest, sizeof rest, ",\"role\":\"%s\",\"filename\":\"../../x.png\"", role);
	body = upload_body(bytes, len, "data:image/png;base64,", rest);
	r = ask(gateway.port, "POST", base, NULL, body);
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	snprintf(path, sizeof paths[0], "%s/%s", base, reply_string(r, "id"));
	free(bytes);
	free(body);
	return path;
}

/* Fails unless the answer's body is these bytes of a picture. */
static void
expect_bytes(const struct reply *r, size_t len, size_t first, size_t count)
{
	char *bytes = picture(len);

	ck_assert_uint_eq(r->len, count);
	ck_assert(memcmp(r->body, bytes + first, count) == 0);
	free(bytes);
}

START_TEST(images_are_kept_and_served)
{
	static const size_t sizes[] = {100, 65536, 65537, BIG};
	const char *path;
	struct reply *r;

	start(_i == 1);
	for (int i = 0; i < 4; i++) {
		path = upload(IMAGES, sizes[i], "r");
		ck_assert_str_eq(path + strlen(path) - 4, ".png");
		ck_assert_uint_eq(strlen(path), strlen(IMAGES) + 1 + 36 + 4);
		r = ask(gateway.port, "GET", path, NULL, NULL);
		ck_assert_int_eq(r->status, 200);
		ck_assert_str_eq(reply_field(r, "content-type"), "image/png");
		ck_assert_str_eq(reply_field(r, "cache-control"), "public, max-age=3600");
		ck_assert_str_eq(reply_field(r, "accept-ranges"), "bytes");
		ck_assert_int_eq(reply_field(r, "etag")[0], '"');
		expect_bytes(r, sizes[i], 0, sizes[i]);
		r = ask(gateway.port, "HEAD", path, NULL, NULL);
		ck_assert_int_eq(r->status, 200);
		ck_assert_int_eq(atol(reply_field(r, "content-length")), (long)sizes[i]);
	}
	stop();
}
END_TEST

START_TEST(what_was_seen_before_is_not_sent_again)
{
	char fields[200], other[200];
	const char *path;
	struct reply *r;

	start(_i == 1);
	path = upload(IMAGES, BIG, "r");
	r = ask(gateway.port, "GET", path, NULL, NULL);
	snprintf(fields, sizeof fields, "If-None-Match: \"x\", %s\r\n", reply_field(r, "etag"));
	snprintf(other, sizeof other, "If-Range: %s\r\nRange: bytes=5-9\r\n", reply_field(r,
	    "etag"));
	r = ask(gateway.port, "GET", path, fields, NULL);
	ck_assert_int_eq(r->status, 304);
	ck_assert_ptr_nonnull(reply_field(r, "etag"));
	ck_assert_str_eq(reply_field(r, "cache-control"), "public, max-age=3600");
	ck_assert_int_eq(ask(gateway.port, "GET", path, "If-None-Match: \"x\"\r\n", NULL)->status,
	    200);
	ck_assert_int_eq(ask(gateway.port, "GET", path, other, NULL)->status, 206);
	ck_assert_int_eq(ask(gateway.port, "GET", path, "If-Range: \"x\"\r\nRange: bytes=5-9\r\n",
	    NULL)->status,
	    200);
	stop();
}
END_TEST

START_TEST(ranges_are_served)
{
	static const size_t sizes[] = {1000, BIG};
	char want[80];
	struct reply *r;

	start(_i == 1);
	for (int i = 0; i < 2; i++) {
		const char *path = upload(IMAGES, sizes[i], "r");
		size_t n = sizes[i];

		r = ask(gateway.port, "GET", path, "Range: bytes=5-9\r\n", NULL);
		ck_assert_int_eq(r->status, 206);
		snprintf(want, sizeof want, "bytes 5-9/%zu", n);
		ck_assert_str_eq(reply_field(r, "content-range"), want);
		expect_bytes(r, n, 5, 5);
		r = ask(gateway.port, "GET", path, "Range: bytes=-300\r\n", NULL);
		ck_assert_int_eq(r->status, 206);
		expect_bytes(r, n, n - 300, 300);
		r = ask(gateway.port, "GET", path, "Range: bytes=7-\r\n", NULL);
		ck_assert_int_eq(r->status, 206);
		expect_bytes(r, n, 7, n - 7);
		r = ask(gateway.port, "GET", path, "Range: bytes=1-2,5-6\r\n", NULL);
		ck_assert_int_eq(r->status, 200);
		expect_bytes(r, n, 0, n);
		r = ask(gateway.port, "GET", path, "Range: bytes=999999999-\r\n", NULL);
		ck_assert_int_eq(r->status, 416);
		snprintf(want, sizeof want, "bytes */%zu", n);
		ck_assert_str_eq(reply_field(r, "content-range"), want);
		ck_assert_int_eq(ask(gateway.port, "HEAD", path, "Range: bytes=5-9\r\n",
		    NULL)->status, 200);
	}
	stop();
}
END_TEST

START_TEST(a_role_lists_its_images)
{
	const char *one, *two;
	char want[300];

	start(_i == 1);
	expect_error(ask(gateway.port, "GET", IMAGES, NULL, NULL), 400,
	    "role query parameter is required");
	expect_error(ask(gateway.port, "GET", IMAGES "?role=%ff", NULL, NULL), 400,
	    "role query parameter is required");
	expect_error(ask(gateway.port, "GET", IMAGES "/%ff", NULL, NULL), 404, "Not found");
	expect_error(ask(gateway.port, "GET", "/api/projects/%ff/personas", NULL, NULL), 404,
	    "Not found");
	expect_error(ask(gateway.port, "DELETE", "/api/projects/demo/personas/%c3", NULL, NULL), 404,
	    "Not found");
	expect_error(ask(gateway.port, "GET", IMAGES "?role=", NULL, NULL), 400,
	    "role query parameter is required");
	ck_assert_str_eq(ask(gateway.port, "GET", IMAGES "?role=r", NULL, NULL)->body,
	    "{\"ids\":[]}");
	one = upload(IMAGES, 100, "a role");
	two = upload(IMAGES, BIG, "a role");
	upload(IMAGES, 100, "other");
	snprintf(want, sizeof want, "{\"ids\":[\"%s\",\"%s\"]}", one + strlen(IMAGES) + 1,
	    two + strlen(IMAGES) + 1);
	ck_assert_str_eq(ask(gateway.port, "GET", IMAGES "?x=1&role=a%20role", NULL, NULL)->body,
	    want);
	ck_assert_str_eq(ask(gateway.port, "GET", IMAGES "?role=a+role&y", NULL, NULL)->body, want);
	stop();
}
END_TEST

START_TEST(deleted_images_are_gone)
{
	const char *path;

	start(_i == 1);
	for (int i = 0; i < 2; i++) {
		path = upload(IMAGES, i == 0 ? 100 : BIG, "r");
		ck_assert_int_eq(ask(gateway.port, "DELETE", path, NULL, NULL)->status, 204);
		expect_error(ask(gateway.port, "DELETE", path, NULL, NULL), 404, "Image not found");
		expect_error(ask(gateway.port, "GET", path, NULL, NULL), 404, "Image not found");
	}
	ck_assert_str_eq(ask(gateway.port, "GET", IMAGES "?role=r", NULL, NULL)->body,
	    "{\"ids\":[]}");
	stop();
}
END_TEST

START_TEST(nobody_reads_another_projects_images_or_files)
{
	static const char *const ids[] = {"nope.png", "..%2f..%2fstore.db", "..%2fstore.db",
	    "%2fetc%2fpasswd", "..%5cstore.db", "%F0%9F%98%80", "*", "%25", NULL};
	char path[300], foreign[400];

	start(_i == 1);
	snprintf(path, sizeof path, "%s", upload(IMAGES, BIG, "r"));
	snprintf(foreign, sizeof foreign, "/api/projects/plain/images/%s",
	    path + strlen(IMAGES) + 1);
	expect_error(ask(gateway.port, "GET", foreign, NULL, NULL), 404, "Image not found");
	expect_error(ask(gateway.port, "DELETE", foreign, NULL, NULL), 404, "Image not found");
	ck_assert_str_eq(ask(gateway.port, "GET", "/api/projects/plain/images?role=r", NULL,
	    NULL)->body,
	    "{\"ids\":[]}");
	ck_assert_int_eq(ask(gateway.port, "GET", path, NULL, NULL)->status, 200);
	for (int i = 0; ids[i] != NULL; i++) {
		snprintf(path, sizeof path, "%s/%s", IMAGES, ids[i]);
		expect_error(ask(gateway.port, "GET", path, NULL, NULL), 404, "Image not found");
		expect_error(ask(gateway.port, "DELETE", path, NULL, NULL), 404, "Image not found");
	}
	expect_error(ask(gateway.port, "GET", IMAGES "/a%00b", NULL, NULL), 400, NULL);
	ck_assert_int_eq(ask(gateway.port, "PUT", IMAGES, NULL, "{}")->status, 405);
	stop();
}
END_TEST

START_TEST(uploads_are_checked_in_order)
{
	static const struct {
		const char *body, *sentence;
	} rows[] = {
	    {"{}", "imageBase64 is required"},
	    {"{\"role\":\"r\"}", "imageBase64 is required"},
	    {"{\"imageBase64\":null,\"role\":\"r\"}", "imageBase64 is required"},
	    {"{\"imageBase64\":\"\",\"role\":\"r\"}", "imageBase64 is required"},
	    {"{\"imageBase64\":5,\"role\":\"r\"}", "imageBase64 must be a string"},
	    {"{\"imageBase64\":\"AAAA\"}", "role is required"},
	    {"{\"imageBase64\":\"!!\",\"role\":\"\"}", "role is required"},
	    {"{\"imageBase64\":\"AAAA\",\"role\":7}", "role must be a string"},
	    {"{\"imageBase64\":\"AAAA\",\"role\":\"r\",\"filename\":{}}",
	    "filename must be a string"},
	    {"{\"imageBase64\":\"A-_A\",\"role\":\"r\"}", "imageBase64 is not valid base64"},
	    {"{\"imageBase64\":\"AAA\",\"role\":\"r\"}", "imageBase64 is not valid base64"},
	    {"{\"imageBase64\":\"PHN2Zy8+\",\"role\":\"r\"}",
	        "imageBase64 must hold a PNG, JPEG, WebP or GIF image"},
	    {"{\"imageBase64\":\"data:image/png;base64,PGh0bWw+\",\"role\":\"r\"}",
	        "imageBase64 must hold a PNG, JPEG, WebP or GIF image"},
	    {"[]", "Request body must be a JSON object"},
	    {"{\"imageBase64\":\"AAAA\",\"imageBase64\":\"AAAA\",\"role\":\"r\"}", NULL},
	    {"{\"imageBase64\":\"AAAA", NULL},
	    {"", NULL},
	};

	start(false);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_error(ask(gateway.port, "POST", IMAGES, NULL, rows[i].body), 400,
		    rows[i].sentence);
	expect_error(ask(gateway.port, "POST", IMAGES, "Content-Type: text/plain\r\n", "{}"), 415,
	    NULL);
	expect_error(ask(gateway.port, "POST", "/api/projects/%2f/images", NULL, "{}"), 404,
	    "Project not found");
	ck_assert_str_eq(ask(gateway.port, "GET", IMAGES "?role=r", NULL, NULL)->body,
	    "{\"ids\":[]}");
	stop();
}
END_TEST

START_TEST(large_uploads_are_taken_and_larger_ones_refused)
{
	size_t most = 10 << 20;
	char *bytes = picture(most + 1), *body;
	const char *path;
	struct reply *r;

	start(_i == 1);
	path = upload(IMAGES, most, "r");
	r = ask(gateway.port, "GET", path, NULL, NULL);
	expect_bytes(r, most, 0, most);
	body = upload_body(bytes, most + 1, "", ",\"role\":\"r\"");
	expect_error(ask(gateway.port, "POST", IMAGES, NULL, body), 413,
	    "The image is larger than 10 MiB");
	free(body);
	free(bytes);
	bytes = picture(13 << 20);
	body = upload_body(bytes, 13 << 20, "", ",\"role\":\"r\"");
	expect_error(ask(gateway.port, "POST", IMAGES, NULL, body), 413,
	    "Request body is larger than 16 MiB");
	free(body);
	free(bytes);
	stop();
}
END_TEST

/* How many files there are beside the store. */
static int
count_files(void)
{
	char path[300];
	struct dirent *e;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof path, "%s/images", data_dir);
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

START_TEST(what_was_answered_survives_a_kill_and_nothing_else_stays)
{
	char small[200], large[200], path[300], *bytes = picture(BIG), *body;
	int before;
	FILE *f;

	start(true);
	before = count_files();
	snprintf(small, sizeof small, "%s", upload(IMAGES, 500, "kill"));
	snprintf(large, sizeof large, "%s", upload(IMAGES, BIG, "kill"));
	/* a further upload is cut somewhere between its first byte and its row */
	body = upload_body(bytes, BIG, "", ",\"role\":\"half\"");
	for (int i = 0; i < 4; i++) {
		int fd = raw_connect(gateway.port);
		char head[200];

		snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: localhost\r\n"
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", IMAGES,
		    strlen(body));
		raw_send(fd, head, strlen(head));
		raw_send(fd, body, strlen(body) - (size_t)i % 2);
		if (i < 3)
			close(fd);
	}
	program_kill(&gateway);
	/* as if it had happened between file and row */
	snprintf(path, sizeof path, "%s/images/11111111-2222-4333-8444-555555555555.png", data_dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs("half", f);
	fclose(f);
	start(true);
	expect_bytes(ask(gateway.port, "GET", small, NULL, NULL), 500, 0, 500);
	expect_bytes(ask(gateway.port, "GET", large, NULL, NULL), BIG, 0, BIG);
	/* every file has its row: what the role lists is what the folder holds */
	ck_assert_int_eq(count_files() - before,
	    1 + (int)json_object_array_length(json_object_object_get(
	    reply_json(ask(gateway.port, "GET", IMAGES "?role=half", NULL, NULL)), "ids")));
	free(body);
	free(bytes);
	stop();
}
END_TEST

/* Tests of images, in memory and on a disk. */
static Suite *
images_suite(void)
{
	const TTest *const tests[] = {
	    images_are_kept_and_served,
	    what_was_seen_before_is_not_sent_again,
	    ranges_are_served,
	    a_role_lists_its_images,
	    deleted_images_are_gone,
	    nobody_reads_another_projects_images_or_files,
	    large_uploads_are_taken_and_larger_ones_refused,
	    NULL,
	};
	Suite *suite = suite_create("images");
	TCase *tcase = tcase_create("images");

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; tests[i] != NULL; i++)
		tcase_add_loop_test(tcase, tests[i], 0, 2);
	tcase_add_test(tcase, uploads_are_checked_in_order);
	tcase_add_test(tcase, what_was_answered_survives_a_kill_and_nothing_else_stays);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(images_suite)
