#include "config.h"

#include "browser.h"
#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* What the other tests believe when the browser says it. */

START_TEST(a_page_is_seen_as_it_is)
{
	const char *path = scratch_file("page.png", "%s", "");
	struct browser *b = browser_start();
	char url[300], magic[4], *text;
	FILE *f;

	snprintf(url, sizeof url, "file://%s", scratch_file("page.html",
	    "<meta name=viewport content='width=device-width'><p id=p>first</p>"
	    "<script>setTimeout(() => { p.textContent = 'later' }, 1)</script>"));
	browser_open(b, url);
	browser_wait(b, "p.textContent === 'later'");
	text = browser_dom(b);
	ck_assert_ptr_nonnull(strstr(text, "<p id=\"p\">later</p>"));
	free(text);
	text = browser_eval(b, "Promise.resolve({a: [1, null]})");
	ck_assert_str_eq(text, "{\"a\":[1,null]}");
	free(text);
	browser_resize(b, 390, 844);
	text = browser_eval(b, "`${innerWidth} ${innerHeight}`");
	ck_assert_str_eq(text, "390 844");
	free(text);
	ck_assert_str_eq(browser_errors(b), "");
	browser_screenshot(b, path);
	f = fopen(path, "r");
	ck_assert_uint_eq(fread(magic, 1, sizeof magic, f), sizeof magic);
	ck_assert(memcmp(magic, "\x89PNG", sizeof magic) == 0);
	fclose(f);
	browser_stop(b);
}
END_TEST

START_TEST(errors_of_a_page_are_seen)
{
	struct browser *b = browser_start();
	char url[300];

	snprintf(url, sizeof url, "file://%s", scratch_file("wrong.html",
	    "<img src=missing.png><script>console.error('said'); thrown()</script>"));
	browser_open(b, url);
	ck_assert_ptr_nonnull(strstr(browser_errors(b), "said"));
	ck_assert_ptr_nonnull(strstr(browser_errors(b), "thrown is not defined"));
	ck_assert_ptr_nonnull(strstr(browser_errors(b), "missing.png"));
	browser_open(b, "about:blank");
	ck_assert_str_eq(browser_errors(b), "");
	browser_stop(b);
}
END_TEST

/* The suite. */
static Suite *
browser_suite(void)
{
	const TTest *const tests[] = {a_page_is_seen_as_it_is, errors_of_a_page_are_seen, NULL};

	return unit_suite("browser", tests);
}

UNIT_MAIN_IF(browser_found(), browser_suite)
