#include "config.h"

#include "browser.h"
#include "harness.h"
#include "unit.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A page on one origin of loopback uses a gateway on another, in a real browser. */

/* Does what a web client does with a persona, and notes each step's outcome. */
static const char page[] =
    "<!doctype html><title>working</title><script>\n"
    "const seen = {}, base = location.hash.slice(1) + '/api/projects/demo';\n"
    "const json = (method, path, body) => fetch(base + path, {method, credentials: 'omit',\n"
    "  headers: {'Content-Type': 'application/json'}, body: body && JSON.stringify(body)});\n"
    "async function step(name, run) {\n"
    "  try { seen[name] = await run(); } catch (e) { seen[name] = e.name; }\n"
    "}\n"
    "async function all() {\n"
    "  let id = 'none', image = base + '/images/none.png';\n"
    "  await step('list', async () => (await fetch(base + '/personas')).json());\n"
    "  await step('create', async () => {\n"
    "    const r = await json('POST', '/personas', {name: 'a', systemPrompt: 'p'});\n"
    "    id = (await r.json()).id;\n"
    "    return r.status;\n"
    "  });\n"
    "  await step('again', async () => {\n"
    "    const r = await json('POST', '/personas', {name: 'a'});\n"
    "    return [r.status, (await r.json()).error, r.headers.has('X-Request-Id')];\n"
    "  });\n"
    "  await step('update', async () =>\n"
    "    (await (await json('PUT', '/personas/' + id, {description: 'd'})).json()).description);\n"
    "  await step('tag', async () =>\n"
    "    /^\".+\"$/.test((await fetch(base + '/personas/' + id)).headers.get('ETag')));\n"
    "  await step('draw', async () => {\n"
    "    const r = await json('POST', '/personas/' + id + '/generate-image');\n"
    "    image = base + '/images/' + (await r.json()).imageUrl;\n"
    "    return r.status;\n"
    "  });\n"
    /* first as a plain image, which the browser may keep, then as one that is read */
    "  await step('show', async () => { const i = new Image(); i.src = image;\n"
    "    await i.decode(); return i.width; });\n"
    "  await step('read', async () => (await createImageBitmap(\n"
    "    await (await fetch(image)).blob())).width);\n"
    "  await step('part', async () => {\n"
    "    const r = await fetch(image, {headers: {Range: 'bytes=0-3'}});\n"
    "    return [r.status, (await r.blob()).size, r.headers.has('Content-Range')];\n"
    "  });\n"
    "  await step('delete', async () => (await json('DELETE', '/personas/' + id)).status);\n"
    "  await step('missing', async () => (await json('DELETE', '/personas/' + id)).status);\n"
    "  await step('lost', async () => (await fetch(base + '/nothing')).status);\n"
    "  await step('large', async () =>\n"
    "    (await json('POST', '/personas', {name: 'x'.repeat(2000000)})).status);\n"
    "  document.title = 'done';\n"
    "}\n"
    "all();\n"
    "</script>";

static struct program gateway;
static int listener = -1;
static pthread_t server;

/* Gives the page to whoever asks, until the listener is closed. */
static void *
serve_page(void *arg)
{
	char bytes[8192];
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		size_t n = 0;
		ssize_t got;

		while (n < sizeof bytes - 1 && (got = recv(fd, bytes + n, sizeof bytes - 1 - n, 0)) > 0) {
			n += (size_t)got;
			bytes[n] = '\0';
			if (strstr(bytes, "\r\n\r\n") != NULL)
				break;
		}
		n = (size_t)snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
		    "Content-Length: %zu\r\nConnection: close\r\n\r\n%s", sizeof page - 1, page);
		raw_send(fd, bytes, n);
		close(fd);
	}
	return NULL;
}

/* Starts to give the page; returns the port. */
static int
start_page(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(listener, 16), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
	ck_assert_int_eq(pthread_create(&server, NULL, serve_page, NULL), 0);
	return ntohs(sin.sin_port);
}

/* Stops giving it. */
static void
stop_page(void)
{
	shutdown(listener, SHUT_RDWR);
	pthread_join(server, NULL);
	close(listener);
}

/* Has a browser run the page, with the gateway allowing an origin (a format of the
 * page's port); what the page saw. The caller frees. */
static char *
run_page(const char *origin)
{
	int port = start_page();
	char allowed[100], url[200];
	const char *args[] = {"serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
	    "off", "--config", NULL, NULL};
	struct browser *b;
	char *seen;

	snprintf(allowed, sizeof allowed, "http://127.0.0.1:%d", port);
	args[7] = scratch_file("gateway.yaml", "cors: {origins: [\"%s\"]}\n",
	    origin != NULL ? origin : allowed);
	program_start(&gateway, args);
	b = browser_start();
	snprintf(url, sizeof url, "http://127.0.0.1:%d/#http://127.0.0.1:%d", port, gateway.port);
	browser_open(b, url);
	browser_wait(b, "document.title === 'done'");
	seen = browser_eval(b, "seen");
	browser_stop(b);
	ck_assert_int_eq(program_stop(&gateway), 0);
	stop_page();
	return seen;
}

START_TEST(an_allowed_page_works)
{
	char *seen = run_page(NULL);

	ck_assert_str_eq(seen, "{\"list\":[],\"create\":201,"
	    "\"again\":[409,\"Persona with name \\\"a\\\" already exists\",true],"
	    "\"update\":\"d\",\"tag\":true,\"draw\":200,\"show\":1024,\"read\":1024,"
	    "\"part\":[206,4,true],\"delete\":204,\"missing\":404,\"lost\":404,\"large\":413}");
	free(seen);
}
END_TEST

START_TEST(another_page_gets_nothing)
{
	char *seen = run_page("http://127.0.0.1:1");

	ck_assert_str_eq(seen, "{\"list\":\"TypeError\",\"create\":\"TypeError\","
	    "\"again\":\"TypeError\",\"update\":\"TypeError\",\"tag\":\"TypeError\","
	    "\"draw\":\"TypeError\",\"show\":\"EncodingError\",\"read\":\"TypeError\","
	    "\"part\":\"TypeError\",\"delete\":\"TypeError\",\"missing\":\"TypeError\","
	    "\"lost\":\"TypeError\",\"large\":\"TypeError\"}");
	free(seen);
}
END_TEST

/* The suite. */
static Suite *
cors_suite(void)
{
	const TTest *const tests[] = {an_allowed_page_works, another_page_gets_nothing, NULL};

	return unit_suite("cors in a browser", tests);
}

UNIT_MAIN_IF(browser_found(), cors_suite)
