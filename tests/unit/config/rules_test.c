#include "config.h"

#include "load_test.h"

#include "base/mem.h"
#include "config/config_database.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

START_TEST(a_key_is_needed)
{
	struct config_source source = {0};
	struct diag_list diags = {0};

	refuse("drain: 1s\n",
	    "c.yaml: bluejay.api_key is missing; write the line \"api_key: ${BLUEJAY_API_KEY}\" "
	    "below \"bluejay:\" and set BLUEJAY_API_KEY in the environment, or name a file that "
	    "holds the key with api_key_file\n");
	refuse("drain: 1s\nbluejay:\n  retries: 2\n",
	    "c.yaml:2:1: bluejay.api_key is missing; write the line \"api_key: "
	    "${BLUEJAY_API_KEY}\" below \"bluejay:\" and set BLUEJAY_API_KEY in the environment, "
	    "or name a file that holds the key with api_key_file\n");
	ck_assert_ptr_null(config_load(&source, &diags));
	test_expect(&diags,
	    "(no file): bluejay.api_key is missing; write the line \"api_key: ${BLUEJAY_API_KEY}\" "
	    "below \"bluejay:\" and set BLUEJAY_API_KEY in the environment, or name a file that "
	    "holds the key with api_key_file\n");
	refuse("bluejay: {api_key: }\n",
	    "c.yaml:1:20: bluejay.api_key is empty; give it a value, or leave the key out\n");
	refuse("bluejay: {api_key: \"${EMPTY}\"}\n",
	    "c.yaml:1:21: the environment variable EMPTY is empty; set it, or write "
	    "${EMPTY:-default}\n");
}
END_TEST

START_TEST(proxies_are_addresses_and_ranges)
{
	struct config *c = load(KEY "trusted_proxies: [127.0.0.1, 10.0.0.0/8, \"::1\", unix]\n"
	    "proxy_protocol: 192.0.2.1\nsocket_mode: 0660\n", "");

	ck_assert_str_eq(c->trusted_proxies[0], "127.0.0.1");
	ck_assert_str_eq(c->trusted_proxies[3], "unix");
	ck_assert_ptr_null(c->trusted_proxies[4]);
	ck_assert_str_eq(c->proxy_protocol[0], "192.0.2.1");
	ck_assert_int_eq(c->socket_mode, 0660);
	config_free(c);
	refuse(KEY "trusted_proxies: [10.0.0.1/8, localhost, \"[::1]\", 10.0.0.0/33, \"*\", {a: b}]\n",
	    "c.yaml:3:19: trusted_proxies has a range whose address goes on beyond the bits that count: "
	    "write 10.0.0.0/8, or the address alone\n"
	    "c.yaml:3:31: trusted_proxies must be an address such as 127.0.0.1 or ::1, a range such as "
	    "10.0.0.0/8, or unix; names are not looked up\n"
	    "c.yaml:3:42: trusted_proxies must be an address without brackets and port, or unix alone\n"
	    "c.yaml:3:51: trusted_proxies must be a range such as 10.0.0.0/8 or 2001:db8::/32: an "
	    "address and how many of its bits count, at most 32 or 128\n"
	    "c.yaml:3:64: trusted_proxies must be an address such as 127.0.0.1 or ::1, a range such as "
	    "10.0.0.0/8, or unix; names are not looked up\n"
	    "c.yaml:3:69: trusted_proxies must be a list of addresses and ranges such as [127.0.0.1, "
	    "10.0.0.0/8], not a map\n");
}
END_TEST

START_TEST(a_range_of_everybody_is_warned_of)
{
	config_free(load(KEY "trusted_proxies: [0.0.0.0/0]\nproxy_protocol: [\"::/0\"]\n",
	    "c.yaml:3:18: warning: trusted_proxies has 0.0.0.0/0, which is everybody: any client can then "
	    "say that it is another\n"
	    "c.yaml:4:17: warning: proxy_protocol has ::/0, which is everybody: any client can then say "
	    "that it is another\n"));
}
END_TEST

START_TEST(a_socket_is_for_its_owner_and_others_as_its_mode_says)
{
	static const char form[] = "c.yaml:3:14: socket_mode must be permissions in octal digits: 0600, "
	    "0660 or 0666\n", who[] = "c.yaml:3:14: socket_mode must let the owner read and write and "
	    "nobody execute: 0600, 0660 or 0666\n";
	struct config *c = load(KEY "socket_mode: 666\n", "");

	ck_assert_int_eq(c->socket_mode, 0666);
	config_free(c);
	refuse(KEY "socket_mode: 0o660\n", form);
	refuse(KEY "socket_mode: 60\n", form);
	refuse(KEY "socket_mode: 1660\n", form);
	refuse(KEY "socket_mode: 0680\n", form);
	refuse(KEY "socket_mode: rw\n", form);
	refuse(KEY "socket_mode: 0060\n", who);
	refuse(KEY "socket_mode: 0755\n", who);
}
END_TEST

START_TEST(a_key_comes_from_one_place)
{
	test_file("key", "from-file");
	refuse("bluejay:\n  api_key_file: key\n  api_key: x\n"
	       "projects:\n  a: {api_key: y, api_key_file: key}\n",
	    "c.yaml:2:3: bluejay has both api_key (line 3) and api_key_file; keep one of them\n"
	    "c.yaml:5:19: projects.a has both api_key (line 5) and api_key_file; keep one of "
	    "them\n");
}
END_TEST

START_TEST(a_key_must_fit_into_a_header)
{
	refuse("bluejay:\n  api_key: \"a\\r\\nX: y\"\nprojects:\n  a: {api_key: ü}\n",
	    "c.yaml:2:12: bluejay.api_key holds a character that cannot be part of a key (byte 2); "
	    "a key is visible ASCII without spaces\n"
	    "c.yaml:4:16: projects.a.api_key holds a character that cannot be part of a key (byte "
	    "1); a key is visible ASCII without spaces\n");
}
END_TEST

START_TEST(key_files_are_read_with_care)
{
	struct config *c;
	char *large = mem_alloc(5000);

	test_file("good", "k-from-file\r\n");
	test_file("empty", "\n\n");
	test_file("space", "k 1\n");
	memset(large, 'k', 4999);
	large[4999] = '\0';
	test_file("large", large);
	free(large);
	c = load("bluejay: {api_key_file: good}\n", "");
	ck_assert_str_eq(c->bluejay.api_key, "k-from-file");
	config_free(c);
	refuse("bluejay:\n  api_key_file: nothing\n",
	    "c.yaml:2:17: bluejay.api_key_file cannot be used: cannot read nothing: No such file "
	    "or directory\n");
	refuse("bluejay:\n  api_key_file: empty\n",
	    "c.yaml:2:17: bluejay.api_key_file cannot be used: the key file empty is empty; it "
	    "must hold the key\n");
	refuse("bluejay:\n  api_key_file: space\n",
	    "c.yaml:2:17: bluejay.api_key_file cannot be used: the key file space holds a "
	    "character that cannot be part of a key (byte 2); a key is visible ASCII without "
	    "spaces\n");
	refuse("bluejay:\n  api_key_file: large\n",
	    "c.yaml:2:17: bluejay.api_key_file cannot be used: the key file large is longer than "
	    "4096 bytes; that is no key\n");
	refuse("bluejay:\n  api_key_file: .\n",
	    "c.yaml:2:17: bluejay.api_key_file cannot be used: cannot read .: it is not a file\n");
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	refuse("bluejay:\n  api_key_file: fifo\n",
	    "c.yaml:2:17: bluejay.api_key_file cannot be used: cannot read fifo: it is not a "
	    "file\n");
	refuse("bluejay:\n  api_key_file:\n",
	    "c.yaml:2:16: bluejay.api_key_file is empty; give it a value, or leave the key out\n");
	refuse(KEY "  ca_file: nothing\n",
	    "c.yaml:3:12: bluejay.ca_file cannot be used: cannot read nothing: No such file or "
	    "directory\n");
}
END_TEST

START_TEST(a_key_file_that_others_may_read_is_a_warning)
{
	test_file("key", "k");
	ck_assert_int_eq(chmod(test_file("key", "k"), 0640), 0);
	config_free(load("bluejay: {api_key_file: key}\n",
	    "c.yaml:1:25: warning: bluejay.api_key_file names a file that other users may read "
	    "(mode 0640); take the right away with chmod 600\n"));
	ck_assert_int_eq(chmod("key", 0604), 0);
	config_free(load("bluejay: {api_key_file: key}\n",
	    "c.yaml:1:25: warning: bluejay.api_key_file names a file that other users may read "
	    "(mode 0604); take the right away with chmod 600\n"));
}
END_TEST

START_TEST(times_must_not_contradict_each_other)
{
	struct config *c;

	refuse(KEY "  timeouts:\n    connect: 8s\n    first_byte: 9s\n    total: 7s\n",
	    "c.yaml:4:14: bluejay.timeouts.connect (8s) is longer than bluejay.timeouts.total "
	    "(7s), which ends every call; make it shorter or total longer\n"
	    "c.yaml:5:17: bluejay.timeouts.first_byte (9s) is longer than bluejay.timeouts.total "
	    "(7s), which ends every call; make it shorter or total longer\n");
	refuse(KEY "  timeouts: {first_byte: 31s}\n",
	    "c.yaml:3:26: bluejay.timeouts.first_byte (31s) is longer than bluejay.timeouts.total "
	    "(30s by default), which ends every call; make it shorter or total longer\n");
	/* A value that could not be read contradicts nothing. */
	refuse(KEY "  timeouts: {first_byte: 31s, total: 40}\n",
	    "c.yaml:3:38: bluejay.timeouts.total needs a unit: write 40s or 40ms\n");
	accept(KEY "  timeouts: {first_byte: 7s, connect: 7s, total: 7s}\n");
	/* Times that were left out give way. */
	c = load(KEY "  timeouts: {total: 2s}\n", "");
	ck_assert_int_eq(c->bluejay.connect, 2000);
	ck_assert_int_eq(c->bluejay.first_byte, 2000);
	config_free(c);
}
END_TEST

START_TEST(the_largest_body_must_fit_into_the_buffers)
{
	refuse(KEY "limits: {body: 3MiB, buffers: 2MiB}\n",
	    "c.yaml:3:31: limits.buffers (2MiB) is smaller than limits.body (3MiB), so the largest "
	    "body would never fit; make it larger or body smaller\n");
	accept(KEY "limits: {body: 2MiB, buffers: 2MiB}\n");
	refuse(KEY "limits: {body: 3, buffers: 2MiB}\n",
	    "c.yaml:3:16: limits.body needs a unit: write 3MiB or 3KiB\n");
}
END_TEST

START_TEST(listening_for_others_needs_a_word)
{
	accept(KEY "listen: [127.0.0.1:1, '[::1]:1', unix:/run/x]\n");
	accept(KEY "listen: 0.0.0.0:3000\nlisten_without_tokens: true\n");
	/* A word that cannot be read is one mistake, not two. */
	refuse(KEY "listen: 0.0.0.0:3000\nlisten_without_tokens: yes\n",
	    "c.yaml:4:24: listen_without_tokens must be true or false, not \"yes\"\n");
	refuse(KEY "listen: [127.0.0.1:1, 10.1.2.3:1, '[::]:1']\nlisten_without_tokens: false\n",
	    "c.yaml:3:23: other machines can reach 10.1.2.3:1, and there are no clients: "
	    "whoever connects would use the key; " OPEN_REMEDY
	    "c.yaml:3:35: other machines can reach [::]:1, and there are no clients: "
	    "whoever connects would use the key; " OPEN_REMEDY);
}
END_TEST

START_TEST(the_admin_address_stays_on_this_machine)
{
	accept(KEY "admin_listen: unix:/run/admin\n");
	accept(KEY "admin_listen: off\n");
	refuse(KEY "admin_listen: 0.0.0.0:3001\nlisten_without_tokens: true\n",
	    "c.yaml:3:15: other machines can reach 0.0.0.0:3001, and no client has "
	    "\"admin: true\": use 127.0.0.1, [::1], a unix: socket, or off, or give a client that "
	    "right\n");
}
END_TEST

START_TEST(no_address_is_used_twice)
{
	accept(KEY "listen: [127.0.0.1:0, 127.0.0.1:0]\nadmin_listen: 127.0.0.1:0\n");
	/* The admin address that nobody asked for moves out of the way. */
	accept(KEY "listen: 127.0.0.1:3001\n");
	refuse(KEY "listen: [127.0.0.1:1, 'unix:/a:0', 127.0.0.1:1, 'unix:/a:0']\n"
	    "admin_listen: 127.0.0.1:1\n",
	    "c.yaml:3:36: 127.0.0.1:1 is in the list twice; keep one of them\n"
	    "c.yaml:3:49: unix:/a:0 is in the list twice; keep one of them\n"
	    "c.yaml:4:15: 127.0.0.1:1 is also an address of listen; give one of them another "
	    "port\n");
	accept(KEY "listen: [\"0.0.0.0:1\", \"[::]:1\", 127.0.0.1:2]\nadmin_listen: \"[::1]:2\"\n"
	    "listen_without_tokens: true\n");
	accept(KEY "listen: [\"0.0.0.0:0\", 127.0.0.1:0]\nlisten_without_tokens: true\n");
	refuse(KEY "listen: [127.0.0.1:1, \"http://0.0.0.0:1\", \"[::1]:2\"]\nadmin_listen: 127.0.0.1:1\n"
	    "listen_without_tokens: true\n",
	    "c.yaml:3:23: 0.0.0.0:1 and 127.0.0.1:1, which is in the list too, are one port; keep one "
	    "of them, or give one another port\n"
	    "c.yaml:4:15: 127.0.0.1:1 is also an address of listen; give one of them another port\n");
	refuse(KEY "listen: [\"[::]:1\", 0.0.0.0:2]\nadmin_listen: \"[::1]:1\"\nlisten_without_tokens: true\n",
	    "c.yaml:4:15: [::1]:1 and [::]:1, an address of listen, are one port; give one of them "
	    "another port\n");
}
END_TEST

START_TEST(the_local_tool_is_somewhere_else)
{
	static const struct {
		const char *listen, *url, *own;
		int line;
	} own[] = {
	    {"127.0.0.1:3000", "http://127.0.0.1:3000", "127.0.0.1:3000", 4},
	    {"127.0.0.1:3000", "http://LOCALHOST:3000", "127.0.0.1:3000", 4},
	    {"'[::1]:3000'", "http://localhost:3000", "[::1]:3000", 4},
	    {"'[::1]:3000'", "http://[::1]:3000", "[::1]:3000", 4},
	    {"127.0.0.1:80", "http://127.0.0.1", "127.0.0.1:80", 4},
	    {"127.0.0.1:443", "https://localhost", "127.0.0.1:443", 4},
	    {"[127.0.0.1:1, 127.0.0.1:2]", "http://127.0.0.1:2", "127.0.0.1:2", 4},
	    {"0.0.0.0:5\nlisten_without_tokens: true", "http://127.0.0.1:5", "0.0.0.0:5", 5},
	    {"127.0.0.1:1\nadmin_listen: 127.0.0.1:2", "http://127.0.0.1:2", "127.0.0.1:2", 5},
	};
	static const char *const others[][2] = {{"127.0.0.1:3000", "http://127.0.0.1:3100"},
	    {"127.0.0.1:0", "http://127.0.0.1:80"}, {"unix:/run/x:3100", "http://127.0.0.1:3100"},
	    {"127.0.0.2:3000", "http://127.0.0.1:3000"}, {"127.0.0.1:3000", "http://tool:3000"}};
	char text[512], lines[512];

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		snprintf(text, sizeof text, KEY "listen: %s\npassthrough: {local: '%s/'}\n", others[i][0],
		    others[i][1]);
		accept(text);
	}
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		snprintf(text, sizeof text, KEY "listen: %s\npassthrough: {local: '%s'}\n", own[i].listen,
		    own[i].url);
		snprintf(lines, sizeof lines, "c.yaml:%d:22: passthrough.local (%s) is the gateway's own "
		    "address %s; name the address of the local tool's server, or let one of them "
		    "listen on another port\n", own[i].line, own[i].url, own[i].own);
		refuse(text, lines);
	}
	refuse(KEY "passthrough: {local: 'http://127.0.0.1:3100/base'}\n",
	    "c.yaml:3:22: passthrough.local must be a host and a port, without a path\n");
}
END_TEST

START_TEST(an_agent_belongs_to_one_project_unless_both_share_it)
{
	accept(KEY "projects:\n  a: {agent_id: 1}\n  b: {agent_id: 2}\n  c: {}\n  '*': {}\n");
	accept(KEY "projects:\n  a: {agent_id: 1, shared_agent: true}\n"
		   "  b: {agent_id: 1, shared_agent: true}\n");
	refuse(KEY "projects:\n  a: {agent_id: 1}\n  b: {agent_id: 2}\n  c: {agent_id: 1}\n",
	    "c.yaml:6:17: project \"c\" (line 6) has the agent 1, which is also the agent of "
	    "project \"a\" (line 4); its personas would belong to both, so write \"shared_agent: "
	    "true\" in both if that is meant\n");
	refuse(KEY "projects:\n  a: {agent_id: 1, shared_agent: true}\n  b: {agent_id: 1}\n",
	    "c.yaml:5:17: project \"b\" (line 5) has the agent 1, which is also the agent of "
	    "project \"a\" (line 4); its personas would belong to both, so write \"shared_agent: "
	    "true\" in both if that is meant\n");
	refuse(KEY "projects:\n  a: {shared_agent: true}\n  '*': {agent_id: 4}\n",
	    "c.yaml:4:21: shared_agent says that an agent is shared, but the project has no "
	    "agent_id; add it, or leave shared_agent out\n"
	    "c.yaml:5:19: \"*\" stands for many projects and cannot have an agent_id; name the "
	    "project that has this agent\n");
}
END_TEST

START_TEST(projects_have_names_for_people)
{
	struct config *c = load(KEY "projects:\n  a: {name: \"Caf\xc3\xa9 <b>\", agent_id: 1}\n  b: {}\n",
	    "");
	char *text, name[202];

	ck_assert_str_eq(c->projects[0].name, "Caf\xc3\xa9 <b>");
	ck_assert_ptr_null(c->projects[1].name);
	config_free(c);
	memset(name, 'n', 201);
	name[201] = '\0';
	text = mem_format(KEY "projects:\n  a/b: {name: x}\n  a: {name: \"a\\tb\"}\n"
	    "  b: {name: %s}\n  '*': {name: all}\n", name);
	refuse(text,
	    "c.yaml:4:3: the project id \"a/b\" must not hold a /\n"
	    "c.yaml:5:13: projects.a.name must not hold control characters\n"
	    "c.yaml:6:13: projects.b.name must have at most 200 bytes\n"
	    "c.yaml:7:15: \"*\" stands for many projects and cannot have a name; give it to a "
	    "project of its own\n");
	free(text);
}
END_TEST

START_TEST(project_ids_can_stand_in_a_path)
{
	char id[200] = "", *text;

	memset(id, 'x', 129);
	text = mem_format(KEY "projects:\n  %s: {}\n", id);
	refuse(text, "c.yaml:4:3: a project id must have from 1 to 128 bytes, not 129\n");
	free(text);
	id[128] = '\0';
	text = mem_format(KEY "projects:\n  %s: {}\n", id);
	accept(text);
	free(text);
	refuse(KEY "projects: {'': {}, a/b: {}, \"a\\tb\": {}, '.': {}, '..': {}, ok: 5, okay: "
	    "[]}\n",
	    "c.yaml:3:12: a project id must have from 1 to 128 bytes, not 0\n"
	    "c.yaml:3:20: the project id \"a/b\" must not hold a /\n"
	    "c.yaml:3:29: the project id \"a?b\" must not hold control characters\n"
	    "c.yaml:3:41: the project id \".\" cannot stand in a path\n"
	    "c.yaml:3:50: the project id \"..\" cannot stand in a path\n"
	    "c.yaml:3:64: projects.ok must be a map with the keys name, agent_id, shared_agent, api_key, "
	    "api_key_file, mapping, not a single value\n"
	    "c.yaml:3:73: projects.okay must be a map with the keys name, agent_id, shared_agent, "
	    "api_key, api_key_file, mapping, not a list\n");
	refuse(KEY "projects: {}\n",
	    "c.yaml:3:11: projects must be a map from project ids to their keys; leave it out, or "
	    "write \"*\": {} in it, to allow every id\n");
	refuse(KEY "projects:\n",
	    "c.yaml:3:10: projects must be a map from project ids to their keys; leave it out, or "
	    "write \"*\": {} in it, to allow every id\n");
}
END_TEST

START_TEST(urls_that_surprise_are_warnings)
{
	config_free(load(KEY "  url: https://api.getbluejay.ai/v1/\n",
	    "c.yaml:3:8: warning: bluejay.url ends with /v1, which the gateway adds itself; leave "
	    "it out\n"));
	config_free(load(KEY "  url: http://bluejay.example.com\n",
	    "c.yaml:3:8: warning: bluejay.url is not https: the key travels unencrypted\n"));
	accept(KEY "  url: http://127.0.0.1:9\n");
	accept(KEY "  url: http://localhost:9/\n");
}
END_TEST

START_TEST(portraits_need_a_key_or_the_sandbox)
{
	struct config *c = load(KEY, "");

	ck_assert_int_eq(c->images.provider, CONFIG_IMAGES_NONE);
	ck_assert_str_eq(c->images.model, "gpt-image-1");
	ck_assert_int_eq(c->images.timeout, 180000);
	config_free(c);
	c = load(KEY "images: {api_key: secret}\n", "");
	ck_assert_int_eq(c->images.provider, CONFIG_IMAGES_OPENAI);
	ck_assert(!c->images.sandbox);
	config_free(c);
	c = load(KEY "images: {api_key: secret, provider: none}\n", "");
	ck_assert_int_eq(c->images.provider, CONFIG_IMAGES_NONE);
	config_free(c);
	refuse(KEY "images: {provider: openai}\n", "c.yaml:3:20: images.provider is openai, and "
	    "images.api_key is missing; write the line \"api_key: ${OPENAI_API_KEY}\" below "
	    "\"images:\" and set OPENAI_API_KEY in the environment\n");
	refuse(KEY "images: {api_key: a, api_key_file: b}\n",
	    "c.yaml:3:22: images has both api_key (line 3) and api_key_file; keep one of them\n"
	    "c.yaml:3:36: images.api_key_file cannot be used: cannot read b: No such file or "
	    "directory\n");
	refuse(KEY "images: {model: \"a b\"}\n", "c.yaml:3:17: images.model must be visible ASCII "
	    "without spaces, quotes and backslashes\n");
	/* the sandbox draws, unless the file speaks of images */
	c = load_sandbox("drain: 1s\n", "");
	ck_assert(c->images.sandbox);
	ck_assert_int_eq(c->images.provider, CONFIG_IMAGES_OPENAI);
	ck_assert_str_eq(c->images.api_key, "sandbox");
	config_free(c);
	c = load_sandbox("images: {api_key: secret}\n", "");
	ck_assert(!c->images.sandbox);
	ck_assert_str_eq(c->images.api_key, "secret");
	config_free(c);
	c = load_sandbox("images: {size: 64x64}\n", "");
	ck_assert_int_eq(c->images.provider, CONFIG_IMAGES_NONE);
	config_free(c);
}
END_TEST

START_TEST(every_origin_is_allowed_alone_and_without_credentials)
{
	struct config *c = load(KEY "cors: {origins: '*', credentials: false}\n", "");

	ck_assert_str_eq(c->cors.origins[0], "*");
	config_free(c);
	accept(KEY "cors: {origins: ['*']}\n");
	accept(KEY "cors: {origins: [], credentials: true}\n");
	accept(KEY "cors: {origins: 'http://a', credentials: true}\n");
	refuse(KEY "cors: {origins: '*', credentials: true}\n",
	    "c.yaml:3:35: cors.credentials cannot be true for every origin (line 3), which "
	    "browsers refuse; name the origins\n");
	refuse(KEY "cors: {origins: [http://a, '*'], credentials: true}\n",
	    "c.yaml:3:17: cors.origins has \"*\" beside others; \"*\" alone allows every origin, and "
	    "a list without it only those\n");
	refuse(KEY "cors: {origins: ['*', b]}\n",
	    "c.yaml:3:23: cors.origins must begin with a scheme: http:// or https://\n");
}
END_TEST

START_TEST(twins_need_a_local_tool)
{
	struct config *c = load(KEY, "");

	ck_assert_ptr_null(c->passthrough.local);
	ck_assert(!c->passthrough.mirror_personas);
	config_free(c);
	c = load(KEY "passthrough: {local: 'http://127.0.0.1:3100', mirror_personas: true}\n", "");
	ck_assert_str_eq(c->passthrough.local, "http://127.0.0.1:3100");
	ck_assert(c->passthrough.mirror_personas);
	config_free(c);
	accept(KEY "passthrough: {mirror_personas: false}\n");
	refuse(KEY "passthrough: {mirror_personas: true}\n", "c.yaml:3:32: "
	    "passthrough.mirror_personas keeps twins of personas in the local tool, and "
	    "passthrough.local does not say where that is; write the line \"local: "
	    "http://127.0.0.1:3100\", with the address of its server, below \"passthrough:\"\n");
	refuse(KEY "passthrough: {mirror_personas: true, local: tool}\n",
	    "c.yaml:3:45: passthrough.local must start with http:// or https://\n");
}
END_TEST

START_TEST(a_database_needs_its_url_and_nothing_else_has_one)
{
	struct config_source sandbox = {.sandbox = true};
	struct diag_list diags = {0};
	struct config *c = load(KEY "store: {kind: postgresql, url: \"postgresql://a:b@127.0.0.1/d\"}\n", "");

	ck_assert_int_eq(c->store.kind, CONFIG_STORE_POSTGRESQL);
	ck_assert_str_eq(c->store.url, "postgresql://a:b@127.0.0.1/d");
	config_free(c);
	/* the sandbox takes the place of Bluejay, not of the store */
	sandbox.text = "store: {kind: postgresql, url: \"postgresql://a:b@127.0.0.1/d\"}\n";
	sandbox.text_len = strlen(sandbox.text);
	sandbox.file = "c.yaml";
	c = config_load(&sandbox, &diags);
	test_expect(&diags, "");
	ck_assert_str_eq(c->store.url, "postgresql://a:b@127.0.0.1/d");
	config_free(c);
	refuse(KEY "store: {kind: postgresql}\n",
	    "c.yaml:3:15: store.kind is postgresql, and store.url is missing; write the line "
	    "\"url: postgresql://user@host/database\" below \"store:\"\n");
	refuse(KEY "store: {url: \"postgresql://a:b@127.0.0.1/d\"}\n",
	    "c.yaml:3:14: store.url is for the kind postgresql; write \"kind: postgresql\" beside it, "
	    "or take it out\n");
}
END_TEST

START_TEST(a_database_elsewhere_is_to_show_its_certificate)
{
	static const char *const fine[] = {"postgresql://a@db/d?sslmode=verify-full",
	    "postgresql://a@db,db2/d?sslmode=verify-ca&application_name=x", "postgresql://a@localhost:5432/d",
	    "postgresql://a@[::1]:5432/d", "postgresql:///d", "postgresql://a@/d?host=/run/postgresql",
	    "postgresql://a@%2Frun%2Fpostgresql/d", "postgresql://?service=s", "postgresql://127.0.0.1,localhost"};
	static const char *const not[] = {"postgresql://db/d", "postgresql://a:b@db/d?sslmode=require",
	    "postgresql://a@127.0.0.1,db:5432/d", "postgresql://a@[2001:db8::1]/d?application_name=verify-full",
	    "postgresql:///d?user=a&host=db"};

	unsetenv("PGSSLMODE");
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		ck_assert_msg(!config_database_is_unchecked(fine[i]), "%s", fine[i]);
	for (size_t i = 0; i < sizeof not / sizeof *not; i++)
		ck_assert_msg(config_database_is_unchecked(not[i]), "%s", not[i]);
	config_free(load(KEY "store: {kind: postgresql, url: \"postgresql://a:b@db/d\"}\n",
	    "c.yaml:3:32: warning: store.url leads to another machine, whose certificate is not checked: "
	    "whoever is on the way may read all personas; add sslmode=verify-full to it\n"));
}
END_TEST

/* The suite. */
Suite *
rules_suite(void)
{
	const TTest *const tests[] = {a_key_is_needed, a_key_comes_from_one_place,
	    proxies_are_addresses_and_ranges, a_range_of_everybody_is_warned_of,
	    a_socket_is_for_its_owner_and_others_as_its_mode_says,
	    a_key_must_fit_into_a_header, key_files_are_read_with_care,
	    a_key_file_that_others_may_read_is_a_warning, times_must_not_contradict_each_other,
	    the_largest_body_must_fit_into_the_buffers, listening_for_others_needs_a_word, the_admin_address_stays_on_this_machine,
	    no_address_is_used_twice, an_agent_belongs_to_one_project_unless_both_share_it,
	    projects_have_names_for_people, project_ids_can_stand_in_a_path, urls_that_surprise_are_warnings,
	    portraits_need_a_key_or_the_sandbox, twins_need_a_local_tool,
	    the_local_tool_is_somewhere_else, a_database_needs_its_url_and_nothing_else_has_one,
	    a_database_elsewhere_is_to_show_its_certificate,
	    every_origin_is_allowed_alone_and_without_credentials, NULL};

	return unit_suite("rules", tests);
}
