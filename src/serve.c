#include "config.h"

#include "serve.h"
#include "serve_reload.h"
#include "serve_sockets.h"
#include "serve_watch.h"
#include "serve_workers.h"
#include "api/api.h"
#include "base/dump.h"
#include "base/mem.h"
#include "base/mem_trim.h"
#include "base/notify.h"
#include "core/gateway.h"
#include "core/snapshot.h"
#include "http/http_server.h"
#include "sandbox/sandbox.h"
#include "store/store.h"
#include "upstream/upstream.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVE_FILES 64     /* descriptors for everything but clients and upstream calls */
#define SERVE_SETTLE_MS 20 /* how often a stop looks whether running writes are recorded */

#define SERVE_CORS_REFUSAL \
	"This origin may not use the gateway; cors.origins in its configuration names those that may"

/* Everything that runs, in the order in which it starts; it stops in reverse. */
struct serve {
	const struct serve_options *options;
	struct serve_sockets sockets; /* of a service manager */
	struct snapshot *snap;
	struct log *log;
	struct sandbox *sandbox;
	struct store *store;
	struct loop *loop;
	struct gateway *gw;
	struct api *api;
	struct serve_workers *workers; /* the loops beside this one */
	struct http_cors cors;
	struct http_server *server, *admin;
	unsigned connections; /* the most that clients may have to each of both */
	struct serve_reload *reload;
	struct serve_watch *watch;    /* of key files */
	struct notify *notify;        /* the service manager; NULL: there is none */
	struct mem_trim trim;         /* gives memory back after a burst */
	struct loop_timer alive;      /* signs of life for its watchdog */
	int64_t alive_ms;             /* between two of them; 0: none are wanted */
	struct event term, interrupt, reopen, hangup;
	struct loop_timer settle;
	int64_t stop_by; /* loop_now(): when a stop waits no longer */
	unsigned draining; /* what has not told yet: this loop, and the others */
	bool started, stopping, failed;
	bool reload_soon; /* asked for before the start was over, */
	bool keys_soon;   /* or for the key files alone */
};

/* What is loaded, at the start and again. */
static struct config_source
serve_source(const struct serve *s)
{
	return (struct config_source){
	    .file = s->options->config,
	    .sandbox = s->options->sandbox,
	    .listen = s->options->listen,
	    .admin_listen = s->options->admin_listen,
	    .data_dir = s->options->data_dir,
	    .sockets = s->sockets.clients,
	    .admin_socket = s->sockets.admin,
	};
}

/* Takes the sockets that were opened for this program. */
static bool
serve_take_sockets(struct serve *s)
{
	struct fail fail;

	if (serve_sockets_take(&s->sockets, &fail) == 0)
		return true;
	fprintf(stderr, "persona-gateway: %s\n", fail.text);
	return false;
}

/* Loads the configuration; false when it has mistakes. */
static bool
serve_load(struct serve *s)
{
	struct config_source source = serve_source(s);
	struct diag_list diags = {0};

	s->snap = snapshot_load(&source, &diags);
	diag_print(&diags, stderr);
	diag_free(&diags);
	if (s->snap == NULL && s->options->config == NULL && !s->options->sandbox)
		fprintf(stderr, "persona-gateway: name a file with --config, or try --sandbox, which needs none\n");
	return s->snap != NULL;
}

/* Where records are kept; NULL for memory. */
static const char *
serve_data_dir(const struct serve *s)
{
	if (s->options->sandbox && s->options->data_dir == NULL &&
	    yaml_node_get(s->snap->config->document, "data_dir") == NULL)
		return NULL;
	return s->snap->config->data_dir;
}

/* Starts the simulated Bluejay when asked for. */
static bool
serve_start_sandbox(struct serve *s)
{
	const char *dir = serve_data_dir(s);
	struct sandbox_options o = {.api_key = s->snap->config->bluejay.api_key, .log = s->log};
	char *journal = NULL;
	struct fail fail;

	if (!s->options->sandbox)
		return true;
	if (dir != NULL) {
		mkdir(dir, 0700); /* the store says it if this is not possible */
		journal = mem_format("%s/" SANDBOX_JOURNAL, dir);
	}
	o.journal = journal;
	s->sandbox = sandbox_start(&o, &fail);
	free(journal);
	if (s->sandbox == NULL)
		fprintf(stderr, "persona-gateway: the sandbox cannot start: %s\n", fail.text);
	return s->sandbox != NULL;
}

/* Opens the store and the core on it. */
static bool
serve_start_core(struct serve *s)
{
	struct store_options so = {
	    .dir = serve_data_dir(s),
	    .binding = s->sandbox != NULL ? "sandbox" : s->snap->config->bluejay.url,
	    .rebind = s->options->rebind,
	    .log = s->log,
	    .password = s->snap->config->store.password,
	    .connections = (unsigned)s->snap->config->store.connections,
	};
	struct gateway_options go = {.log = s->log, .snapshot = s->snap};
	struct fail fail;

	if (s->snap->config->store.kind == CONFIG_STORE_POSTGRESQL)
		so.url = s->snap->config->store.url;
	s->store = store_open(&so, &fail);
	if (s->store == NULL) {
		fprintf(stderr, "persona-gateway: %s\n", fail.text);
		return false;
	}
	go.loop = s->loop;
	go.store = s->store;
	go.shared = so.url != NULL;
	go.upstream_url = s->sandbox != NULL ? sandbox_url(s->sandbox) : NULL;
	s->gw = gateway_new(&go, &fail);
	if (s->gw == NULL) {
		fprintf(stderr, "persona-gateway: %s\n", fail.text);
		return false;
	}
	s->api = api_new(s->loop, s->gw, s->log, &fail);
	if (s->api != NULL)
		s->workers = serve_workers_new(serve_workers_wanted(s->snap->config) - 1, s->loop, s->gw,
		    s->api, s->log, &fail);
	if (s->workers == NULL)
		fprintf(stderr, "persona-gateway: %s\n", fail.text);
	return s->workers != NULL;
}

/* How a server serves. */
static struct http_server_config
serve_server_config(struct serve *s, http_service_fn service, const struct http_cors *cors)
{
	const struct config *c = s->snap->config;

	return (struct http_server_config){
	    .limits = {
	        .head = (size_t)c->limit_head,
	        .headers = (unsigned)c->limit_headers,
	        .body = (size_t)c->limit_body,
	        .connections = s->connections,
	        .buffers = (size_t)c->limit_buffers,
	        .head_ms = c->client_head,
	        .body_ms = c->client_body,
	        .idle_ms = c->client_idle,
	        .write_ms = c->client_body,
	    },
	    .allowed_hosts = (const char *const *)c->allowed_hosts,
	    .trusted = (const char *const *)c->trusted_proxies,
	    .proxy_headed = service == api_serve ? (const char *const *)c->proxy_protocol : NULL,
	    .socket_mode = (unsigned)c->socket_mode,
	    .cors = cors,
	    .tls = c->tls.context,
	    .service = service,
	    .report = api_report,
	    .arg = s->api,
	    .log = s->log,
	};
}

/* Makes a server for one service. */
static struct http_server *
serve_make_server(struct serve *s, http_service_fn service, const struct http_cors *cors)
{
	struct http_server_config hc = serve_server_config(s, service, cors);

	return http_server_new(s->loop, &hc);
}

/* Which pages on other origins may use the local API; NULL for none. */
static const struct http_cors *
serve_cors(struct serve *s)
{
	const struct config *c = s->snap->config;

	s->cors = (struct http_cors){
	    .origins = (const char *const *)c->cors.origins,
	    .any = c->cors.origins[0] != NULL && strcmp(c->cors.origins[0], "*") == 0,
	    .credentials = c->cors.credentials,
	    .max_age = c->cors.max_age / 1000,
	    .methods = API_METHODS,
	    .exposed = API_EXPOSED,
	    .refusal = SERVE_CORS_REFUSAL,
	};
	return c->cors.origins[0] != NULL ? &s->cors : NULL;
}

/* Opens the listeners of the local API. */
static bool
serve_listen(struct serve *s)
{
	char *const *listen = s->snap->config->listen;
	struct http_server_config hc = serve_server_config(s, api_serve, serve_cors(s));
	struct fail fail;

	s->server = http_server_new(s->loop, &hc);
	if (!serve_workers_start(s->workers, s->server, &hc, &fail)) {
		fprintf(stderr, "persona-gateway: %s\n", fail.text);
		return false;
	}
	if (s->sockets.clients != NULL) {
		serve_sockets_open(&s->sockets, s->server, false, listen);
		return true;
	}
	for (; *listen != NULL; listen++) {
		if (http_server_listen(s->server, *listen, &fail) != 0) {
			fprintf(stderr, "persona-gateway: cannot listen on %s; --listen chooses another address\n",
			    fail.text);
			return false;
		}
	}
	return true;
}

/* Opens the admin address. The default one may be taken by another gateway on
 * the same machine: then any free port serves, and the printed line says which. */
static bool
serve_listen_admin(struct serve *s)
{
	const struct config *c = s->snap->config;
	const char *address = c->admin_listen;
	struct fail fail;

	if (address == NULL)
		return true;
	s->admin = serve_make_server(s, api_serve_admin, NULL);
	if (s->sockets.admin != NULL) {
		serve_sockets_open(&s->sockets, s->admin, true, (char *const[]){(char *)address, NULL});
		return true;
	}
	if (http_server_listen(s->admin, address, &fail) == 0)
		return true;
	if (!c->admin_listen_given) {
		log_warn(s->log, "the default admin address is taken; using a free port",
		    LOG_S("address", address));
		if (http_server_listen(s->admin, "127.0.0.1:0", &fail) == 0)
			return true;
	}
	fprintf(stderr,
	    "persona-gateway: cannot listen on %s; --admin-listen chooses another address\n", fail.text);
	return false;
}

/* Says where it listens, for people and for scripts. */
static void
serve_print(const struct serve *s)
{
	for (size_t i = 0; http_server_url(s->server, i) != NULL; i++)
		printf("listening on %s\n", http_server_url(s->server, i));
	if (s->admin != NULL)
		printf("admin on %s\n", http_server_url(s->admin, 0));
	fflush(stdout);
}

/* Asks for as many descriptors as the configured connections, the calls to the
 * upstream and the files need. A client whose request is passed on needs two. */
static rlim_t
serve_raise_descriptors(const struct config *c, rlim_t wanted)
{
	rlim_t best = wanted + (rlim_t)(c->bluejay.max_in_flight * (UPSTREAM_FILES - 1)) +
	    (rlim_t)(c->passthrough.local != NULL ? c->limit_connections : 0);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return wanted;
	if (limit.rlim_cur < best) {
		limit.rlim_cur = best < limit.rlim_max ? best : limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur;
}

/* Shares out the descriptors. Where there are too few for all clients, those wait of whom
 * there are too many, and leave what serving the others takes: half of them at most. */
static void
serve_share_descriptors(struct serve *s)
{
	const struct config *c = s->snap->config;
	rlim_t others = (rlim_t)c->bluejay.max_in_flight + SERVE_FILES;
	rlim_t wanted = (rlim_t)c->limit_connections + others;
	rlim_t have = serve_raise_descriptors(c, wanted);

	s->connections = (unsigned)c->limit_connections;
	if (have >= wanted)
		return;
	s->connections = (unsigned)(have > 2 * others ? have - others : have / 2);
	if (s->connections > (unsigned)c->limit_connections)
		s->connections = (unsigned)c->limit_connections;
	log_warn(s->log, "fewer descriptors than limits.connections may need; new clients will wait",
	    LOG_I("have", have), LOG_I("want", wanted), LOG_I("connections", s->connections));
}

/* Another snapshot is in force in the core: takes it everywhere else. */
static void
serve_apply(void *arg, struct snapshot *snap, loop_fn taken, void *taken_arg)
{
	struct serve *s = arg;
	struct snapshot *before = s->snap;
	struct http_server_config hc;
	struct fail fail;

	s->snap = snapshot_ref(snap);
	log_set_level(s->log, (enum log_level)snap->config->log_level);
	serve_share_descriptors(s);
	dump_allow(snap->config->core_dumps);
	if (s->admin != NULL) {
		hc = serve_server_config(s, api_serve_admin, NULL);
		http_server_configure(s->admin, &hc);
	}
	hc = serve_server_config(s, api_serve, serve_cors(s));
	http_server_configure(s->server, &hc);
	if (api_adjust(s->api, &fail) != 0)
		log_error(s->log, "what is passed on goes its old way", LOG_S("why", fail.text));
	serve_watch_take(s->watch, snap);
	snapshot_unref(before);
	serve_workers_apply(s->workers, snap, &hc, taken, taken_arg);
}

/* A key file is another one. */
static void
serve_on_key_file(void *arg)
{
	struct serve *s = arg;

	s->keys_soon = !s->started;
	if (s->started && !s->stopping)
		serve_reload_keys(s->reload);
}

/* Makes the loop, and watches key files from here on: opening a store may take its time. */
static bool
serve_start_loop(struct serve *s)
{
	s->loop = loop_new();
	if (s->loop == NULL) {
		fprintf(stderr, "persona-gateway: the kernel gives no event loop\n");
		return false;
	}
	s->watch = serve_watch_new(s->loop, s->log, serve_on_key_file, s);
	serve_watch_take(s->watch, s->snap);
	return true;
}

/* Makes what reads the configuration again. */
static void
serve_prepare_reload(struct serve *s)
{
	struct serve_reload_options o = {
	    .source = serve_source(s),
	    .loop = s->loop,
	    .log = s->log,
	    .gw = s->gw,
	    .api = s->api,
	    .apply = serve_apply,
	    .notify = s->notify,
	    .arg = s,
	};

	s->reload = serve_reload_new(&o);
}

/* All event loops turn. */
static void
serve_on_answer(void *arg)
{
	struct serve *s = arg;

	notify_alive(s->notify);
	loop_timer_set(&s->alive, s->alive_ms);
}

/* This one does; asks the others. */
static void
serve_on_alive(void *arg)
{
	struct serve *s = arg;

	serve_workers_ask(s->workers, serve_on_answer, s);
}

/* Finds the service manager, if there is one. */
static void
serve_find_manager(struct serve *s)
{
	s->notify = notify_open(getenv("NOTIFY_SOCKET"));
	s->alive_ms = notify_watchdog_ms(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"),
	    (long)getpid());
	loop_timer_init(&s->alive, s->loop, serve_on_alive, s);
	if (s->notify != NULL && s->alive_ms > 0)
		loop_timer_set(&s->alive, 0);
}

/* Reads the configuration again, once the doors are open; not any more when they close. */
static void
serve_on_reload(void *arg)
{
	static const char stopping[] = "{\"error\":\"The gateway is stopping\"}";
	struct serve *s = arg;

	s->reload_soon = !s->started;
	if (s->stopping) {
		api_reload_begin(s->api);
		api_reload_end(s->api, 503, stopping, sizeof stopping - 1);
	} else if (s->started) {
		serve_reload_start(s->reload);
	}
}

/* SIGHUP. */
static void
serve_on_hangup(evutil_socket_t sig, short what, void *arg)
{
	serve_on_reload(arg);
}

/* What was left unsettled is known: opens the doors. */
static void
serve_on_ready(void *arg, bool ok)
{
	struct serve *s = arg;

	if (!ok)
		fprintf(stderr, "persona-gateway: the store cannot be read\n");
	if (!ok || !serve_listen(s) || !serve_listen_admin(s)) {
		s->failed = true;
		loop_stop(s->loop);
		return;
	}
	s->started = true;
	api_watch(s->api, s->server, s->admin);
	api_on_reload(s->api, serve_on_reload, s);
	serve_print(s);
	notify_ready(s->notify);
	mem_trim_start(&s->trim, s->loop);
	if (s->reload_soon)
		serve_on_reload(s);
	else if (s->keys_soon)
		serve_on_key_file(s);
}

/* Stops when the writes that were sent are recorded, or the time is over. */
static void
serve_on_settle(void *arg)
{
	struct serve *s = arg;

	if (gateway_busy(s->gw) && loop_now(s->loop) < s->stop_by)
		loop_timer_set(&s->settle, SERVE_SETTLE_MS);
	else
		loop_stop(s->loop);
}

/* The clients of this loop are served, or those of the others. */
static void
serve_on_drained(void *arg)
{
	struct serve *s = arg;

	if (--s->draining == 0)
		serve_on_settle(s);
}

/* SIGTERM or SIGINT: drains; the second time, stops at once. */
static void
serve_on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct serve *s = arg;
	int64_t drain = s->snap->config->drain;

	if (s->stopping || !s->started) {
		loop_stop(s->loop);
		return;
	}
	s->stopping = true;
	api_stopping(s->api);
	notify_stopping(s->notify);
	s->stop_by = loop_now(s->loop) + drain;
	log_info(s->log, "stopping", LOG_I("drain_ms", drain));
	s->draining = 2;
	http_server_drain(s->server, drain, serve_on_drained, s);
	serve_workers_drain(s->workers, drain, serve_on_drained, s);
}

/* SIGUSR1: somebody has moved the log file away. */
static void
serve_on_reopen(evutil_socket_t sig, short what, void *arg)
{
	struct serve *s = arg;

	log_reopen(s->log);
}

/* Has two signals wait, or wait no longer. */
static void
serve_mask_signals(int how, int first, int second)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, first);
	sigaddset(&set, second);
	pthread_sigmask(how, &set, NULL);
}

/* Has those wait that ask for something: without their handlers they would end the process. */
static void
serve_hold_signals(int how)
{
	serve_mask_signals(how, SIGHUP, SIGUSR1);
}

/* Listens to signals. */
static void
serve_catch_signals(struct serve *s)
{
	evsignal_assign(&s->term, loop_base(s->loop), SIGTERM, serve_on_signal, s);
	evsignal_assign(&s->interrupt, loop_base(s->loop), SIGINT, serve_on_signal, s);
	event_add(&s->term, NULL);
	evsignal_assign(&s->reopen, loop_base(s->loop), SIGUSR1, serve_on_reopen, s);
	evsignal_assign(&s->hangup, loop_base(s->loop), SIGHUP, serve_on_hangup, s);
	event_add(&s->interrupt, NULL);
	event_add(&s->reopen, NULL);
	event_add(&s->hangup, NULL);
	serve_hold_signals(SIG_UNBLOCK);
	loop_timer_init(&s->settle, s->loop, serve_on_settle, s);
}

/* Has signals wait from here on: without their handlers they would end the process
 * before everything is written. */
static void
serve_block_signals(void)
{
	serve_hold_signals(SIG_BLOCK);
	serve_mask_signals(SIG_BLOCK, SIGTERM, SIGINT);
}

/* Stops in reverse order of starting. */
static void
serve_free(struct serve *s)
{
	serve_block_signals();
	if (s->loop != NULL)
		loop_timer_cancel(&s->settle);
	serve_workers_stop(s->workers);
	http_server_free(s->server);
	http_server_free(s->admin);
	serve_watch_free(s->watch);
	serve_reload_free(s->reload);
	if (s->alive.loop != NULL)
		loop_timer_cancel(&s->alive);
	mem_trim_stop(&s->trim);
	notify_free(s->notify);
	serve_workers_free(s->workers);
	api_free(s->api);
	gateway_free(s->gw);
	store_close(s->store);
	if (s->term.ev_base != NULL)
		event_del(&s->term);
	if (s->interrupt.ev_base != NULL)
		event_del(&s->interrupt);
	if (s->reopen.ev_base != NULL)
		event_del(&s->reopen);
	if (s->hangup.ev_base != NULL)
		event_del(&s->hangup);
	loop_free(s->loop);
	sandbox_stop(s->sandbox);
	log_free(s->log);
	snapshot_unref(s->snap);
	serve_sockets_clear(&s->sockets);
}

/* A broken pipe and a file at its limit are errors of one write, not of the process. */
static void
serve_prepare_process(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	serve_hold_signals(SIG_BLOCK); /* until there are handlers */
}

/* Opens the log; from here on nobody waits for it. */
static bool
serve_open_log(struct serve *s)
{
	const struct config *c = s->snap->config;
	enum log_format format = (enum log_format)c->log_format;
	enum log_level level = (enum log_level)c->log_level;
	struct fail fail;

	if (c->log_file != NULL)
		s->log = log_new_file(c->log_file, level, format, &fail);
	else
		s->log = log_new(STDERR_FILENO, level, format);
	if (s->log != NULL && log_start(s->log, &fail) == 0)
		return true;
	fprintf(stderr, "persona-gateway: %s\n", fail.text);
	return false;
}

/* Runs the gateway. */
int
serve(const struct serve_options *options)
{
	struct serve s = {.options = options};
	int code = 1;

	serve_prepare_process();
	if (!serve_take_sockets(&s) || !serve_load(&s) || !serve_open_log(&s)) {
		serve_free(&s);
		return 1;
	}
	serve_share_descriptors(&s);
	dump_allow(s.snap->config->core_dumps);
	if (serve_start_loop(&s) && serve_start_sandbox(&s) && serve_start_core(&s)) {
		serve_catch_signals(&s);
		serve_find_manager(&s);
		serve_prepare_reload(&s);
		gateway_start(s.gw, serve_on_ready, &s);
		loop_run(s.loop);
		code = s.failed ? 1 : 0;
	}
	serve_free(&s);
	return code;
}
