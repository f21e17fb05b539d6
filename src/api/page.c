#include "config.h"

#include "api/page.h"
#include "api/api_impl.h"
#include "api/embedded.h"

/* One file; a route's id is its place in the table. */
struct page_file {
	const char *type;
	const unsigned char *bytes;
	const size_t *len;
};

static const struct page_file page_files[] = {
    {"text/html; charset=utf-8", page_html, &page_html_len},
    {"text/css; charset=utf-8", page_css, &page_css_len},
    {"text/javascript; charset=utf-8", page_js, &page_js_len},
    {"image/svg+xml", page_svg, &page_svg_len},
};

const struct http_route page_routes[] = {
    {"GET", "/", 0},
    {"GET", "/page.css", 1},
    {"GET", "/page.js", 2},
    {"GET", "/page.svg", 3},
};
const size_t page_route_count = sizeof page_routes / sizeof *page_routes;

/* Everything comes from the address itself; nothing may frame the page. */
static const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/* Answers with a file, or that the browser has it. */
static void
page_answer(struct http_exchange *ex, const struct page_file *file)
{
	const char *have = http_request_field(http_exchange_request(ex), "if-none-match");
	const char *bytes = (const char *)file->bytes;
	char etag[RESULT_ETAG_SIZE];
	struct http_field fields[] = {{"Content-Security-Policy", page_policy},
	    {"X-Content-Type-Options", "nosniff"}, {"X-Frame-Options", "DENY"},
	    {"Referrer-Policy", "no-referrer"}, {"Cross-Origin-Opener-Policy", "same-origin"},
	    {"Cross-Origin-Resource-Policy", "same-origin"}, {"Cache-Control", "no-cache"},
	    {"ETag", etag}, {"Content-Type", file->type}, {NULL, NULL}};

	result_etag(bytes, *file->len, etag);
	if (have != NULL && api_etag_matches(have, etag))
		http_answer(ex, 304, fields, NULL, 0);
	else
		http_answer(ex, 200, fields, bytes, *file->len);
}

/* Serves the page. */
bool
page_serve(struct http_exchange *ex)
{
	const struct http_request *q = http_exchange_request(ex);
	enum http_route_result found;
	struct http_match match;

	found = http_route_find(page_routes, page_route_count, q->method, q->path, &match);
	if (found == HTTP_ROUTE_NONE)
		return false;
	traffic_note_route(ex, &match);
	if (!api_refuse_route(ex, found, &match))
		page_answer(ex, &page_files[match.id]);
	return true;
}
