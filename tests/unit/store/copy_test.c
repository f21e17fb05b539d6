#include "config.h"

#include "base/mem.h"
#include "store/store_copy.h"
#include "store/store_member.h"
#include "store_fixture.h"
#include "store_suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BIG ((size_t)700 << 10) /* bytes of an image: several pieces, a file on disk */

/* Two places beside the fixture's store: a folder, and another one of the fixture's kind. */
struct copies {
	struct fixture f;
	char folder[64], place[64];
	struct store_copied copied;
	struct fail fail;
	unsigned steps, steps_left; /* 0: any number */
};

/* Fills an image's bytes. */
static char *
copy_bytes(size_t len)
{
	char *bytes = mem_alloc(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	return bytes;
}

/* Puts an image. */
static void
copy_put_image(struct fixture *f, const char *id, size_t len)
{
	struct store_image i = {.project = TEXT("shop"), .id = TEXT(id), .role = TEXT("r"),
	    .type = TEXT("image/png"), .filename = TEXT("a\tb.png"), .created_ms = NOW_MS};

	ck_assert_int_eq(FIXTURE_CALL(f, store_image_put, &i, copy_bytes(len), len), STORE_OK);
}

/* Fills a store with some of everything. */
static void
copy_fill(struct fixture *f)
{
	struct store_intent i = fixture_create("i1", "Held", "print", "key 1");
	struct store_record r = fixture_record("p1", "Ada"), shown = fixture_record("p9", "Ada");
	struct store_intent d = fixture_delete("d1", "p3");

	fixture_persona(f, "p1", "Ada");
	fixture_persona(f, "p2", "tab\t, line\n, slash\\, \xc3\xa9, \\N");
	fixture_persona(f, "p3", "Gone");
	fixture_persona(f, "p4", "Hidden");
	r.kept = TEXT("{\"k\":\"\\n\"}");
	ck_assert_int_eq(FIXTURE_CALL(f, store_update_settle, NULL, &r), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_delete_begin, &d), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_hide, SCOPE, "p4", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_adopt, SCOPE, &shown, 1, NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(f, &i), STORE_OK);
	i = fixture_create("i2", "Twinned", "print", NULL);
	i.state = STORE_TWINNING;
	i.twin_digest = TEXT("digest");
	ck_assert_int_eq(fixture_create_begin(f, &i), STORE_OK);
	copy_put_image(f, "small.png", 9);
	copy_put_image(f, "big.png", BIG);
}

/* Looks whether a store has all of it. */
static void
copy_assert_filled(struct fixture *f)
{
	struct store_intent i = fixture_create("i3", "Other", "print", "key 1");
	char *want = copy_bytes(BIG);

	fixture_assert_list(f, SCOPE, "p1,p2,p9");
	ck_assert_str_eq(f->reply.records[0].kept, "{\"k\":\"\\n\"}");
	ck_assert_str_eq(f->reply.records[1].name, "tab\t, line\n, slash\\, \xc3\xa9, \\N");
	ck_assert(f->reply.records[2].adopted);
	ck_assert_uint_eq(f->reply.tombstone_count, 1);
	ck_assert_uint_eq(f->reply.hidden_count, 1);
	ck_assert_int_eq(f->reply.number, NOW_MS);
	ck_assert_int_eq(fixture_try_name(f, "Held"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(fixture_try_name(f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(fixture_try_name(f, "Hidden"), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(f, &i), STORE_KEY_RUNNING);
	ck_assert_int_eq(FIXTURE_CALL(f, store_twin_look, SCOPE, "i2"), STORE_OK);
	ck_assert_str_eq(f->reply.twins[0].digest, "digest");
	ck_assert_int_eq(FIXTURE_CALL(f, store_image_list, "shop", "r"), STORE_OK);
	ck_assert_uint_eq(f->reply.image_count, 2);
	ck_assert_str_eq(f->reply.images[0].filename, "a\tb.png");
	ck_assert_int_eq(FIXTURE_CALL(f, store_image_get, "shop", "big.png", 0, BIG), STORE_OK);
	ck_assert_uint_eq(f->reply.len, BIG);
	ck_assert_int_eq(memcmp(f->reply.bytes, want, BIG), 0);
	free(want);
	/* What comes now is numbered after what was copied, and what was held can be settled. */
	fixture_persona(f, "p10", "New");
	ck_assert_int_eq(FIXTURE_CALL(f, store_intent_take, "i1"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_intent_drop, "i1"), STORE_OK);
	ck_assert_int_eq(fixture_try_name(f, "Held"), STORE_OK);
}

/* Opens a filled store, and closes it. */
static void
copies_begin(struct copies *c, int kind)
{
	memset(c, 0, sizeof *c);
	fixture_begin(&c->f, kind);
	copy_fill(&c->f);
	fixture_make_dir(c->folder, sizeof c->folder);
	fixture_place(kind, c->place, sizeof c->place);
	store_port_close(c->f.port);
	store_close(c->f.store);
}

/* Opens the store of a place in place of the fixture's own. */
static void
copies_open(struct copies *c, const char *place)
{
	c->f.store = fixture_store_open(place);
	c->f.port = store_port_open(c->f.store, c->f.loop);
}

/* Ends it; a store is open. */
static void
copies_end(struct copies *c)
{
	fixture_clean(c->place);
	fixture_remove_dir(c->folder);
	fixture_end(&c->f);
}

/* Counts, and stops when it was told to. */
static bool
copies_step(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct copies *c = arg;

	ck_assert_uint_le(done, total);
	c->steps++;
	return c->steps_left == 0 || --c->steps_left > 0;
}

/* Copies between a place of the fixture's kind and the folder, or two of these. */
static int
copies_copy(struct copies *c, const char *from, const char *to)
{
	char a[256], b[256];
	struct store_copy_options o = {.from = a, .to = b, .journal = "journal", .step = copies_step, .arg = c};

	fixture_spec(from, a, sizeof a);
	fixture_spec(to, b, sizeof b);
	if (from == c->folder)
		snprintf(a, sizeof a, "sqlite:%s", from);
	if (to == c->folder)
		snprintf(b, sizeof b, "sqlite:%s", to);
	c->steps = 0;
	return store_copy(&o, &c->copied, &c->fail);
}

START_TEST(a_store_moves_there_and_back_whole)
{
	struct store_copied first;
	struct copies c;

	if (_i == FIXTURE_MEMORY)
		return;
	copies_begin(&c, _i);
	ck_assert_msg(copies_copy(&c, c.f.dir, c.folder) == 0, "%s", c.fail.text);
	ck_assert_uint_ge(c.steps, 4);
	ck_assert_uint_eq(c.copied.image_bytes, 9 + BIG);
	first = c.copied;
	ck_assert_msg(copies_copy(&c, c.folder, c.place) == 0, "%s", c.fail.text);
	for (int i = 0; i < STORE_COPY_TABLES; i++) {
		ck_assert_str_eq(c.copied.tables[i].what, first.tables[i].what);
		ck_assert_uint_eq(c.copied.tables[i].count, first.tables[i].count);
		ck_assert_str_eq(c.copied.tables[i].digest, first.tables[i].digest);
		ck_assert_uint_gt(first.tables[i].count, 0);
	}
	copies_open(&c, c.place);
	copy_assert_filled(&c.f);
	store_port_close(c.f.port);
	store_close(c.f.store);
	fixture_assert_sound(c.place);
	copies_open(&c, c.f.dir);
	copies_end(&c);
}
END_TEST

START_TEST(what_root_copies_belongs_to_the_owner_of_the_folder)
{
	struct copies c;
	char command[200];

	if (_i == FIXTURE_MEMORY || geteuid() != 0)
		return;
	copies_begin(&c, _i);
	ck_assert_int_eq(chown(c.folder, 12345, 12346), 0);
	ck_assert_msg(copies_copy(&c, c.f.dir, c.folder) == 0, "%s", c.fail.text);
	snprintf(command, sizeof command, "test -z \"$(find %s ! -uid 12345 -o ! -gid 12346)\"", c.folder);
	ck_assert_int_eq(system(command), 0);
	copies_open(&c, c.f.dir);
	copies_end(&c);
}
END_TEST

START_TEST(a_store_at_work_is_not_copied)
{
	struct copies c;

	if (_i == FIXTURE_MEMORY)
		return;
	copies_begin(&c, _i);
	copies_open(&c, c.f.dir);
	while (store_lease_until(c.f.port) == 0)
		loop_turn(c.f.loop, true);
	ck_assert_int_eq(copies_copy(&c, c.f.dir, c.folder), -1);
	ck_assert_msg(strstr(c.fail.text, _i == FIXTURE_DISK ? "in use by process" : "1 gateway is at work") !=
	    NULL, "%s", c.fail.text);
	store_port_close(c.f.port);
	store_close(c.f.store);
	/* neither does a copy go into one */
	ck_assert_int_eq(copies_copy(&c, c.f.dir, c.folder), 0);
	ck_assert_int_eq(copies_copy(&c, c.folder, c.f.dir), -1);
	ck_assert_ptr_nonnull(strstr(c.fail.text, "a store"));
	ck_assert_ptr_nonnull(strstr(c.fail.text, "already"));
	copies_open(&c, c.f.dir);
	copy_assert_filled(&c.f);
	copies_end(&c);
}
END_TEST

START_TEST(a_copy_that_was_cut_off_is_made_again)
{
	struct copies c;
	unsigned all;

	if (_i == FIXTURE_MEMORY)
		return;
	copies_begin(&c, _i);
	ck_assert_int_eq(copies_copy(&c, c.f.dir, c.folder), 0);
	all = c.steps;
	for (unsigned left = 1; left <= all; left++) {
		c.steps_left = left;
		ck_assert_int_eq(copies_copy(&c, c.folder, c.place), -1);
		ck_assert_str_eq(c.fail.text, "stopped: nothing was changed");
	}
	c.steps_left = 0;
	ck_assert_msg(copies_copy(&c, c.folder, c.place) == 0, "%s", c.fail.text);
	copies_open(&c, c.place);
	copy_assert_filled(&c.f);
	store_port_close(c.f.port);
	store_close(c.f.store);
	copies_open(&c, c.f.dir);
	copies_end(&c);
}
END_TEST

START_TEST(a_store_is_not_copied_into_itself)
{
	struct copies c;

	if (_i == FIXTURE_MEMORY)
		return;
	copies_begin(&c, _i);
	ck_assert_int_eq(copies_copy(&c, c.f.dir, c.f.dir), -1);
	ck_assert_msg(strstr(c.fail.text, _i == FIXTURE_DISK ? "already" : "locked") != NULL, "%s",
	    c.fail.text);
	copies_open(&c, c.f.dir);
	copy_assert_filled(&c.f);
	copies_end(&c);
}
END_TEST

START_TEST(a_damaged_image_is_noticed)
{
	struct copies c;
	char path[200];

	if (_i == FIXTURE_MEMORY)
		return;
	copies_begin(&c, _i);
	ck_assert_int_eq(copies_copy(&c, c.f.dir, c.folder), 0);
	snprintf(path, sizeof path, "%s/images/big.png", c.folder);
	ck_assert_int_eq(truncate(path, BIG - 1), 0);
	ck_assert_int_eq(truncate(path, BIG), 0);
	ck_assert_int_eq(copies_copy(&c, c.folder, c.place), -1);
	ck_assert_msg(strstr(c.fail.text, "image big.png") != NULL, "%s", c.fail.text);
	ck_assert_ptr_nonnull(strstr(c.fail.text, "is not what was stored"));
	copies_open(&c, c.f.dir);
	copies_end(&c);
}
END_TEST

/* Writes a file of a folder; its path is static. */
static const char *
copies_file(const char *dir, const char *name, const char *text)
{
	static char path[256];
	FILE *out;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	ck_assert_int_eq(fclose(out), 0);
	return path;
}

/* What such a file holds (static); NULL: it is not there. */
static const char *
copies_text(const char *dir, const char *name)
{
	static char text[64];
	char path[256];
	FILE *in;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	in = fopen(path, "r");
	if (in == NULL)
		return NULL;
	text[fread(text, 1, sizeof text - 1, in)] = '\0';
	fclose(in);
	return text;
}

START_TEST(a_journal_goes_along_where_there_is_a_folder)
{
	char other[64], growing[128];
	struct copies c;

	if (_i == FIXTURE_MEMORY)
		return;
	copies_begin(&c, _i);
	ck_assert_int_eq(copies_copy(&c, c.f.dir, c.folder), 0);
	ck_assert(!c.copied.journal_left); /* there is none */
	copies_file(c.folder, "journal", "one\ntwo");
	ck_assert_msg(copies_copy(&c, c.folder, c.place) == 0, "%s", c.fail.text);
	ck_assert_int_eq(c.copied.journal_left, _i != FIXTURE_DISK);
	if (_i == FIXTURE_DISK) {
		ck_assert_str_eq(copies_text(c.place, "journal"), "one\ntwo");
		ck_assert_int_eq(unlink(copies_file(c.place, "journal", "")), 0);
	}
	/* What a killed attempt has left is in nobody's way; somebody else's journal stays. */
	fixture_make_dir(other, sizeof other);
	snprintf(growing, sizeof growing, "%s/copying", other);
	ck_assert_int_eq(mkdir(growing, 0700), 0);
	copies_file(growing, "journal", "on");
	copies_file(other, "journal", "another");
	{
		char from[80], to[80];
		struct store_copy_options o = {.from = from, .to = to, .journal = "journal"};

		snprintf(from, sizeof from, "sqlite:%s", c.folder);
		snprintf(to, sizeof to, "sqlite:%s", other);
		ck_assert_int_eq(store_copy(&o, &c.copied, &c.fail), -1);
		ck_assert_ptr_nonnull(strstr(c.fail.text, "/journal already: a copy goes into an empty folder"));
		ck_assert_str_eq(copies_text(other, "journal"), "another");
		ck_assert_ptr_null(copies_text(other, "store.db"));
		copies_file(other, "journal", "one\ntwo");
		ck_assert_msg(store_copy(&o, &c.copied, &c.fail) == 0, "%s", c.fail.text);
		ck_assert_str_eq(copies_text(other, "journal"), "one\ntwo");
		ck_assert_int_eq(access(growing, F_OK), -1);
		ck_assert_int_eq(unlink(copies_file(other, "journal", "")), 0);
		ck_assert_int_eq(unlink(copies_file(c.folder, "journal", "")), 0);
	}
	fixture_remove_dir(other);
	copies_open(&c, c.f.dir);
	copies_end(&c);
}
END_TEST

START_TEST(places_are_named)
{
	struct store_copy_options o = {.from = "/var/lib/store", .to = "sqlite:/nowhere"};
	struct store_copied copied;
	struct fail fail;

	ck_assert_int_eq(store_copy(&o, &copied, &fail), -1);
	ck_assert_str_eq(fail.text, "a store is named sqlite:FOLDER or postgresql://USER@HOST/DATABASE");
	o.from = "sqlite:/nowhere";
	ck_assert_int_eq(store_copy(&o, &copied, &fail), -1);
	ck_assert_str_eq(fail.text, "there is no store in /nowhere");
	if (_i != FIXTURE_MEMORY && _i != FIXTURE_DISK) {
		o.from = "postgresql://me:geheim@127.0.0.1:1/x";
		ck_assert_int_eq(store_copy(&o, &copied, &fail), -1);
		ck_assert_ptr_nonnull(strstr(fail.text, "a password on a command line can be read by others"));
		o.from = "postgresql://127.0.0.1:1/x?user=me&password=geheim";
		ck_assert_int_eq(store_copy(&o, &copied, &fail), -1);
		ck_assert_ptr_nonnull(strstr(fail.text, "a password on a command line"));
		ck_assert_ptr_null(strstr(fail.text, "geheim"));
	}
}
END_TEST

/* Tests of copies from one store into another. */
Suite *
copy_suite(void)
{
	const TTest *const tests[] = {
	    a_store_moves_there_and_back_whole,
	    what_root_copies_belongs_to_the_owner_of_the_folder,
	    a_store_at_work_is_not_copied,
	    a_copy_that_was_cut_off_is_made_again,
	    a_store_is_not_copied_into_itself,
	    a_damaged_image_is_noticed,
	    a_journal_goes_along_where_there_is_a_folder,
	    places_are_named,
	    NULL,
	};

	return store_suite("store copy", tests);
}
