#include "config.h"

#include "browser.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "harness.h"
#include "json/json_read.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json_object.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BROWSER_WAIT_MS 60000 /* longer than anything here should take, the first start too */
#define BROWSER_READ_FD 3     /* where the browser reads messages and ... */
#define BROWSER_WRITE_FD 4    /* ... writes them */

struct browser {
	pid_t pid;
	int in, out;       /* our ends of its pipes: what we read, what we write */
	struct buf got;    /* read and not yet taken apart */
	struct buf errors; /* of the page */
	char *session;     /* of the page */
	int serial;        /* of the last message sent */
	bool loaded;       /* since the last navigation */
};

/* Milliseconds of a clock that only runs forward. */
static int64_t
browser_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Whether there is one. */
bool
browser_found(void)
{
	return system("command -v chromium >/dev/null") == 0;
}

/* ---- messages ---- */

/* A member of an object, or NULL. */
static struct json_object *
browser_member(struct json_object *o, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, name, &value);
	return value;
}

/* The text of a member, or "". */
static const char *
browser_string(struct json_object *o, const char *name)
{
	struct json_object *value = browser_member(o, name);

	return value != NULL ? json_object_get_string(value) : "";
}

/* Waits for bytes of the browser. */
static void
browser_fill(struct browser *b, int64_t until)
{
	struct pollfd p = {.fd = b->in, .events = POLLIN};
	char bytes[65536];
	ssize_t n = -1;

	while (n < 0) {
		int64_t left = until - browser_now();

		ck_assert_msg(left > 0, "the browser does not answer");
		if (poll(&p, 1, (int)left) > 0)
			n = read(b->in, bytes, sizeof bytes);
		ck_assert_msg(n != 0, "the browser has ended");
	}
	ck_assert(buf_add(&b->got, bytes, (size_t)n));
}

/* The next message; the caller puts it. */
static struct json_object *
browser_next(struct browser *b, int64_t until)
{
	struct json_object *root = NULL;
	struct json_error err;
	const char *end;
	size_t len;

	while ((end = b->got.len > 0 ? memchr(b->got.data, '\0', b->got.len) : NULL) == NULL)
		browser_fill(b, until);
	len = (size_t)(end - b->got.data);
	ck_assert_msg(json_read(b->got.data, len, &root, &err), "the browser says %s", b->got.data);
	buf_drain(&b->got, len + 1);
	return root;
}

/* Takes note of what the page did. */
static void
browser_note(struct browser *b, struct json_object *message)
{
	struct json_object *params = browser_member(message, "params"), *inner;
	const char *method = browser_string(message, "method");

	if (strcmp(method, "Page.loadEventFired") == 0) {
		b->loaded = true;
	} else if (strcmp(method, "Runtime.exceptionThrown") == 0) {
		inner = browser_member(params, "exceptionDetails");
		buf_addf(&b->errors, "%s\n", browser_string(browser_member(inner, "exception"), "description"));
	} else if (strcmp(method, "Runtime.consoleAPICalled") == 0 &&
	    strcmp(browser_string(params, "type"), "error") == 0) {
		inner = json_object_array_get_idx(browser_member(params, "args"), 0);
		buf_addf(&b->errors, "%s\n", browser_string(inner, "value"));
	} else if (strcmp(method, "Log.entryAdded") == 0) {
		inner = browser_member(params, "entry");
		if (strcmp(browser_string(inner, "level"), "error") == 0)
			buf_addf(&b->errors, "%s %s\n", browser_string(inner, "text"),
			    browser_string(inner, "url"));
	}
}

/* Sends a message and waits for its answer: the result, which the caller puts.
 * `params` are taken over; NULL: none. */
static struct json_object *
browser_call(struct browser *b, const char *method, struct json_object *params)
{
	int64_t until = browser_now() + BROWSER_WAIT_MS;
	struct json_object *call = json_object_new_object(), *answer, *result;
	const char *text;

	json_object_object_add(call, "id", json_object_new_int(++b->serial));
	json_object_object_add(call, "method", json_object_new_string(method));
	if (b->session != NULL)
		json_object_object_add(call, "sessionId", json_object_new_string(b->session));
	if (params != NULL)
		json_object_object_add(call, "params", params);
	text = json_object_to_json_string_ext(call, JSON_C_TO_STRING_PLAIN);
	ck_assert_int_eq(write(b->out, text, strlen(text) + 1), (ssize_t)strlen(text) + 1);
	json_object_put(call);
	while (json_object_get_int(browser_member(answer = browser_next(b, until), "id")) != b->serial) {
		browser_note(b, answer);
		json_object_put(answer);
	}
	result = json_object_get(browser_member(answer, "result"));
	ck_assert_msg(result != NULL, "%s: %s", method, json_object_to_json_string(answer));
	json_object_put(answer);
	return result;
}

/* Calls for no more than the effect. */
static void
browser_do(struct browser *b, const char *method, struct json_object *params)
{
	json_object_put(browser_call(b, method, params));
}

/* Parameters with one text. */
static struct json_object *
browser_params(const char *name, const char *value)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, name, json_object_new_string(value));
	return params;
}

/* ---- start and end ---- */

/* Becomes the browser. */
static void
browser_exec(const int to[2], const int from[2], const char *profile)
{
	int log = open("/dev/null", O_WRONLY), in = fcntl(to[0], F_DUPFD, 10),
	    out = fcntl(from[1], F_DUPFD, 10);

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing behind */
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	dup2(in, BROWSER_READ_FD);
	dup2(out, BROWSER_WRITE_FD);
	for (int fd = BROWSER_WRITE_FD + 1; fd < 64; fd++)
		close(fd);
	execlp("chromium", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
	    "--disable-quic", "--no-first-run", "--disable-background-networking",
	    "--disable-component-update", "--disable-sync", "--disable-breakpad",
	    "--disable-dev-shm-usage", "--remote-debugging-pipe", profile, "about:blank",
	    (char *)NULL);
	_exit(127);
}

/* Makes a page and listens to it. */
static void
browser_attach(struct browser *b)
{
	struct json_object *params = browser_params("url", "about:blank"), *result;

	result = browser_call(b, "Target.createTarget", params);
	params = browser_params("targetId", json_object_get_string(browser_member(result, "targetId")));
	json_object_put(result);
	json_object_object_add(params, "flatten", json_object_new_boolean(true));
	result = browser_call(b, "Target.attachToTarget", params);
	b->session = mem_string(json_object_get_string(browser_member(result, "sessionId")));
	json_object_put(result);
	browser_do(b, "Page.enable", NULL);
	browser_do(b, "Runtime.enable", NULL);
	browser_do(b, "Log.enable", NULL);
}

/* Starts one. */
struct browser *
browser_start(void)
{
	static unsigned turn;
	struct browser *b = mem_zero(1, sizeof *b);
	char *profile = mem_format("--user-data-dir=%s/browser.%u", scratch_dir(), turn++);
	int to[2], from[2];

	ck_assert_int_eq(pipe2(to, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
	b->pid = fork();
	ck_assert_int_ge(b->pid, 0);
	if (b->pid == 0)
		browser_exec(to, from, profile);
	free(profile);
	close(to[0]);
	close(from[1]);
	b->out = to[1];
	b->in = from[0];
	browser_attach(b);
	return b;
}

/* Ends it. Its pipes end with the last of its processes, which still write to the
 * profile before. */
void
browser_stop(struct browser *b)
{
	int64_t until = browser_now() + BROWSER_WAIT_MS;
	struct pollfd p = {.fd = b->in, .events = POLLIN};
	char rest[4096];
	int64_t left;

	kill(b->pid, SIGTERM);
	while ((left = until - browser_now()) > 0)
		if (poll(&p, 1, (int)left) > 0 && read(b->in, rest, sizeof rest) <= 0)
			break;
	if (left <= 0)
		kill(b->pid, SIGKILL);
	while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(b->in);
	close(b->out);
	buf_free(&b->got);
	buf_free(&b->errors);
	free(b->session);
	free(b);
}

/* ---- the page ---- */

/* Sets the size. */
void
browser_resize(struct browser *b, int width, int height)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, "width", json_object_new_int(width));
	json_object_object_add(params, "height", json_object_new_int(height));
	json_object_object_add(params, "deviceScaleFactor", json_object_new_int(1));
	json_object_object_add(params, "mobile", json_object_new_boolean(width < 600));
	browser_do(b, "Emulation.setDeviceMetricsOverride", params);
}

/* Goes to a URL. */
void
browser_open(struct browser *b, const char *url)
{
	int64_t until = browser_now() + BROWSER_WAIT_MS;
	struct json_object *result, *message;

	b->loaded = false;
	buf_clear(&b->errors);
	result = browser_call(b, "Page.navigate", browser_params("url", url));
	ck_assert_msg(browser_member(result, "errorText") == NULL, "%s: %s", url,
	    json_object_to_json_string(result));
	json_object_put(result);
	while (!b->loaded) {
		message = browser_next(b, until);
		browser_note(b, message);
		json_object_put(message);
	}
}

/* The value of an expression. */
char *
browser_eval(struct browser *b, const char *expression)
{
	struct json_object *params = browser_params("expression", expression), *result, *value;
	char *text;

	json_object_object_add(params, "awaitPromise", json_object_new_boolean(true));
	json_object_object_add(params, "returnByValue", json_object_new_boolean(true));
	result = browser_call(b, "Runtime.evaluate", params);
	ck_assert_msg(browser_member(result, "exceptionDetails") == NULL, "%s: %s", expression,
	    json_object_to_json_string(result));
	value = browser_member(browser_member(result, "result"), "value");
	if (json_object_is_type(value, json_type_string))
		text = mem_string(json_object_get_string(value));
	else
		text = mem_string(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
	json_object_put(result);
	return text;
}

/* Waits for a condition, which the page itself looks at. */
void
browser_wait(struct browser *b, const char *condition)
{
	char *expression = mem_format("new Promise((done, failed) => {"
	    "const end = Date.now() + %d, look = () => {"
	    "if (%s) done(true);"
	    "else if (Date.now() > end) failed(Error(document.body.innerText));"
	    "else setTimeout(look, 20);"
	    "}; look(); })", BROWSER_WAIT_MS / 2, condition);

	free(browser_eval(b, expression));
	free(expression);
}

/* The page as HTML. */
char *
browser_dom(struct browser *b)
{
	return browser_eval(b, "document.documentElement.outerHTML");
}

/* What went wrong in the page. What was said before this call must have come: a
 * round trip makes sure of it. */
const char *
browser_errors(const struct browser *b)
{
	return b->errors.len > 0 ? b->errors.data : "";
}

/* Takes a picture. */
void
browser_screenshot(struct browser *b, const char *path)
{
	struct json_object *result = browser_call(b, "Page.captureScreenshot", NULL);
	struct json_object *data = browser_member(result, "data");
	struct base64 decoder = {0};
	struct buf png = {0};
	FILE *f;

	ck_assert(base64_decode(&decoder, json_object_get_string(data),
	    (size_t)json_object_get_string_len(data), &png));
	ck_assert(base64_ends(&decoder));
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(png.data, 1, png.len, f), png.len);
	ck_assert_int_eq(fclose(f), 0);
	buf_free(&png);
	json_object_put(result);
}
