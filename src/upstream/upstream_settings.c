#include "config.h"

#include "upstream/upstream_settings.h"
#include "base/buf.h"
#include "base/mem.h"
#include "upstream/curl_way.h"
#include "upstream/http1_way.h"
#include "upstream/url.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Checks the settings that can be wrong. */
int
upstream_settings_check(const struct upstream_config *cfg, struct fail *f)
{
	if (url_check(cfg->url, f) < 0 || url_check_way(cfg->proxy, cfg->ca_file, f) < 0)
		return -1;
	if (cfg->connect_ms < 1 || cfg->first_byte_ms < 1 || cfg->total_ms < 1 ||
	    cfg->connect_ms > INT_MAX || cfg->first_byte_ms > INT_MAX || cfg->total_ms > INT_MAX)
		return fail_set(f, "the upstream's time-outs must be between 1 ms and 24 days");
	if (cfg->http2 && (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2) == 0)
		return fail_set(f, "libcurl on this machine does not speak HTTP/2");
	if (cfg->max_in_flight == 0)
		return fail_set(f, "max_in_flight must be at least 1");
	return 0;
}

/* Copies the settings. */
void
upstream_settings_copy(struct upstream_settings *s, const struct upstream_config *cfg)
{
	size_t len = strlen(cfg->url);

	while (len > 0 && cfg->url[len - 1] == '/')
		len--;
	s->url = mem_copy(cfg->url, len);
	s->site = site_new(s->url);
	s->proxy = mem_string(cfg->proxy);
	s->ca_file = mem_string(cfg->ca_file);
	s->public_only = cfg->public_only;
	s->http2 = cfg->http2;
	s->connect_ms = cfg->connect_ms;
	s->first_byte_ms = cfg->first_byte_ms;
	s->total_ms = cfg->total_ms;
	s->retries = cfg->retries;
	s->rate_per_minute = cfg->rate_per_minute;
	s->max_in_flight = cfg->max_in_flight;
	s->max_queue = cfg->max_queue;
	s->max_answer = cfg->max_answer > 0 ? cfg->max_answer : BUF_DEFAULT_MAX;
}

/* Frees the copies. */
void
upstream_settings_clear(struct upstream_settings *s)
{
	site_release(s->site);
	free(s->url);
	mem_wipe_free(s->proxy); /* it may hold a password */
	free(s->ca_file);
	memset(s, 0, sizeof *s);
}

/* Takes other settings. */
void
upstream_settings_change(struct upstream_settings *s, const struct upstream_config *cfg)
{
	struct upstream_settings before = *s;

	upstream_settings_copy(s, cfg);
	if (strcmp(s->url, before.url) == 0) {
		site_release(s->site);
		s->site = site_hold(before.site);
	}
	upstream_settings_clear(&before);
}

/* Whether two texts, each of which may be NULL, are the same. */
static bool
upstream_settings_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Whether a proxy reads and writes requests itself: to a site without TLS. */
static bool
upstream_settings_is_read(const char *proxy, const char *url)
{
	return proxy != NULL && strncasecmp(url, "https:", 6) != 0;
}

/* Whether connections are made in the same way. */
bool
upstream_settings_same_way(const struct upstream_settings *s, const struct upstream_config *cfg)
{
	return s->connect_ms == cfg->connect_ms && s->public_only == cfg->public_only &&
	    !s->http2 && !cfg->http2 && /* its connections remember headers, and so keys */
	    upstream_settings_is_read(s->proxy, s->url) == upstream_settings_is_read(cfg->proxy, cfg->url) &&
	    upstream_settings_same_text(s->proxy, cfg->proxy) &&
	    upstream_settings_same_text(s->ca_file, cfg->ca_file);
}

/* Opens a way. */
struct way *
upstream_settings_open(struct loop *loop, const struct upstream_config *cfg, bool http2, struct fail *f)
{
	struct curl_loop_config below = {.proxy = cfg->proxy, .ca_file = cfg->ca_file,
	    .connect_ms = cfg->connect_ms, .max_idle = CURL_LOOP_MAX_IDLE_S,
	    .public_only = cfg->public_only, .http2 = http2};

	if (http2 || upstream_settings_is_read(cfg->proxy, cfg->url))
		return curl_way_new(loop, &below, f);
	return http1_way_new(loop, &below, f);
}

/* Adds counts. */
void
upstream_counts_sum(struct upstream_counts *sum, const struct upstream_counts *more)
{
	sum->calls += more->calls;
	sum->tries += more->tries;
	sum->answers += more->answers;
	sum->failures += more->failures;
	for (size_t i = 0; i < UPSTREAM_OUTCOMES; i++)
		sum->outcomes[i] += more->outcomes[i];
	for (size_t i = 0; i < sizeof sum->statuses / sizeof *sum->statuses; i++)
		sum->statuses[i] += more->statuses[i];
	sum->refused += more->refused;
	sum->opened += more->opened;
	metric_sum(&sum->took, &more->took);
	sum->in_flight += more->in_flight;
	sum->queued += more->queued;
}
