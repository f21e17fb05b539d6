#include "config.h"

#include "bulk/bulk_site.h"
#include "base/buf.h"
#include "base/header.h"
#include "base/mem.h"
#include "bulk/bulk_site_impl.h"
#include "upstream/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BULK_SITE_PROJECTS "/api/projects/"
#define BULK_SITE_CONNECT_MS 10000
#define BULK_SITE_ANSWER_MS 120000 /* a create may take as long as its settling */
#define BULK_SITE_IDLE_MS 120000   /* without a byte of a listing */
#define BULK_SITE_KEEP_S 30        /* an idle connection is used again */
#define BULK_SITE_ANSWER_MAX ((size_t)16 << 20)

/* Whether it names a server. */
bool
bulk_site_is_url(const char *s)
{
	return strncasecmp(s, "http://", 7) == 0 || strncasecmp(s, "https://", 8) == 0;
}

/* Where a URL's own project begins, with the path before it; NULL: it has none. */
static const char *
bulk_site_own(const char *url)
{
	return strstr(strstr(url, "://") + 3, BULK_SITE_PROJECTS);
}

/* Whether it must be told its project. */
bool
bulk_site_wants_project(const char *s)
{
	return bulk_site_is_url(s) && bulk_site_own(s) == NULL;
}

/* Appends a project's id as a segment of a path. */
static void
bulk_site_add_segment(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || strchr("-._~", *s) != NULL;

		buf_addf(b, plain ? "%c" : "%%%02X", (unsigned char)*s);
	}
}

/* The length of a URL's own project, at `at`; 0: it has none, or something follows it. */
static size_t
bulk_site_own_project(const char *at)
{
	size_t len = strcspn(at, "/?#");
	const char *rest = at + len;

	if (strcmp(rest, "") == 0 || strcmp(rest, "/") == 0 || strcmp(rest, "/personas") == 0)
		return len;
	return 0;
}

/* A URL in parts. */
struct bulk_site_parts {
	char *server; /* the server's own, with its base */
	char *path;   /* of the personas, with the base */
	char *name;   /* the whole, up to the personas */
};

/* What sentences show of a URL that is refused: nothing where a password or a token may stand. */
static const char *
bulk_site_shown(const char *url)
{
	return strpbrk(url, "@?#") == NULL ? url : "the URL";
}

/* Takes a URL apart. */
static int
bulk_site_split(const struct bulk_site_config *cfg, struct bulk_site_parts *parts, struct fail *f)
{
	const char *own = bulk_site_own(cfg->url);
	size_t origin = url_origin(cfg->url), base = own != NULL ? (size_t)(own - cfg->url) : strlen(cfg->url);
	struct buf b;

	if (memchr(cfg->url, '@', origin) != NULL) /* it is not repeated: a password may be in it */
		return fail_set(f, "a URL may not hold a user; a token comes from --token-file, or from the "
		    "environment");
	if (own == NULL && (cfg->project == NULL || cfg->project[0] == '\0'))
		return fail_set(f, "--project says which project of %s is meant",
		    bulk_site_shown(cfg->url));
	if (own != NULL && bulk_site_own_project(own + strlen(BULK_SITE_PROJECTS)) == 0)
		return fail_set(f, "%s does not end behind a project", bulk_site_shown(cfg->url));
	while (base > origin && cfg->url[base - 1] == '/')
		base--;
	parts->server = mem_copy(cfg->url, base);
	buf_init(&b, 0);
	buf_adds(&b, parts->server);
	buf_adds(&b, BULK_SITE_PROJECTS);
	if (own != NULL) {
		own += strlen(BULK_SITE_PROJECTS);
		buf_add(&b, own, bulk_site_own_project(own));
	} else {
		bulk_site_add_segment(&b, cfg->project);
	}
	parts->name = buf_take(&b, NULL);
	parts->path = mem_join(parts->name + origin, "/personas");
	return 0;
}

/* Makes the two clients. */
static int
bulk_site_connect(struct bulk_site *s, const char *server, const struct bulk_site_config *cfg,
    struct fail *f)
{
	struct upstream_config calls = {.url = server, .ca_file = cfg->ca_file,
	    .connect_ms = BULK_SITE_CONNECT_MS, .first_byte_ms = BULK_SITE_ANSWER_MS,
	    .total_ms = BULK_SITE_ANSWER_MS, .retries = 1, .max_in_flight = cfg->jobs,
	    .max_queue = cfg->jobs, .max_answer = BULK_SITE_ANSWER_MAX};
	struct relay_config listings = {.url = server, .ca_file = cfg->ca_file,
	    .connect_ms = BULK_SITE_CONNECT_MS, .idle_ms = BULK_SITE_IDLE_MS, .keep_s = BULK_SITE_KEEP_S};

	s->calls = upstream_new(s->loop, &calls, f);
	if (s->calls != NULL)
		s->listings = relay_new(s->loop, &listings, f);
	return s->listings != NULL ? 0 : -1;
}

/* Makes a site. */
struct bulk_site *
bulk_site_new(struct loop *loop, const struct bulk_site_config *cfg, struct fail *f)
{
	struct bulk_site_parts parts = {0};
	struct bulk_site *s;
	int rc;

	if (bulk_site_split(cfg, &parts, f) < 0)
		return NULL;
	s = mem_zero(1, sizeof *s);
	s->loop = loop;
	s->path = parts.path;
	s->name = parts.name;
	s->patience_ms = cfg->patience_ms;
	s->token = mem_string(cfg->token);
	if (cfg->token != NULL)
		s->bearer = mem_join("Bearer ", cfg->token);
	rc = bulk_site_connect(s, parts.server, cfg, f);
	free(parts.server);
	if (rc == 0)
		return s;
	bulk_site_free(s);
	return NULL;
}

/* Frees it. */
void
bulk_site_free(struct bulk_site *s)
{
	if (s == NULL)
		return;
	upstream_free(s->calls);
	relay_free(s->listings);
	mem_wipe_free(s->bearer);
	mem_wipe_free(s->token);
	free(s->path);
	free(s->name);
	free(s);
}

/* Where it is. */
const char *
bulk_site_name(const struct bulk_site *s)
{
	return s->name;
}

/* How patient its callers are. */
int64_t
bulk_site_patience(const struct bulk_site *s)
{
	return s->patience_ms;
}

/* Starts a call. */
struct upstream_call *
bulk_site_ask(struct bulk_site *s, const char *method, const char *id, const char *body, size_t len,
    const char *key, upstream_done_fn done, void *arg)
{
	struct header_list headers = {0};
	struct buf path;
	struct upstream_call *call;
	struct upstream_request q = {.method = method, .api_key = s->token,
	    .key_field = "Authorization: Bearer ", .body = body, .body_len = len,
	    .repeat = UPSTREAM_ONCE, .deadline = loop_now(s->loop) + BULK_SITE_ANSWER_MS};

	buf_init(&path, 0);
	/* The client puts the base in front by itself. */
	buf_adds(&path, strstr(s->path, BULK_SITE_PROJECTS));
	if (id != NULL) {
		buf_addc(&path, '/');
		bulk_site_add_segment(&path, id);
	}
	if (key != NULL)
		header_list_put(&headers, "Idempotency-Key", key);
	q.path = path.data;
	q.headers = &headers;
	call = upstream_start(s->calls, &q, done, arg);
	header_list_clear(&headers);
	buf_free(&path);
	return call;
}
