#include "config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "json/json_text.h"
#include "mapping_copy_check.h"
#include "mapping_test.h"
#include "unit.h"

#include <string.h>

/*
 * request -> upstream body -> upstream's own answer -> local answer gives back
 * what was given, for bodies from a seeded source.
 */
#define ROUNDS 3000

static const char nested[] = "fields:\n"
                             "  name: who.name\n"
                             "  description: {to: a.b.c.d, when_absent: \"-\"}\n"
                             "  systemPrompt: {to: a.b.prompt, when_absent: \"\"}\n"
                             "  profile.tone: {to: traits.tone, as: json, when_absent: {x: []}}\n"
                             "  profile.deep.age: {to: traits.age, as: number}\n"
                             "  dotted\\.key: a.e\n"
                             "constants: {name: n, goal: g, description: d}\n"
                             "kept_here: [headers, profile.note, imageUrl]\n";

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

/* A string of pieces that are easily spoilt. */
static struct json_object *
any_string(void)
{
	static const char *const pieces[] = {"", "a", " ", "\"", "\\", "/", "\x01", "\n", "\x7F",
	    "\xC3\xA9", "\xE2\x80\xA8", "\xF0\x9F\x98\x80", "null", "0", "-", "${project.id}", "."};
	struct json_object *string;
	struct buf b;

	buf_init(&b, 0);
	for (unsigned n = any(4); n > 0; n--)
		buf_adds(&b, pieces[any(sizeof pieces / sizeof *pieces)]);
	if (any(20) == 0)
		buf_addc(&b, '\0');
	string = json_object_new_string_len(b.len > 0 ? b.data : "", (int)b.len);
	buf_free(&b);
	return string;
}

/* A string without U+0000. */
static struct json_object *
any_name(void)
{
	struct json_object *name = any_string();

	while (strlen(json_object_get_string(name)) != (size_t)json_object_get_string_len(name)) {
		json_object_put(name);
		name = any_string();
	}
	return name;
}

/* A number, some as digits that no machine number holds. */
static struct json_object *
any_number(void)
{
	static const char *const digits[] = {"0.10", "1e400", "-0", "12345678901234567890123"};

	if (any(2) == 0)
		return mapping_test_json(digits[any(4)]);
	return json_object_new_int64((int64_t)any(100000) - 50000);
}

/* Any value that is not null at its top. */
static struct json_object *
any_value(unsigned depth)
{
	static const char *const keys[] = {"a", "b", "id", "a.b", "", "\xC3\xA9"};
	struct json_object *value;

	switch (any(depth > 0 ? 5 : 3)) {
	case 0:
		return any_string();
	case 1:
		return any_number();
	case 2:
		return json_object_new_boolean((int)any(2));
	case 3:
		value = json_object_new_array();
		for (unsigned n = any(3); n > 0; n--)
			json_object_array_add(value, any(4) > 0 ? any_value(depth - 1) : NULL);
		return value;
	default:
		value = json_object_new_object();
		for (unsigned n = any(3); n > 0; n--)
			json_object_object_add(value, keys[any(6)],
			    any(4) > 0 ? any_value(depth - 1) : NULL);
		return value;
	}
}

/* An object. */
static struct json_object *
any_object(void)
{
	struct json_object *value = any_value(3);

	while (!json_object_is_type(value, json_type_object)) {
		json_object_put(value);
		value = any_value(3);
	}
	return value;
}

/* Adds a member to both trees; or leaves it out, or null in the first alone. */
static void
maybe_add(struct json_object *local, struct json_object *expected, const char *key,
    struct json_object *value)
{
	unsigned how = any(4);

	if (how == 0) {
		json_object_put(value);
	} else if (how == 1) {
		json_object_object_add(local, key, NULL);
		json_object_put(value);
	} else {
		json_object_object_add(local, key, value);
		json_object_object_add(expected, key, json_copy(value));
	}
}

/* Adds an object with members of its own; the expected one when it has any, or when
 * there were none to begin with. */
static void
add_inner(struct json_object *local, struct json_object *expected, const char *key,
    struct json_object *inner, struct json_object *inner_expected)
{
	json_object_object_add(local, key, inner);
	if (json_object_object_length(inner_expected) > 0 || json_object_object_length(inner) == 0)
		json_object_object_add(expected, key, inner_expected);
	else
		json_object_put(inner_expected);
}

/* A local body for the default mapping with what must come back of it. */
static void
any_default_body(struct json_object *local, struct json_object *expected)
{
	maybe_add(local, expected, "headers", any_object());
	maybe_add(local, expected, "systemPrompt", any_string());
	maybe_add(local, expected, "description", any_string());
	json_object_object_add(local, "unknown", any_value(2));
	json_object_object_add(local, "createdAt", any_value(1));
}

/* The same for the nested mapping. */
static void
any_nested_body(struct json_object *local, struct json_object *expected)
{
	struct json_object *profile = json_object_new_object(), *deep = json_object_new_object();
	struct json_object *back = json_object_new_object(), *deep_back = json_object_new_object();

	maybe_add(profile, back, "note", any_value(2));
	maybe_add(profile, back, "tone", any_value(3));
	maybe_add(deep, deep_back, "age", any_number());
	add_inner(profile, back, "deep", deep, deep_back);
	add_inner(local, expected, "profile", profile, back);
	maybe_add(local, expected, "dotted.key", any_value(2));
	any_default_body(local, expected);
}

/* Does what Bluejay does with a body: keeps it, adds its own members. */
static struct json_object *
upstream_answer(struct json_object *body)
{
	char *text = json_print(body, NULL);
	struct json_object *persona = mapping_test_json(text);

	free(text);
	json_object_object_del(persona, "agent_id");
	json_object_object_add(persona, "id", json_object_new_string("u"));
	json_object_object_add(persona, "org_id", NULL);
	return persona;
}

/* One create and its answer. */
static void
round_trip(const struct mapping *m, struct json_object *local, struct json_object *expected)
{
	static const struct mapping_project project = {"p", true, 7};
	struct json_object *persona, *out, *left;
	struct mapping_request r;
	struct fail fail;
	unsigned copied = 0;
	bool changed;

	if (mapping_request_make(m, MAPPING_CREATE, local, &project, &r, &fail) != 0)
		ck_abort_msg("%s: %s", json_print(local, NULL), fail.text);
	persona = upstream_answer(r.upstream);
	ck_assert(mapping_sent_matches(m, r.upstream, persona));
	left = mapping_absent_left(m, persona, r.absent, &changed);
	ck_assert(!changed);
	ck_assert(mapping_copy_check_tree(m, persona, left, r.kept, &copied));
	ck_assert_int_eq(mapping_answer_make(m, persona, "i", left, r.kept, 0, &out, &fail), 0);
	json_object_object_add(expected, "id", json_object_new_string("i"));
	json_object_object_add(expected, "updatedAt",
	    json_object_new_string("1970-01-01T00:00:00.000Z"));
	if (!json_equal(out, expected))
		ck_abort_msg("gave %s\nback %s\nwant %s", json_print(local, NULL),
		    json_print(out, NULL), json_print(expected, NULL));
	mapping_request_clear(&r);
	json_object_put(persona);
	json_object_put(left);
	json_object_put(out);
}

/* Many creates through one mapping. */
static void
round_trips(const char *section, void (*body)(struct json_object *, struct json_object *))
{
	struct mapping *m = mapping_test_compile(section);

	seed = 0x9E3779B97F4A7C15;
	for (int i = 0; i < ROUNDS; i++) {
		struct json_object *local = json_object_new_object();
		struct json_object *expected = json_object_new_object(), *name = any_name();

		json_object_object_add(local, "name", name);
		json_object_object_add(expected, "name", json_copy(name));
		body(local, expected);
		round_trip(m, local, expected);
		json_object_put(local);
		json_object_put(expected);
	}
	mapping_free(m);
}

START_TEST(default_mapping_gives_back_what_it_got)
{
	round_trips(NULL, any_default_body);
}
END_TEST

START_TEST(nested_mapping_gives_back_what_it_got)
{
	round_trips(nested, any_nested_body);
}
END_TEST

/* All tests of both directions. */
Suite *
mapping_round_suite(void)
{
	const TTest *const tests[] = {
	    default_mapping_gives_back_what_it_got,
	    nested_mapping_gives_back_what_it_got,
	    NULL,
	};

	return unit_suite("mapping_round", tests);
}
