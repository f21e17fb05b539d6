#include "config.h"

#include "mapping_case.h"
#include "mapping_copy_check.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const struct mapping_project project = {"shop", true, 123};

/* A mapping with these fields, or of the whole section. */
struct mapping *
mapping_case_compile(const char *fields)
{
	char *section;
	struct mapping *m;

	if (fields[0] != ' ')
		return mapping_test_compile(fields);
	section = mem_format("fields:\n  name: name\n%sconstants: {description: d, goal: g}\n"
	                     "kept_here: []\n", fields);
	m = mapping_test_compile(section);
	free(section);
	return m;
}

/* Takes what every persona has away. */
static void
strip(struct json_object *o)
{
	static const char *const names[] = {"name", "description", "id", "updatedAt"};
	struct json_object *goal;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		json_object_object_del(o, names[i]);
	if (json_object_object_get_ex(o, "goal", &goal) && json_object_get_string_len(goal) == 1)
		json_object_object_del(o, "goal");
}

/* Sends a body and expects what goes to Bluejay, or the sentence that refuses
 * it. The struct is cleared by the caller when true. */
bool
mapping_case_send(const struct mapping *m, enum mapping_operation operation, const char *body,
    const char *upstream, struct mapping_request *r)
{
	struct json_object *local = mapping_test_json(body);
	struct fail fail;
	bool sent;

	json_object_object_add(local, "name", json_object_new_string("n"));
	sent = mapping_request_make(m, operation, local, &project, r, &fail) == 0;
	if (sent) {
		strip(r->upstream);
		mapping_test_prints(r->upstream, upstream);
	} else
		ck_assert_str_eq(fail.text, upstream);
	json_object_put(local);
	return sent;
}

/* Expects what an answer of Bluejay becomes, or the sentence for the log. */
void
mapping_case_receive(const struct mapping *m, struct json_object *upstream, struct json_object *absent,
    struct json_object *kept, const char *expected)
{
	struct json_object *out;
	struct fail fail;
	unsigned copied = 0;

	ck_assert(mapping_copy_check_tree(m, upstream, absent, kept, &copied));
	if (mapping_answer_make(m, upstream, "i", absent, kept, 0, &out, &fail) == 0) {
		strip(out);
		mapping_test_prints(out, expected);
		json_object_put(out);
	} else
		ck_assert_str_eq(fail.text, expected);
}

/* Expects a create's body, and back the same text that was given. */
void
mapping_case_both_ways(const char *fields, const char *local, const char *upstream)
{
	struct mapping *m = mapping_case_compile(fields);
	struct mapping_request r;

	if (!mapping_case_send(m, MAPPING_CREATE, local, upstream, &r))
		ck_abort_msg("refused");
	ck_assert(mapping_sent_matches(m, r.upstream, r.upstream));
	mapping_case_receive(m, r.upstream, r.absent, r.kept, local);
	mapping_request_clear(&r);
	mapping_free(m);
}

/* Expects a create to be refused with this sentence. */
void
mapping_case_refused(const char *fields, const char *local, const char *sentence)
{
	struct mapping *m = mapping_case_compile(fields);
	struct mapping_request r;

	ck_assert(!mapping_case_send(m, MAPPING_CREATE, local, sentence, &r));
	mapping_free(m);
}

/* Expects a create's body alone. */
void
mapping_case_sent(const char *fields, const char *local, const char *upstream)
{
	struct mapping *m = mapping_case_compile(fields);
	struct mapping_request r;

	ck_assert(mapping_case_send(m, MAPPING_CREATE, local, upstream, &r));
	mapping_request_clear(&r);
	mapping_free(m);
}

/* Expects what an answer becomes, or the sentence for the log. */
void
mapping_case_answered(const char *fields, const char *upstream, const char *expected)
{
	struct mapping *m = mapping_case_compile(fields);
	struct json_object *tree = mapping_test_json(upstream);

	mapping_case_receive(m, tree, NULL, NULL, expected);
	json_object_put(tree);
	mapping_free(m);
}
