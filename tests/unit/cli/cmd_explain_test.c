#include "config.h"

#include "cli_test.h"

#include "base/mem.h"
#include "cli/cmd_explain.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char file_text[] =
    "bluejay: {api_key: k3y, headers: {X-Tenant: s3cr3t}}\n"
    "projects: {shop: {agent_id: 7}, bare: {}}\n"
    "mapping:\n"
    "  persona:\n"
    "    fields:\n"
    "      name: name\n"
    "      description: {to: description, when_absent: \"\"}\n"
    "      mood: {to: traits.mood, values: {calm: low, angry: high}}\n"
    "      steps: {to: script, each: {fields: {first_name: firstName}}}\n"
    "      vars: {to: vars, keyed_by: k}\n"
    "      age: {to: age, as: {local: integer, bluejay: string}}\n"
    "      note: {to: note, omit_when: \"\"}\n"
    "      speed: {to: speed, when: mood, lossy: true}\n"
    "      pin: {to: pin, write_only: true}\n"
    "      profile.tone: tone\n"
    "      createdAt: {to: created_at, as: timestamp, read_only: true}\n"
    "    constants:\n"
    "      agent_id: ${project.agent_id}\n"
    "      channel: {value: phone, when: {field: mood, is: angry}}\n"
    "    templates:\n"
    "      goal: {template: \"{systemPrompt} Speak {language}.\", when_absent: {systemPrompt: "
    "\"\", language: English}}\n";

static char path[64];

/* Removes the file of the tests. */
static void
forget(void)
{
	unlink(path);
}

/* Writes the file of the tests once. */
static const char *
the_file(void)
{
	FILE *file;
	int fd;

	if (path[0] != '\0')
		return path;
	strcpy(path, "/tmp/persona-gateway-explain-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	atexit(forget);
	file = fdopen(fd, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(file_text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

/* Explains and expects all that is printed; "F:" in `want` stands for the file. */
static void
expect(const struct explain_options *o, const char *body, int code, const char *want,
    const char *want_err)
{
	char *out, *err, *whole = mem_string(""), *next;
	size_t out_len, err_len;
	FILE *to_out = open_memstream(&out, &out_len), *to_err = open_memstream(&err, &err_len);

	for (const char *p = want, *f; *p != '\0'; p = f) {
		f = strstr(p, " F:");
		if (f == NULL)
			f = p + strlen(p);
		next = mem_format("%s%.*s%s%s", whole, (int)(f - p), p, *f != '\0' ? " " : "",
		    *f != '\0' ? the_file() : "");
		free(whole);
		whole = next;
		f += *f != '\0' ? 2 : 0;
	}
	ck_assert_int_eq(explain(o, body, strlen(body), to_out, to_err), code);
	fclose(to_out);
	fclose(to_err);
	ck_assert_str_eq(err, want_err);
	ck_assert_str_eq(out, whole);
	ck_assert_ptr_null(strstr(out, "k3y"));
	ck_assert_ptr_null(strstr(out, "s3cr3t"));
	free(whole);
	free(out);
	free(err);
}

START_TEST(a_create_is_shown_with_what_made_each_member)
{
	struct explain_options o = {.config = the_file(), .project = "shop", .operation = "create"};

	expect(&o,
	    "{\"name\":\"Ann\",\"mood\":\"calm\",\"steps\":[{\"first_name\":\"A\"}],\"vars\":[],"
	    "\"age\":5,\"note\":\"\",\"speed\":1,\"language\":\"Welsh\",\"createdAt\":\"x\","
	    "\"profile\":{\"tone\":\"t\",\"more\":1},\"headers\":{},\"imageUrl\":\"u\",\"id\":1,"
	    "\"other\\u001b\":2,\"pin\":null}",
	    0,
	    "POST https://api.getbluejay.ai/v1/create-customer-persona\n"
	    "Accept: application/json\n"
	    "Accept-Encoding: identity\n"
	    "Content-Type: application/json\n"
	    "X-Tenant: …\n"
	    "X-API-Key: sha256:a49b1287870c\n"
	    "\n"
	    "{\"name\":\"Ann\",\"description\":\"\",\"traits\":{\"mood\":\"low\"},\"script\":"
	    "[{\"firstName\":\"A\"}],\"vars\":{},\"age\":\"5\",\"speed\":1,\"tone\":\"t\",\"goal\":\" "
	    "Speak Welsh.\",\"agent_id\":7}\n"
	    "\n"
	    "  name          name         copied     F:6:7\n"
	    "  description   description  defaulted  F:7:7  (absent, so when_absent is sent)\n"
	    "  mood          traits.mood  converted  F:8:7  (by its value map)\n"
	    "  steps         script       converted  F:9:7  (element by element)\n"
	    "  vars          vars         converted  F:10:7  (between list and object: an "
	    "array here, an object in Bluejay)\n"
	    "  age           age          converted  F:11:7  (between value and text: an "
	    "integer here, a string in Bluejay)\n"
	    "  note          -            kept here  F:12:7  (omit_when: a create does not "
	    "send this value)\n"
	    "  speed         speed        copied     F:13:7\n"
	    "  pin           pin          dropped    F:14:7  (null counts as absent)\n"
	    "  profile.tone  tone         renamed    F:15:7\n"
	    "  createdAt     created_at   dropped    F:16:7  (read_only: requests do not send "
	    "it)\n"
	    "  systemPrompt  goal         defaulted  F:21:7  (absent, so when_absent is put "
	    "into the template)\n"
	    "  language      goal         converted  F:21:7  (put into the template)\n"
	    "  -             agent_id     constant   F:18:7\n"
	    "  -             channel      left out   F:19:7  (it is sent only if mood is "
	    "\"angry\")\n"
	    "  headers       -            kept here  built-in\n"
	    "  imageUrl      -            dropped    built-in  (a create ignores it)\n"
	    "  profile.more  -            dropped    nowhere  (no field of the mapping has "
	    "it)\n"
	    "  id            -            dropped    nowhere  (the gateway makes it)\n"
	    "  other?        -            dropped    nowhere  (no field of the mapping has "
	    "it)\n",
	    "");
}
END_TEST

START_TEST(an_update_may_send_nothing)
{
	struct explain_options o = {.config = the_file(), .project = "bare", .operation = "update",
	    .id = "u-1"};

	expect(&o, "{\"headers\":{\"a\":\"b\"},\"speed\":2}", 1,
	    "the body is refused, nothing is sent (400): mood must be given with speed, which "
	    "decides what becomes of it\n", "");
	expect(&o, "{\"headers\":{\"a\":\"b\"}}", 0,
	    "nothing is sent to Bluejay\n"
	    "\n"
	    "  headers  -  kept here  built-in\n", "");
	o.json = true;
	expect(&o, "{\"name\":\"B\"}", 0,
	    "{\"request\":{\"method\":\"PUT\",\"url\":\"https://api.getbluejay.ai/v1/"
	    "update-customer-persona/u-1\",\"headers\":{\"Accept\":\"application/json\","
	    "\"Accept-Encoding\":\"identity\",\"Content-Type\":\"application/json\",\"X-Tenant\":"
	    "\"…\",\"X-API-Key\":\"sha256:a49b1287870c\"},\"body\":{\"name\":\"B\"}},"
	    "\"kept_here\":{},\"fields\":[{\"local\":\"name\",\"bluejay\":\"name\",\"line\":6,"
	    "\"column\":7,\"what\":\"copied\"}]}\n", "");
	expect(&o, "{\"headers\":{}}", 0,
	    "{\"request\":null,\"kept_here\":{\"headers\":{}},\"fields\":[{\"local\":\"headers\","
	    "\"bluejay\":null,\"line\":null,\"column\":null,\"what\":\"kept here\","
	    "\"built_in\":true}]}\n", "");
	expect(&o, "{\"name\":\"\"}", 1,
	    "{\"refused\":{\"status\":400,\"error\":\"Name is required\"},\"fields\":[]}\n", "");
}
END_TEST

START_TEST(an_answer_is_shown_the_other_way)
{
	struct explain_options o = {.config = the_file(), .project = "shop", .operation = "read"};

	expect(&o,
	    "{\"id\":\"u\",\"name\":\"Ann\",\"description\":null,\"goal\":\"Hi. Speak Welsh.\","
	    "\"traits\":{\"mood\":\"high\",\"x\":1},\"tone\":\"t\",\"pin\":1,"
	    "\"created_at\":\"2024-01-01T00:00:00\",\"org_id\":\"o\"}",
	    0,
	    "the local answer\n"
	    "{\"id\":\"u\",\"name\":\"Ann\",\"mood\":\"angry\",\"profile\":{\"tone\":\"t\"},"
	    "\"systemPrompt\":\"Hi.\",\"language\":\"Welsh\",\"createdAt\":"
	    "\"2024-01-01T00:00:00.000Z\"}\n"
	    "\n"
	    "  id            id           copied     built-in\n"
	    "  name          name         copied     F:6:7\n"
	    "  description   description  left out   F:7:7  (null counts as absent)\n"
	    "  mood          traits.mood  converted  F:8:7  (by its value map)\n"
	    "  pin           pin          left out   F:14:7  (write_only: answers do not give "
	    "it)\n"
	    "  profile.tone  tone         renamed    F:15:7\n"
	    "  createdAt     created_at   converted  F:16:7  (to the one form of times)\n"
	    "  systemPrompt  goal         converted  F:21:7  (taken out of the template)\n"
	    "  language      goal         converted  F:21:7  (taken out of the template)\n"
	    "  -             traits.x     dropped    nowhere  (no field of the mapping reads "
	    "it)\n"
	    "  -             org_id       dropped    nowhere  (no field of the mapping reads "
	    "it)\n",
	    "");
	expect(&o, "{\"name\":\"Ann\",\"traits\":{\"mood\":\"odd\"}}", 1,
	    "Bluejay's answer does not fit (502): traits.mood must be one of \"low\", \"high\"\n",
	    "");
}
END_TEST

START_TEST(without_a_file_the_built_in_mapping_is_explained)
{
	struct explain_options o = {.project = "any", .operation = "create", .colour = true};

	expect(&o, "{\"name\":\"A\",\"systemPrompt\":\"x\",\"description\":null}", 0,
	    "POST https://api.getbluejay.ai/v1/create-customer-persona\n"
	    "Accept: application/json\n"
	    "Accept-Encoding: identity\n"
	    "Content-Type: application/json\n"
	    "X-API-Key: sha256:b7ad567477c8\n"
	    "\n"
	    "{\"name\":\"A\",\"description\":\"\",\"goal\":\"x\"}\n"
	    "\n"
	    "  name          name         \033[32mcopied   \033[0m  built-in\n"
	    "  description   description  \033[33mdefaulted\033[0m  built-in  (absent, so "
	    "when_absent is sent)\n"
	    "  systemPrompt  goal         \033[32mrenamed  \033[0m  built-in\n"
	    "  -             agent_id     \033[31mleft out \033[0m  built-in  (the project has "
	    "no agent)\n",
	    "");
}
END_TEST

START_TEST(null_may_stand_where_fields_lie_in_an_object)
{
	struct explain_options o = {.config = the_file(), .project = "shop", .operation = "update"};

	expect(&o, "{\"profile\":null,\"headers\":{}}", 0,
	    "nothing is sent to Bluejay\n"
	    "\n"
	    "  profile.tone  tone  dropped    F:15:7  (null counts as absent)\n"
	    "  headers       -     kept here  built-in\n", "");
	o.operation = "read";
	expect(&o, "{\"id\":\"u\",\"name\":\"A\",\"traits\":null,\"created_at\":\"2024-01-01T00:00:00\"}", 0,
	    "the local answer\n"
	    "{\"id\":\"u\",\"name\":\"A\",\"createdAt\":\"2024-01-01T00:00:00.000Z\"}\n"
	    "\n"
	    "  id         id           copied     built-in\n"
	    "  name       name         copied     F:6:7\n"
	    "  mood       traits.mood  left out   F:8:7  (null counts as absent)\n"
	    "  createdAt  created_at   converted  F:16:7  (to the one form of times)\n",
	    "");
}
END_TEST

START_TEST(communities_are_explained_too)
{
	struct explain_options o = {.config = the_file(), .project = "shop",
	    .operation = "create", .resource = "community"};

	expect(&o, "{\"title\":\"T\",\"digitalHumanIds\":[1]}", 0,
	    "POST https://api.getbluejay.ai/v1/create-community\n"
	    "Accept: application/json\n"
	    "Accept-Encoding: identity\n"
	    "Content-Type: application/json\n"
	    "X-Tenant: …\n"
	    "X-API-Key: sha256:a49b1287870c\n"
	    "\n"
	    "{\"title\":\"T\",\"digital_human_ids\":[1]}\n"
	    "\n"
	    "  title            title              copied     built-in\n"
	    "  digitalHumanIds  digital_human_ids  renamed    built-in\n",
	    "");
	o.resource = "thing";
	expect(&o, "{}", 1, "", "unknown resource \"thing\"; possible are persona, community\n");
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
	struct explain_options o = {.config = the_file(), .project = "none", .operation = "create"};

	expect(&o, "{}", 1, "", "there is no project \"none\" in the file\n");
	o.project = "shop";
	expect(&o, "{} x", 1, "", "the body is not JSON: bytes after the value (after 3 bytes)\n");
	expect(&o, "", 1, "",
	    "there is no body on standard input; give one with < body.json\n");
	expect(&o, "[]", 1, "", "the body must be a JSON object\n");
	expect(&o, "{}", 1, "the body is refused, nothing is sent (400): Name is required\n", "");
	o.config = "/nonexistent";
	expect(&o, "{}", 1, "",
	    "/nonexistent: cannot read the file: No such file or directory\n");
}
END_TEST

START_TEST(usage_is_checked)
{
	struct buf out = {0}, err = {0};
	struct run r;

	run_start(&r, cmd_explain, (const char *const[]){"explain", "--project", "x", NULL});
	ck_assert_int_eq(run_end(&r, &out, &err), 2);
	ck_assert_str_eq(err.data, "persona-gateway explain: say what to explain: create, update or "
	                           "read (see persona-gateway explain --help)\n");
	run_start(&r, cmd_explain, (const char *const[]){"explain", "create", NULL});
	ck_assert_int_eq(run_end(&r, &out, &err), 2);
	ck_assert_str_eq(err.data, "persona-gateway explain: --project is needed (see "
	                           "persona-gateway explain --help)\n");
	run_start(&r, cmd_explain, (const char *const[]){"explain", "--help", NULL});
	ck_assert_int_eq(run_end(&r, &out, &err), 0);
	ck_assert_ptr_nonnull(strstr(out.data, "usage: persona-gateway explain"));
	buf_free(&out);
	buf_free(&err);
}
END_TEST

/* The suite. */
Suite *
suite_cmd_explain(void)
{
	const TTest *const tests[] = {a_create_is_shown_with_what_made_each_member,
	    an_update_may_send_nothing, an_answer_is_shown_the_other_way,
	    without_a_file_the_built_in_mapping_is_explained, null_may_stand_where_fields_lie_in_an_object,
	    communities_are_explained_too, what_is_wrong_is_said,
	    usage_is_checked, NULL};

	return unit_suite("cmd_explain", tests);
}
