#include "config.h"

#include "base/buf.h"
#include "bluejay.h"
#include "browser.h"
#include "stage.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* The page of the admin address, in a real browser. */

static struct program gateway;
static struct browser *browser;

/* Starts a gateway over its sandbox, and a browser. */
static void
start(void)
{
	const char *const args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "127.0.0.1:0", NULL};

	program_start(&gateway, args);
	browser = browser_start();
}

/* Ends both; nothing may have gone wrong in the page. */
static void
stop(void)
{
	ck_assert_str_eq(browser_errors(browser), "");
	browser_stop(browser);
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* Opens the page of an admin port, at a part of it, and waits for its first look. */
static void
open_page(int port, const char *part)
{
	char url[200];

	snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", port, part);
	browser_open(browser, url);
	browser_wait(browser, "document.getElementById('read-at').textContent !== ''");
}

/* Expects the value of an expression in the page. */
static void
expect(const char *expression, const char *want)
{
	char *got = browser_eval(browser, expression);

	ck_assert_msg(strcmp(got, want) == 0, "%s: %s, not %s", expression, got, want);
	free(got);
}

/* Makes a persona in a project; its id. Static. */
static const char *
make(const char *project, const char *body)
{
	static char id[80];
	struct reply *r;
	char path[200];

	snprintf(path, sizeof path, "/api/projects/%s/personas", project);
	r = ask(gateway.port, "POST", path, NULL, body);
	ck_assert_msg(r->status == 201, "%d %s", r->status, r->body);
	snprintf(id, sizeof id, "%s", reply_string(r, "id"));
	return id;
}

/* How often the page has looked. */
#define LOOKS "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/overview')).length"

#define FIELD(n, field)                                                              \
	"[...document.querySelectorAll('article')[" #n "].querySelectorAll('tbody tr')]" \
	".find(r => r.querySelector('strong').textContent === '" field "')"

START_TEST(personas_are_shown_with_portraits_and_where_their_fields_live)
{
	char path[200];

	start();
	snprintf(path, sizeof path, "/api/projects/demo/personas/%s/generate-image",
	    make("demo", "{\"name\":\"ada\",\"description\":\"\",\"systemPrompt\":\"brief\"}"));
	ck_assert_int_eq(ask(gateway.port, "POST", path, NULL, NULL)->status, 200);
	make("demo", "{\"name\":\"bare\"}");
	open_page(gateway.admin_port, "");
	expect("document.querySelectorAll('article').length", "2");
	expect("document.getElementById('count').textContent", "2 personas");
	expect("document.getElementById('personas-title').textContent", "Personas of demo");
	expect("document.getElementById('verdict').textContent", "Everything works");
	browser_wait(browser, "document.querySelector('article img').naturalWidth > 0");
	expect("document.querySelector('article img').alt", "Portrait of ada");
	expect("document.querySelectorAll('article')[1].querySelector('img')", "null");
	expect(FIELD(0, "systemPrompt") ".textContent", "systemPromptBluejay: goalbrief");
	expect(FIELD(0, "description") ".textContent", "descriptionBluejay: descriptionempty");
	expect(FIELD(1, "description") ".textContent", "descriptionBluejay: descriptionabsent");
	expect(FIELD(1, "headers") ".textContent", "headersKept by the gatewayabsent");
	expect(FIELD(1, "updatedAt") ".querySelector('.badge').textContent", "Made by the gateway");
	stop();
}
END_TEST

START_TEST(what_a_persona_holds_is_never_markup)
{
	static const char name[] = "<img src=x onerror=steal()><script>steal()</script>";
	struct buf body;

	start();
	buf_init(&body, 0);
	buf_addf(&body, "{\"name\":\"%s\",\"description\":\"\\\"'><svg onload=steal()>\","
	    "\"headers\":{\"<b>\":\"</td>\"},\"systemPrompt\":\"\\u202e</script>", name);
	for (int i = 0; i < 20000; i++)
		buf_adds(&body, "<i>long</i>");
	buf_adds(&body, "\"}");
	make("demo", body.data);
	make("%3Cb%3Ex", "{\"name\":\"a\"}");
	open_page(gateway.admin_port, "");
	expect("document.querySelector('article h3').textContent", name);
	expect("document.querySelectorAll('article script, article svg, article img, article b, "
	       "article i, nav b').length", "0");
	expect("document.querySelectorAll('nav li')[1].textContent", "<b>x1 persona");
	expect(FIELD(0, "systemPrompt") ".querySelector('.note').textContent",
	    "Cut here: all of it is 220,012 bytes.");
	expect("typeof steal", "undefined");
	buf_free(&body);
	stop();
}
END_TEST

START_TEST(an_image_of_another_place_is_text)
{
	char path[200];

	start();
	snprintf(path, sizeof path, "/api/projects/demo/personas/%s", make("demo", "{\"name\":\"a\"}"));
	ck_assert_int_eq(ask(gateway.port, "PUT", path, NULL,
	    "{\"imageUrl\":\"http://127.0.0.1:1/x.png\"}")->status, 200);
	open_page(gateway.admin_port, "");
	expect(FIELD(0, "imageUrl") ".querySelector('td').textContent", "http://127.0.0.1:1/x.png");
	expect("document.querySelectorAll('article img').length", "0");
	stop();
}
END_TEST

START_TEST(it_follows_what_happens_and_leaves_the_rest_alone)
{
	start();
	make("demo", "{\"name\":\"first\"}");
	open_page(gateway.admin_port, "");
	free(browser_eval(browser, "window.kept = document.querySelector('article');"
	    "kept.querySelector('details').open = false; kept.querySelector('summary').focus(); 1"));
	make("demo", "{\"name\":\"second\"}");
	browser_wait(browser, "document.querySelectorAll('article').length === 2");
	expect("document.querySelector('article') === kept", "true");
	expect("document.activeElement === kept.querySelector('summary')", "true");
	expect("kept.querySelector('details').open", "false");
	/* no look follows once it is told so */
	free(browser_eval(browser, "document.getElementById('auto').click(); 1"));
	free(browser_eval(browser, "window.before = " LOOKS "; 1"));
	make("demo", "{\"name\":\"third\"}");
	expect("new Promise(r => setTimeout(() => r(" LOOKS " === before), 6000))", "true");
	free(browser_eval(browser, "document.getElementById('auto').click(); 1"));
	browser_wait(browser, "document.querySelectorAll('article').length === 3");
	stop();
}
END_TEST

START_TEST(projects_are_chosen_by_links_and_by_address)
{
	start();
	make("demo", "{\"name\":\"a\"}");
	make("lab%20%23%251", "{\"name\":\"b\"}");
	open_page(gateway.admin_port, "");
	free(browser_eval(browser, "document.querySelectorAll('nav a')[1].click(); 1"));
	browser_wait(browser,
	    "document.getElementById('personas-title').textContent === 'Personas of lab #%1'");
	expect("document.querySelector('article h3').textContent", "b");
	expect("document.querySelector('nav a[aria-current=page]').textContent", "lab #%11 persona");
	expect("document.title", "lab #%1 – Persona gateway");
	open_page(gateway.admin_port, "?again#/state");
	browser_wait(browser,
	    "document.getElementById('personas-title').textContent === 'Personas of state'");
	expect("document.getElementById('count').textContent.slice(0, 43)",
	    "No persona of this project is known here ye");
	stop();
}
END_TEST

START_TEST(it_fits_a_phone_and_names_every_control)
{
	start();
	make("demo", "{\"name\":\"WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW\","
	             "\"systemPrompt\":\"a\\nb\"}");
	make("demo", "{\"name\":\"second\"}");
	for (int width = 320; width <= 1280; width *= 2) {
		browser_resize(browser, width, 640);
		open_page(gateway.admin_port, "");
		expect("document.documentElement.scrollWidth <= innerWidth", "true");
	}
	expect("[...document.querySelectorAll('input, button, a[href], summary')].filter(e => "
	       "!(e.textContent.trim() || (e.labels && e.labels.length))).length", "0");
	expect("[...document.images].every(i => i.hasAttribute('alt'))", "true");
	expect("['header', 'nav', 'main', 'footer'].every(t => document.querySelectorAll(t).length "
	       "=== 1)", "true");
	expect("[...document.querySelectorAll('h1, h2, h3')].filter(h => !h.closest('[hidden]'))"
	       ".map(h => h.tagName[1]).join('')", "1222332");
	stop();
}
END_TEST

START_TEST(it_says_what_is_not_shown)
{
	stage_open(NULL, NULL);
	browser = browser_start();
	for (int i = 0; i < 202; i++) {
		char body[60];

		snprintf(body, sizeof body, "{\"name\":\"p%d\"}", i);
		free(create(STAGE_PLAIN, body));
	}
	open_page(stage_gateway.admin_port, "#/plain");
	expect("document.getElementById('count').textContent",
	    "The list is cut: the oldest 200 of 202 personas");
	free(browser_eval(browser, "let f = document.getElementById('filter'); f.value = 'P19';"
	    "f.dispatchEvent(new Event('input')); 1"));
	expect("document.getElementById('count').textContent",
	    "11 personas with “P19” in the name, of 200 that are shown");
	open_page(stage_gateway.admin_port, "?again#/nobody");
	expect("document.getElementById('count').textContent", "Project not found.");
	stage_close();
	browser_stop(browser);
}
END_TEST

START_TEST(it_says_what_does_not_work)
{
	stage_open(NULL, NULL);
	browser = browser_start();
	open_page(stage_gateway.admin_port, "#/demo");
	stage_fault("errors-before", NULL, 1000);
	free(browser_eval(browser, "document.getElementById('refresh').click(); 1"));
	browser_wait(browser, "document.getElementById('refresh-note').className.includes('bad')");
	EVENTUALLY((call("GET", STAGE_DEMO, NULL), strstr(ask(stage_gateway.admin_port, "GET",
	    "/overview", NULL, NULL)->body, "\"breaker\":\"closed\"") == NULL));
	browser_wait(browser, "document.getElementById('verdict').textContent === 'Bluejay is failing'");
	expect("document.querySelector('.tiles .is-bad dt').textContent", "Bluejay");
	stage_close();
	browser_wait(browser, "!document.getElementById('trouble').hidden");
	expect("document.getElementById('trouble').textContent",
	    "The gateway does not answer. What is shown is from the last time that it did.");
	expect("document.getElementById('verdict').textContent", "Bluejay is failing");
	browser_stop(browser);
}
END_TEST

START_TEST(it_shows_where_bluejay_differs_only_where_it_does)
{
	const char *const args[] = {"serve", "--config", NULL, NULL};
	const char *argv[4];
	const char *id;

	bluejay_start();
	memcpy(argv, args, sizeof args);
	argv[2] = scratch_file("drift.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: drift\n"
	    "bluejay: {url: \"http://127.0.0.1:%d\", api_key: k, cache: {fresh: 0s}}\n"
	    "projects: {a: {agent_id: 1}}\n", bluejay_port());
	program_start(&gateway, argv);
	browser = browser_start();
	id = bluejay_make(1, "n", "d", "g");
	bluejay_member(id, "org_id", "null");
	ask(gateway.port, "GET", "/api/projects/a/personas", NULL, NULL);
	open_page(gateway.admin_port, "");
	expect("document.getElementById('drift').hidden", "true");
	bluejay_member(id, "<b>mood", "1");
	bluejay_member(id, "goal", "[]");
	ask(gateway.port, "GET", "/api/projects/a/personas", NULL, NULL);
	open_page(gateway.admin_port, "?again");
	expect("document.getElementById('drift').hidden", "false");
	expect("[...document.querySelectorAll('#drift tbody th')].map(e => e.textContent).join('|')",
	    "<b>moodNew, personas|goalIn another form, personas");
	expect("[...document.querySelectorAll('#drift tbody tr')].map(e => e.children[1].textContent)"
	       ".join('|')",
	    "It is an integer|It is an array; declared is a string");
	expect("document.querySelectorAll('#drift tbody b').length", "0");
	expect("document.getElementById('verdict').textContent", "Bluejay's answers have another form");
	ck_assert_str_eq(browser_errors(browser), "");
	browser_stop(browser);
	ck_assert_int_eq(program_stop(&gateway), 0);
	bluejay_stop();
}
END_TEST

/* Tests of the page. */
static Suite *
page_suite(void)
{
	const TTest *const tests[] = {
	    personas_are_shown_with_portraits_and_where_their_fields_live,
	    what_a_persona_holds_is_never_markup,
	    an_image_of_another_place_is_text,
	    it_follows_what_happens_and_leaves_the_rest_alone,
	    projects_are_chosen_by_links_and_by_address,
	    it_fits_a_phone_and_names_every_control,
	    it_says_what_is_not_shown,
	    it_says_what_does_not_work,
	    it_shows_where_bluejay_differs_only_where_it_does,
	    NULL,
	};

	Suite *suite = suite_create("page");
	TCase *tcase = tcase_create("page");

	tcase_set_timeout(tcase, 180); /* browsers are slow to start on a busy machine */
	for (size_t i = 0; tests[i] != NULL; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN_IF(browser_found(), page_suite)
