#include "config.h"

#include "echo.h"
#include "secret.h"
#include "stage.h"
#include "certificate.h"
#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Runs what the program can do with marked keys, tokens and header values, in front of an
 * upstream that shows them in whatever it answers, and looks for them in everything that
 * comes out: what clients are told, logs, pages, metrics, recordings, what commands print,
 * and files.
 */

/* Each with what is written differently in another form. */
#define KEY "bj-Qk7&x/w+2'Lm=Vt9<Zk%R4?sYpDcN"
#define PROJECT_KEY "pr-uW4eKs7Zb/Tn1+Xc&Qy9\"GfLo6\\RmVh"
#define IMAGE_KEY "im-Zt6Rq&Wn3+Yk/Vb8>LdHs1~XoCf5"
#define HEADER "hd-Fa3MrKx8/Tz+Wq5&Nb=Vj2HsGy7"
#define LATER "nx-Ue9DkWv4/Rb+Hy6&Sm=Qc1TfZo8"
#define TOKEN "tk-Ns8GcYw4QzEv1JrMt6KbXo3UhLf9"
#define WRONG "wr-Oz5XhBp2KwTe7RsLd0VnGc6YqJm1"

static const char *secrets[] = {KEY, PROJECT_KEY, IMAGE_KEY, HEADER, LATER, TOKEN, WRONG,
    NULL, NULL}; /* a part of the key for TLS, when there is one */
#define TLS_KEY 7

static struct program gateway;
static unsigned looked; /* outputs */

/* Fails when a secret stands in what came out. */
static void
look(const char *what, const char *bytes, size_t len)
{
	looked++;
	for (size_t i = 0; secrets[i] != NULL; i++) {
		const char *form = secret_form(bytes, len, secrets[i]);

		ck_assert_msg(form == NULL, "%s shows %s (%s): %.*s", what, secrets[i], form,
		    len < 2000 ? (int)len : 2000, bytes);
	}
}

/* The same of a command's output, which it frees. */
static void
look_text(const char *what, char *text)
{
	look(what, text, strlen(text));
	free(text);
}

/* The same of a file. */
static void
look_file(const char *path)
{
	struct stat st;
	char *bytes;
	FILE *f;

	ck_assert_int_eq(stat(path, &st), 0);
	if (!S_ISREG(st.st_mode))
		return;
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	bytes = malloc((size_t)st.st_size + 1);
	look(path, bytes, fread(bytes, 1, (size_t)st.st_size, f));
	free(bytes);
	fclose(f);
}

/* The same of all files of a folder and below. */
static void
look_folder(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	ck_assert_msg(d != NULL, "%s", path);
	while ((e = readdir(d)) != NULL) {
		char below[512];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof below, "%.250s/%.250s", path, e->d_name);
		if (e->d_type == DT_DIR)
			look_folder(below);
		else
			look_file(below);
	}
	closedir(d);
}

/* Asks, and looks at the whole answer. */
static struct reply *
see(int port, const char *method, const char *path, const char *fields, const char *body)
{
	struct reply *r = ask(port, method, path, fields, body);
	char what[300];

	snprintf(what, sizeof what, "the answer to %s %.200s", method, path);
	look(what, r->head, strlen(r->head));
	if (r->body != NULL)
		look(what, r->body, r->len);
	return r;
}

/* ---- the test itself ---- */

START_TEST(a_secret_that_is_shown_is_found)
{
	static const struct {
		const char *text, *form;
	} shown[] = {
	    {"x bj-Qk7&x/w+2'Lm=Vt9<Zk%R4?sYpDcN x", "plain"},
	    {"starts with bj-Qk7&x/w+2'… and was cut", "plain"},
	    {"?k=bj-Qk7%26x%2Fw%2B2%27Lm%3dVt9%3CZk%25R4%3fsYpDcN", "percent"},
	    {"{\"k\":\"bj-Qk7&x\\/w+2'Lm\"}", "json"},
	    {"{\"k\":\"bj-Qk7\\u0026x/w+2'Lm\"}", "json"},
	    {"<b>bj-Qk7&amp;x/w+2&#39;Lm</b>", "html"},
	    {"0x626a2d516b3726782f772b32274c6d", "hex"},
	    {"x626A2D516B3726782F772B32274C6D", "hex"},
	};
	char *text;

	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		const char *form = secret_form(shown[i].text, strlen(shown[i].text), KEY);

		ck_assert_msg(form != NULL && strcmp(form, shown[i].form) == 0, "%s: %s", shown[i].text, form);
		ck_assert_ptr_null(secret_form(shown[i].text, strlen(shown[i].text), TOKEN));
	}
	for (int before = 0; before < 3; before++) {
		text = shell("printf '%%.*s%%s' %d ab '" TOKEN "' | base64 -w 0", before);
		ck_assert_str_eq(secret_form(text, strlen(text), TOKEN), "base64");
		ck_assert_ptr_null(secret_form(text, strlen(text), KEY));
		free(text);
	}
}
END_TEST

/* ---- commands ---- */

/* Runs the program with the keys in its environment; its whole output. */
static char *
run(const char *args, const char *input)
{
	char *out;

	scratch_file("input", "%s", input);
	out = shell("cd %s && %s %s <input 2>&1", scratch_dir(), program_path(), args);
	ck_assert_msg(strstr(out, "Sanitizer") == NULL, "%s", out);
	return out;
}

/* Puts keys where the files of this test look for them. */
static void
prepare(void)
{
	char *program = realpath(program_path(), NULL);

	ck_assert_ptr_nonnull(program);
	setenv("PERSONA_GATEWAY", program, 1);
	free(program);
	setenv("BJ", KEY, 1);
	setenv("HD", HEADER, 1);
	setenv("CONTROL", KEY "\001", 1);
	setenv("LINES", KEY "\n" KEY, 1);
	setenv("BYTES", KEY "\377", 1);
	setenv("REFERENCE", KEY "${project.agent_id}", 1);
	scratch_file("project.key", "%s\n", PROJECT_KEY);
	scratch_file("image.key", "%s\n", IMAGE_KEY);
	scratch_file("token", "%s\n", TOKEN);
	scratch_file("two.key", "%s\n%s\n", KEY, PROJECT_KEY);
	free(shell("cd %s && mkdir -p folder && printf '%%s\\0x' '" TOKEN "' >nul.key && "
	    "head -c 5000 /dev/zero | tr '\\0' k >long.key && printf '%%s' '" TOKEN "' >>long.key", scratch_dir()));
}

START_TEST(no_mistake_of_a_file_shows_a_key)
{
	/* the plain TOKEN stands for a key that is written into the file itself */
	static const char *const files[] = {
	    "bluejay: {api_key: " TOKEN "\n", "bluejay: {api_key: \"" TOKEN "}\n", "bluejay: {api_key: '" TOKEN "}\n",
	    "bluejay:\n  api_key: *" TOKEN "\n", "bluejay:\n  api_key: &" TOKEN "\n",
	    "bluejay:\n  api_key: !" TOKEN " x\n", "bluejay:\n  api_key: @" TOKEN "\n",
	    "bluejay:\n  api_key: %" TOKEN "\n", "bluejay:\n  api_key: `" TOKEN "\n",
	    "bluejay:\n  api_key: |" TOKEN "\n", "bluejay:\n  api_key: >" TOKEN "\n",
	    "bluejay:\n  api_key: [" TOKEN "\n", "bluejay:\n  api_key: {" TOKEN "\n",
	    "bluejay:\n  api_key: " TOKEN ": x\n", "bluejay:\n  api_key: x: " TOKEN "\n",
	    "bluejay:\n  api_key: \"\\q" TOKEN "\"\n", "bluejay:\n  api_key: \"" TOKEN "\" x\n",
	    "bluejay:\n  api_key: x\n " TOKEN "\n", "bluejay:\n\tapi_key: " TOKEN "\n",
	    "bluejay:\n  api_key:" TOKEN "\n", "bluejay:\n  api_key=" TOKEN "\n", "bluejay: {api_key:" TOKEN "}\n",
	    "bluejay: {api_key=" TOKEN "}\n", "bluejay:\n  \"api_key: " TOKEN "\":\n",
	    "bluejay:\n  api_key: [" TOKEN "]\n", "bluejay:\n  api_key: {" TOKEN ": x}\n",
	    "bluejay:\n  api_key: a\n  api_key: " TOKEN "\n", "bluejay: " TOKEN "\n", "bluejay: [" TOKEN "]\n",
	    "projects: {a: " TOKEN "}\nbluejay: {api_key: k}\n", "projects: " TOKEN "\n", "clients: [" TOKEN "]\n",
	    "clients: " TOKEN "\n", "clients: [{name: a, token_sha256: " TOKEN "}]\n",
	    "clients: [{name: a, token: " TOKEN "}]\n", "clients: [{name: a, token_sha256: [" TOKEN "]}]\n",
	    "store: " TOKEN "\n", "store: {kind: postgresql, password: " TOKEN "}\nbluejay: {api_key: k}\n",
	    "store: {kind: postgresql, url: \"postgresql://g:" TOKEN " @h/d\"}\nbluejay: {api_key: k}\n",
	    "store: {kind: postgresql, url: \"postgresql://g@h/d\", password_file: two.key}\nbluejay: {api_key: k}\n",
	    "store: {kind: \"${BJ}\", url: [\"${BJ}\"], connections: \"${BJ}\"}\nbluejay: {api_key: k}\n",
	    "images: " TOKEN "\n", TOKEN "\n", "[" TOKEN "]\n", "bluejay: {api_key: \"" TOKEN "\\x01\"}\n",
	    "bluejay: {api_key: \"" TOKEN " x\"}\n", "bluejay: {api_key: \xff" TOKEN "}\n",
	    "bluejay: {api_key: \"${NO-" TOKEN "}\"}\n", "bluejay: {api_key: \"${NO:" TOKEN "}\"}\n",
	    "bluejay: {api_key: \"${NO:-" TOKEN "${X}}\"}\n", "bluejay: {api_key: \"${NO:-" TOKEN "\"}\n",
	    "bluejay: {api_key: ${NO:-" TOKEN "}}\n", "bluejay: {api_key: \"${ " TOKEN "}\"}\n",
	    "bluejay: {api_key: \"${CONTROL}\"}\n", "bluejay: {api_key: \"${LINES}\"}\n",
	    "bluejay: {api_key: \"${BYTES}\"}\n", "bluejay: {api_key: \"${REFERENCE}\"}\n",
	    "bluejay: {api_key_file: \"${BJ}\"}\n", "images: {api_key_file: \"${BJ}\"}\nbluejay: {api_key: k}\n",
	    "bluejay: {api_key: k, ca_file: \"${BJ}\"}\n", "log: {file: \"${BJ}\"}\nbluejay: {api_key: k, a: b}\n",
	    "data_dir: \"${BJ}\"\nbluejay: {api_key: k, a: b}\n",
	    "bluejay: {api_key_file: folder}\n", "bluejay: {api_key_file: two.key}\n",
	    "bluejay: {api_key_file: nul.key}\n", "bluejay: {api_key_file: long.key}\n",
	    "bluejay: {api_key: k, timeouts: \"${BJ}\", retries: \"${BJ}\", forward_persona_headers: \"${BJ}\"}\n",
	    "bluejay: {api_key: k, rate: {per_minute: \"${BJ}\"}, cache: {fresh: \"${BJ}\", size: \"${BJ}\"}}\n",
	    "log: {level: \"${BJ}\"}\nbluejay: {api_key: k}\n", "listen: \"${BJ}\"\nbluejay: {api_key: k}\n",
	    "allowed_hosts: [\"${BJ}\"]\nbluejay: {api_key: k}\n", "cors: {origins: [\"${BJ}\"]}\nbluejay: {api_key: k}\n",
	    "bluejay: {url: \"${BJ}\", api_key: k}\n", "bluejay: {proxy: \"${BJ}\", api_key: k}\n",
	    "bluejay: {url: \"https://user:" TOKEN "@host\", api_key: k}\n",
	    "bluejay: {url: \"user:" TOKEN "@host\", api_key: k}\n",
	    "bluejay: {url: \"https://host/?key=" TOKEN "\", api_key: k}\n",
	    "bluejay: {url: \"https://user:" TOKEN " @host\", api_key: k}\n",
	    "bluejay: {proxy: \"http://user:" TOKEN "@host\", api_key: k}\n",
	    "passthrough: {local: \"http://user:" TOKEN "@host\"}\nbluejay: {api_key: k}\n",
	    "images: {url: \"http://user:" TOKEN "@host\"}\nbluejay: {api_key: k}\n",
	    "cors: {origins: [\"http://user:" TOKEN "@host\"]}\nbluejay: {api_key: k}\n",
	    "bluejay: {api_key: k, headers: {X-A: \"" TOKEN "\\n\"}}\n",
	    "bluejay: {api_key: k, headers: {\"X-A: " TOKEN "\": x}}\n", "bluejay: {api_key: k, headers: {X-API-Key: " TOKEN "}}\n",
	    "bluejay: {api_key: k, headers: {X-A: [" TOKEN "]}}\n", "bluejay: {api_key: k, headers: " TOKEN "}\n",
	    "bluejay: {api_key: k, headers: {X-A: a, x-a: " TOKEN "}}\n",
	    "mapping: {persona: {constants: {x: \"${BJ}\", name: \"${BJ}\"}}}\nbluejay: {api_key: k}\n",
	    "mapping: {persona: {fields: {name: \"${BJ}\"}}}\nbluejay: {api_key: k}\n",
	    "mapping: {persona: {fields: {name: {to: \"${BJ}\", as: \"${BJ}\", when_absent: \"${BJ}\"}}}}\nbluejay: {api_key: k}\n",
	    "resources: {things: {list: \"${BJ}\", read: \"GET ${BJ}\", mapping: {fields: {name: name}}}}\nbluejay: {api_key: k}\n",
	    "images: {provider: \"${BJ}\", model: \"${LINES}\", size: \"${LINES}\"}\nbluejay: {api_key: k}\n",
	    "projects: {a: {name: \"${LINES}\", agent_id: \"${BJ}\"}}\nbluejay: {api_key: k}\n",
	    "projects: {a: {api_key: \"${LINES}\"}, b: {api_key_file: folder}}\nbluejay: {api_key: k}\n",
	    "clients: [{name: \"${BJ}\", token_file: two.key}]\nbluejay: {api_key: k}\n",
	    "clients: [{name: a, token_file: token, projects: [\"${BJ}\"]}]\nbluejay: {api_key: k}\n",
	    "clients: [{name: a, token_file: token}, {name: b, token_file: token}]\nbluejay: {api_key: k}\n",
	};

	prepare();
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char what[300], *out;

		scratch_file("bad.yaml", "%s", files[i]);
		out = run("check --config bad.yaml", "");
		snprintf(what, sizeof what, "check of %.200s", files[i]);
		ck_assert_msg(strstr(out, "bad.yaml") != NULL, "%s: %s", files[i], out);
		look_text(what, out);
	}
}
END_TEST

/* ---- the gateway ---- */

#define UUID "3c90c3cc-0d44-4b50-8888-8dd25736052a"
#define PERSONA "{\"id\":\"" UUID "\",\"name\":\"ann\",\"description\":\"d\",\"goal\":\"g\",\"agent_id\":1," \
	"\"created_at\":\"2026-01-01T00:00:00Z\"}"
#define GOOD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Echo: %K\r\nSet-Cookie: k=%K\r\n\r\n"
#define BAD(status) "HTTP/1.1 " status " %K\r\nContent-Type: application/json\r\nX-Echo: %K\r\n" \
	"Location: https://%K.example/?k=%K\r\nWWW-Authenticate: %K\r\nETag: \"%K\"\r\n"

/* How the upstream answers, with the key wherever it can stand. */
static const char *const answers[] = {
    BAD("401") "\r\n{\"detail\":\"the key %K is not known\"}", BAD("403") "\r\n{\"detail\":\"%K\"}",
    BAD("404") "\r\n{\"detail\":\"%K\"}", BAD("400") "\r\n{\"detail\":\"%K\"}", BAD("409") "\r\n\"%K\"",
    BAD("422") "\r\n{\"detail\":[{\"type\":\"missing\",\"loc\":[\"body\",\"goal\"],\"msg\":\"%K\",\"input\":\"%K\"}]}",
    BAD("422") "\r\n{\"detail\":[{\"type\":\"%K\",\"loc\":[\"header\",\"%K\"],\"msg\":\"%K\"}]}",
    BAD("429") "Retry-After: %K\r\n\r\n%K", BAD("500") "\r\n<html>%K</html>", BAD("503") "Retry-After: 1\r\n\r\n%K",
    BAD("302") "\r\n", BAD("307") "\r\n%K", BAD("200") "\r\n%K", BAD("200") "\r\n{\"id\":\"%K", BAD("200") "\r\n[\"%K\"]",
    BAD("200") "Content-Length: %K\r\n\r\n{}", BAD("200") "Content-Length: 1\r\nContent-Length: 2\r\n\r\n%K",
    BAD("200") "Transfer-Encoding: %K\r\n\r\n{}", BAD("200") "Transfer-Encoding: chunked\r\n\r\n%K\r\n%K",
    BAD("200") "Content-Encoding: %K\r\n\r\n{}", BAD("200") "%K\r\n\r\n{}", BAD("200") ": %K\r\n\r\n{}",
    BAD("101") "Upgrade: %K\r\n\r\n%K", "%K\r\n\r\n", "HTTP/1.1 %K\r\n\r\n", "HTTP/%K 200 OK\r\n\r\n", "HTTP/1.1 2000%K\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n%K", "", GOOD PERSONA, GOOD "[" PERSONA "]"};

static int upstream;

/* Writes the file of the gateway. */
static void
write_config(const char *format, const char *more)
{
	scratch_file("gateway.yaml",
	    "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\ndata_dir: data\ndrain: 100ms\n"
	    "log: {level: debug, format: %s}\nrecording: {requests: 100}\n"
	    "bluejay:\n  url: http://127.0.0.1:%d\n  api_key: ${BJ}\n  headers: {X-Secret: \"${HD}\"}\n"
	    "  retries: 2\n  timeouts: {total: 400ms}\n  settle: {grace: 100ms}\n  cache: {fresh: 0s, stale_if_error: 0s}\n"
	    "projects: {demo: {agent_id: 1}, own: {api_key_file: project.key}}\n"
	    "images: {api_key_file: image.key, url: \"http://127.0.0.1:%d\"}\n"
	    "passthrough: {bluejay: true, local: \"http://127.0.0.1:%d\"}\n"
	    "clients: [{name: ops, token_file: token, admin: true, passthrough: true}]\n"
	    "resources: {things: {list: GET /v1/things, read: \"GET /v1/thing/{id}\", "
	    "mapping: {fields: {name: name}}}}\n%s", format, upstream, upstream, upstream, more);
}

/* Starts a gateway with nothing in its folder. */
static void
start(const char *format)
{
	char config[256];
	const char *const args[] = {"serve", "--config", config, NULL};

	snprintf(config, sizeof config, "%.200s/gateway.yaml", scratch_dir());
	free(shell("rm -rf %s/data", scratch_dir()));
	write_config(format, "");
	program_start(&gateway, args);
}

/* Ends it; looks at its log and at what it leaves behind. */
static void
stop(void)
{
	char data[256];
	char *rest;

	ck_assert_int_eq(program_stop(&gateway), 0);
	look_file(gateway.log);
	snprintf(data, sizeof data, "%.200s/data", scratch_dir());
	look_folder(data);
	rest = shell("cat %s", gateway.log);
	ck_assert_ptr_nonnull(strstr(rest, "stopping"));
	free(rest);
}

/* Asks with the token in one of the ways, and of each thing that can be asked for. */
static void
ask_everything(const char *fields)
{
	static const char *const paths[] = {"/api/projects", "/api/projects/demo/personas",
	    "/api/projects/own/personas", "/api/projects/demo/personas/" UUID, "/api/projects/own/personas/" UUID,
	    "/api/projects/demo/communities", "/api/projects/demo/communities/" UUID, "/api/projects/demo/things",
	    "/api/projects/demo/things/" UUID, "/api/projects/demo/images", "/v1/ping", "/v1/x?key=" WRONG, "/page",
	    "/api/projects/" WRONG "/personas", "/api/projects/demo/personas/" WRONG, "/" WRONG "?" WRONG};
	static const char *const writes[][3] = {
	    {"POST", "/api/projects/demo/personas", "{\"name\":\"ann\"}"},
	    {"POST", "/api/projects/own/personas", "{\"name\":\"bob\",\"systemPrompt\":\"s\"}"},
	    {"PUT", "/api/projects/demo/personas/" UUID, "{\"systemPrompt\":\"t\"}"},
	    {"POST", "/api/projects/demo/personas/" UUID "/generate-image", "{}"},
	    {"DELETE", "/api/projects/own/personas/" UUID, NULL},
	    {"POST", "/api/projects/demo/communities", "{\"title\":\"t\"}"},
	    {"PUT", "/api/projects/demo/communities/" UUID "/digital-humans", "{\"digitalHumanIds\":[1]}"},
	    {"POST", "/v1/create-customer-persona", "{\"name\":\"c\"}"}, {"DELETE", "/v1/x", NULL}, {"POST", "/page", "{}"}};

	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
		see(gateway.port, writes[i][0], writes[i][1], fields, writes[i][2]);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		see(gateway.port, "GET", paths[i], fields, NULL);
}

/* Looks at all of the admin address. */
static void
ask_admin(void)
{
	static const char *const paths[] = {"/", "/page.js", "/page.css", "/healthz", "/readyz", "/metrics", "/drift",
	    "/requests", "/openapi.json", "/overview", "/intents", "/projects/demo/personas", "/projects/own/personas", "/none"};
	struct json_object *list;
	struct reply *r;

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		see(gateway.admin_port, "GET", paths[i], "Authorization: Bearer " TOKEN "\r\n", NULL);
	see(gateway.admin_port, "GET", "/readyz", "Authorization: Bearer " WRONG "\r\n", NULL);
	see(gateway.admin_port, "GET", "/overview", "Authorization: Bearer " WRONG "\r\n", NULL);
	see(gateway.admin_port, "POST", "/projects/demo/refresh", "X-API-Key: " TOKEN "\r\n", "{}");
	r = see(gateway.admin_port, "GET", "/requests", "X-API-Key: " TOKEN "\r\n", NULL);
	list = reply_json(r);
	ck_assert_uint_gt(json_object_array_length(list), 5);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *id = NULL;
		char path[300];

		json_object_object_get_ex(json_object_array_get_idx(list, i), "id", &id);
		snprintf(path, sizeof path, "/requests/%.200s", json_object_get_string(id));
		see(gateway.admin_port, "GET", path, "X-API-Key: " TOKEN "\r\n", NULL);
		snprintf(path, sizeof path, "explain --admin http://127.0.0.1:%d --token-file token --request %.200s%s",
		    gateway.admin_port, json_object_get_string(id), i % 2 ? " --json" : "");
		if (i < 6)
			look_text(path, run(path, ""));
	}
}

/* The fields with a token; static. */
static const char *
shown(const char *token, int way)
{
	static char fields[200];
	char *basic;

	if (way == 2) {
		basic = shell("printf 'me:%s' | base64 -w 0", token);
		snprintf(fields, sizeof fields, "Authorization: Basic %s\r\n", basic);
		free(basic);
	} else {
		snprintf(fields, sizeof fields, way == 0 ? "Authorization: Bearer %s\r\n" : "X-API-Key: %s\r\n",
		    token);
	}
	return fields;
}

START_TEST(no_answer_of_the_upstream_brings_a_key_out)
{
	prepare();
	upstream = echo_start();
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		char command[200];

		/* a persona that is known is drawn, so that the other key is used too */
		echo_say(GOOD PERSONA, answers[i]);
		start(i % 2 == 0 ? "text" : "json");
		see(gateway.port, "POST", "/api/projects/own/personas", shown(TOKEN, 0), "{\"name\":\"ann\"}");
		see(gateway.port, "POST", "/api/projects/own/personas/" UUID "/generate-image", shown(TOKEN, 1), "{}");
		echo_say(answers[i], answers[i]);
		ask_everything(shown(TOKEN, (int)(i % 3)));
		see(gateway.port, "GET", "/api/projects/demo/personas", shown(WRONG, (int)(i % 3)), NULL);
		ask_admin();
		snprintf(command, sizeof command, "check --config gateway.yaml%s", i % 4 == 0 ? " --live" : "");
		look_text(command, run(command, ""));
		stop();
	}
	ck_assert_uint_gt(echo_count(KEY), 100);
	ck_assert_uint_gt(echo_count(PROJECT_KEY), 10);
	ck_assert_uint_gt(echo_count(IMAGE_KEY), 10);
	ck_assert_uint_eq(echo_count(TOKEN), 0);
	ck_assert_uint_eq(echo_count(WRONG), 0);
	printf("%u outputs\n", looked);
}
END_TEST

/* Asks for a reload of this file, and looks at what is said of it. */
static void
reload(const char *more, int status)
{
	struct reply *r;

	write_config("text", more);
	r = see(gateway.admin_port, "POST", "/reload", "Authorization: Bearer " TOKEN "\r\n", "{}");
	ck_assert_msg(r->status == status, "%d %s", r->status, r->body);
}

START_TEST(keys_that_come_and_go_are_not_shown)
{
	struct reply *r;

	prepare();
	upstream = echo_start();
	echo_say(GOOD PERSONA, GOOD PERSONA);
	start("text");
	see(gateway.port, "POST", "/api/projects/own/personas", shown(TOKEN, 0), "{\"name\":\"ann\"}");
	reload("a: [" LATER "\n", 400);
	reload("x: 1\nbluejay: {api_key: " LATER "}\n", 400);
	reload("mapping: {persona: {constants: {secret: \"${BJ}\"}}}\nmapping_tests: [{operation: create, "
	       "body: {name: a}, expect: {name: a}}]\n", 400);
	scratch_file("project.key", "%s\n", LATER);
	reload("", 200);
	/* the new key is refused, and the one before it too */
	echo_say(BAD("401") "\r\n%K", BAD("401") "\r\n%K");
	ask_everything(shown(TOKEN, 0));
	ck_assert_uint_gt(echo_count(LATER), 0);
	scratch_file("project.key", "%s\n%s\n", LATER, LATER);
	reload("", 400);
	ask_admin();
	/* what is looked for would be found: here is a persona with such a name */
	echo_say(GOOD "{\"id\":\"" UUID "\",\"name\":\"" WRONG "\",\"description\":\"d\",\"goal\":\"g\"}", "");
	r = ask(gateway.port, "GET", "/api/projects/own/personas/" UUID,
	    "Cache-Control: no-cache\r\nX-API-Key: " TOKEN "\r\n", NULL);
	ck_assert_msg(r->status == 200 && secret_form(r->body, r->len, WRONG) != NULL, "%d %s", r->status, r->body);
	stop();
}
END_TEST

#define NOBODY "http://127.0.0.1:1"
#define DATABASE(password) "postgresql://gateway:" password "@127.0.0.1:1/d"

START_TEST(no_command_shows_a_key)
{
	static const char *const commands[] = {"explain --config gateway.yaml --project demo create",
	    "explain --config gateway.yaml --project own create --json", "explain --config gateway.yaml --project own read",
	    "explain --config gateway.yaml --project demo --id " UUID " --json update",
	    "explain --config gateway.yaml --project demo --resource things read", "check --config project.key",
	    "check --config gateway.yaml", "config --defaults", "config", "serve --config project.key",
	    "intents --admin http://me:" WRONG "@127.0.0.1:1 list", "intents --admin http://127.0.0.1:1 --token-file token list",
	    "intents --admin http://127.0.0.1:1/?k=" WRONG " list", "intents --token-file folder list",
	    "intents --token-file two.key list", "intents --admin " WRONG " list",
	    "explain --request x --admin http://me:" WRONG "@127.0.0.1:1", "serve --config gateway.yaml --listen 127.0.0.1:1:1",
	    "serve --config gateway.yaml --listen 192.0.2.1:1 --admin-listen off", "token name --projects demo",
	    "import --from input --to " NOBODY " --project p --token-file token --patience 1s --journal j --report r",
	    "import --from " NOBODY "/api/projects/p --to " NOBODY " --project p --from-token-file token --patience 1s",
	    "import --from input --to http://me:" WRONG "@127.0.0.1:1 --project p", "import --token " WRONG,
	    "export --from " NOBODY "/api/projects/p --token-file token --patience 1s", "export --from " NOBODY " --token-file two.key",
	    "export --from '" NOBODY "/api/projects/p?k=" WRONG "'", "export --from http://me:" WRONG "@127.0.0.1:1/api/projects/p/x",
	    "export --from http://me:" WRONG "@127.0.0.1:1", "diff " NOBODY "/api/projects/p input --token-file token --patience 1s",
	    "diff '" NOBODY "/api/projects/p?k=" WRONG "' input", "diff token project.key",
	    "store backup --to backup --config database.yaml", "store verify --config gateway.yaml",
	    "store copy --from " DATABASE(WRONG) " --to sqlite:copied", "store copy --from " DATABASE("x/" WRONG) " --to sqlite:copied",
	    "store copy --from " DATABASE(WRONG "@" WRONG) " --to sqlite:copied", "store copy --from sqlite:none --to " WRONG,
	    "store copy --from 'postgresql://gateway@127.0.0.1:1/d?sslmode=" WRONG "' --to sqlite:copied",
	    "serve --config database.yaml", "check --config database.yaml", "serve --config misplaced.yaml", "check --config misplaced.yaml"};

	prepare();
	setenv("PGPASSWORD", KEY, 1);
	upstream = 1; /* nobody answers there */
	write_config("json", "");
	scratch_file("database.yaml", "bluejay: {api_key: k}\nstore: {kind: postgresql, url: \"" DATABASE(TOKEN) "\"}\n");
	scratch_file("misplaced.yaml", "bluejay: {api_key: k}\nstore: {kind: postgresql, url: \"" DATABASE("x/${HD}") "\"}\n");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		look_text(commands[i], run(commands[i], "{\"name\":\"ann\",\"id\":\"" UUID "\"}"));
}
END_TEST

START_TEST(the_simulated_bluejay_shows_no_key)
{
	char journal[256];
	const char *const args[] = {"sandbox", "--api-key", KEY, "--journal", journal, NULL};
	static const char *const paths[] = {"/v1/ping", "/v1/communities", "/__sandbox/state", "/__sandbox/requests", "/none"};

	prepare();
	snprintf(journal, sizeof journal, "%.200s/journal", scratch_dir());
	program_start(&gateway, args);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		ck_assert_int_lt(see(gateway.port, "GET", paths[i], "X-API-Key: " KEY "\r\n", NULL)->status, 500);
		see(gateway.port, "GET", paths[i], "X-API-Key: " WRONG "\r\n", NULL);
		see(gateway.port, "POST", "/v1/images/generations", "Authorization: Bearer " WRONG "\r\n", "{}");
	}
	see(gateway.port, "POST", "/v1/create-customer-persona", "X-API-Key: " KEY "\r\n",
	    "{\"name\":\"a\",\"description\":\"\",\"goal\":\"\",\"agent_id\":1}");
	ck_assert_int_eq(program_stop(&gateway), 0);
	look_file(gateway.log);
	look_file(journal);
}
END_TEST

START_TEST(the_key_for_tls_is_not_shown)
{
	static const char *const bad[] = {"{certificate: cert.pem, key: cert.pem}", "{certificate: key.pem, key: key.pem}",
	    "{certificate: cert.pem, key: other.pem}", "{certificate: cert.pem, key: torn.pem}", "{certificate: cert.pem, key: folder}",
	    "{certificate: cert.pem, key: \"${BJ}\"}", "{certificate: cert.pem, key: " TOKEN ": x}"};
	const struct certificate_wish wish = {.name = NULL};
	struct certificate server, other;
	char line[65], command[200];

	prepare();
	upstream = echo_start();
	echo_say(GOOD PERSONA, GOOD PERSONA);
	certificate_make(&server, &wish);
	certificate_make(&other, &wish);
	scratch_file("cert.pem", "%s", server.pem);
	scratch_file("key.pem", "%s", server.key);
	scratch_file("other.pem", "%s", other.key);
	scratch_file("torn.pem", "%.*s", (int)strlen(server.key) - 60, server.key);
	snprintf(line, sizeof line, "%.40s", strchr(strchr(server.key, '\n') + 1, '\n') + 1);
	secrets[TLS_KEY] = line; /* of the second line: the first is the same in every key */
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		scratch_file("bad.yaml", "bluejay: {api_key: k}\nlisten: 127.0.0.1:0\ntls: %s\n", bad[i]);
		snprintf(command, sizeof command, "check --config bad.yaml");
		look_text(bad[i], run(command, ""));
		look_text(bad[i], run("serve --config bad.yaml", ""));
	}
	start("json");
	reload("tls: {certificate: cert.pem, key: torn.pem}\n", 400);
	ask_everything(shown(TOKEN, 0));
	ask_admin();
	stop();
	secrets[TLS_KEY] = NULL;
	certificate_free(&server);
	certificate_free(&other);
}
END_TEST

/* The suite. */
static Suite *
leak_suite(void)
{
	Suite *suite = suite_create("leak");
	TCase *tcase = tcase_create("leak");

	tcase_set_timeout(tcase, 400);
	tcase_add_test(tcase, a_secret_that_is_shown_is_found);
	tcase_add_test(tcase, no_mistake_of_a_file_shows_a_key);
	tcase_add_test(tcase, no_answer_of_the_upstream_brings_a_key_out);
	tcase_add_test(tcase, keys_that_come_and_go_are_not_shown);
	tcase_add_test(tcase, no_command_shows_a_key);
	tcase_add_test(tcase, the_simulated_bluejay_shows_no_key);
	tcase_add_test(tcase, the_key_for_tls_is_not_shown);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(leak_suite)
