#include "config.h"

#include "base/digest.h"
#include "base/mem.h"
#include "browser.h"
#include "harness.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* A browser shows images and the page to who knows a token as its password. */

#define TOKEN "token-of-the-client-ops"
#define FIELD "Authorization: Bearer " TOKEN "\r\n"
#define PERSONAS "/api/projects/demo/personas"

static struct program gateway;

/* Starts a gateway over its sandbox with one client, who may everything. */
static void
start(void)
{
	const char *args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", "--config", NULL, NULL};
	char digest[DIGEST_HEX_SIZE];

	digest_hex(TOKEN, strlen(TOKEN), digest);
	args[7] = scratch_file("gateway.yaml", "projects: {demo: {agent_id: 1, name: Demonstration}}\n"
	    "clients: [{name: ops, token_sha256: %s, admin: true}]\n", digest);
	program_start(&gateway, args);
}

/* Makes a persona with a portrait; the path of the portrait, static. */
static const char *
portrait(void)
{
	static char path[200];
	struct reply *r = ask(gateway.port, "POST", PERSONAS, FIELD, "{\"name\":\"a\",\"systemPrompt\":\"p\"}");

	ck_assert_int_eq(r->status, 201);
	snprintf(path, sizeof path, PERSONAS "/%s/generate-image", reply_string(r, "id"));
	r = ask(gateway.port, "POST", path, FIELD, NULL);
	ck_assert_msg(r->status == 200, "%d: %s", r->status, r->body);
	snprintf(path, sizeof path, "/api/projects/demo/images/%s", reply_string(r, "imageUrl"));
	return path;
}

/* Wants no error, but that the API's address has no icon, for which a browser asks by itself when
 * it is led there; whether the answer comes before it goes on is a matter of chance. */
static void
expect_no_errors(const struct browser *b)
{
	char *errors = mem_string(browser_errors(b)), *at = NULL;

	for (char *line = strtok_r(errors, "\n", &at); line != NULL; line = strtok_r(NULL, "\n", &at))
		ck_assert_msg(strstr(line, "/favicon.ico") != NULL, "%s", line);
	free(errors);
}

START_TEST(images_and_the_page_are_shown_to_who_knows_the_password)
{
	struct browser *b = browser_start();
	const char *path;
	char url[400], *text;

	start();
	path = portrait();
	snprintf(url, sizeof url, "http://anyone:" TOKEN "@127.0.0.1:%d%s", gateway.port, path);
	browser_open(b, url);
	text = browser_eval(b, "document.images[0].naturalWidth > 0");
	ck_assert_str_eq(text, "true");
	free(text);
	/* The browser knows the password now, so an element on a page may show the image. */
	text = browser_eval(b, "(async () => { const i = new Image(); i.src = location.pathname + '?2';"
	    " await i.decode(); return i.naturalWidth > 0; })()");
	ck_assert_str_eq(text, "true");
	free(text);
	snprintf(url, sizeof url, "http://ops:" TOKEN "@127.0.0.1:%d/page.svg", gateway.admin_port);
	browser_open(b, url);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/#/demo", gateway.admin_port);
	browser_open(b, url);
	browser_wait(b, "document.body.innerText.includes('Demonstration')");
	browser_wait(b, "[...document.images].some(i => i.src.includes('/images/') && i.naturalWidth > 0)");
	expect_no_errors(b);
	browser_stop(b);
	ck_assert_int_eq(program_stop(&gateway), 0);
}
END_TEST

/* The suite. */
static Suite *
clients_browser_suite(void)
{
	const TTest *const tests[] = {images_and_the_page_are_shown_to_who_knows_the_password, NULL};

	return unit_suite("clients_browser", tests);
}

UNIT_MAIN_IF(browser_found(), clients_browser_suite)
