#include "config.h"

#include "base/buf.h"
#include "json/json_text.h"
#include "mapping_copy_check.h"
#include "mapping_test.h"
#include "unit.h"

#include <json-c/json.h>

#include <string.h>

/*
 * The two laws, for mappings and bodies from a seeded source. Put-get: what a
 * request holds comes back as it was, byte for byte, or the request is refused.
 * Get-put: what was read, sent again, changes nothing in Bluejay.
 */
#define MAPPINGS 1500
#define BODIES 25
#define FIELDS 3
#define CHILDREN 3

enum form { TYPE, VALUES, EACH, EACH_MEMBER, SHAPE, KEYED, PAIRS, UNKEYED, TEXT, FORMS };

/* How one value is converted, with those of its parts. */
struct spec {
	enum form form;
	const char *type;
	bool keep; /* VALUES, SHAPE: others: keep */
	struct spec *children[CHILDREN];
	size_t count;
};

static uint64_t seed;

/* The next number of xorshift64. */
static unsigned
any(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % below;
}

static const char *const types[] = {"string", "integer", "number", "boolean", "object", "array",
    "json"};

/* A conversion, at most so deep. */
static struct spec *
any_spec(unsigned depth)
{
	struct spec *s = calloc(1, sizeof *s);

	s->form = depth == 0 ? (any(3) > 0 ? TYPE : any(2) > 0 ? VALUES : TEXT)
	                     : (enum form)any(FORMS);
	s->type = types[any(7)];
	s->keep = any(2) > 0;
	if (s->form == EACH || s->form == EACH_MEMBER || s->form == PAIRS)
		s->count = 1;
	else if (s->form == SHAPE)
		s->count = 1 + any(CHILDREN);
	for (size_t i = 0; i < s->count; i++)
		s->children[i] = any_spec(depth - 1);
	return s;
}

/* Frees a conversion. */
static void
free_spec(struct spec *s)
{
	for (size_t i = 0; i < s->count; i++)
		free_spec(s->children[i]);
	free(s);
}

/* Where the members of a shape go: beside each other, below and above. */
static const char *const shape_local[CHILDREN] = {"a", "in.b", "c"};
static const char *const shape_upstream[CHILDREN] = {"x", "y", "out.z"};

/* Writes the words of a conversion. */
static void
write_spec(const struct spec *s, struct buf *out)
{
	switch (s->form) {
	case TYPE:
		buf_addf(out, "as: %s", s->type);
		break;
	case VALUES:
		buf_addf(out, "values: {calm: low, angry: high, low: mid}, others: %s",
		    s->keep ? "keep" : "refuse");
		break;
	case TEXT:
		buf_adds(out, s->keep ? "as: {local: number, bluejay: string}"
		                      : "as: {local: string, bluejay: integer}");
		break;
	case KEYED:
		buf_adds(out, "keyed_by: k");
		break;
	case UNKEYED:
		buf_adds(out, "as: object, keyed_by: k");
		break;
	case EACH:
	case EACH_MEMBER:
	case PAIRS:
		buf_adds(out, s->form == EACH ? "each: {"
		        : s->form == PAIRS    ? "keyed_by: k, valued_by: v, each: {"
		                              : "as: object, each: {");
		write_spec(s->children[0], out);
		buf_addc(out, '}');
		break;
	case SHAPE:
		buf_addf(out, "others: %s, fields: {", s->keep ? "keep" : "refuse");
		for (size_t i = 0; i < s->count; i++) {
			buf_addf(out, "%s%s: {to: %s, ", i > 0 ? ", " : "", shape_local[i],
			    shape_upstream[i]);
			write_spec(s->children[i], out);
			buf_addc(out, '}');
		}
		buf_addc(out, '}');
		break;
	case FORMS:
		break;
	}
}

/* One of some JSON texts. */
static struct json_object *
one_of(const char *const *texts, size_t count)
{
	return mapping_test_json(texts[any((unsigned)count)]);
}

static const char *const anything[] = {"\"\"", "\"low\"", "\"\\u0000\xC3\xA9\"", "0", "-0",
    "18446744073709551615", "123456789012345678901234567890", "1.10", "1E+2", "true", "false", "[]",
    "{}", "[null,{\"b\":1,\"a\":[]}]", "{\"z\":null,\"a\":{\"k\":\"\"}}"};

/* Any value, null now and then. */
static struct json_object *
any_value(void)
{
	return any(8) == 0 ? NULL : one_of(anything, sizeof anything / sizeof *anything);
}

static struct json_object *local_value(const struct spec *);

/* A value of a type. */
static struct json_object *
typed_value(const char *type)
{
	static const char *const strings[] = {"\"\"", "\"calm\"", "\"5\"", "\"\xF0\x9F\x98\x80\""};
	static const char *const integers[] = {"0", "-9223372036854775808", "18446744073709551616"};
	static const char *const numbers[] = {"1.0", "0.1e-7", "7", "1e400"};
	static const char *const lists[] = {"[]", "[[],null]", "[1.50]"};
	static const char *const objects[] = {"{}", "{\"b\":{},\"a\":null}"};

	if (strcmp(type, "string") == 0)
		return one_of(strings, 4);
	if (strcmp(type, "integer") == 0)
		return one_of(integers, 3);
	if (strcmp(type, "number") == 0)
		return one_of(numbers, 4);
	if (strcmp(type, "boolean") == 0)
		return json_object_new_boolean((int)any(2));
	if (strcmp(type, "array") == 0)
		return one_of(lists, 3);
	if (strcmp(type, "object") == 0)
		return one_of(objects, 2);
	return any_value();
}

/* The members that a shape names and some that it does not, in any order. */
static struct json_object *
shape_value(const struct spec *s)
{
	static const char *const others[] = {"x", "y", "out", "in", "m", "z"};
	struct json_object *o = json_object_new_object(), *in = json_object_new_object();
	unsigned first = any((unsigned)s->count);

	for (size_t n = 0; n < s->count; n++) {
		size_t i = (first + n) % s->count;

		if (any(4) == 0)
			continue;
		json_object_object_add(i == 1 ? in : o, i == 1 ? "b" : shape_local[i],
		    local_value(s->children[i]));
	}
	if (any(6) == 0)
		json_object_object_add(in, "more", any_value());
	if (any(5) == 0)
		json_object_object_add(o, others[any(6)], any_value());
	if (json_object_object_length(in) > 0 || any(8) == 0)
		json_object_object_add(o, "in", in);
	else
		json_object_put(in);
	return o;
}

/* Some elements of a list, or members of an object, from a function. */
static struct json_object *
many(const struct spec *s, bool list)
{
	static const char *const keys[] = {"k", "a", "", "z.z", "b"};
	struct json_object *out = list ? json_object_new_array() : json_object_new_object();
	unsigned count = any(4);

	for (unsigned i = 0; i < count; i++) {
		struct json_object *value, *element;

		if (s->count > 0)
			value = any(6) == 0 ? NULL : local_value(s->children[0]);
		else
			value = typed_value("object");
		if (s->form == KEYED || s->form == PAIRS) {
			element = json_object_new_object();
			json_object_object_add(element, "k", json_object_new_string(keys[i]));
			if (s->form == PAIRS)
				json_object_object_add(element, "v", value);
			else
				json_object_object_add(element, "rest", value);
			value = element;
		}
		if (list)
			json_object_array_add(out, value);
		else
			json_object_object_add(out, keys[i], value);
	}
	return out;
}

/* A local value that mostly fits. */
static struct json_object *
local_value(const struct spec *s)
{
	static const char *const moods[] = {"\"calm\"", "\"angry\"", "\"low\"", "\"odd\"", "\"mid\""};
	static const char *const digits[] = {"\"5\"", "\"-7\"", "\"05\"",
	    "\"12345678901234567890123\""};

	if (any(20) == 0)
		return any_value();
	switch (s->form) {
	case TYPE:
		return typed_value(s->type);
	case VALUES:
		return one_of(moods, 5);
	case TEXT:
		return s->keep ? typed_value("number") : one_of(digits, 4);
	case SHAPE:
		return shape_value(s);
	case EACH:
	case KEYED:
	case PAIRS:
		return many(s, true);
	case EACH_MEMBER:
	case UNKEYED:
		return many(s, false);
	case FORMS:
		break;
	}
	return NULL;
}

static const char *const field_upstream[FIELDS] = {"u0", "deep.u1", "deep.er.u2"};
static unsigned accepted, refused, read_back;

/* Expects two trees to print alike. */
static void
alike(const char *law, const char *section, struct json_object *a, struct json_object *b)
{
	char *x = json_print(a, NULL), *y = json_print(b, NULL);

	if (strcmp(x, y) != 0)
		ck_abort_msg("%s\n%s\nis   %s\nback %s", law, section, x, y);
	free(x);
	free(y);
}

/* Takes away what is not a field of the generated ones, and nulls, which count
 * as absent there. */
static struct json_object *
fields_of(struct json_object *local)
{
	static const char *const names[FIELDS + 2] = {"f0", "f1", "f2", "ta", "tb"};
	struct json_object *out = json_object_new_object(), *value;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (json_object_object_get_ex(local, names[i], &value) && value != NULL)
			json_object_object_add(out, names[i], json_object_get(value));
	return out;
}

/* Reads an answer; NULL when it does not fit. */
static struct json_object *
read_answer(const struct mapping *m, struct json_object *upstream, struct mapping_request *r)
{
	struct json_object *out;
	unsigned copied = 0;

	ck_assert(mapping_copy_check_tree(m, upstream, r == NULL ? NULL : r->absent,
	    r == NULL ? NULL : r->kept, &copied));
	if (mapping_answer_make(m, upstream, "i", r == NULL ? NULL : r->absent,
	        r == NULL ? NULL : r->kept, 0, &out, NULL) != 0)
		return NULL;
	return out;
}

/* Changes some of an answer, as someone with Bluejay's dashboard might. A member
 * of its own name is one that Bluejay added. */
static struct json_object *
edited(struct json_object *value)
{
	static const char *const added[] = {"new", "a", "in", "x", "k", "out"};
	struct json_object *out;

	if (any(40) == 0)
		return any_value();
	if (json_object_is_type(value, json_type_array)) {
		out = json_object_new_array();
		for (size_t i = 0; i < json_object_array_length(value); i++)
			json_object_array_add(out, edited(json_object_array_get_idx(value, i)));
		return out;
	}
	if (!json_object_is_type(value, json_type_object))
		return json_copy(value);
	out = json_object_new_object();
	json_object_object_foreach(value, key, member) {
		if (any(16) > 0)
			json_object_object_add(out, key, edited(member));
	}
	if (any(10) == 0)
		json_object_object_add(out, added[any(6)], any_value());
	return out;
}

/* One answer read and sent again. */
static void
get_put(const struct mapping *m, const char *section, struct json_object *upstream)
{
	static const struct mapping_project project = {"p", true, 7};
	struct json_object *out = read_answer(m, upstream, NULL);
	struct mapping_request r;
	struct fail fail;

	if (out == NULL)
		return;
	read_back++;
	if (mapping_request_make(m, MAPPING_UPDATE, out, &project, &r, &fail) != 0)
		ck_abort_msg("get-put\n%s\n%s\nread as %s\ncannot be sent: %s", section,
		    json_print(upstream, NULL), json_print(out, NULL), fail.text);
	if (!mapping_sent_matches(m, r.upstream, upstream))
		ck_abort_msg("get-put\n%s\nis   %s\nread %s\nback %s", section,
		    json_print(upstream, NULL), json_print(out, NULL), json_print(r.upstream, NULL));
	mapping_request_clear(&r);
	json_object_put(out);
}

/* One body there and back. */
static void
put_get(const struct mapping *m, const char *section, struct json_object *local)
{
	static const struct mapping_project project = {"p", true, 7};
	struct json_object *given, *out, *back, *answer;
	struct mapping_request r;
	struct fail fail;

	if (mapping_request_make(m, MAPPING_CREATE, local, &project, &r, &fail) != 0) {
		refused++;
		return;
	}
	accepted++;
	out = read_answer(m, r.upstream, &r);
	if (out == NULL)
		ck_abort_msg("put-get\n%s\n%s\nwas sent as %s, which does not fit", section,
		    json_print(local, NULL), json_print(r.upstream, NULL));
	ck_assert(mapping_sent_matches(m, r.upstream, r.upstream));
	given = fields_of(local);
	back = fields_of(out);
	alike("put-get", section, given, back);
	answer = edited(r.upstream);
	if (json_object_is_type(answer, json_type_object))
		json_object_object_add(answer, "name", json_object_new_string("n"));
	get_put(m, section, answer);
	json_object_put(answer);
	json_object_put(given);
	json_object_put(back);
	json_object_put(out);
	mapping_request_clear(&r);
}

/* Texts for a template, of few characters so that they run into each other. */
static struct json_object *
template_text(void)
{
	char text[5] = "";

	for (unsigned i = 0, n = any(5); i < n; i++)
		text[i] = any(2) > 0 ? 'x' : 'y';
	return json_object_new_string(text);
}

/* One body for the generated fields. */
static struct json_object *
any_body(struct spec *const *specs)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string("n"));
	for (size_t i = 0; i < FIELDS; i++) {
		static const char *const names[FIELDS] = {"f0", "f1", "f2"};

		if (any(6) > 0)
			json_object_object_add(o, names[i], local_value(specs[i]));
	}
	if (any(3) > 0)
		json_object_object_add(o, "ta", template_text());
	if (any(3) > 0)
		json_object_object_add(o, "tb", template_text());
	return o;
}

/* A mapping's section. */
static char *
any_section(struct spec *const *specs)
{
	static const char *const templates[] = {"{ta}xx{tb}", "x{ta}xy{tb}x", "yy{ta}y{tb}xx"};
	struct buf out;

	buf_init(&out, 0);
	buf_adds(&out, "fields:\n  name: name\n");
	for (size_t i = 0; i < FIELDS; i++) {
		buf_addf(&out, "  f%zu: {to: %s, ", i, field_upstream[i]);
		write_spec(specs[i], &out);
		if (specs[i]->form == TYPE && strcmp(specs[i]->type, "string") == 0)
			buf_adds(&out, any(2) > 0 ? ", omit_when: \"\"" : ", when_absent: \"\"");
		if (specs[i]->form == VALUES && !specs[i]->keep)
			buf_adds(&out, ", when_absent: none");
		buf_adds(&out, "}\n");
	}
	buf_addf(&out, "constants: {description: d, goal: g}\ntemplates: {t: {template: \"%s\", "
	               "when_absent: {ta: y, tb: \"\"}}}\nkept_here: []\n", templates[any(3)]);
	return buf_take(&out, NULL);
}

START_TEST(generated_mappings_keep_both_laws)
{
	seed = 0x2545F4914F6CDD1D;
	for (int i = 0; i < MAPPINGS; i++) {
		struct spec *specs[FIELDS];
		struct json_object *body;
		struct mapping *m;
		char *section;

		for (size_t k = 0; k < FIELDS; k++)
			specs[k] = any_spec(any(4));
		section = any_section(specs);
		m = mapping_test_compile(section);
		for (int k = 0; k < BODIES; k++) {
			body = any_body(specs);
			put_get(m, section, body);
			json_object_put(body);
		}
		mapping_free(m);
		free(section);
		for (size_t k = 0; k < FIELDS; k++)
			free_spec(specs[k]);
	}
	/* the source must not become one that tests nothing */
	ck_assert_uint_gt(accepted, MAPPINGS * BODIES / 4);
	ck_assert_uint_gt(refused, MAPPINGS * BODIES / 10);
	ck_assert_uint_gt(read_back, MAPPINGS * BODIES / 8);
}
END_TEST

/* The laws. */
Suite *
mapping_law_suite(void)
{
	const TTest *const tests[] = {generated_mappings_keep_both_laws, NULL};

	return unit_suite("mapping_law", tests);
}
