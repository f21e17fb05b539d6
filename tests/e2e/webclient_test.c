#include "config.h"

#include "browser.h"
#include "harness.h"
#include "unit.h"
#include "webtool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The web client of a local tool, in a real browser, on the gateway's origin: its
 * personas and images come from the gateway, everything else from the tool. */

static struct program gateway;
static struct browser *browser;

/* Opens the client and waits until it has loaded what it shows. */
static void
open_client(void)
{
	char url[64];

	snprintf(url, sizeof url, "http://127.0.0.1:%d/", gateway.port);
	browser_open(browser, url);
	browser_wait(browser, "document.getElementById('message').textContent === 'done'");
}

/* Starts a tool, a gateway before it, and the client in a browser. */
static void
start(void)
{
	const char *args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "off", "--config", NULL, NULL};

	args[7] = scratch_file("gateway.yaml", "passthrough: {local: \"http://127.0.0.1:%d\"}\n"
	    "projects:\n  demo: {agent_id: 7}\n  plain: {}\n", webtool_start());
	program_start(&gateway, args);
	browser = browser_start();
	open_client();
}

/* Expects the value of an expression in the page. */
static void
expect(const char *expression, const char *want)
{
	char *got = browser_eval(browser, expression);

	ck_assert_msg(strcmp(got, want) == 0, "%s: %s, not %s", expression, got, want);
	free(got);
}

/* Expects that so many answers, and nothing else, have gone wrong in the page: the
 * browser itself writes a line to its console for each answer that is an error. */
static void
expect_refusals(int status, unsigned count)
{
	char line[100];
	const char *errors;
	size_t len = (size_t)snprintf(line, sizeof line,
	    "Failed to load resource: the server responded with a status of %d ", status);

	expect("1", "1"); /* all that was written before is here now */
	for (errors = browser_errors(browser); *errors != '\0'; errors = strchr(errors, '\n') + 1) {
		ck_assert_msg(strncmp(errors, line, len) == 0, "%s", errors);
		count--;
	}
	ck_assert_uint_eq(count, 0);
}

/* Ends both. The tool was asked for nothing that is the gateway's. */
static void
stop(void)
{
	ck_assert_ptr_null(strstr(webtool_seen(), "/personas"));
	ck_assert_ptr_null(strstr(webtool_seen(), "/images"));
	browser_stop(browser);
	ck_assert_int_eq(program_stop(&gateway), 0);
}

/* Does something in the page. */
__attribute__((format(printf, 1, 2)))
static void
act(const char *fmt, ...)
{
	char script[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(script, sizeof script, fmt, ap);
	va_end(ap);
	free(browser_eval(browser, script));
}

/* Waits for the outcome of what the user has done. */
static void
outcome(const char *want)
{
	browser_wait(browser, "document.getElementById('message').textContent !== 'working'");
	expect("document.getElementById('message').textContent", want);
}

/* Clicks a button of an item of a list. */
static void
click(const char *list, int n, const char *text)
{
	act("[...document.querySelectorAll('#%s > li')[%d].querySelectorAll('button')]"
	    ".find(b => b.textContent === '%s').click()", list, n, text);
	outcome("done");
}

/* Fills the form and saves it. */
static void
save(const char *name, const char *description, const char *prompt, const char *want)
{
	act("{ const e = document.getElementById('form').elements; e.name.value = '%s';"
	    "e.description.value = '%s'; e.systemPrompt.value = '%s';"
	    "document.querySelector('#form button').click(); }", name, description, prompt);
	outcome(want);
}

/* A member of the n-th persona, as the client has it. */
#define PERSONA(n, member) \
	"JSON.parse(document.querySelectorAll('#personas > li')[" #n "].dataset.persona)." member
#define COUNT(list) "document.querySelectorAll('#" list " > li').length"
/* Waits until the picture of an item shows. */
#define SHOWN(list) "document.querySelector('#" list " img')?.naturalWidth > 0"

/* Chooses a picture that the browser has drawn, as a file of the user. */
static void
choose_style(void)
{
	act("document.getElementById('message').textContent = 'working';"
	    "new Promise(done => { const c = document.createElement('canvas'), g = c.getContext('2d');"
	    "c.width = 300; c.height = 200; g.fillStyle = 'teal'; g.fillRect(40, 40, 90, 90);"
	    "c.toBlob(blob => { const t = new DataTransfer(), i = document.getElementById('style-file');"
	    "t.items.add(new File([blob], 'style.png', {type: blob.type})); i.files = t.files;"
	    "i.dispatchEvent(new Event('change')); done(true); }); })");
	outcome("done");
}

START_TEST(personas_are_made_changed_and_removed)
{
	start();
	expect(COUNT("personas"), "0");
	save("Ada", "Has little time", "You value brevity.", "done");
	save("Bo", "", "", "done");
	expect(COUNT("personas"), "2");
	expect(PERSONA(0, "name"), "Ada");
	expect(PERSONA(0, "description"), "Has little time");
	expect("Object.keys(" PERSONA(0, "valueOf()") ").join()",
	    "id,name,description,systemPrompt,createdAt,updatedAt");
	click("personas", 0, "Edit");
	expect("document.getElementById('form').elements.systemPrompt.value", "You value brevity.");
	save("Ada", "", "You ask for everything twice. \\u{1F642}", "done");
	expect(PERSONA(0, "description"), "");
	expect(PERSONA(0, "systemPrompt"), "You ask for everything twice. \xf0\x9f\x99\x82");
	save("Ada", "", "", "Persona with name \"Ada\" already exists");
	click("personas", 1, "Edit");
	save("Ada", "", "", "Persona with name \"Ada\" already exists");
	expect(COUNT("personas"), "2");
	act("document.getElementById('form').reset()");
	click("personas", 1, "Delete");
	expect(COUNT("personas"), "1");
	expect(PERSONA(0, "name"), "Ada");
	expect_refusals(409, 2);
	stop();
}
END_TEST

START_TEST(portraits_and_style_references_show)
{
	start();
	save("Ada", "", "You value brevity.", "done");
	click("personas", 0, "Generate portrait");
	browser_wait(browser, SHOWN("personas"));
	expect("document.querySelector('#personas img').naturalWidth", "1024");
	choose_style();
	expect(COUNT("styles"), "1");
	browser_wait(browser, SHOWN("styles"));
	expect("document.querySelector('#styles img').naturalWidth", "300");
	act("window.before = " PERSONA(0, "imageUrl"));
	click("personas", 0, "Generate portrait");
	browser_wait(browser, SHOWN("personas"));
	expect("window.before === " PERSONA(0, "imageUrl"), "false");
	open_client();
	browser_wait(browser, SHOWN("personas") " && " SHOWN("styles"));
	click("styles", 0, "Remove");
	expect(COUNT("styles"), "0");
	click("personas", 0, "Delete");
	expect(COUNT("personas"), "0");
	expect_refusals(0, 0);
	stop();
}
END_TEST

START_TEST(the_rest_comes_from_the_tool)
{
	start();
	expect("document.getElementById('status').textContent", "ok");
	expect("[...document.querySelectorAll('#projects option')].map(o => o.value + o.text).join()",
	    "demoShop,plainOther");
	expect("[...document.querySelectorAll('#scenarios li')].map(l => l.textContent).join()",
	    "Return a kettle,Ask twice");
	expect("document.getElementById('parts').textContent", "2 3 0 1");
	expect("getComputedStyle(document.querySelector('main')).display", "grid");
	save("Ada", "", "", "done");
	act("{ const p = document.getElementById('projects'); p.value = 'plain';"
	    "p.dispatchEvent(new Event('change')); }");
	outcome("done");
	expect("document.querySelector('#scenarios').textContent", "Close an account");
	expect(COUNT("personas"), "0");
	save("Ada", "", "", "done");
	expect(COUNT("personas"), "1");
	expect_refusals(0, 0);
	stop();
}
END_TEST

START_TEST(events_of_a_run_come_one_by_one)
{
	start();
	act("document.getElementById('run').click()");
	outcome("done");
	expect(COUNT("events"), "0");
	webtool_event(NULL, "hello");
	browser_wait(browser, COUNT("events") " === 1");
	webtool_event(NULL, "good bye");
	browser_wait(browser, COUNT("events") " === 2");
	expect("document.querySelectorAll('#events li')[1].textContent", "good bye");
	expect("document.getElementById('events').dataset.over", "null");
	webtool_event("end", "");
	browser_wait(browser, "document.getElementById('events').dataset.over === 'yes'");
	expect_refusals(0, 0);
	stop();
}
END_TEST

START_TEST(a_websocket_goes_both_ways)
{
	start();
	act("document.getElementById('words').value = 'hello';"
	    "document.getElementById('say').click()");
	browser_wait(browser, COUNT("talk") " === 1");
	act("document.getElementById('words').value = '\\u{1F642} again';"
	    "document.getElementById('say').click()");
	browser_wait(browser, COUNT("talk") " === 2");
	expect("[...document.querySelectorAll('#talk li')].map(l => l.textContent).join()",
	    "hello,\xf0\x9f\x99\x82 again");
	act("document.getElementById('leave').click()");
	browser_wait(browser, "document.getElementById('talk').dataset.over === 'clean'");
	expect_refusals(0, 0);
	stop();
}
END_TEST

/* The suite. */
static Suite *
webclient_suite(void)
{
	const TTest *const tests[] = {personas_are_made_changed_and_removed,
	    portraits_and_style_references_show, the_rest_comes_from_the_tool,
	    events_of_a_run_come_one_by_one, a_websocket_goes_both_ways, NULL};

	return unit_suite("a tool's web client", tests);
}

UNIT_MAIN_IF(browser_found(), webclient_suite)
