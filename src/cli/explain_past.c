#include "config.h"

#include "cli/explain_past.h"

#include "base/buf.h"
#include "base/mem.h"
#include "cli/explain_print.h"
#include "json/json_read.h"
#include "json/json_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A text that is there, or a dash. */
static const char *
explain_past_text(struct json_object *o, const char *key)
{
	const char *text = json_get_string(o, key);

	return text != NULL ? text : "-";
}

/* A member, or NULL for none and for null. */
static struct json_object *
explain_past_get(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return value;
}

/* Prints how an answer came out, with its body if there is one. */
static void
explain_past_status(struct explain_print *p, const char *who, struct json_object *o)
{
	struct json_object *body = explain_past_get(o, "answer");
	int64_t status;
	char *title;

	if (!json_get_int(o, "status", &status)) {
		fprintf(p->out, "%s: %s\n\n", who, explain_past_text(o, "outcome"));
		return;
	}
	title = mem_format("%s: status %d", who, (int)status);
	if (body != NULL)
		explain_print_titled(p, title, body);
	else
		fprintf(p->out, "%s\n\n", title);
	free(title);
}

/* Prints the calls, each with its answer. */
static void
explain_past_calls(struct explain_print *p, struct json_object *request)
{
	struct json_object *calls = explain_past_get(request, "calls");
	size_t count = json_object_is_type(calls, json_type_array) ? json_object_array_length(calls) : 0;
	int64_t more;

	if (count == 0)
		fputs("Bluejay was not asked for this request\n\n", p->out);
	for (size_t i = 0; i < count; i++) {
		struct json_object *call = json_object_array_get_idx(calls, i);

		explain_print_call(p, explain_past_text(call, "method"),
		    explain_past_text(call, "url"), explain_past_get(call, "headers"),
		    explain_past_get(call, "body"));
		explain_past_status(p, "Bluejay's answer", call);
	}
	if (json_get_int(request, "more_calls", &more))
		fprintf(p->out, "and %d calls more\n\n", (int)more);
}

/* Prints one direction's fields, if there are any. */
static void
explain_past_fields(struct explain_print *p, struct json_object *request, const char *key,
    const char *title)
{
	struct json_object *fields = explain_past_get(request, key);
	struct mapping_explained e;

	if (!json_object_is_type(fields, json_type_array) || json_object_array_length(fields) == 0)
		return;
	fprintf(p->out, "%s\n", title);
	for (size_t i = 0; i < json_object_array_length(fields); i++)
		if (mapping_explain_from_json(json_object_array_get_idx(fields, i), &e))
			explain_print_member(p, &e);
	explain_print_rows(p);
	fputc('\n', p->out);
}

/* Prints all of it. */
bool
explain_past_print(struct json_object *request, FILE *out, bool colour)
{
	struct json_object *body = explain_past_get(request, "body");
	struct explain_print p;

	explain_print_init(&p, NULL, explain_past_text(request, "file"), out, false, colour);
	fprintf(out, "%s  %s  project %s: %s of a %s\n\n", explain_past_text(request, "time"),
	    explain_past_text(request, "id"), explain_past_text(request, "project"),
	    explain_past_text(request, "operation"), explain_past_text(request, "resource"));
	if (body != NULL)
		explain_print_titled(&p, "the local body", body);
	explain_past_calls(&p, request);
	explain_past_fields(&p, request, "fields", "what became of the body");
	explain_past_fields(&p, request, "answer_fields", "what became of Bluejay's answer");
	explain_past_status(&p, "the local answer", request);
	if (!json_object_get_boolean(explain_past_get(request, "whole")))
		fputs("what was too long for recording.size is left out\n", out);
	return explain_print_end(&p);
}

/* The path of a request's record; an id may hold a slash. The caller frees. */
static char *
explain_past_path(const char *id)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, "/requests/");
	for (; *id != '\0'; id++) {
		if (isalnum((unsigned char)*id) || strchr("-._", *id) != NULL)
			buf_addc(&b, *id);
		else
			buf_addf(&b, "%%%02X", (unsigned char)*id);
	}
	return buf_take(&b, NULL);
}

/* Prints an answer of the gateway; false when it is none that can be. */
static bool
explain_past_answer(const struct admin_answer *answer, bool json, bool colour)
{
	struct json_object *request = NULL;
	bool good = answer->status == 200 &&
	    json_read(answer->body, strlen(answer->body), &request, NULL) &&
	    json_object_is_type(request, json_type_object);

	if (!good)
		admin_client_print_error(answer);
	else if (json)
		good = printf("%s\n", answer->body) > 0 && fflush(stdout) == 0;
	else
		good = explain_past_print(request, stdout, colour);
	json_object_put(request);
	return good;
}

/* Explains a past request. */
int
explain_past(const struct admin_client *admin, const char *id, bool json, bool colour)
{
	char *path = explain_past_path(id);
	struct admin_answer answer;
	bool good = admin_client_ask(admin, "GET", path, NULL, &answer) &&
	    explain_past_answer(&answer, json, colour);

	free(answer.body);
	free(path);
	return good ? 0 : 1;
}
