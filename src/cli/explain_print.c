#include "config.h"

#include "cli/explain_print.h"

#include "base/digest.h"
#include "base/mem.h"
#include "json/json_text.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#define EXPLAIN_COLUMN_MAX 40 /* characters */

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
	char fingerprint[DIGEST_FINGERPRINT_SIZE];

	json_object_object_add(headers, "Accept", json_object_new_string("application/json"));
	json_object_object_add(headers, "Accept-Encoding", json_object_new_string("identity"));
	json_object_object_add(headers, "Content-Type",
	    json_object_new_string("application/json"));
	for (size_t i = 0; i < p->config->bluejay.headers.count; i++)
		json_object_object_add(headers, p->config->bluejay.headers.items[i].name,
		    json_object_new_string("…"));
	if (api_key == NULL)
		return headers;
	digest_fingerprint(api_key, fingerprint);
	json_object_object_add(headers, "X-API-Key", json_object_new_string(fingerprint));
	return headers;
}

/* Prints a call. */
void
explain_print_call(struct explain_print *p, const char *method, const char *url,
    struct json_object *headers, struct json_object *body)
{
	struct lh_entry *e = lh_table_head(json_object_get_object(headers));
	struct json_object *value;

	fprintf(p->out, "%s %s\n", method, url);
	for (; e != NULL; e = lh_entry_next(e)) {
		value = lh_entry_v(e);
		fprintf(p->out, "%s: %s\n", (const char *)lh_entry_k(e),
		    json_object_get_string(value));
	}
	if (body != NULL)
		explain_print_body(p, body);
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
		explain_print_call(p, method, url, headers, r->upstream);
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

/* Prints a body below its title. */
void
explain_print_titled(struct explain_print *p, const char *title, struct json_object *body)
{
	fputs(title, p->out);
	explain_print_body(p, body);
	fputc('\n', p->out);
}

/* Prints a local answer. */
void
explain_print_answer(struct explain_print *p, struct json_object *local)
{
	if (p->json)
		json_object_object_add(p->root, "answer", json_object_get(local));
	else
		explain_print_titled(p, "the local answer", local);
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

/* Prints a path, or only measures it. */
size_t
explain_print_path(FILE *out, const char *path)
{
	size_t width = 0;

	for (const char *s = path; *s != '\0'; s++) {
		bool control = (unsigned char)*s < 0x20 || *s == 0x7F ||
		    ((unsigned char)*s == 0xC2 && (unsigned char)s[1] < 0xA0);

		if (control && (unsigned char)*s == 0xC2)
			s++;
		if (out != NULL)
			fputc(control ? '?' : *s, out);
		width += control || ((unsigned char)*s & 0xC0) != 0x80;
	}
	return width;
}

/* Prints a path and fills its column. */
static void
explain_print_column(struct explain_print *p, const char *path, size_t column)
{
	for (size_t width = explain_print_path(p->out, path); width <= column; width++)
		fputc(' ', p->out);
}

/* Widens a column for a path; one that is very long stands out. */
static void
explain_print_widen(size_t *column, const char *path)
{
	size_t width = explain_print_path(NULL, path);

	if (width > *column && width <= EXPLAIN_COLUMN_MAX)
		*column = width;
}

/* Notes a member's way. */
void
explain_print_member(struct explain_print *p, const struct mapping_explained *e)
{
	struct explain_row *row;

	if (p->json) {
		json_object_array_add(p->fields, mapping_explain_json(e));
		return;
	}
	p->rows = mem_resize(p->rows, (p->row_count + 1) * sizeof *p->rows);
	row = &p->rows[p->row_count++];
	*row = (struct explain_row){.what = e->what,
	    .local = mem_string(e->local != NULL ? e->local : "-"),
	    .upstream = mem_string(e->upstream != NULL ? e->upstream : "-")};
	if (e->line != 0)
		row->place = mem_format("%s:%d:%d", p->file, e->line, e->column);
	else
		row->place = mem_string(e->built_in ? "built-in" : "nowhere");
	row->why = mem_format("%s%s%s", e->why != NULL ? "  (" : "", e->why != NULL ? e->why : "",
	    e->why != NULL ? ")" : "");
}

/* Prints all members' ways, in columns. */
void
explain_print_rows(struct explain_print *p)
{
	size_t local = 0, upstream = 0;

	for (size_t i = 0; i < p->row_count; i++) {
		explain_print_widen(&local, p->rows[i].local);
		explain_print_widen(&upstream, p->rows[i].upstream);
	}
	for (size_t i = 0; i < p->row_count; i++) {
		struct explain_row *row = &p->rows[i];

		fputs("  ", p->out);
		explain_print_column(p, row->local, local + 1);
		explain_print_column(p, row->upstream, upstream + 1);
		fprintf(p->out, "%s%-9s%s  %s%s\n", p->colour ? explain_print_colour(row->what) : "",
		    mapping_explain_name(row->what), p->colour ? "\033[0m" : "", row->place,
		    row->why);
		free(row->local);
		free(row->upstream);
		free(row->place);
		free(row->why);
	}
	free(p->rows);
	p->rows = NULL;
	p->row_count = 0;
}

/* Prints the members, or the JSON object. */
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
	explain_print_rows(p);
	return fflush(p->out) == 0 && !ferror(p->out);
}
