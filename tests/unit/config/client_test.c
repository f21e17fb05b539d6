#include "config.h"

#include "load_test.h"

#include <string.h>
#include <sys/stat.h>

/* The token "test", hashed, and the hash of no token that anybody knows. */
#define TEST_SHA "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define OTHER_SHA "0000000000000000000000000000000000000000000000000000000000000000"

START_TEST(clients_are_read)
{
	struct config *c;

	c = load(KEY "projects: {shop: {agent_id: 1}, plain: {}}\n"
	    "clients:\n"
	    "  - {name: ci, token_sha256: " TEST_SHA ", projects: [shop, plain]}\n"
	    "  - name: Ops-2_b.c\n"
	    "    token_sha256: \"" OTHER_SHA "\"\n"
	    "    read_only: true\n"
	    "    passthrough: true\n"
	    "    admin: true\n"
	    "    rate: {per_minute: 60}\n",
	    "c.yaml:9:18: warning: clients[1].passthrough does nothing while passthrough.bluejay is "
	    "off\n");
	ck_assert_uint_eq(c->client_count, 2);
	ck_assert_str_eq(c->clients[0].name, "ci");
	ck_assert_str_eq(c->clients[0].digest, TEST_SHA);
	ck_assert_str_eq(c->clients[0].projects[0], "shop");
	ck_assert_str_eq(c->clients[0].projects[1], "plain");
	ck_assert_ptr_null(c->clients[0].projects[2]);
	ck_assert(!c->clients[0].read_only && !c->clients[0].passthrough && !c->clients[0].admin);
	ck_assert_int_eq(c->clients[0].rate_per_minute, 0);
	ck_assert_int_eq(c->clients[0].line, 5);
	ck_assert_int_eq(c->clients[0].column, 5);
	ck_assert_str_eq(c->clients[1].digest, OTHER_SHA);
	ck_assert_ptr_null(c->clients[1].projects);
	ck_assert(c->clients[1].read_only && c->clients[1].passthrough && c->clients[1].admin);
	ck_assert_int_eq(c->clients[1].rate_per_minute, 60);
	config_free(c);
	c = load(KEY, "");
	ck_assert_uint_eq(c->client_count, 0);
	config_free(c);
	c = load(KEY "clients: []\n", "c.yaml:3:10: warning: clients names nobody, so no token is asked for: "
	                             "whoever can connect may do everything\n");
	ck_assert_uint_eq(c->client_count, 0);
	config_free(c);
}
END_TEST

START_TEST(a_token_file_leaves_its_hash_alone)
{
	struct config *c;

	test_file("short", "test\r\n");
	c = load(KEY "clients:\n  - {name: ci, token_file: short}\n",
	    "c.yaml:4:28: warning: clients[0].token_file holds a token of fewer than 20 characters, "
	    "which can be guessed; \"persona-gateway token NAME\" makes one that cannot\n");
	ck_assert_str_eq(c->clients[0].digest, TEST_SHA);
	ck_assert_ptr_null(c->clients[0].token);
	config_free(c);
	ck_assert_int_eq(chmod(test_file("open", "a-token-of-a-decent-length"), 0644), 0);
	c = load_sandbox("clients: [{name: ci, token_file: open}]\n",
	    "c.yaml:1:34: warning: clients[0].token_file names a file that other users may read "
	    "(mode 0644); take the right away with chmod 600\n");
	ck_assert_uint_eq(strlen(c->clients[0].digest), 64);
	ck_assert_ptr_null(c->clients[0].token);
	config_free(c);
	refuse(KEY "clients:\n  - {name: ci, token_file: nothing}\n",
	    "c.yaml:4:28: clients[0].token_file cannot be used: cannot read nothing: No such file or "
	    "directory\n");
}
END_TEST

START_TEST(clients_are_refused_with_their_places)
{
	refuse(KEY "clients: {ci: {}}\n",
	    "c.yaml:3:10: clients must be a list, one entry for each client: - {name: ci, "
	    "token_sha256: …}\n");
	refuse(KEY "clients:\n  - ci\n  -\n  - {nam: ci}\n",
	    "c.yaml:4:5: clients[0] must be a map with the keys name, token_sha256, token_file, "
	    "projects, read_only, passthrough, admin, rate, not a single value\n"
	    "c.yaml:5:4: clients[1] is empty; it must have a name and a token\n"
	    "c.yaml:6:5: clients[2] has no name; give it one, such as name: ci\n"
	    "c.yaml:6:5: clients[2] has no token; \"persona-gateway token NAME\" makes one, with the "
	    "line token_sha256 for the file\n"
	    "c.yaml:6:6: unknown key \"nam\"; did you mean \"name\"?\n");
	refuse(KEY "clients:\n  - {name: a b, token_sha256: 9f86d0}\n"
	    "  - {name: -a, token_sha256: " TEST_SHA "0}\n"
	    "  - {name: c, token_sha256: " TEST_SHA ", read_only: 1, rate: {per_minute: -1}}\n"
	    "  - {name: c, token_sha256: " TEST_SHA "}\n",
	    "c.yaml:4:12: clients[0].name must have letters, digits, \"-\", \"_\" and \".\" alone, and "
	    "begin with a letter or digit\n"
	    "c.yaml:4:31: clients[0].token_sha256 must be the SHA-256 of the token as 64 hex digits; "
	    "\"persona-gateway token NAME\" makes both\n"
	    "c.yaml:5:12: clients[1].name must have letters, digits, \"-\", \"_\" and \".\" alone, and "
	    "begin with a letter or digit\n"
	    "c.yaml:5:30: clients[1].token_sha256 must be the SHA-256 of the token as 64 hex digits; "
	    "\"persona-gateway token NAME\" makes both\n"
	    "c.yaml:6:106: clients[2].read_only must be true or false, not \"1\"\n"
	    "c.yaml:6:128: clients[2].rate.per_minute must be from 0 to 1000000, not -1\n"
	    "c.yaml:7:12: the client \"c\" stands twice (line 6); give each another name\n"
	    "c.yaml:7:29: clients[3] has the token of clients[2] (line 6); each client needs a token "
	    "of its own\n");
	refuse(KEY "clients: [{name: a, token_sha256: "
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}]\n",
	    "c.yaml:3:35: clients[0].token_sha256 is the hash of an empty text; hash the token, "
	    "without a line end\n");
	refuse("token_file: a\n" KEY,
	    "c.yaml:1:1: unknown key \"token_file\" here; it belongs under an entry of the list "
	    "\"clients\"\n");
}
END_TEST

START_TEST(one_token_comes_from_one_place)
{
	test_file("long", "a-token-of-a-decent-length");
	refuse(KEY "clients:\n  - {name: a, token_sha256: " TEST_SHA ", token_file: long}\n",
	    "c.yaml:4:107: clients[0] has both token_sha256 and token_file; keep one of them\n");
	refuse(KEY "clients:\n  - {name: a, token_file: long}\n  - {name: b, token_file: long}\n",
	    "c.yaml:5:27: clients[1] has the token of clients[0] (line 4); each client needs a token "
	    "of its own\n");
}
END_TEST

START_TEST(limits_to_projects_are_limits)
{
	accept(KEY "clients: [{name: a, token_sha256: " TEST_SHA ", projects: [whatever]}]\n");
	accept(KEY "projects: {a: {}}\nclients: [{name: a, token_sha256: " TEST_SHA
	    ", projects: a}]\n");
	refuse(KEY "projects: {shop: {}}\nclients:\n"
	    "  - name: a\n    token_sha256: " TEST_SHA "\n"
	    "    projects: [shop, shpo, \"*\"]\n"
	    "    passthrough: true\n    admin: true\n"
	    "  - {name: b, token_sha256: " OTHER_SHA ", projects: []}\n",
	    "c.yaml:7:22: clients[0].projects names \"shpo\", which is not among the projects; add it "
	    "there, or mend the name\n"
	    "c.yaml:7:28: clients[0].projects cannot name \"*\"; leave projects out, and the client "
	    "may use every project\n"
	    "c.yaml:8:18: clients[0] is limited to projects and cannot have passthrough: /v1/ "
	    "reaches the personas of every project\n"
	    "c.yaml:9:12: clients[0] is limited to projects and cannot have admin: the admin address "
	    "shows every project\n"
	    "c.yaml:10:105: clients[1].projects names no project; leave it out, and the client may "
	    "use every project\n");
}
END_TEST

START_TEST(clients_open_addresses_for_others)
{
	accept(KEY "listen: 0.0.0.0:3000\nclients: [{name: a, token_sha256: " TEST_SHA "}]\n");
	accept(KEY "admin_listen: 0.0.0.0:3001\nclients: [{name: a, token_sha256: " TEST_SHA
	    ", admin: true}]\n");
	refuse(KEY "admin_listen: 0.0.0.0:3001\nclients: [{name: a, token_sha256: " TEST_SHA "}]\n",
	    "c.yaml:3:15: other machines can reach 0.0.0.0:3001, and no client has \"admin: true\": "
	    "use 127.0.0.1, [::1], a unix: socket, or off, or give a client that right\n");
	refuse(KEY "listen: 0.0.0.0:3000\nclients: []\n",
	    "c.yaml:3:9: other machines can reach 0.0.0.0:3000, and there are no clients: whoever "
	    "connects would use the key; " OPEN_REMEDY
	    "c.yaml:4:10: warning: clients names nobody, so no token is asked for: whoever can connect "
	    "may do everything\n");
	/* A list that cannot be read is one mistake, not two. */
	refuse(KEY "listen: 0.0.0.0:3000\nclients: none\n",
	    "c.yaml:4:10: clients must be a list, one entry for each client: - {name: ci, "
	    "token_sha256: …}\n");
	config_free(load(KEY "listen_without_tokens: true\nclients: [{name: a, token_sha256: " TEST_SHA
	    "}]\n", "c.yaml:3:24: warning: listen_without_tokens does nothing, since there are "
	    "clients: every request needs a token\n"));
}
END_TEST

/* The suite. */
Suite *
client_suite(void)
{
	const TTest *const tests[] = {clients_are_read, a_token_file_leaves_its_hash_alone,
	    clients_are_refused_with_their_places, one_token_comes_from_one_place,
	    limits_to_projects_are_limits, clients_open_addresses_for_others, NULL};

	return unit_suite("client", tests);
}
