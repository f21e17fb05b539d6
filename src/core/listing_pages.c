#include "config.h"

#include "core/listing_pages.h"
#include "base/mem.h"
#include "core/connector.h"
#include "json/json_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct listing_pages {
	struct gateway *gw;
	struct project project;
	int64_t deadline;
	listing_pages_known_fn known;
	listing_pages_fn fn;
	void *arg;
	struct upstream_call *call;
	struct listed *items;      /* of the parts so far */
	char *first, *path;        /* of the first part, and of the one that is asked for */
	unsigned parts;
	size_t bytes;
	bool whole, alike;
};

/* Frees it with what runs. */
static void
listing_pages_free(struct listing_pages *l)
{
	if (l->call != NULL)
		upstream_cancel(l->call);
	listed_free(l->items);
	free(l->first);
	free(l->path);
	free(l);
}

/* Ends the call. */
void
listing_pages_cancel(struct listing_pages *l)
{
	listing_pages_free(l);
}

/* Gives what was read, and ends. */
static void
listing_pages_finish(struct listing_pages *l, const struct upstream_answer *a, bool good)
{
	struct listing_pages_end end = {.items = good ? l->items : NULL, .whole = l->whole,
	    .alike = l->alike && l->parts == 1, .answer = a};

	if (good)
		l->items = NULL;
	l->fn(l->arg, &end);
	listing_pages_free(l);
}

/* Logs why a listing ends before its end. */
static void
listing_pages_cut(struct listing_pages *l, const char *why)
{
	l->whole = false;
	log_warn(l->gw->log, "a listing is not whole", LOG_S("scope", l->project.scope),
	    LOG_S("why", why));
}

/* What follows the scheme of a URL. */
static const char *
listing_pages_authority(const char *url)
{
	const char *slashes = strstr(url, "://");

	return slashes != NULL ? slashes + 3 : url;
}

/* The path in a URL that leads to the upstream itself, or in a path alone; NULL when it
 * leads elsewhere. Belongs to the URL. */
static const char *
listing_pages_own(const struct listing_pages *l, const char *url)
{
	const char *base = listing_pages_authority(l->gw->snap->config->bluejay.url);
	const char *below = strchr(base, '/');
	size_t len = strlen(base);

	for (const char *p = url; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return NULL;
	if (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0) {
		url = listing_pages_authority(url);
		return strncasecmp(url, base, len) == 0 && url[len] == '/' ? url + len : NULL;
	}
	if (url[0] != '/' || url[1] == '/')
		return NULL;
	if (below != NULL && strncmp(url, below, strlen(below)) == 0)
		url += strlen(below);
	return url[0] == '/' ? url : NULL;
}

/* The path of the next part, which the caller frees; NULL when there is none, or none
 * that may be asked for. */
static char *
listing_pages_next(struct listing_pages *l, struct json_object *root)
{
	const struct resource *r = l->project.resource;
	struct json_object *value = NULL;
	const char *text, *own;

	if (r->next == NULL || !json_object_is_type(root, json_type_object) ||
	    !json_object_object_get_ex(root, r->next, &value))
		return NULL;
	text = json_object_is_type(value, json_type_int) ? json_object_get_string(value)
	                                                 : json_get_string(root, r->next);
	if (text == NULL || text[0] == '\0')
		return NULL;
	if (r->next_parameter != NULL)
		return resource_path_with(l->first, r->next_parameter, text);
	own = listing_pages_own(l, text);
	if (own == NULL)
		listing_pages_cut(l, "its next part is not at the upstream");
	return mem_string(own);
}

/* Whether there is a part more to ask for. */
static bool
listing_pages_go_on(struct listing_pages *l, char *next)
{
	if (next == NULL)
		return false;
	if (strcmp(next, l->path) == 0)
		listing_pages_cut(l, "a part leads to itself");
	else if (l->parts >= LISTING_PAGES_MAX)
		listing_pages_cut(l, "it has too many parts");
	else if (l->bytes >= LISTING_PAGES_BYTES)
		listing_pages_cut(l, "it is too large");
	else
		return true;
	return false;
}

/* Compares what came with how many there are said to be. */
static void
listing_pages_count(struct listing_pages *l, struct json_object *root)
{
	const char *member = l->project.resource->total;
	int64_t total;

	if (member != NULL && json_object_is_type(root, json_type_object) &&
	    json_get_int(root, member, &total) && total > (int64_t)l->items->count)
		listing_pages_cut(l, "it says that there are more");
}

static void listing_pages_ask(struct listing_pages *);

/* A part has come as a tree: asks for the next one, or gives what there is. */
static void
listing_pages_take_tree(struct listing_pages *l, const struct upstream_answer *a)
{
	struct json_object *items, *root = gateway_read_list(l->gw, &l->project, a, &items, &l->alike);
	char *next;

	if (items == NULL) {
		json_object_put(root);
		listing_pages_finish(l, a, false);
		return;
	}
	l->parts++;
	l->bytes += a->body_len;
	if (l->items == NULL)
		l->items = listed_new();
	listed_add(l->items, &l->project, items);
	next = listing_pages_next(l, root);
	if (listing_pages_go_on(l, next)) {
		json_object_put(root);
		free(l->path);
		l->path = next;
		listing_pages_ask(l);
		return;
	}
	free(next);
	if (l->whole)
		listing_pages_count(l, root);
	json_object_put(root);
	listing_pages_finish(l, a, true);
}

/* A part has come. One that is an array is all there is. */
static void
listing_pages_take(struct listing_pages *l, const struct upstream_answer *a)
{
	if (l->parts == 0)
		l->items = listed_read(l->gw->drift, &l->project, a->body, a->body_len, &l->alike);
	if (l->items == NULL || l->parts > 0) {
		listing_pages_take_tree(l, a);
		return;
	}
	l->parts++;
	listing_pages_finish(l, a, true);
}

/* What came is known. */
static void
listing_pages_finish_known(struct listing_pages *l, const struct upstream_answer *a)
{
	struct listing_pages_end end = {.whole = true, .known = true, .answer = a};

	l->fn(l->arg, &end);
	listing_pages_free(l);
}

/* The upstream has answered. */
static void
listing_pages_on_answer(void *arg, const struct upstream_answer *a)
{
	struct listing_pages *l = arg;

	l->call = NULL;
	gateway_saw_answer(l->gw, a);
	if (a->outcome == UPSTREAM_ANSWER && a->status == 200 && l->parts == 0 &&
	    l->known(l->arg, a->body, a->body_len))
		listing_pages_finish_known(l, a);
	else if (a->outcome == UPSTREAM_ANSWER && a->status == 200)
		listing_pages_take(l, a);
	else
		listing_pages_finish(l, a, false);
}

/* Asks for a part. */
static void
listing_pages_ask(struct listing_pages *l)
{
	struct upstream_request q;

	gateway_request(l->gw, &l->project, &q, l->project.resource->list.method, l->path);
	q.max_answer = LISTING_PAGES_BYTES;
	q.deadline = l->deadline;
	l->call = connector_start(l->gw, &l->project, &q, NULL, listing_pages_on_answer, l);
}

/* Starts with the first part. */
struct listing_pages *
listing_pages_start(struct gateway *gw, const struct project *p, int64_t deadline,
    listing_pages_known_fn known, listing_pages_fn fn, void *arg)
{
	struct listing_pages *l = mem_zero(1, sizeof *l);

	l->gw = gw;
	l->project = *p;
	l->deadline = deadline;
	l->known = known;
	l->fn = fn;
	l->arg = arg;
	l->whole = true;
	l->first = project_path(p, &p->resource->list, NULL);
	l->path = mem_string(l->first);
	listing_pages_ask(l);
	return l;
}
