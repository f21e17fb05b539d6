#include "config.h"

#include "http/http_route.h"
#include "http_rig.h"

#include <string.h>

static const struct http_route table[] = {
    {"GET", "/", 1},
    {"GET", "/api/projects/:project/personas", 2},
    {"POST", "/api/projects/:project/personas", 3},
    {"GET", "/api/projects/:project/personas/:id", 4},
    {"PUT", "/api/projects/:project/personas/:id", 5},
    {"DELETE", "/api/projects/:project/personas/:id", 6},
    {"POST", "/api/projects/:project/personas/:id/generate-image", 7},
    {"HEAD", "/a/b", 8},
    {"GET", "/a/:x", 9},
};

/* Looks a path up. */
static enum http_route_result
find(const char *method, const char *path, struct http_match *m)
{
	return http_route_find(table, sizeof table / sizeof *table, method, path, m);
}

START_TEST(routes_are_found)
{
	static const struct {
		const char *method, *path;
		int id;
		const char *params[2];
	} cases[] = {
	    {"GET", "/", 1, {NULL, NULL}},
	    {"GET", "/api/projects/shop/personas", 2, {"shop", NULL}},
	    {"HEAD", "/api/projects/shop/personas", 2, {"shop", NULL}},
	    {"POST", "/api/projects/shop/personas", 3, {"shop", NULL}},
	    {"DELETE", "/api/projects/shop/personas/12", 6, {"shop", "12"}},
	    {"GET", "/api/projects/a%20b/personas/%C3%A9", 4, {"a b", "\xc3\xa9"}},
	    {"GET", "/api/projects/a%2Fb/personas/%2f", 4, {"a/b", "/"}},
	    {"GET", "/api/projects/%2E%2Ea/personas/...", 4, {"..a", "..."}},
	    {"GET", "/api/projects/a%252e/personas/+%2B", 4, {"a%2e", "++"}},
	    {"GET", "/%61pi/projects/p/person%61s", 2, {"p", NULL}},
	    {"POST", "/api/projects/p/personas/1/generate-image", 7, {"p", "1"}},
	    {"HEAD", "/a/b", 8, {NULL, NULL}},
	    {"GET", "/a/b", 9, {"b", NULL}},
	};
	struct http_match m;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert_msg(find(cases[i].method, cases[i].path, &m) == HTTP_ROUTE_FOUND, "%s",
		    cases[i].path);
		ck_assert_int_eq(m.id, cases[i].id);
		for (size_t k = 0; k < 2; k++) {
			ck_assert_int_eq(k < m.param_count, cases[i].params[k] != NULL);
			if (k < m.param_count)
				ck_assert_str_eq(m.params[k], cases[i].params[k]);
		}
	}
}
END_TEST

START_TEST(other_paths_are_none)
{
	static const char *const none[] = {"", "*", "/api", "/api/", "//",
	    "/api/projects//personas", "/api/projects/p/personas/",
	    "/api/projects/p/personas/1/", "/api/projects/p/personas//",
	    "/api/projects/p/personas/1/generate-image/x", "/API/projects/p/personas", "/a",
	    "/a%2Fb", "/api/projects%2Fp/personas", "/api/projects/p/persona", NULL};
	struct http_match m;

	for (int i = 0; none[i] != NULL; i++)
		ck_assert_msg(find("GET", none[i], &m) == HTTP_ROUTE_NONE, "%s", none[i]);
}
END_TEST

START_TEST(parameters_that_are_no_text_are_told)
{
	static const char *const odd[] = {"/api/projects/%ff/personas",
	    "/api/projects/%ff/personas/a", "/api/projects/p/personas/%c0%ae%c0%ae",
	    "/api/projects/p/personas/%ed%a0%80", "/api/projects/p/personas/a%c3", NULL};
	struct http_match m;

	for (int i = 0; odd[i] != NULL; i++) {
		ck_assert_msg(find("GET", odd[i], &m) == HTTP_ROUTE_FOUND, "%s", odd[i]);
		ck_assert_msg(!m.text, "%s", odd[i]);
	}
	ck_assert_int_eq(find("GET", "/api/projects/p/personas/%e2%82%ac", &m), HTTP_ROUTE_FOUND);
	ck_assert(m.text);
}
END_TEST

START_TEST(bad_paths_are_told_from_unknown_ones)
{
	static const char *const bad[] = {"/api/projects/%/personas", "/api/projects/%2/personas",
	    "/api/projects/%zz/personas", "/api/projects/%00/personas",
	    "/api/projects/a%00b/personas", "/api/projects/./personas",
	    "/api/projects/../personas", "/api/projects/%2e%2E/personas",
	    "/api/projects/p/personas/..", "/api/projects/p/personas/%2e", "/x/%", "/..", "/./",
	    NULL};
	struct http_match m;

	for (int i = 0; bad[i] != NULL; i++)
		ck_assert_msg(find("GET", bad[i], &m) == HTTP_ROUTE_BAD, "%s", bad[i]);
}
END_TEST

START_TEST(other_methods_are_told_what_is_allowed)
{
	struct http_match m;

	ck_assert_int_eq(find("PATCH", "/api/projects/p/personas/1", &m), HTTP_ROUTE_METHOD);
	ck_assert_str_eq(m.allow, "GET, HEAD, PUT, DELETE");
	ck_assert_int_eq(find("PUT", "/api/projects/p/personas", &m), HTTP_ROUTE_METHOD);
	ck_assert_str_eq(m.allow, "GET, HEAD, POST");
	ck_assert_int_eq(find("get", "/a/b", &m), HTTP_ROUTE_METHOD);
	ck_assert_str_eq(m.allow, "HEAD, GET");
	ck_assert_uint_eq(m.param_count, 0);
}
END_TEST

START_TEST(long_parameters_never_match)
{
	char path[2 * HTTP_ROUTE_PARAM_MAX + 32] = "/a/";
	struct http_match m;

	memset(path + 3, 'x', HTTP_ROUTE_PARAM_MAX - 1);
	ck_assert_int_eq(find("GET", path, &m), HTTP_ROUTE_FOUND);
	ck_assert_uint_eq(strlen(m.params[0]), HTTP_ROUTE_PARAM_MAX - 1);
	strcat(path, "x");
	ck_assert_int_eq(find("GET", path, &m), HTTP_ROUTE_NONE);
	path[3 + HTTP_ROUTE_PARAM_MAX - 2] = '\0';
	strcat(path, "%20"); /* counts decoded */
	ck_assert_int_eq(find("GET", path, &m), HTTP_ROUTE_FOUND);
}
END_TEST

/* The suite. */
Suite *
http_route_suite(void)
{
	const TTest *const tests[] = {routes_are_found, other_paths_are_none,
	    parameters_that_are_no_text_are_told,
	    bad_paths_are_told_from_unknown_ones, other_methods_are_told_what_is_allowed,
	    long_parameters_never_match, NULL};

	return unit_suite("http route", tests);
}
