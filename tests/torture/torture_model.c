#include "config.h"

#include "torture_model.h"
#include "base/buf.h"
#include "base/mem.h"
#include "json/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const model_local[MODEL_FIELDS] = {"name", "description", "systemPrompt",
    "headers"};
static const char *const model_upstream[MODEL_FIELDS] = {"name", "description", "goal", NULL};

/* Whether two values are the same. */
static bool
model_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Forgets all values of a field. */
static void
model_empty(struct model_values *values)
{
	for (size_t i = 0; i < values->n; i++)
		free(values->v[i]);
	free(values->v);
	values->v = NULL;
	values->n = 0;
}

/* Adds a possible value. */
static void
model_allow(struct model_values *values, const char *value)
{
	for (size_t i = 0; i < values->n; i++)
		if (model_same(values->v[i], value))
			return;
	values->v = mem_resize(values->v, (values->n + 1) * sizeof *values->v);
	values->v[values->n++] = mem_string(value);
}

/* Whether a field can have a value. */
static bool
model_allows(const struct model_values *values, const char *value)
{
	for (size_t i = 0; i < values->n; i++)
		if (model_same(values->v[i], value))
			return true;
	return false;
}

/* Prints a body. */
char *
model_print(const struct model_body *body)
{
	struct buf b;

	buf_init(&b, 0);
	for (int f = 0; f < MODEL_FIELDS; f++) {
		const char *value = body->values[f];

		if (value == NULL)
			continue;
		buf_addf(&b, "%c\"%s\":", b.len == 0 ? '{' : ',', model_local[f]);
		if (f == MODEL_HEADERS)
			buf_adds(&b, value);
		else
			json_add_string(&b, value, strlen(value));
	}
	buf_adds(&b, b.len == 0 ? "{}" : "}");
	return buf_take(&b, NULL);
}

/* Makes a persona. */
void
model_begin(struct model_persona *p, const struct model_body *body, const char *key)
{
	memset(p, 0, sizeof *p);
	p->state = MODEL_MAYBE;
	for (int f = 0; f < MODEL_FIELDS; f++)
		model_allow(&p->fields[f], body->values[f]);
	p->body = model_print(body);
	snprintf(p->key, sizeof p->key, "%s", key != NULL ? key : "");
}

/* Another body may be what exists. */
void
model_add(struct model_persona *p, const struct model_body *body)
{
	for (int f = 0; f < MODEL_FIELDS; f++)
		model_allow(&p->fields[f], body->values[f]);
}

/* The create was acknowledged. */
void
model_made(struct model_persona *p, const struct model_body *body, const char *id)
{
	p->state = MODEL_LIVE;
	p->made = true;
	snprintf(p->id, sizeof p->id, "%s", id);
	for (int f = 0; f < MODEL_FIELDS; f++) {
		model_empty(&p->fields[f]);
		model_allow(&p->fields[f], body->values[f]);
	}
	free(p->body);
	p->body = model_print(body);
}

/* A write was acknowledged or is open. */
void
model_write(struct model_persona *p, const struct model_body *body, bool open)
{
	p->changed = true;
	for (int f = 0; f < MODEL_FIELDS; f++) {
		if (body->values[f] == NULL)
			continue;
		if (!open && !p->loose)
			model_empty(&p->fields[f]);
		model_allow(&p->fields[f], body->values[f]);
	}
}

/* Frees what it holds. */
void
model_clear(struct model_persona *p)
{
	for (int f = 0; f < MODEL_FIELDS; f++)
		model_empty(&p->fields[f]);
	free(p->body);
	memset(p, 0, sizeof *p);
}

/* Whether it can hold a name. */
bool
model_may_hold(const struct model_persona *p, const char *name)
{
	return p->state != MODEL_GONE && model_allows(&p->fields[MODEL_NAME], name);
}

/* Whether it must. */
bool
model_must_hold(const struct model_persona *p, const char *name)
{
	return p->state == MODEL_LIVE && p->fields[MODEL_NAME].n == 1 && model_may_hold(p, name);
}

/* The newest name. */
const char *
model_name(const struct model_persona *p)
{
	return p->fields[MODEL_NAME].v[p->fields[MODEL_NAME].n - 1];
}

/* A member's value as the model has it; NULL when absent. The caller frees. */
static char *
model_value(struct json_object *persona, const char *member)
{
	struct json_object *value = NULL;

	if (member == NULL || !json_object_object_get_ex(persona, member, &value) || value == NULL)
		return NULL;
	if (json_object_is_type(value, json_type_string))
		return mem_string(json_object_get_string(value));
	return json_print(value, NULL);
}

/* Judges a local persona. */
const char *
model_judge_local(const struct model_persona *p, struct json_object *persona)
{
	for (int f = 0; f < MODEL_FIELDS; f++) {
		char *value = model_value(persona, model_local[f]);
		bool ok = model_allows(&p->fields[f], value);

		free(value);
		if (!ok)
			return model_local[f];
	}
	return NULL;
}

/* Judges one of Bluejay's: what is absent here is empty there. */
const char *
model_judge_upstream(const struct model_persona *p, struct json_object *persona)
{
	for (int f = 0; f < MODEL_HEADERS; f++) {
		char *value = model_value(persona, model_upstream[f]);
		bool ok = value != NULL && (model_allows(&p->fields[f], value) ||
		    (*value == '\0' && model_allows(&p->fields[f], NULL)));

		free(value);
		if (!ok)
			return model_upstream[f];
	}
	return NULL;
}
