#include "config.h"

#include "store/postgres_engine.h"
#include "base/mem.h"
#include "store/postgres_feed.h"
#include "store/postgres_reader.h"
#include "store/postgres_schema.h"
#include "store/postgres_writer.h"
#include "store/store_port.h"

#include <stdlib.h>
#include <string.h>

#define POSTGRES_ENGINE_FINISH_MS 5000 /* for what was asked of a port that is closed */

/* What a port has. */
struct postgres_port {
	struct postgres_engine *engine;
	struct postgres_writer *writer;
	struct postgres_reader *reader;
	struct postgres_feed *feed; /* NULL: another port has it */
};

/* Counts a call that is over and hands it back. */
static void
postgres_engine_end(struct postgres_engine *e, struct store_call *call)
{
	atomic_fetch_add(store_call_reads(call->op) ? &e->reads : &e->writes, 1);
	atomic_fetch_sub(&e->queued, 1);
	store_call_done(call);
}

/* Answers a call UNAVAILABLE. */
void
postgres_engine_refuse(struct postgres_engine *e, struct store_call *call, const char *why)
{
	if (!atomic_exchange(&e->ill, true))
		log_error(e->log, "store unavailable", LOG_S("reason", why));
	store_reply_fail(&call->reply, why);
	atomic_fetch_add(&e->refused, 1);
	postgres_engine_end(e, call);
}

/* Hands back a call that was done. */
void
postgres_engine_done(struct postgres_engine *e, struct store_call *call)
{
	if (atomic_load(&e->ill) && atomic_exchange(&e->ill, false))
		log_plain(e->log, LOG_LEVEL_INFO, "store available again");
	postgres_engine_end(e, call);
}

/* This process has changed something. */
static void
postgres_engine_wrote(void *arg)
{
	struct postgres_port *p = arg;

	if (p->feed != NULL)
		postgres_feed_hint(p->feed);
}

/* Takes a call over. */
static void
postgres_engine_submit(struct store_engine *base, struct store_call *call)
{
	struct postgres_engine *e = (struct postgres_engine *)base;
	struct postgres_port *p = store_port_lane(call->port);

	atomic_fetch_add(&e->queued, 1);
	if (store_call_reads(call->op))
		postgres_reader_submit(p->reader, call);
	else
		postgres_writer_submit(p->writer, call);
}

/* Opens a port: one connection writes, the others read. */
static void *
postgres_engine_port_open(struct store_engine *base, struct store_port *port, struct loop *l)
{
	struct postgres_engine *e = (struct postgres_engine *)base;
	struct postgres_port *p = mem_zero(1, sizeof *p);

	p->engine = e;
	p->writer = postgres_writer_new(e, l, postgres_engine_wrote, p);
	p->reader = postgres_reader_new(e, l, e->connections - 1);
	if (!atomic_exchange(&e->fed, true))
		p->feed = postgres_feed_new(e, port, l);
	return p;
}

/* Closes a port. */
static void
postgres_engine_port_close(struct store_engine *base, void *lane)
{
	struct postgres_engine *e = (struct postgres_engine *)base;
	struct postgres_port *p = lane;

	postgres_writer_finish(p->writer, POSTGRES_ENGINE_FINISH_MS);
	if (p->feed != NULL) {
		postgres_feed_free(p->feed);
		p->feed = NULL;
		atomic_store(&e->fed, false);
	}
	postgres_writer_free(p->writer);
	postgres_reader_free(p->reader);
	free(p);
}

/* Until when the lease lasts. */
static int64_t
postgres_engine_lease_until(struct store_engine *base)
{
	return atomic_load(&((struct postgres_engine *)base)->lease_until);
}

/* How far the feed has come. */
static int64_t
postgres_engine_current_at(struct store_engine *base)
{
	return atomic_load(&((struct postgres_engine *)base)->current_at);
}

/* Gives the counts. */
static void
postgres_engine_stats(struct store_engine *base, struct store_stats *out)
{
	struct postgres_engine *e = (struct postgres_engine *)base;

	out->reads = atomic_load(&e->reads);
	out->writes = atomic_load(&e->writes);
	out->commits = atomic_load(&e->commits);
	out->refused = atomic_load(&e->refused);
	out->queued = atomic_load(&e->queued);
	out->members = atomic_load(&e->members);
	out->reconnects = atomic_load(&e->reconnects);
}

/* Ends the engine. */
static void
postgres_engine_close(struct store_engine *base)
{
	struct postgres_engine *e = (struct postgres_engine *)base;

	postgres_hosts_free(e->hosts);
	postgres_url_free(e->url);
	free(e);
}

/* Opens the engine. */
struct store_engine *
postgres_engine_open(const struct store_options *options, struct fail *f)
{
	struct postgres_engine *e = mem_zero(1, sizeof *e);

	e->base.submit = postgres_engine_submit;
	e->base.port_open = postgres_engine_port_open;
	e->base.port_close = postgres_engine_port_close;
	e->base.lease_until = postgres_engine_lease_until;
	e->base.current_at = postgres_engine_current_at;
	e->base.stats = postgres_engine_stats;
	e->base.close = postgres_engine_close;
	e->log = options->log;
	e->connections = options->connections >= 2 ? options->connections : STORE_CONNECTIONS;
	uuid_make(e->member);
	e->url = postgres_url_new(options->url, options->password, f);
	if (e->url != NULL)
		e->hosts = postgres_hosts_new(e->url, f);
	if (e->hosts != NULL &&
	    postgres_schema_open(e->url, e->hosts, options->binding, options->rebind, f) == 0)
		return &e->base;
	postgres_engine_close(&e->base);
	return NULL;
}
