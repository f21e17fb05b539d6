#include "config.h"

#include "cli/check_live.h"
#include "base/loop.h"
#include "cli/explain_print.h"
#include "core/probe.h"
#include "sandbox/sandbox.h"

#include <inttypes.h>
#include <signal.h>

/* What is asked, and what came of it. */
struct check_live {
	struct loop *loop;
	const char *url;
	FILE *out;
	unsigned asked, bad;
};

/* Says whose key is asked with. */
static void
check_live_key(const struct check_live *l, const struct probe_report *r)
{
	if (r->project != NULL)
		fprintf(l->out, "%s with projects.%s.api_key\n", l->url, r->project);
	else
		fprintf(l->out, "%s with bluejay.api_key\n", l->url);
}

/* Says why there is no answer to compare. */
static void
check_live_trouble(const struct check_live *l, const struct probe_report *r)
{
	const struct upstream_answer *a = r->answer;

	if (a->outcome == UPSTREAM_TIMEOUT)
		fprintf(l->out, "no answer in time");
	else if (a->outcome == UPSTREAM_TOO_LARGE)
		fprintf(l->out, "the answer is too large");
	else if (a->outcome == UPSTREAM_BROKEN)
		fprintf(l->out, "the connection broke");
	else if (a->outcome != UPSTREAM_ANSWER)
		fprintf(l->out, "no connection");
	else if (a->status == 401 || a->status == 403)
		fprintf(l->out, "the key is refused, status %d", a->status);
	else if (a->status != 200)
		fprintf(l->out, "status %d", a->status);
	else
		fprintf(l->out, "not what was asked for");
}

/* Says what was compared. */
static void
check_live_compared(const struct check_live *l, const struct probe_report *r)
{
	const char *as = r->difference_count > 0 ? "not as declared" : "as declared";

	if (r->question == PROBE_PING)
		fprintf(l->out, "the key is accepted");
	else if (r->question == PROBE_ITEM)
		fprintf(l->out, "%s", as);
	else if (r->items == 0 && r->difference_count == 0)
		fprintf(l->out, "no %s", r->resource->plural);
	else
		fprintf(l->out, "%zu %s, %s", r->items,
		    r->items == 1 ? r->resource->noun : r->resource->plural, as);
}

/* Says what one difference is. */
static void
check_live_difference(const struct check_live *l, const struct probe_difference *d)
{
	fputs("    \"", l->out);
	explain_print_path(l->out, d->path);
	fputs("\" ", l->out);
	if (d->kind == MAPPING_DRIFT_NEW)
		fprintf(l->out, "is new: %s, and nobody declared it", d->seen);
	else if (d->kind == MAPPING_DRIFT_MISSING)
		fprintf(l->out, "is missing");
	else
		fprintf(l->out, "is %s", d->seen);
	if (d->kind != MAPPING_DRIFT_NEW && d->declared != NULL)
		fprintf(l->out, "; declared is %s", d->declared);
	if (d->count > 1)
		fprintf(l->out, " (%u times)", d->count);
	fprintf(l->out, "\n");
}

/* Says that a question was not asked. */
static void
check_live_unasked(const struct check_live *l, const struct probe_report *r)
{
	const char *what = "ping";

	if (r->question != PROBE_PING)
		what = r->question == PROBE_LIST ? r->resource->plural : r->resource->noun;
	fprintf(l->out, "  %s not asked: %s\n", what, r->why);
}

/* Says what was asked and what came of it. */
static void
check_live_asked(const struct check_live *l, const struct probe_report *r)
{
	fprintf(l->out, "  GET %s: ", r->path);
	if (r->in_vain)
		check_live_trouble(l, r);
	else
		check_live_compared(l, r);
	fprintf(l->out, " (%" PRId64 " ms)\n", r->ms);
	for (size_t i = 0; i < r->difference_count; i++)
		check_live_difference(l, &r->differences[i]);
	if (r->beyond > 0)
		fprintf(l->out, "    %u differences more\n", r->beyond);
}

/* One question is through: tells it at once, since the next may take a while. */
static void
check_live_on_report(void *arg, const struct probe_report *r)
{
	struct check_live *l = arg;

	l->asked++;
	if (!probe_is_good(r))
		l->bad++;
	if (r->first)
		check_live_key(l, r);
	if (r->path == NULL)
		check_live_unasked(l, r);
	else
		check_live_asked(l, r);
	fflush(l->out);
}

/* Everything was asked. */
static void
check_live_on_done(void *arg)
{
	struct check_live *l = arg;

	loop_stop(l->loop);
}

/* Asks; false when it cannot. */
static bool
check_live_ask(struct check_live *l, struct snapshot *snap, const char *url, FILE *err)
{
	struct probe *p;
	struct fail fail;

	p = probe_start(l->loop, snap, url, check_live_on_report, check_live_on_done, l, &fail);
	if (p == NULL) {
		fprintf(err, "persona-gateway: %s\n", fail.text);
		return false;
	}
	loop_run(l->loop);
	probe_free(p);
	if (l->asked == 0)
		fprintf(err, "persona-gateway: no project uses a key, so nothing was asked\n");
	else if (l->bad > 0)
		fprintf(err, "persona-gateway: %s is not as this configuration needs it\n", l->url);
	return l->asked > 0 && l->bad == 0;
}

/* Asks Bluejay, or a simulated one that it starts. */
bool
check_live(struct snapshot *snap, bool sandbox, FILE *out, FILE *err)
{
	const struct sandbox_options o = {.api_key = snap->config->bluejay.api_key};
	struct check_live l = {.loop = loop_new(), .url = snap->config->bluejay.url, .out = out};
	struct sandbox *simulated = NULL;
	struct fail fail;
	bool good;

	signal(SIGPIPE, SIG_IGN);
	if (l.loop == NULL || (sandbox && (simulated = sandbox_start(&o, &fail)) == NULL)) {
		fprintf(err, "persona-gateway: %s\n",
		    l.loop == NULL ? "the kernel gives no event loop" : fail.text);
		loop_free(l.loop);
		return false;
	}
	if (simulated != NULL)
		l.url = "the sandbox";
	good = check_live_ask(&l, snap, simulated != NULL ? sandbox_url(simulated) : NULL, err);
	sandbox_stop(simulated);
	loop_free(l.loop);
	return good;
}
