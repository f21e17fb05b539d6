#include "config.h"

#include "core_test.h"
#include "base/mem.h"
#include "core/shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A record with content. */
static struct store_record
record(const char *id, int64_t version)
{
	struct store_record r = {0};

	r.scope = mem_string("agent:1");
	r.local_id = mem_string(id);
	r.upstream_id = mem_string(id);
	r.name = mem_string("n");
	r.content = mem_format("{\"id\":\"%s\",\"name\":\"n\",\"description\":\"\",\"goal\":\"v%lld\","
	    "\"created_at\":\"2026-01-28T10:00:00Z\"}", id, (long long)version);
	r.absent = mem_string("{\"description\":\"\"}");
	r.version = version;
	return r;
}

START_TEST(newer_records_replace_older_ones_never_the_other_way)
{
	struct diag_list diags = {0};
	struct mapping *m = mapping_compile(mapping_resource_built_in("personas"), NULL, &diags);
	struct project p = {.generation = 1, .mapping = m};
	struct shelf *s = shelf_new(1 << 20);
	struct store_record r = record("x", 2);
	struct shelf_entry *e = shelf_put(s, &r);

	ck_assert_int_eq(shelf_show(e, &p, NULL, NULL), 0);
	ck_assert_ptr_nonnull(strstr(e->body, "\"systemPrompt\":\"v2\""));
	ck_assert_ptr_null(strstr(e->body, "description"));
	r = record("x", 1);
	ck_assert_ptr_eq(shelf_put(s, &r), e);
	ck_assert_int_eq(e->record.version, 2);
	ck_assert_ptr_nonnull(e->body);
	r = record("x", 3);
	shelf_put(s, &r);
	ck_assert_ptr_null(e->body);
	shelf_free(s);
	mapping_free(m);
}
END_TEST

START_TEST(an_answer_is_made_anew_after_a_reload)
{
	static const char text[] = "fields:\n  name: name\n  prompt: {to: goal, when_absent: \"\"}\n  description: {to: description, when_absent: \"\"}\n";
	struct diag_list diags = {0};
	struct yaml_node *other = yaml_node_parse("f", text, sizeof text - 1, NULL, NULL, &diags);
	struct mapping *was = mapping_compile(mapping_resource_built_in("personas"), NULL, &diags);
	struct mapping *is = mapping_compile(mapping_resource_built_in("personas"), other, &diags);
	struct project before = {.generation = 1, .mapping = was};
	struct project after = {.generation = 2, .mapping = is};
	struct shelf *s = shelf_new(1 << 20);
	struct store_record r = record("x", 2);
	struct shelf_entry *e = shelf_put(s, &r);

	ck_assert_ptr_nonnull(is);
	ck_assert_int_eq(shelf_show(e, &before, NULL, NULL), 0);
	ck_assert(shelf_ready(e, &before));
	ck_assert(!shelf_ready(e, &after));
	ck_assert_int_eq(shelf_show(e, &after, NULL, NULL), 0);
	ck_assert_ptr_nonnull(strstr(e->body, "\"prompt\":\"v2\""));
	ck_assert(!shelf_ready(e, &before));
	shelf_resize(s, 0);
	ck_assert_ptr_null(shelf_find(s, "agent:1", "x"));
	shelf_free(s);
	mapping_free(was);
	mapping_free(is);
	yaml_node_free(other);
	diag_free(&diags);
}
END_TEST

START_TEST(the_shelf_is_bounded_and_keeps_what_is_pinned)
{
	struct shelf *s = shelf_new(8192);
	struct store_record r = record("first", 1);
	struct shelf_entry *first = shelf_put(s, &r);
	char id[32];

	shelf_pin(first);
	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof id, "id%d", i);
		r = record(id, 1);
		shelf_put(s, &r);
	}
	ck_assert_ptr_eq(shelf_find(s, "agent:1", "first"), first);
	ck_assert_ptr_null(shelf_find(s, "agent:1", "id0"));
	ck_assert_ptr_nonnull(shelf_find(s, "agent:1", "id199"));
	shelf_unpin(first);
	shelf_free(s);
}
END_TEST

START_TEST(what_was_deleted_does_not_come_back_by_an_overtaken_answer)
{
	struct shelf *s = shelf_new(1 << 20);
	struct store_record r = record("x", 1);

	shelf_put(s, &r);
	shelf_bury(s, "agent:1", "x", "u");
	ck_assert_ptr_null(shelf_find(s, "agent:1", "x"));
	r = record("x", 1);
	ck_assert_ptr_null(shelf_put(s, &r));
	ck_assert_ptr_null(r.local_id); /* taken all the same */
	ck_assert(shelf_is_buried(s, "agent:1", "x") && shelf_is_buried(s, "agent:1", "u"));
	shelf_unbury(s, "agent:1", "x", "u");
	ck_assert(!shelf_is_buried(s, "agent:1", "x") && !shelf_is_buried(s, "agent:1", "u"));
	shelf_free(s);
}
END_TEST

/* Notes a text, and whether it and another one are known then. */
static void
know(struct shelf_entry *e, const struct project *p, const char *text)
{
	char *other = mem_join(text, " ");

	shelf_know(e, text, strlen(text));
	ck_assert(shelf_knows(e, p, text, strlen(text)));
	ck_assert(!shelf_knows(e, p, other, strlen(other)));
	ck_assert(!shelf_knows(e, p, text, strlen(text) - 1));
	free(other);
}

START_TEST(a_text_is_known_as_long_as_the_answer_that_it_gave)
{
	struct diag_list diags = {0};
	struct mapping *m = mapping_compile(mapping_resource_built_in("personas"), NULL, &diags);
	struct project p = {.generation = 1, .mapping = m}, reloaded = {.generation = 2, .mapping = m};
	struct shelf *s = shelf_new(1 << 20);
	struct store_record r = record("x", 1);
	struct shelf_entry *e = shelf_put(s, &r);
	char *content = mem_string(e->record.content), *spaced = mem_join(" ", content);
	size_t bytes;

	ck_assert(!shelf_knows(e, &p, content, strlen(content)));
	ck_assert_int_eq(shelf_show(e, &p, NULL, NULL), 0);
	ck_assert(!shelf_knows(e, &p, content, strlen(content)));
	know(e, &p, content);
	ck_assert_ptr_null(e->text);
	bytes = shelf_bytes(s);
	know(e, &p, spaced);
	ck_assert(!shelf_knows(e, &p, content, strlen(content)));
	ck_assert_uint_eq(shelf_bytes(s), bytes + strlen(spaced));
	ck_assert(!shelf_knows(e, &reloaded, spaced, strlen(spaced)));
	r = record("x", 2);
	shelf_written(s, &r, 7);
	ck_assert(!shelf_knows(e, &p, spaced, strlen(spaced)));
	ck_assert_int_eq(shelf_show(e, &p, NULL, NULL), 0);
	ck_assert(!shelf_knows(e, &p, spaced, strlen(spaced)));
	free(content);
	free(spaced);
	shelf_free(s);
	mapping_free(m);
}
END_TEST

START_TEST(a_dropped_entry_lives_until_it_is_unpinned)
{
	struct shelf *s = shelf_new(1 << 20);
	struct store_record r = record("x", 1);
	struct shelf_entry *e = shelf_put(s, &r);

	shelf_pin(e);
	shelf_drop(s, "agent:1", "x");
	ck_assert(e->dead);
	ck_assert_str_eq(e->record.local_id, "x");
	shelf_unpin(e);
	shelf_free(s);
}
END_TEST

/* Tests of the personas in memory. */
Suite *
shelf_suite(void)
{
	const TTest *const tests[] = {
	    newer_records_replace_older_ones_never_the_other_way,
	    the_shelf_is_bounded_and_keeps_what_is_pinned,
	    an_answer_is_made_anew_after_a_reload,
	    what_was_deleted_does_not_come_back_by_an_overtaken_answer,
	    a_text_is_known_as_long_as_the_answer_that_it_gave,
	    a_dropped_entry_lives_until_it_is_unpinned,
	    NULL,
	};

	return unit_suite("core: shelf", tests);
}
