#include "config.h"

#include "load_test.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const vars[] = {"KEY", "k3y", "EMPTY", "", "N", "7", "YES", "true", "WORD",
    "s3cret word", NULL};

/* Loads with a source of one's own. */
struct config *
load_source(struct config_source *source, const char *text, const char *lines)
{
	struct diag_list diags = {0};
	struct config *config;

	test_file("c.yaml", text);
	ck_assert_int_eq(chdir(test_folder()), 0);
	source->file = "c.yaml";
	source->env = test_env;
	source->env_arg = (void *)(uintptr_t)vars;
	config = config_load(source, &diags);
	ck_assert_int_eq(config == NULL, diags.errors > 0);
	test_expect(&diags, lines);
	return config;
}

/* Loads. */
struct config *
load(const char *text, const char *lines)
{
	struct config_source source = {0};

	return load_source(&source, text, lines);
}

/* Loads with the sandbox. */
struct config *
load_sandbox(const char *text, const char *lines)
{
	struct config_source source = {.sandbox = true};

	return load_source(&source, text, lines);
}

/* Loads what must be good. */
void
accept(const char *text)
{
	config_free(load(text, ""));
}

/* Loads what must be refused. */
void
refuse(const char *text, const char *lines)
{
	ck_assert_ptr_null(load(text, lines));
}

/* Asserts every default. */
static void
check_defaults(const struct config *c)
{
	const struct config_project *any;

	ck_assert_str_eq(c->listen[0], "127.0.0.1:3000");
	ck_assert_ptr_null(c->listen[1]);
	ck_assert_str_eq(c->admin_listen, "127.0.0.1:3001");
	ck_assert(!c->admin_listen_given);
	ck_assert(!c->listen_without_tokens);
	ck_assert_int_eq(c->workers, 1);
	ck_assert_str_eq(c->data_dir, "./data");
	ck_assert_ptr_null(c->allowed_hosts[0]);
	ck_assert_ptr_null(c->cors.origins[0]);
	ck_assert(!c->cors.credentials);
	ck_assert_int_eq(c->cors.max_age, 600000);
	ck_assert_int_eq(c->drain, 30000);
	ck_assert_int_eq(c->log_level, LOG_LEVEL_INFO);
	ck_assert_int_eq(c->log_format, LOG_FORMAT_AUTO);
	ck_assert_int_eq(c->limit_body, 1 << 20);
	ck_assert_int_eq(c->limit_head, 16384);
	ck_assert_int_eq(c->limit_headers, 100);
	ck_assert_int_eq(c->limit_connections, 10000);
	ck_assert_int_eq(c->limit_buffers, 256 << 20);
	ck_assert_int_eq(c->client_head, 10000);
	ck_assert_int_eq(c->client_body, 30000);
	ck_assert_int_eq(c->client_idle, 75000);
	ck_assert_str_eq(c->bluejay.url, "https://api.getbluejay.ai");
	ck_assert_uint_eq(c->bluejay.headers.count, 0);
	ck_assert(!c->bluejay.forward_persona_headers);
	ck_assert_int_eq(c->bluejay.connect, 5000);
	ck_assert_int_eq(c->bluejay.first_byte, 15000);
	ck_assert_int_eq(c->bluejay.total, 30000);
	ck_assert_int_eq(c->bluejay.retries, 3);
	ck_assert_int_eq(c->bluejay.settle_grace, 15000);
	ck_assert_int_eq(c->bluejay.settle_keys, 24 * 3600 * 1000);
	ck_assert_int_eq(c->bluejay.rate_per_minute, 0);
	ck_assert_ptr_null(c->bluejay.proxy);
	ck_assert_ptr_null(c->bluejay.ca_file);
	ck_assert_int_eq(c->bluejay.http, CONFIG_HTTP_1_1);
	ck_assert_int_eq(c->bluejay.max_in_flight, 256);
	ck_assert_int_eq(c->bluejay.cache_fresh, 2000);
	ck_assert_int_eq(c->bluejay.cache_stale, 3600000);
	ck_assert_int_eq(c->bluejay.cache_size, 16 << 20);
	any = &c->projects[c->project_count - 1];
	ck_assert_str_eq(any->id, "*");
	ck_assert(!any->has_agent);
	ck_assert(!any->shared_agent);
	ck_assert_ptr_null(any->api_key);
	ck_assert_ptr_null(c->mapping_persona);
}

START_TEST(defaults_hold_without_a_file_and_in_a_short_one)
{
	struct config_source source = {.sandbox = true};
	struct diag_list diags = {0};
	struct config *c = config_load(&source, &diags);

	test_expect(&diags, "");
	check_defaults(c);
	ck_assert_str_eq(c->bluejay.api_key, "sandbox");
	ck_assert_ptr_null(c->document);
	ck_assert_uint_eq(c->project_count, 2);
	ck_assert_str_eq(c->projects[0].id, "demo"); /* something to try with, with an agent */
	ck_assert(c->projects[0].has_agent);
	config_free(c);

	c = load(KEY, "");
	check_defaults(c);
	ck_assert_uint_eq(c->project_count, 1);
	ck_assert_str_eq(c->bluejay.api_key, "k3y");
	ck_assert_ptr_nonnull(c->document);
	config_free(c);

	c = load_sandbox("", "");
	check_defaults(c);
	config_free(c);
	c = load_sandbox("limits:\nlog: {}\nmapping:\n", "");
	check_defaults(c);
	config_free(c);
	config_free(NULL);
}
END_TEST

START_TEST(every_key_reaches_its_value)
{
	struct config *c;
	const struct config_project *p;

	test_file("key", "file-k3y\n");
	test_file("key2", "k2\r\n\n");
	test_file("ca.pem", "certificates");
	c = load("listen: [127.0.0.1:1, 'unix:/run/x', \"[::1]:0\"]\n"
	    "admin_listen: '[::1]:2'\n"
	    "listen_without_tokens: true\n"
	    "data_dir: /var/lib/pg\n"
	    "workers: 3\n"
	    "allowed_hosts: [gateway.example.com, 10.0.0.1]\n"
	    "cors: {origins: ['HTTP://LocalHost:05173', 'https://a:443'], credentials: true, "
	    "max_age: 5s}\n"
	    "limits: {body: 2MiB, head: 32KiB, headers: 50, connections: 20, buffers: 3MiB}\n"
	    "client_timeouts: {head: 1s, body: 2s, idle: 3s}\n"
	    "drain: 4s\n"
	    "log: {level: debug, format: json}\n"
	    "bluejay:\n"
	    "  url: https://bluejay.example.com/base//\n"
	    "  api_key_file: key\n"
	    "  headers: {X-Tenant: shop, 'X-N': 7, X-Key: \"${KEY}\"}\n"
	    "  forward_persona_headers: true\n"
	    "  timeouts: {connect: 5s, first_byte: 6s, total: 7s}\n"
	    "  retries: 8\n"
	    "  settle: {grace: 9s, keys: 2h}\n"
	    "  rate: {per_minute: 10}\n"
	    "  proxy: http://proxy:3128/\n"
	    "  ca_file: ca.pem\n"
	    "  http: 2\n"
	    "  max_in_flight: 11\n"
	    "  cache: {fresh: 12s, stale_if_error: 13s, size: 14KiB}\n"
	    "projects:\n"
	    "  shop-bot: {agent_id: 123, shared_agent: true}\n"
	    "  Other Bot: {agent_id: 9223372036854775807, api_key: own}\n"
	    "  third: {agent_id: 123, shared_agent: true, api_key_file: key2}\n"
	    "  '*':\n"
	    "mapping: {persona: {fields: {name: name}}}\n"
	    "store: {kind: sqlite}\n",
	    "");
	ck_assert_str_eq(c->listen[0], "127.0.0.1:1");
	ck_assert_str_eq(c->listen[1], "unix:/run/x");
	ck_assert_str_eq(c->listen[2], "[::1]:0");
	ck_assert_ptr_null(c->listen[3]);
	ck_assert_str_eq(c->admin_listen, "[::1]:2");
	ck_assert(c->admin_listen_given);
	ck_assert(c->listen_without_tokens);
	ck_assert_str_eq(c->data_dir, "/var/lib/pg");
	ck_assert_int_eq(c->workers, 3);
	ck_assert_str_eq(c->allowed_hosts[0], "gateway.example.com");
	ck_assert_str_eq(c->allowed_hosts[1], "10.0.0.1");
	ck_assert_ptr_null(c->allowed_hosts[2]);
	ck_assert_str_eq(c->cors.origins[0], "http://localhost:5173");
	ck_assert_str_eq(c->cors.origins[1], "https://a");
	ck_assert_ptr_null(c->cors.origins[2]);
	ck_assert(c->cors.credentials);
	ck_assert_int_eq(c->cors.max_age, 5000);
	ck_assert_int_eq(c->limit_body, 2 << 20);
	ck_assert_int_eq(c->limit_head, 32768);
	ck_assert_int_eq(c->limit_headers, 50);
	ck_assert_int_eq(c->limit_connections, 20);
	ck_assert_int_eq(c->limit_buffers, 3 << 20);
	ck_assert_int_eq(c->client_head, 1000);
	ck_assert_int_eq(c->client_body, 2000);
	ck_assert_int_eq(c->client_idle, 3000);
	ck_assert_int_eq(c->drain, 4000);
	ck_assert_int_eq(c->log_level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(c->log_format, LOG_FORMAT_JSON);
	ck_assert_str_eq(c->bluejay.url, "https://bluejay.example.com/base");
	ck_assert_str_eq(c->bluejay.api_key, "file-k3y");
	ck_assert_int_eq(c->bluejay.connect, 5000);
	ck_assert_uint_eq(c->bluejay.headers.count, 3);
	ck_assert_str_eq(header_list_find(&c->bluejay.headers, "x-tenant")->value, "shop");
	ck_assert_str_eq(header_list_find(&c->bluejay.headers, "x-n")->value, "7");
	ck_assert_str_eq(header_list_find(&c->bluejay.headers, "x-key")->value, "k3y");
	ck_assert(c->bluejay.forward_persona_headers);
	ck_assert_int_eq(c->bluejay.first_byte, 6000);
	ck_assert_int_eq(c->bluejay.total, 7000);
	ck_assert_int_eq(c->bluejay.retries, 8);
	ck_assert_int_eq(c->bluejay.settle_grace, 9000);
	ck_assert_int_eq(c->bluejay.settle_keys, 7200000);
	ck_assert_int_eq(c->bluejay.rate_per_minute, 10);
	ck_assert_str_eq(c->bluejay.proxy, "http://proxy:3128");
	ck_assert_str_eq(c->bluejay.ca_file, "ca.pem");
	ck_assert_int_eq(c->bluejay.http, CONFIG_HTTP_2);
	ck_assert_int_eq(c->bluejay.max_in_flight, 11);
	ck_assert_int_eq(c->bluejay.cache_fresh, 12000);
	ck_assert_int_eq(c->bluejay.cache_stale, 13000);
	ck_assert_int_eq(c->bluejay.cache_size, 14336);
	ck_assert_uint_eq(c->project_count, 4);
	p = c->projects;
	ck_assert_str_eq(p[0].id, "shop-bot");
	ck_assert(p[0].has_agent && p[0].shared_agent);
	ck_assert_int_eq(p[0].agent_id, 123);
	ck_assert_ptr_null(p[0].api_key);
	ck_assert_int_eq(p[0].line, 27);
	ck_assert_int_eq(p[0].column, 3);
	ck_assert_str_eq(p[1].id, "Other Bot");
	ck_assert_int_eq(p[1].agent_id, INT64_MAX);
	ck_assert(!p[1].shared_agent);
	ck_assert_str_eq(p[1].api_key, "own");
	ck_assert_str_eq(p[2].api_key, "k2");
	ck_assert_str_eq(p[3].id, "*");
	ck_assert(!p[3].has_agent);
	ck_assert_ptr_nonnull(yaml_node_get(c->mapping_persona, "fields"));
	config_free(c);
}
END_TEST

START_TEST(one_address_and_one_name_need_no_list)
{
	struct config *c = load(KEY "listen: unix:run/x\nadmin_listen: off\nallowed_hosts: "
	    "gateway\n", "");
	char *path = mem_format("unix:%srun/x", test_folder());

	ck_assert_str_eq(c->listen[0], path);
	ck_assert_ptr_null(c->listen[1]);
	ck_assert_ptr_null(c->admin_listen);
	ck_assert(c->admin_listen_given);
	ck_assert_str_eq(c->allowed_hosts[0], "gateway");
	free(path);
	config_free(c);
}
END_TEST

START_TEST(the_environment_can_give_any_value)
{
	struct config *c = load(KEY "  retries: ${N}\n"
	    "  max_in_flight: ${NONE:-12}\n"
	    "  cache: {fresh: \"${N}s\"}\n"
	    "  rate: {per_minute: \"${N}\"}\n"
	    "listen_without_tokens: ${YES}\n"
	    "workers: auto\n"
	    "log: {level: \"${NONE:-warn}\"}\n"
	    "listen: [\"127.0.0.1:${N}\"]\n"
	    "data_dir: ${KEY}\n",
	    "");

	ck_assert_int_eq(c->bluejay.retries, 7);
	ck_assert_int_eq(c->bluejay.max_in_flight, 12);
	ck_assert_int_eq(c->bluejay.cache_fresh, 7000);
	ck_assert_int_eq(c->bluejay.rate_per_minute, 7);
	ck_assert(c->listen_without_tokens);
	ck_assert_int_eq(c->workers, 0);
	ck_assert_int_eq(c->log_level, LOG_LEVEL_WARN);
	ck_assert_str_eq(c->listen[0], "127.0.0.1:7");
	ck_assert_str_eq(c->data_dir, "k3y");
	config_free(c);
}
END_TEST

START_TEST(a_wrong_value_from_the_environment_is_not_repeated)
{
	refuse(KEY "  retries: ${WORD}\n"
	    "  url: ${WORD}\n"
	    "  proxy: ${WORD}\n"
	    "drain: ${WORD}\n"
	    "log: {level: \"${WORD}\"}\n"
	    "listen_without_tokens: ${WORD}\n"
	    "listen: ${WORD}\n"
	    "allowed_hosts: ${WORD}\n"
	    "projects: {a: {api_key: \"${WORD}\"}}\n",
	    "c.yaml:3:12: bluejay.retries must be a whole number; the value from the environment "
	    "is not\n"
	    "c.yaml:4:8: bluejay.url must start with https:// (or http://)\n"
	    "c.yaml:5:10: bluejay.proxy must start with http:// or https://\n"
	    "c.yaml:6:8: drain must be a duration such as 250ms, 5s, 2m or 1h; the value from the "
	    "environment is not\n"
	    "c.yaml:7:14: log.level must be debug, info, warn or error; the value from the "
	    "environment is not\n"
	    "c.yaml:8:24: listen_without_tokens must be true or false; the value from the "
	    "environment is not\n"
	    "c.yaml:9:9: listen must be an address such as 127.0.0.1:3000, [::1]:3000 or "
	    "unix:/run/gateway.sock\n"
	    "c.yaml:10:16: allowed_hosts must be a host name such as gateway.example.com\n"
	    "c.yaml:11:25: projects.a.api_key holds a character that cannot be part of a key (byte "
	    "7); a key is visible ASCII without spaces\n");
}
END_TEST

START_TEST(unknown_keys_get_the_nearest_known_one)
{
	refuse(KEY "lisen: 1\n"
	    "  \n"
	    "limits: {bodi: 1MiB, heat: 2}\n"
	    "quic: {}\n"
	    "api_key: x\n"
	    "agent_id: 5\n"
	    "projects: {a: {agentId: 1, url: x, nothing: y}}\n"
	    "limits.body: 1MiB\n"
	    "bluejay.timeouts: {}\n"
	    "mapping: {comunity: {}}\n"
	    "\"new\\nline\": 1\n",
	    "c.yaml:3:1: unknown key \"lisen\"; did you mean \"listen\"?\n"
	    "c.yaml:5:10: unknown key \"bodi\"; did you mean \"body\"?\n"
	    "c.yaml:5:22: unknown key \"heat\"; did you mean \"head\"?\n"
	    "c.yaml:6:1: unknown key \"quic\"; the keys here are listen, admin_listen, "
	    "listen_without_tokens, socket_mode, trusted_proxies, proxy_protocol, data_dir, workers, "
	    "allowed_hosts, clients, tls, cors, limits, "
	    "client_timeouts, drain, log, core_dumps, recording, bluejay, projects, mapping, mapping_tests, resources, communities, images, passthrough, store\n"
	    "c.yaml:7:1: unknown key \"api_key\" here; it belongs under \"bluejay\"\n"
	    "c.yaml:8:1: unknown key \"agent_id\" here; it belongs under a project's id in "
	    "\"projects\"\n"
	    "c.yaml:9:16: unknown key \"agentId\"; did you mean \"agent_id\"?\n"
	    "c.yaml:9:28: unknown key \"url\" here; it belongs under \"bluejay\"\n"
	    "c.yaml:9:36: unknown key \"nothing\"; the keys here are name, agent_id, shared_agent, "
	    "api_key, api_key_file, mapping\n"
	    "c.yaml:10:1: unknown key \"limits.body\"; write each part as a map of its own: "
	    "limits: {body: …}\n"
	    "c.yaml:11:1: unknown key \"bluejay.timeouts\"; write each part as a map of its own: "
	    "bluejay: {timeouts: …}\n"
	    "c.yaml:12:11: unknown key \"comunity\"; did you mean \"community\"?\n"
	    "c.yaml:13:1: unknown key \"new?line\"; the keys here are listen, admin_listen, "
	    "listen_without_tokens, socket_mode, trusted_proxies, proxy_protocol, data_dir, workers, "
	    "allowed_hosts, clients, tls, cors, limits, "
	    "client_timeouts, drain, log, core_dumps, recording, bluejay, projects, mapping, mapping_tests, resources, communities, images, passthrough, store\n");
}
END_TEST

START_TEST(wrong_types_say_what_would_be_right)
{
	refuse(KEY "  retries: [3]\n"
	    "  timeouts: 30s\n"
	    "  max_in_flight: \"256\"\n"
	    "  rate: {per_minute: 1.5}\n"
	    "  cache: [2s]\n"
	    "listen: {a: b}\n"
	    "admin_listen: [127.0.0.1:1]\n"
	    "listen_without_tokens: yes\n"
	    "data_dir: {}\n"
	    "workers: [1]\n"
	    "allowed_hosts: [[a], {b: c}, ]\n"
	    "limits: 5\n"
	    "drain: {s: 5}\n"
	    "store: {kind: }\n"
	    "log: {level: , format: ''}\n",
	    "c.yaml:3:12: bluejay.retries must be a whole number, not a list\n"
	    "c.yaml:4:13: bluejay.timeouts must be a map with the keys connect, first_byte, total, "
	    "not a single value\n"
	    "c.yaml:5:18: bluejay.max_in_flight must be a whole number; write it without quotes\n"
	    "c.yaml:6:22: bluejay.rate.per_minute must be a whole number, not \"1.5\"\n"
	    "c.yaml:7:10: bluejay.cache must be a map with the keys fresh, stale_if_error, size, "
	    "not a list\n"
	    "c.yaml:8:9: listen must be an address or a list of addresses, not a map\n"
	    "c.yaml:9:15: admin_listen must be a text, not a list\n"
	    "c.yaml:10:24: listen_without_tokens must be true or false, not \"yes\"\n"
	    "c.yaml:11:11: data_dir must be a text, not a map\n"
	    "c.yaml:12:10: workers must be auto or a whole number, not a list\n"
	    "c.yaml:13:17: allowed_hosts must be a list of host names such as "
	    "[gateway.example.com], not a list\n"
	    "c.yaml:13:22: allowed_hosts must be a list of host names such as "
	    "[gateway.example.com], not a map\n"
	    "c.yaml:14:9: limits must be a map with the keys body, head, headers, connections, "
	    "buffers, not a single value\n"
	    "c.yaml:15:8: drain must be a duration such as 250ms, 5s, 2m or 1h, not a map\n"
	    "c.yaml:16:15: store.kind is empty; give it a value, or leave the key out for the "
	    "default sqlite\n"
	    "c.yaml:17:14: log.level is empty; give it a value, or leave the key out for the "
	    "default info\n"
	    "c.yaml:17:24: log.format is empty; give it a value, or leave the key out for the "
	    "default auto\n");
	refuse("- a\n",
	    "c.yaml:1:1: the file must be a map with the keys listen, admin_listen, "
	    "listen_without_tokens, socket_mode, trusted_proxies, proxy_protocol, data_dir, workers, "
	    "allowed_hosts, clients, tls, cors, limits, "
	    "client_timeouts, drain, log, core_dumps, recording, bluejay, projects, mapping, mapping_tests, resources, communities, images, passthrough, store, not a list\n");
	refuse("text\n",
	    "c.yaml:1:1: the file must be a map with the keys listen, admin_listen, "
	    "listen_without_tokens, socket_mode, trusted_proxies, proxy_protocol, data_dir, workers, "
	    "allowed_hosts, clients, tls, cors, limits, "
	    "client_timeouts, drain, log, core_dumps, recording, bluejay, projects, mapping, mapping_tests, resources, communities, images, passthrough, store, not a single value\n");
	refuse("bluejay: ${KEY}\n",
	    "c.yaml:1:10: bluejay must be a map with the keys url, api_key, api_key_file, "
	    "headers, forward_persona_headers, timeouts, retries, settle, rate, proxy, ca_file, "
	    "http, max_in_flight, cache, not a single value\n");
}
END_TEST

START_TEST(values_out_of_range_are_told_with_the_range)
{
	refuse(KEY "  retries: 0\n"
	    "  timeouts: {connect: 5ms, total: 2h}\n"
	    "  settle: {grace: 0s}\n"
	    "  cache: {size: 2GiB}\n"
	    "workers: 65\n"
	    "limits: {body: 512B, head: 2MiB, headers: 5, connections: 0}\n"
	    "drain: 61m\n"
	    "log: {level: warning, format: JSON}\n"
	    "store: {kind: mysql}\n"
	    "projects: {a: {agent_id: 0}, b: {agent_id: 99999999999999999999}}\n",
	    "c.yaml:3:12: bluejay.retries must be from 1 to 10, not 0\n"
	    "c.yaml:4:23: bluejay.timeouts.connect must be from 10ms to 10m, not 5ms\n"
	    "c.yaml:4:35: bluejay.timeouts.total must be from 10ms to 1h, not 2h\n"
	    "c.yaml:5:19: bluejay.settle.grace must be from 100ms to 1h, not 0s\n"
	    "c.yaml:6:17: bluejay.cache.size must be from 0B to 1GiB, not 2GiB\n"
	    "c.yaml:7:10: workers must be from 1 to 64, not 65\n"
	    "c.yaml:8:16: limits.body must be from 1KiB to 64MiB, not 512B\n"
	    "c.yaml:8:28: limits.head must be from 1KiB to 1MiB, not 2MiB\n"
	    "c.yaml:8:43: limits.headers must be from 10 to 1000, not 5\n"
	    "c.yaml:8:59: limits.connections must be from 1 to 1000000, not 0\n"
	    "c.yaml:9:8: drain must be from 0s to 1h, not 61m\n"
	    "c.yaml:10:14: log.level must be debug, info, warn or error, not \"warning\"\n"
	    "c.yaml:10:31: log.format must be auto, text or json, not \"JSON\"\n"
	    "c.yaml:11:15: store.kind must be sqlite or postgresql, not \"mysql\"\n"
	    "c.yaml:12:26: projects.a.agent_id must be 1 or more, not 0\n"
	    "c.yaml:12:44: projects.b.agent_id must be a whole number, not "
	    "\"99999999999999999999\"\n");
}
END_TEST

START_TEST(addresses_and_units_come_with_examples)
{
	refuse(KEY "listen: [localhost:3000, 127.0.0.1:1, ':80']\n"
	    "admin_listen: none\n"
	    "drain: 30\n"
	    "limits: {body: 1MB}\n"
	    "allowed_hosts: ['gateway:3000']\n",
	    "c.yaml:3:10: listen must be a number, since names are not looked up: write "
	    "127.0.0.1:3000 or [::1]:3000\n"
	    "c.yaml:3:39: listen needs a host before the port: write 127.0.0.1:80, or 0.0.0.0:80 "
	    "for every address of this machine\n"
	    "c.yaml:4:15: admin_listen must be an address such as 127.0.0.1:3000, [::1]:3000 or "
	    "unix:/run/gateway.sock; off is allowed too\n"
	    "c.yaml:5:8: drain needs a unit: write 30s or 30ms\n"
	    "c.yaml:6:16: limits.body must be a size such as 64KiB or 1MiB, not \"1MB\": write "
	    "1MiB\n"
	    "c.yaml:7:17: allowed_hosts must be a name without a port: leave \":3000\" out\n");
	refuse(KEY "listen: []\n", "c.yaml:3:9: listen needs at least one address\n");
	refuse(KEY "cors:\n"
	    "  origins:\n"
	    "    - http://localhost:5173/\n"
	    "    - localhost:5173\n"
	    "    - https://*.example.com\n"
	    "    - 'null'\n"
	    "    - http://k\u00fcche.example\n"
	    "    - http://u:p@host\n"
	    "    - http://host:99999\n"
	    "    - {a: b}\n"
	    "    - ftp://\n",
	    "c.yaml:5:7: cors.origins must be an origin without a path or a slash at its end\n"
	    "c.yaml:6:7: cors.origins must begin with a scheme: http:// or https://\n"
	    "c.yaml:7:7: cors.origins must be a whole origin, since * is not understood in it: "
	    "list each one, or write \"*\" alone for every one\n"
	    "c.yaml:8:7: cors.origins must not be null, which stands for every page without an "
	    "origin of its own; \"*\" alone allows those too\n"
	    "c.yaml:9:7: cors.origins must be an origin as browsers write it: names beyond ASCII "
	    "begin with xn--\n"
	    "c.yaml:10:7: cors.origins must not hold a user name or password\n"
	    "c.yaml:11:7: cors.origins must be an origin such as http://localhost:5173: a scheme, "
	    "a host, and a port if it is not the usual one\n"
	    "c.yaml:12:7: cors.origins must be a list of origins such as "
	    "[\"http://localhost:5173\"], not a map\n"
	    "c.yaml:13:7: cors.origins must be an origin such as http://localhost:5173: a scheme, "
	    "a host, and a port if it is not the usual one\n");
}
END_TEST

START_TEST(headers_that_cannot_be_sent_are_mistakes)
{
	struct buf many;

	accept(KEY "  headers:\n");
	accept(KEY "  headers: {}\n");
	refuse(KEY "  headers: [X-A]\n", "c.yaml:3:12: bluejay.headers must be a map of names and "
	    "values such as {X-Tenant: shop}, not a list\n");
	refuse(KEY "  headers: x\n", "c.yaml:3:12: bluejay.headers must be a map of names and "
	    "values such as {X-Tenant: shop}, not a single value\n");
	refuse(KEY "  headers:\n"
	    "    X-Api-Key: s3cret\n"
	    "    Proxy-Authorization: s3cret\n"
	    "    'X Tenant': s3cret\n"
	    "    X-A: \"s3cret\\r\\nX-B: y\"\n"
	    "    X-C:\n"
	    "    X-D: \"\"\n"
	    "    X-E: [s3cret]\n"
	    "    X-F: {a: s3cret}\n"
	    "    X-G: s3cret\n"
	    "    x-g: s3cret\n"
	    "    X-H: ${NONE}\n"
	    "    X-I: ${EMPTY}\n",
	    "c.yaml:4:5: bluejay.headers cannot have \"X-Api-Key\", which the gateway sets itself "
	    "or never sends; leave it out\n"
	    "c.yaml:5:5: bluejay.headers cannot have \"Proxy-Authorization\", which the gateway "
	    "sets itself or never sends; leave it out\n"
	    "c.yaml:6:5: bluejay.headers has \"X Tenant\", which cannot be the name of a header; "
	    "a name has letters, digits and \"-\", as in X-Tenant\n"
	    "c.yaml:7:10: bluejay.headers.X-A must not hold line ends or other control "
	    "characters\n"
	    "c.yaml:8:9: bluejay.headers.X-C is empty; give it a value, or leave the key out\n"
	    "c.yaml:9:10: bluejay.headers.X-D is empty; give it a value, or leave the key out\n"
	    "c.yaml:10:10: bluejay.headers.X-E must be a text, not a list\n"
	    "c.yaml:11:10: bluejay.headers.X-F must be a text, not a map\n"
	    "c.yaml:13:5: bluejay.headers has \"x-g\" twice, since upper and lower case are the "
	    "same in names; keep one of them\n"
	    "c.yaml:14:10: the environment variable NONE is not set; set it, or write "
	    "${NONE:-default}\n"
	    "c.yaml:15:10: the environment variable EMPTY is empty; set it, or write "
	    "${EMPTY:-default}\n");
	buf_init(&many, 0);
	buf_adds(&many, KEY "  headers:\n");
	for (int i = 0; i <= HEADER_MAX; i++)
		buf_addf(&many, "    X-%d: a\n", i);
	refuse(many.data, "c.yaml:36:5: bluejay.headers has more than 32 headers, or more than "
	    "8192 bytes of them; leave some out\n");
	buf_free(&many);
}
END_TEST

START_TEST(mistakes_of_every_kind_come_in_one_run)
{
	refuse("bluejay:\n"
	    "  api_key: ${NONE}\n"
	    "  retrys: 3\n"
	    "  retries: 99\n"
	    "drain: 5s\n"
	    "drain: 6s\n"
	    "log: &x {level: loud}\n"
	    "listen: 0.0.0.0:3000\n"
	    "projects:\n"
	    "  a/b: {agent_id: x}\n"
	    "  '*': {agent_id: 5}\n",
	    "c.yaml:2:12: the environment variable NONE is not set; set it, or write "
	    "${NONE:-default}\n"
	    "c.yaml:3:3: unknown key \"retrys\"; did you mean \"retries\"?\n"
	    "c.yaml:4:12: bluejay.retries must be from 1 to 10, not 99\n"
	    "c.yaml:6:1: the key \"drain\" stands here a second time (first on line 5); keep one "
	    "of them\n"
	    "c.yaml:7:6: anchors (&name) are not allowed; write the value where it is needed, or "
	    "quote a text that starts with &\n"
	    "c.yaml:7:17: log.level must be debug, info, warn or error, not \"loud\"\n"
	    "c.yaml:8:9: other machines can reach 0.0.0.0:3000, and there are no clients: "
	    "whoever connects would use the key; " OPEN_REMEDY
	    "c.yaml:10:3: the project id \"a/b\" must not hold a /\n"
	    "c.yaml:10:19: projects.a/b.agent_id must be a whole number, not \"x\"\n"
	    "c.yaml:11:19: \"*\" stands for many projects and cannot have an agent_id; name the "
	    "project that has this agent\n");
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_an_error)
{
	struct config_source source = {.file = "/nonexistent/persona-gateway.yaml"};
	struct diag_list diags = {0};

	ck_assert_ptr_null(config_load(&source, &diags));
	test_expect(&diags,
	    "/nonexistent/persona-gateway.yaml: cannot read the file: No such file or directory\n");
	source.file = "/";
	source.sandbox = true;
	ck_assert_ptr_null(config_load(&source, &diags));
	test_expect(&diags, "/: cannot read the file: Is a directory\n");
	refuse("a: [\n", "c.yaml:2:1: the file ends inside a { or [ that is not closed\n");
}
END_TEST

START_TEST(the_sandbox_needs_no_key)
{
	struct config *c = load_sandbox("bluejay:\n"
	    "  url: ${NONE}\n"
	    "  api_key: ${NONE}\n"
	    "  api_key_file: /nonexistent\n"
	    "  retries: 5\n"
	    "projects:\n"
	    "  a: {agent_id: 1, api_key: \"${NONE}\"}\n"
	    "  b: {agent_id: 2, api_key_file: /nonexistent}\n",
	    "");

	ck_assert_str_eq(c->bluejay.api_key, "sandbox");
	ck_assert_str_eq(c->bluejay.url, "https://api.getbluejay.ai");
	ck_assert_int_eq(c->bluejay.retries, 5);
	ck_assert_uint_eq(c->project_count, 2);
	ck_assert_ptr_null(c->projects[0].api_key);
	ck_assert_ptr_null(c->projects[1].api_key);
	config_free(c);
	c = load_sandbox("bluejay: {url: 'http://bluejay.example.com', api_key: real}\n", "");
	ck_assert_str_eq(c->bluejay.url, "http://bluejay.example.com");
	ck_assert_str_eq(c->bluejay.api_key, "sandbox");
	config_free(c);
	ck_assert_ptr_null(load_sandbox("drain: ${NONE}\nbluejay: {api_keys: x}\n",
	    "c.yaml:1:8: the environment variable NONE is not set; set it, or write "
	    "${NONE:-default}\n"
	    "c.yaml:2:11: unknown key \"api_keys\"; did you mean \"api_key\"?\n"));
}
END_TEST

START_TEST(options_win_over_the_file_and_obey_its_rules)
{
	struct config_source source = {.listen = "[::1]:0", .admin_listen = "off", .data_dir = "d"};
	struct config *c = load_source(&source,
	    KEY "listen: 0.0.0.0:3000\nadmin_listen: 127.0.0.1:1\ndata_dir: e\n", "");

	ck_assert_str_eq(c->listen[0], "[::1]:0");
	ck_assert_ptr_null(c->listen[1]);
	ck_assert_ptr_null(c->admin_listen);
	ck_assert(c->admin_listen_given);
	ck_assert_str_eq(c->data_dir, "d");
	config_free(c);
	source = (struct config_source){.listen = "0.0.0.0:0", .admin_listen = "10.0.0.1:1",
	    .data_dir = ""};
	ck_assert_ptr_null(load_source(&source, KEY,
	    "--admin-listen: other machines can reach 10.0.0.1:1, and no client has "
	    "\"admin: true\": use 127.0.0.1, [::1], a unix: socket, or off, or give a client that "
	    "right\n"
	    "--data-dir: must not be empty\n"
	    "--listen: other machines can reach 0.0.0.0:0, and there are no clients: "
	    "whoever connects would use the key; " OPEN_REMEDY));
	source = (struct config_source){.listen = "3000", .admin_listen = "x"};
	ck_assert_ptr_null(load_source(&source, KEY,
	    "--admin-listen: must be an address such as 127.0.0.1:3000, [::1]:3000 or "
	    "unix:/run/gateway.sock; off is allowed too\n"
	    "--listen: needs a host before the port: write 127.0.0.1:3000\n"));
	source = (struct config_source){.listen = "0.0.0.0:0"};
	c = load_source(&source, KEY "listen_without_tokens: true\n", "");
	ck_assert_str_eq(c->listen[0], "0.0.0.0:0");
	config_free(c);
}
END_TEST

START_TEST(open_sockets_win_over_options_and_obey_the_rules)
{
	static const char *const own[] = {"127.0.0.1:80", "unix:@abstract", NULL};
	static const char *const open[] = {"[::]:80", NULL};
	struct config_source source = {.listen = "[::1]:0", .admin_listen = "off", .sockets = own,
	    .admin_socket = "unix:/run/admin"};
	struct config *c = load_source(&source, KEY "listen: 0.0.0.0:3000\n", "");

	ck_assert_str_eq(c->listen[0], "127.0.0.1:80");
	ck_assert_str_eq(c->listen[1], "unix:@abstract");
	ck_assert_ptr_null(c->listen[2]);
	ck_assert_str_eq(c->admin_listen, "unix:/run/admin");
	ck_assert(c->admin_listen_given);
	config_free(c);
	source = (struct config_source){.sockets = open, .admin_socket = "0.0.0.0:81"};
	ck_assert_ptr_null(load_source(&source, KEY,
	    "(sockets of the service manager): other machines can reach [::]:80, and there are no "
	    "clients: whoever connects would use the key; " OPEN_REMEDY
	    "(sockets of the service manager): other machines can reach 0.0.0.0:81, and no client has "
	    "\"admin: true\": use 127.0.0.1, [::1], a unix: socket, or off, or give a client that "
	    "right\n"));
}
END_TEST

/* Remembers that the section was handed over. */
static void
on_mapping(void *arg, const struct yaml_node *document, struct diag_list *diags)
{
	const struct yaml_node *section = yaml_node_get(document, "mapping");
	int *calls = arg;

	++*calls;
	if (section != NULL)
		diag_add(diags, section->file, section->line, section->column, "seen");
}

START_TEST(the_mapping_is_handed_over_whatever_else_is_wrong)
{
	int calls = 0;
	struct config_source source = {.mapping = on_mapping, .mapping_arg = &calls};

	config_free(load_source(&source, KEY, ""));
	ck_assert_int_eq(calls, 1);
	ck_assert_ptr_null(load_source(&source, KEY "drain: x\nmapping:\n  persona: {x: y}\n",
	    "c.yaml:3:8: drain must be a duration such as 250ms, 5s, 2m or 1h, not \"x\"\n"
	    "c.yaml:5:3: seen\n"));
	ck_assert_int_eq(calls, 2);
	ck_assert_ptr_null(load_source(&source, KEY "mapping:\n  persona: {x: \"${NONE}\"}\n",
	    "c.yaml:4:17: the environment variable NONE is not set; set it, or write "
	    "${NONE:-default}\n"));
	ck_assert_ptr_null(load_source(&source, KEY "mapping: 5\n",
	    "c.yaml:3:10: mapping must be a map with the keys persona, community, not a single "
	    "value\n"));
	ck_assert_int_eq(calls, 2);
}
END_TEST

/* The suite. */
Suite *
load_suite(void)
{
	const TTest *const tests[] = {defaults_hold_without_a_file_and_in_a_short_one,
	    every_key_reaches_its_value, one_address_and_one_name_need_no_list,
	    the_environment_can_give_any_value, a_wrong_value_from_the_environment_is_not_repeated,
	    unknown_keys_get_the_nearest_known_one, wrong_types_say_what_would_be_right,
	    values_out_of_range_are_told_with_the_range, addresses_and_units_come_with_examples,
	    headers_that_cannot_be_sent_are_mistakes,
	    mistakes_of_every_kind_come_in_one_run, a_file_that_cannot_be_read_is_an_error,
	    the_sandbox_needs_no_key, options_win_over_the_file_and_obey_its_rules,
	    open_sockets_win_over_options_and_obey_the_rules,
	    the_mapping_is_handed_over_whatever_else_is_wrong, NULL};

	return unit_suite("load", tests);
}
