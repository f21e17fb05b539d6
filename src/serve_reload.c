#include "config.h"

#include "serve_reload.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"
#include "config/config_keep.h"
#include "config/config_rules.h"
#include "config/config_tls.h"
#include "core/reload.h"
#include "json/json_text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SERVE_RELOAD_ANSWER ((size_t)1 << 20)
#define SERVE_RELOAD_LINES 20 /* mistakes told in the log; the answer has them all */

/*
 * Reading and compiling has a thread of its own each time: a large file takes longer than
 * requests should wait, and no disk is waited for on the loop. The thread has what it reads
 * and what comes of it to itself until it posts that it is done.
 */
struct serve_reload {
	struct serve_reload_options o;
	bool running;           /* from the beginning until it is told how it ended */
	bool reading;           /* there is a thread, to be joined */
	pthread_t thread;
	struct config_source source; /* what it reads */
	struct snapshot *text;  /* whose text that is, when the key files alone are read */
	struct snapshot *snap;  /* on its way into force */
	struct diag_list diags; /* of that one */
	struct buf restart;     /* keys that keep their values, as JSON */
	bool again;             /* it was asked for meanwhile, */
	bool keys_again;        /* or for the key files alone */
};

/* Makes one that does nothing yet. */
struct serve_reload *
serve_reload_new(const struct serve_reload_options *o)
{
	struct serve_reload *r = mem_zero(1, sizeof *r);

	r->o = *o;
	buf_init(&r->restart, SERVE_RELOAD_ANSWER);
	return r;
}

/* Forgets what was on its way. */
static void
serve_reload_clear(struct serve_reload *r)
{
	snapshot_unref(r->snap);
	snapshot_unref(r->text);
	r->snap = r->text = NULL;
	r->running = false;
	diag_free(&r->diags);
	buf_free(&r->restart);
}

/* Frees it. */
void
serve_reload_free(struct serve_reload *r)
{
	if (r == NULL)
		return;
	if (r->reading)
		pthread_join(r->thread, NULL);
	serve_reload_clear(r);
	free(r);
}

/* Adds what was found in the file, mistakes or warnings, as a list. */
static void
serve_reload_add(struct buf *b, const char *name, const struct diag_list *diags, bool warnings)
{
	bool first = true;

	buf_addf(b, ",\"%s\":[", name);
	for (size_t i = 0; i < diags->count; i++) {
		char *line;

		if (diags->items[i].warning != warnings)
			continue;
		line = diag_format(&diags->items[i]);
		if (!first)
			buf_addc(b, ',');
		json_add_string(b, line, strlen(line));
		first = false;
		free(line);
	}
	buf_addc(b, ']');
}

/* Tells the log what was found. */
static void
serve_reload_log(const struct serve_reload *r)
{
	size_t told = 0;

	for (size_t i = 0; i < r->diags.count && told < SERVE_RELOAD_LINES; i++, told++) {
		const struct diag *d = &r->diags.items[i];
		char *line = diag_format(d);

		if (d->warning)
			log_warn(r->o.log, "the configuration has a warning", LOG_S("at", line));
		else
			log_error(r->o.log, "the configuration has a mistake", LOG_S("at", line));
		free(line);
	}
}

/* Tells those who asked, and begins again if somebody asked meanwhile. */
static void
serve_reload_tell(struct serve_reload *r, const char *why)
{
	bool again = r->again, keys = r->keys_again;
	struct buf b;

	buf_init(&b, SERVE_RELOAD_ANSWER);
	if (why != NULL) {
		log_error(r->o.log, "the configuration was not reloaded; what was in force stays",
		    LOG_S("why", why));
		buf_adds(&b, "{\"error\":");
		json_add_string(&b, why, strlen(why));
		serve_reload_add(&b, "mistakes", &r->diags, false);
	} else {
		log_plain(r->o.log, LOG_LEVEL_INFO, "the configuration was reloaded");
		buf_addf(&b, "{\"reloaded\":true,\"restartNeeded\":[%s]",
		    r->restart.data != NULL ? r->restart.data : "");
	}
	serve_reload_add(&b, "warnings", &r->diags, true);
	buf_addc(&b, '}');
	api_reload_end(r->o.api, why != NULL ? 400 : 200, b.data, b.len);
	buf_free(&b);
	serve_reload_clear(r);
	r->again = r->keys_again = false;
	notify_ready(r->o.notify);
	if (again)
		serve_reload_start(r);
	else if (keys)
		serve_reload_keys(r);
}

/* The snapshot is in force everywhere. */
static void
serve_reload_on_taken(void *arg)
{
	serve_reload_tell(arg, NULL);
}

/* The snapshot is in force, or cannot be. */
static void
serve_reload_on_done(void *arg, const char *why)
{
	struct serve_reload *r = arg;

	if (why == NULL)
		r->o.apply(r->o.arg, r->snap, serve_reload_on_taken, r);
	else
		serve_reload_tell(r, why);
}

/* A key has another value in the file, which takes a restart. */
static void
serve_reload_on_kept(void *arg, const struct config_key *key, const struct yaml_node *at)
{
	struct serve_reload *r = arg;
	struct diag place = {.text = (char *)key->path};
	char *line;

	if (at != NULL) {
		place.file = (char *)at->file;
		place.line = at->line;
		place.column = at->column;
	}
	line = at != NULL ? diag_format(&place) : mem_string(key->path);
	log_warn(r->o.log, "a changed key needs a restart; until then its old value is in force",
	    LOG_S("key", key->path), LOG_S("at", line));
	buf_addf(&r->restart, "%s{\"key\":\"%s\",\"at\":", r->restart.len > 0 ? "," : "", key->path);
	json_add_string(&r->restart, line, strlen(line));
	buf_addc(&r->restart, '}');
	free(line);
}

/* Whether a key was accepted. */
static bool
serve_reload_has_worked(void *arg, const char *key)
{
	const struct serve_reload *r = arg;

	return gateway_key_has_worked(r->o.gw, key);
}

/* What was read is here: has it come into force. */
static void
serve_reload_on_read(void *arg)
{
	struct serve_reload *r = arg;

	if (r->reading)
		pthread_join(r->thread, NULL);
	r->reading = false;
	if (r->snap != NULL) {
		config_keep(r->snap->config, gateway_snapshot(r->o.gw)->config, serve_reload_on_kept, r);
		config_keep_keys(r->snap->config, gateway_snapshot(r->o.gw)->config,
		    serve_reload_has_worked, r);
		config_tls_keep(r->snap->config, gateway_snapshot(r->o.gw)->config, &r->diags);
		config_rules_kept(r->snap->config, &r->diags);
	}
	diag_sort(&r->diags);
	serve_reload_log(r);
	if (r->snap == NULL || r->diags.errors > 0)
		serve_reload_tell(r, "The configuration has mistakes");
	else
		gateway_reload(r->o.gw, r->snap, serve_reload_on_done, r);
}

/* The thread: reads. */
static void *
serve_reload_thread(void *arg)
{
	struct serve_reload *r = arg;

	r->snap = snapshot_load(&r->source, &r->diags);
	loop_post(r->o.loop, serve_reload_on_read, r);
	return NULL;
}

/* Begins to read. */
static void
serve_reload_read(struct serve_reload *r, const struct config_source *source)
{
	int rc;

	notify_reloading(r->o.notify);
	api_reload_begin(r->o.api);
	buf_init(&r->restart, SERVE_RELOAD_ANSWER);
	r->running = true;
	r->source = *source;
	rc = thread_start(&r->thread, 0, serve_reload_thread, r);
	r->reading = rc == 0;
	if (rc == 0)
		return;
	diag_add(&r->diags, source->file, 0, 0, "no thread can be started to read the file: %s",
	    strerror(rc));
	loop_post(r->o.loop, serve_reload_on_read, r);
}

/* Reads the file. */
void
serve_reload_start(struct serve_reload *r)
{
	if (r->running)
		r->again = true;
	else
		serve_reload_read(r, &r->o.source);
}

/* Reads the key files. */
void
serve_reload_keys(struct serve_reload *r)
{
	const struct config *running = gateway_snapshot(r->o.gw)->config;
	struct config_source source = r->o.source;

	if (r->running) {
		r->keys_again = true;
		return;
	}
	r->text = snapshot_ref(gateway_snapshot(r->o.gw));
	source.text = running->text;
	source.text_len = running->text_len;
	serve_reload_read(r, &source);
}
