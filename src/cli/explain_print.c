#include "config.h"

#include "cli/explain_print.h"

#include "base/digest.h"
#include "base/mem.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#define EXPLAIN_COLUMN 16 /* characters */
#define EXPLAIN_FINGERPRINT 12 /* hex digits of the key's SHA-256 that are shown */

/* Prepares printing. */
void
explain_print_init(struct explain_print *p, const struct config *config, const char *file,
    FILE *out, bool json, bool colour)
{
	*p = (struct explain_print){.config = config, .file = file, .out = out, .json = json,
	    .colour = colour && !json};
	if (!json)
		return;
	p->root = json_object_new_object();
	p->fields = json_object_new_array();
}

/* Prints a body as it would be sent. */
static void
explain_print_body(struct explain_print *p, struct json_object *body)
{
	char *text = json_print(body, NULL);

	fprintf(p->out, "\n%s\n", text);
	free(text);
}

/* The headers of a request, the key as a fingerprint. Values of configured ones
 * may be secret. */
static struct json_object *
explain_print_headers(const struct explain_print *p, const char *api_key)
{
	struct json_object *headers = json_object_new_object();
	char hex[DIGEST_HEX_SIZE], *fingerprint;

	json_object_object_add(headers, "Accept", json_object_new_string("application/json"));
	json_object_object_add(headers, "Accept-Encoding", json_object_new_string("identity"));
	json_object_object_add(headers, "Content-Type",
	    json_object_new_string("application/json"));
	for (size_t i = 0; i < p->config->bluejay.headers.count; i++)
		json_object_object_add(headers, p->config->bluejay.headers.items[i].name,
		    json_object_new_string("…"));
	if (api_key == NULL)
		return headers;
	digest_hex(api_key, strlen(api_key), hex);
	fingerprint = mem_format("sha256:%.*s", EXPLAIN_FINGERPRINT, hex);
	json_object_object_add(headers, "X-API-Key", json_object_new_string(fingerprint));
	free(fingerprint);
	return headers;
}

/* Prints a request as text. */
static void
explain_print_request_text(struct explain_print *p, const char *method, const char *path,
    struct json_object *headers, const struct mapping_request *r)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(headers));
	struct json_object *value;

	fprintf(p->out, "%s %s%s\n", method, p->config->bluejay.url, path);
	for (; e != NULL; e = lh_entry_next(e)) {
		value = lh_entry_v(e);
		fprintf(p->out, "%s: %s\n", (const char *)lh_entry_k(e),
		    json_object_get_string(value));
	}
	explain_print_body(p, r->upstream);
	fputc('\n', p->out);
}

/* Prints a request. An update that changes nothing in Bluejay sends none. */
void
explain_print_request(struct explain_print *p, const char *method, const char *path,
    const char *api_key, const struct mapping_request *r)
{
	struct json_object *headers = explain_print_headers(p, api_key), *request = NULL;
	bool sends = json_object_object_length(r->upstream) > 0;
	char *url = mem_format("%s%s", p->config->bluejay.url, path);

	if (!p->json && sends) {
		explain_print_request_text(p, method, path, headers, r);
	} else if (!p->json) {
		fputs("nothing is sent to Bluejay\n\n", p->out);
	} else {
		if (sends) {
			request = json_object_new_object();
			json_object_object_add(request, "method", json_object_new_string(method));
			json_object_object_add(request, "url", json_object_new_string(url));
			json_object_object_add(request, "headers", json_object_get(headers));
			json_object_object_add(request, "body", json_object_get(r->upstream));
		}
		json_object_object_add(p->root, "request", request);
		json_object_object_add(p->root, "kept_here", json_object_get(r->kept));
	}
	free(url);
	json_object_put(headers);
}

/* Prints a local answer. */
void
explain_print_answer(struct explain_print *p, struct json_object *local)
{
	if (p->json)
		json_object_object_add(p->root, "answer", json_object_get(local));
	else {
		fputs("the local answer", p->out);
		explain_print_body(p, local);
		fputc('\n', p->out);
	}
}

/* Prints a refusal: as JSON with the status that the caller would see. */
static void
explain_print_error(struct explain_print *p, const char *what, int status, const char *sentence)
{
	struct json_object *error;

	if (!p->json) {
		fprintf(p->out, "%s (%d): %s\n", what, status, sentence);
		return;
	}
	error = json_object_new_object();
	json_object_object_add(error, "status", json_object_new_int(status));
	json_object_object_add(error, "error", json_object_new_string(sentence));
	json_object_object_add(p->root, "refused", error);
}

/* Prints that a body is refused. */
void
explain_print_refusal(struct explain_print *p, const char *sentence)
{
	explain_print_error(p, "the body is refused, nothing is sent", 400, sentence);
}

/* Prints that an answer does not fit. */
void
explain_print_misfit(struct explain_print *p, const char *sentence)
{
	explain_print_error(p, "Bluejay's answer does not fit", 502, sentence);
}

/* Adds a text, or null. */
static void
explain_print_add(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, text == NULL ? NULL : json_object_new_string(text));
}

/* Notes a member for JSON. */
static void
explain_print_member_json(struct explain_print *p, const struct mapping_explained *e)
{
	struct json_object *o = json_object_new_object();

	explain_print_add(o, "local", e->local);
	explain_print_add(o, "bluejay", e->upstream);
	json_object_object_add(o, "line", e->line == 0 ? NULL : json_object_new_int(e->line));
	json_object_object_add(o, "column", e->line == 0 ? NULL : json_object_new_int(e->column));
	explain_print_add(o, "what", mapping_explain_name(e->what));
	if (e->why != NULL)
		explain_print_add(o, "why", e->why);
	json_object_array_add(p->fields, o);
}

/* The colour of what happened: as it was, changed, not there. */
static const char *
explain_print_colour(enum mapping_explain_what what)
{
	if (what == MAPPING_EXPLAIN_COPIED || what == MAPPING_EXPLAIN_RENAMED)
		return "\033[32m";
	if (what == MAPPING_EXPLAIN_DROPPED || what == MAPPING_EXPLAIN_LEFT_OUT)
		return "\033[31m";
	return "\033[33m";
}

/* Prints a path to a column; control characters, which a terminal would obey, as '?'. */
static void
explain_print_path(struct explain_print *p, const char *path)
{
	size_t width = 0;

	if (path == NULL)
		path = "-";
	for (const char *s = path; *s != '\0'; s++) {
		bool control = (unsigned char)*s < 0x20 || *s == 0x7F ||
		    ((unsigned char)*s == 0xC2 && (unsigned char)s[1] < 0xA0);

		if (control && (unsigned char)*s == 0xC2)
			s++;
		fputc(control ? '?' : *s, p->out);
		width += control || ((unsigned char)*s & 0xC0) != 0x80;
	}
	for (; width < EXPLAIN_COLUMN; width++)
		fputc(' ', p->out);
	fputc(' ', p->out);
}

/* Prints a member's way. */
void
explain_print_member(struct explain_print *p, const struct mapping_explained *e)
{
	const char *name = mapping_explain_name(e->what);

	if (p->json) {
		explain_print_member_json(p, e);
		return;
	}
	fputs("  ", p->out);
	explain_print_path(p, e->local);
	explain_print_path(p, e->upstream);
	fprintf(p->out, "%s%-9s%s ", p->colour ? explain_print_colour(e->what) : "", name,
	    p->colour ? "\033[0m" : "");
	if (e->line != 0)
		fprintf(p->out, " %s:%d:%d", p->file, e->line, e->column);
	else
		fprintf(p->out, " %s", e->built_in ? "built-in" : "nowhere");
	fprintf(p->out, "%s%s%s\n", e->why != NULL ? "  (" : "", e->why != NULL ? e->why : "",
	    e->why != NULL ? ")" : "");
}

/* Prints the JSON object. */
bool
explain_print_end(struct explain_print *p)
{
	char *text;

	if (p->json) {
		json_object_object_add(p->root, "fields", p->fields);
		text = json_print(p->root, NULL);
		fprintf(p->out, "%s\n", text);
		free(text);
		json_object_put(p->root);
	}
	return fflush(p->out) == 0 && !ferror(p->out);
}
