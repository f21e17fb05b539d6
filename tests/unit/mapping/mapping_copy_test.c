#include "config.h"

#include "base/buf.h"
#include "json/json_text.h"
#include "mapping/mapping_copy.h"
#include "mapping_copy_check.h"
#include "mapping_test.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* A persona of Bluejay's; %s: more members. */
#define PERSONA "{\"id\":\"7\",\"created_at\":\"2026-01-28T09:00:00.123456\",\"name\":\"n\"," \
	        "\"description\":\"d\",\"goal\":\"g\",\"org_id\":\"o\"%s}"

/* ---- which mappings copy ---- */

START_TEST(what_is_only_moved_is_copied)
{
	static const struct {
		const char *section;
		bool copies;
	} table[] = {
	    {NULL, true},
	    {"fields: {name: name, a: {to: b, as: json}}\nconstants: {goal: g, description: d}", true},
	    {"fields: {name: name, a: {to: b, as: timestamp, read_only: true}}\n"
	     "constants: {goal: g, description: d}\nkept_here: [x, y]", true},
	    {"fields: {name: name, a: {to: b, as: string, when_absent: x, omit_when: x}}\n"
	     "constants: {goal: g, description: d}", true},
	    {"fields: {name: name, a: {to: b, as: string, write_only: true}}\n"
	     "constants: {goal: g, description: d}", true},
	    {"fields: {name: name, a.b: c}\nconstants: {goal: g, description: d}", false},
	    {"fields: {name: name, a: b.c}\nconstants: {goal: g, description: d}", false},
	    {"fields: {name: name}\nconstants: {goal: g, description: d}\nkept_here: [a.b]", false},
	    {"fields: {name: name, a: {to: b, values: {x: y}}}\nconstants: {goal: g, description: d}", false},
	    {"fields: {name: name, a: {to: b, each: integer}}\nconstants: {goal: g, description: d}", false},
	    {"fields: {name: name, a: {to: b, as: {local: integer, bluejay: string}}}\n"
	     "constants: {goal: g, description: d}", false},
	    {"fields: {name: name, a: {to: b, as: string, when: {field: name, is: x}}}\n"
	     "constants: {goal: g, description: d}", false},
	    {"fields: {name: name}\ntemplates: {goal: \"Be {name}.\"}\nconstants: {description: d}", false},
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		struct mapping *m = mapping_test_compile(table[i].section);

		ck_assert_msg(mapping_copies(m) == table[i].copies, "%s", table[i].section);
		mapping_free(m);
	}
}
END_TEST

/* ---- which answers are copied ---- */

/* Whether the default mapping copies an answer; compares what comes out. */
static bool
is_copied(const struct mapping *m, const char *text, size_t len)
{
	const struct mapping_copy_case k = {.text = text, .len = len};
	unsigned copied = 0;

	ck_assert_msg(mapping_copy_check(m, &k, &copied), "%s", text);
	return copied == 1;
}

START_TEST(what_is_declared_is_copied)
{
	static const struct {
		const char *text;
		bool copied;
	} table[] = {
	    {"{\"id\":\"7\",\"created_at\":\"2026-01-28T09:00:00Z\",\"name\":\"n\",\"description\":\"\","
	     "\"goal\":\"a\\nb\\\"c\\\" \xC3\xA9 \\u0001\",\"org_id\":null}", true},
	    {"{ \"goal\": \"g\", \"id\": \"7\",\n\"created_at\": null, \"name\": \"n\",\"description\": \"d\","
	     "\"org_id\":\"o\" }\n", true},
	    /* what would be printed otherwise */
	    {"{\"id\":\"7\",\"created_at\":null,\"name\":\"n\",\"description\":\"\\u00e9\",\"goal\":\"g\",\"org_id\":\"o\"}",
	        false},
	    {"{\"id\":\"7\",\"created_at\":null,\"name\":\"n\",\"description\":\"a\\/b\",\"goal\":\"g\",\"org_id\":\"o\"}",
	        false},
	    /* what is to be told: missing, new, retyped, null where there is none */
	    {"{\"id\":\"7\",\"created_at\":null,\"name\":\"n\",\"description\":\"d\",\"goal\":\"g\"}", false},
	    {"{\"id\":\"7\",\"created_at\":null,\"name\":\"n\",\"description\":\"d\",\"goal\":\"g\",\"org_id\":\"o\","
	     "\"new\":1}", false},
	    {"{\"id\":\"7\",\"created_at\":null,\"name\":\"n\",\"description\":1,\"goal\":\"g\",\"org_id\":\"o\"}", false},
	    {"{\"id\":\"7\",\"created_at\":null,\"name\":\"n\",\"description\":\"d\",\"goal\":\"g\",\"org_id\":5}", false},
	    {"{\"id\":\"7\",\"created_at\":null,\"name\":null,\"description\":\"d\",\"goal\":\"g\",\"org_id\":\"o\"}", false},
	    {"{\"id\":\"7\",\"created_at\":\"soon\",\"name\":\"n\",\"description\":\"d\",\"goal\":\"g\",\"org_id\":\"o\"}",
	        false},
	    {"{\"id\":\"7\",\"created_at\":\"2026-01-28T09:00:00Z\\u0000\",\"name\":\"n\",\"description\":\"d\","
	     "\"goal\":\"g\",\"org_id\":\"o\"}", false},
	    {"[]", false},
	    {"null", false},
	};
	struct mapping *m = mapping_test_compile(NULL);

	for (size_t i = 0; i < COUNT(table); i++)
		ck_assert_msg(is_copied(m, table[i].text, strlen(table[i].text)) == table[i].copied, "%s",
		    table[i].text);
	mapping_free(m);
}
END_TEST

/* ---- many of both ---- */

#define MAPPINGS 400
#define ANSWERS 60
#define FIELDS 4

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

static const char *const types[] = {"string", "integer", "number", "boolean", "object", "array", "json",
    "timestamp", "integers"};

static const char *const values[] = {"\"\"", "\"x\"", "\"a\\nb\"", "\"\\u0000\"", "\"\xC3\xA9\"", "\"\\/\"", "\"\\u0041\"",
    "0", "-0", "7", "18446744073709551615", "123456789012345678901234567890", "1.10", "1E+2", "true", "false",
    "null", "[]", "[1,2]", "[1, 2]", "[-1,18446744073709551616]", "[1.5]", "[null]", "{}", "{\"b\":1,\"a\":[]}",
    "{\"a\":[],\"b\":1}", "[{\"b\":1,\"a\":2}]", "[{\"a\":2,\"b\":1}]", "\"2026-01-28T09:00:00\"",
    "\"2026-01-28T09:00:00.000Z\"", "\"2026-01-28T10:00:00+01:00\"", "\"9999-12-31T23:59:59-00:01\""};

/* A mapping of the kind that is copied. */
static char *
any_section(void)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, "fields:\n  name: name\n");
	for (unsigned i = 0; i < FIELDS; i++) {
		unsigned type = any(COUNT(types)), extra = any(4);

		buf_addf(&b, "  f%u: {to: %s%u, as: %s", i, any(3) > 0 ? "m" : "my own ", i, types[type]);
		if (strcmp(types[type], "timestamp") == 0 || extra == 0)
			buf_adds(&b, ", read_only: true");
		else if (extra == 1 && strcmp(types[type], "string") == 0)
			buf_adds(&b, ", when_absent: x, omit_when: y");
		buf_adds(&b, "}\n");
	}
	buf_adds(&b, "constants: {goal: g, description: d}\nkept_here: [k1, k2]\n");
	return buf_take(&b, NULL);
}

/* Spaces, now and then. */
static void
add_space(struct buf *b)
{
	if (any(12) == 0)
		buf_adds(b, any(2) == 0 ? " " : "\n\t");
}

/* An answer with most of the members, in any order. */
static char *
any_answer(const struct mapping *m, size_t *len)
{
	struct mapping_declared d;
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "%.*s", (int)(strlen(PERSONA) - 3), PERSONA);
	for (size_t i = 0; mapping_declared(m, i, &d); i++) {
		if (d.origin != MAPPING_MAPPED || strcmp(d.local, "name") == 0 || any(20) == 0)
			continue;
		add_space(&b);
		buf_addc(&b, ',');
		add_space(&b);
		json_add_string(&b, d.upstream, strlen(d.upstream));
		buf_addc(&b, ':');
		add_space(&b);
		for (unsigned tries = 0; tries < 40; tries++) { /* most often one that fits */
			const char *value = values[any(COUNT(values))];
			bool fits = (*value == '"') == (strcmp(d.type, "string") == 0 || strcmp(d.type, "timestamp") == 0) &&
			    (strcmp(d.type, "timestamp") != 0 || strlen(value) > 15) &&
			    (*value == '[') == (strncmp(d.type, "integers", 8) == 0 || strcmp(d.type, "array") == 0) &&
			    (*value == '{') == (strcmp(d.type, "object") == 0) &&
			    (*value == 't' || *value == 'f') == (strcmp(d.type, "boolean") == 0);

			if (!fits && strcmp(d.type, "json") != 0 && tries + 1 < 40 && any(30) > 0)
				continue;
			buf_adds(&b, value);
			break;
		}
	}
	buf_addc(&b, '}');
	return buf_take(&b, len);
}

/* What was recorded: some members of a few values. */
static struct json_object *
any_record(const char *const *names, size_t count)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < count; i++)
		if (any(3) == 0)
			json_object_object_add(o, names[i], mapping_test_json(values[any(COUNT(values))]));
	return o;
}

START_TEST(copies_are_what_trees_give)
{
	static const char *const fields[] = {"f0", "f1", "f2", "f3", "gone"};
	static const char *const kept_fields[] = {"k1", "f0", "k2", "f1", "other"};
	unsigned copied = 0, answers = 0;

	seed = UINT64_C(0x9E3779B97F4A7C15);
	for (unsigned i = 0; i < MAPPINGS; i++) {
		char *section = any_section(), *last = NULL;
		struct mapping *m = mapping_test_compile(section);
		size_t last_len = 0;

		ck_assert_msg(mapping_copies(m), "%s", section);
		for (unsigned k = 0; k < ANSWERS; k++, answers++) {
			struct mapping_copy_case one = {.absent = any(3) > 0 ? NULL : any_record(fields, 5),
			    .kept = any(2) == 0 ? NULL : any_record(kept_fields, 5)};
			char *text = any_answer(m, &one.len);

			one.text = text;
			if (!mapping_copy_check(m, &one, &copied) ||
			    (last != NULL && !mapping_copy_check_pair(m, last, last_len, text, one.len)))
				ck_abort_msg("%s\n%s\n%s\nabsent %s\nkept %s", section, text, last,
				    one.absent == NULL ? "-" : json_print(one.absent, NULL),
				    one.kept == NULL ? "-" : json_print(one.kept, NULL));
			json_object_put(one.absent);
			json_object_put(one.kept);
			free(last);
			last = text;
			last_len = one.len;
		}
		free(last);
		free(section);
		mapping_free(m);
	}
	ck_assert_msg(copied > answers / 6, "%u of %u were copied", copied, answers);
}
END_TEST

#define NINE "\"2026-01-28T09:00:00\""
#define TEN "\"2026-01-28T10:00:00\""

START_TEST(equal_answers_compare_as_equal)
{
	static const struct {
		const char *a[2], *b[2]; /* a value of any type, and a time */
		enum mapping_copy_same same;
	} table[] = {
	    {{"1", NINE}, {"1", NINE}, MAPPING_COPY_SAME},
	    {{"1", NINE}, {"2", NINE}, MAPPING_COPY_OTHER},
	    {{"1", NINE}, {"1.0", NINE}, MAPPING_COPY_OTHER},
	    {{"null", NINE}, {"null", NINE}, MAPPING_COPY_SAME},
	    {{"null", NINE}, {"1", NINE}, MAPPING_COPY_OTHER},
	    {{"1", NINE}, {"1", "null"}, MAPPING_COPY_OTHER},
	    {{"1", NINE}, {"1", "\"2026-01-28T10:00:00.0001+01:00\""}, MAPPING_COPY_SAME},
	    {{"1", NINE}, {"1", TEN}, MAPPING_COPY_OTHER},
	    {{"{\"x\":1,\"y\":2}", NINE}, {"{\"x\":1,\"y\":2}", NINE}, MAPPING_COPY_SAME},
	    {{"{\"x\":1,\"y\":2}", NINE}, {"{\"y\":2,\"x\":1}", NINE}, MAPPING_COPY_TREE},
	    {{"[{\"x\":1,\"y\":2}]", NINE}, {"[{\"y\":2,\"x\":1}]", NINE}, MAPPING_COPY_TREE},
	    {{"{\"x\":1}", NINE}, {"1", NINE}, MAPPING_COPY_OTHER},
	    {{"[1,2]", NINE}, {"[2,1]", NINE}, MAPPING_COPY_OTHER},
	    {{"{\"x\":1}", NINE}, {"{\"x\":2}", TEN}, MAPPING_COPY_OTHER},
	};
	struct mapping *m = mapping_test_compile("fields: {name: name, c: {to: c, as: json}, "
	                                         "t: {to: t, as: timestamp, read_only: true}}\n"
	                                         "constants: {goal: g, description: d}");

	for (size_t i = 0; i < COUNT(table); i++) {
		struct mapping_copied x, y;
		char a[512], b[512], more[256];

		snprintf(more, sizeof more, ",\"c\":%s,\"t\":%s", table[i].a[0], table[i].a[1]);
		snprintf(a, sizeof a, PERSONA, more);
		snprintf(more, sizeof more, ",\"c\":%s,\"t\":%s", table[i].b[0], table[i].b[1]);
		snprintf(b, sizeof b, PERSONA, more);
		ck_assert(mapping_copy_read(m, a, strlen(a), &x) && mapping_copy_read(m, b, strlen(b), &y));
		ck_assert_msg(mapping_copy_compare(m, &x, &y) == table[i].same, "%s %s", a, b);
		ck_assert(mapping_copy_check_pair(m, a, strlen(a), b, strlen(b)));
	}
	mapping_free(m);
}
END_TEST

/* The suite. */
Suite *
mapping_copy_suite(void)
{
	const TTest *const tests[] = {what_is_only_moved_is_copied, what_is_declared_is_copied,
	    copies_are_what_trees_give, equal_answers_compare_as_equal, NULL};

	return unit_suite("mapping_copy", tests);
}
