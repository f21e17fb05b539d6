#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"
#include "base/digest.h"
#include "base/mem.h"
#include "store/image_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BIG (STORE_IMAGE_INLINE + 5000)

/* Bytes that differ by place and by their first one. */
static char *
image_bytes(size_t len, int first)
{
	char *bytes = mem_alloc(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(first + (int)(i * 31 + i / 256));
	return bytes;
}

/* Stores an image. */
static enum store_status
image_put(struct fixture *f, const char *project, const char *id, const char *role,
    const char *maker, size_t len)
{
	struct store_image i = {.project = TEXT(project), .id = TEXT(id), .role = TEXT(role),
	    .type = TEXT("image/png"), .maker = TEXT(maker), .created_ms = NOW_MS};

	return FIXTURE_CALL(f, store_image_put, &i, image_bytes(len, id[0]), len);
}

/* Whether the file of an image is there. */
static bool
image_has_file(const struct fixture *f, const char *id)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof path, "%s/images/%s", f->dir, id);
	return stat(path, &st) == 0;
}

/* The ids of a role as one text. */
static const char *
image_ids(struct fixture *f, const char *project, const char *role)
{
	static char text[256];

	ck_assert_int_eq(FIXTURE_CALL(f, store_image_list, project, role), STORE_OK);
	text[0] = '\0';
	for (size_t i = 0; i < f->reply.image_count; i++) {
		strcat(text, i > 0 ? "," : "");
		strcat(text, f->reply.images[i].id);
	}
	return text;
}

START_TEST(images_come_back_whole)
{
	static const size_t sizes[] = {1, STORE_IMAGE_INLINE, STORE_IMAGE_INLINE + 1, BIG};
	char id[8], digest[DIGEST_HEX_SIZE], *want;
	struct fixture f;

	fixture_begin(&f, _i);
	for (int i = 0; i < 4; i++) {
		snprintf(id, sizeof id, "%c.png", 'a' + i);
		ck_assert_int_eq(image_put(&f, "shop", id, "r", NULL, sizes[i]), STORE_OK);
		ck_assert_str_eq(f.reply.images[0].id, id);
		ck_assert(image_has_file(&f, id) == (_i == FIXTURE_DISK &&
		    sizes[i] > STORE_IMAGE_INLINE));
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 4; i++) {
			snprintf(id, sizeof id, "%c.png", 'a' + i);
			want = image_bytes(sizes[i], id[0]);
			digest_hex(want, sizes[i], digest);
			ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "shop", id, 0, BIG),
			    STORE_OK);
			ck_assert_uint_eq(f.reply.len, sizes[i]);
			ck_assert(memcmp(f.reply.bytes, want, sizes[i]) == 0);
			ck_assert_str_eq(f.reply.images[0].digest, digest);
			ck_assert_str_eq(f.reply.images[0].type, "image/png");
			ck_assert_int_eq(f.reply.images[0].size, (int64_t)sizes[i]);
			free(want);
		}
		ck_assert_str_eq(image_ids(&f, "shop", "r"), "a.png,b.png,c.png,d.png");
		if (_i != FIXTURE_MEMORY)
			fixture_reopen(&f);
	}
	fixture_end(&f);
}
END_TEST

START_TEST(pieces_of_files_are_read)
{
	char *want = image_bytes(BIG, 'a');
	struct fixture f;

	fixture_begin(&f, _i);
	ck_assert_int_eq(image_put(&f, "shop", "a.png", "r", NULL, BIG), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "shop", "a.png", 0, 0), STORE_OK);
	ck_assert(f.reply.bytes == NULL || _i == FIXTURE_MEMORY);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "shop", "a.png", BIG - 10, 100),
	    STORE_OK);
	if (_i != FIXTURE_MEMORY) {
		ck_assert_uint_eq(f.reply.len, 10);
		ck_assert_int_eq(f.reply.number, BIG - 10);
		ck_assert(memcmp(f.reply.bytes, want + BIG - 10, 10) == 0);
	} else {
		ck_assert_uint_eq(f.reply.len, BIG);
	}
	free(want);
	fixture_end(&f);
}
END_TEST

START_TEST(nobody_finds_another_projects_image)
{
	struct fixture f;

	fixture_begin(&f, _i);
	ck_assert_int_eq(image_put(&f, "shop", "a.png", "r", NULL, BIG), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "other", "a.png", 0, BIG), STORE_NONE);
	ck_assert_ptr_null(f.reply.bytes);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_delete, "other", "a.png"), STORE_NONE);
	ck_assert_str_eq(image_ids(&f, "other", "r"), "");
	ck_assert_str_eq(image_ids(&f, "shop", "other"), "");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "shop", "../store.db", 0, 9),
	    STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "shop", "a.png", 0, BIG), STORE_OK);
	/* an id is taken once in the whole store, and a path is none */
	ck_assert_int_eq(image_put(&f, "other", "a.png", "r", NULL, 5), STORE_UNAVAILABLE);
	if (_i == FIXTURE_DISK)
		ck_assert_int_eq(image_put(&f, "shop", "../x", "r", NULL, BIG), STORE_UNAVAILABLE);
	fixture_end(&f);
}
END_TEST

START_TEST(deleted_images_leave_nothing)
{
	struct fixture f;

	fixture_begin(&f, _i);
	ck_assert_int_eq(image_put(&f, "shop", "a.png", "r", NULL, BIG), STORE_OK);
	ck_assert_int_eq(image_put(&f, "shop", "b.png", "r", NULL, 9), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_delete, "shop", "a.png"), STORE_OK);
	ck_assert(!image_has_file(&f, "a.png"));
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_delete, "shop", "a.png"), STORE_NONE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_delete, "shop", "b.png"), STORE_OK);
	ck_assert_str_eq(image_ids(&f, "shop", "r"), "");
	fixture_end(&f);
}
END_TEST

START_TEST(what_was_made_for_a_persona_goes_unless_it_is_used)
{
	struct fixture f;
	struct store_record r;

	fixture_begin(&f, _i);
	ck_assert_int_eq(image_put(&f, "shop", "a.png", "r", "p1", BIG), STORE_OK);
	ck_assert_int_eq(image_put(&f, "shop", "b.png", "r", "p1", 9), STORE_OK);
	ck_assert_int_eq(image_put(&f, "shop", "c.png", "r", "p2", 9), STORE_OK);
	ck_assert_int_eq(image_put(&f, "shop", "d.png", "r", NULL, 9), STORE_OK);
	fixture_persona(&f, "p9", "Ada");
	r = fixture_record("p9", "Ada");
	r.kept = TEXT("{\"imageUrl\":\"b.png\"}");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_settle, NULL, &r), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_release, SCOPE, "p1"), STORE_OK);
	ck_assert_int_eq(f.reply.number, 1);
	ck_assert(!image_has_file(&f, "a.png"));
	ck_assert_str_eq(image_ids(&f, "shop", "r"), "b.png,c.png,d.png");
	fixture_end(&f);
}
END_TEST

/* Writes a file beside the images. */
static void
image_leave(const struct fixture *f, const char *name)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof path, "%s/images/%s", f->dir, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("left", file);
	fclose(file);
}

START_TEST(what_a_crash_left_goes_at_the_next_start)
{
	struct fixture f;

	fixture_begin(&f, FIXTURE_DISK);
	ck_assert_int_eq(image_put(&f, "shop", "a.png", "r", NULL, BIG), STORE_OK);
	ck_assert_int_eq(image_put(&f, "shop", "small.png", "r", NULL, 9), STORE_OK);
	image_leave(&f, ".half.png");
	image_leave(&f, "orphan.png");
	image_leave(&f, "small.png"); /* its bytes are in the database */
	image_leave(&f, "odd name");
	fixture_reopen(&f);
	ck_assert(image_has_file(&f, "a.png"));
	ck_assert(!image_has_file(&f, ".half.png"));
	ck_assert(!image_has_file(&f, "orphan.png"));
	ck_assert(!image_has_file(&f, "small.png"));
	ck_assert(!image_has_file(&f, "odd name"));
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "shop", "small.png", 0, 9), STORE_OK);
	fixture_end(&f);
}
END_TEST

START_TEST(a_file_without_its_bytes_is_trouble)
{
	char path[200];
	struct fixture f;

	fixture_begin(&f, FIXTURE_DISK);
	ck_assert_int_eq(image_put(&f, "shop", "a.png", "r", NULL, BIG), STORE_OK);
	snprintf(path, sizeof path, "%s/images/a.png", f.dir);
	ck_assert_int_eq(truncate(path, 100), 0);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "shop", "a.png", 0, 50),
	    STORE_UNAVAILABLE);
	ck_assert_ptr_null(f.reply.bytes);
	unlink(path);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "shop", "a.png", 0, 50),
	    STORE_UNAVAILABLE);
	fixture_end(&f);
}
END_TEST

START_TEST(a_row_that_cannot_be_written_leaves_no_file)
{
	struct fixture f;

	fixture_begin(&f, FIXTURE_DISK);
	ck_assert_int_eq(image_put(&f, "shop", "a.png", "r", NULL, 9), STORE_OK);
	/* the same id again: the file is written, the row is refused */
	ck_assert_int_eq(image_put(&f, "shop", "a.png", "r", NULL, BIG), STORE_UNAVAILABLE);
	ck_assert(!image_has_file(&f, "a.png"));
	fixture_end(&f);
}
END_TEST

START_TEST(names_stay_in_their_folder)
{
	ck_assert(image_file_name_ok("1c8e.png"));
	ck_assert(!image_file_name_ok(""));
	ck_assert(!image_file_name_ok(".png"));
	ck_assert(!image_file_name_ok(".."));
	ck_assert(!image_file_name_ok("a/b"));
	ck_assert(!image_file_name_ok("a b"));
}
END_TEST

START_TEST(a_port_closed_meanwhile_gets_nothing)
{
	struct store_image i = {.project = TEXT("p"), .id = TEXT("a.png"), .role = TEXT("r"),
	    .type = TEXT("image/png")};
	struct fixture f;

	fixture_begin(&f, _i);
	store_image_put(f.port, &i, image_bytes(BIG, 'a'), BIG, fixture_done, &f);
	store_image_delete(f.port, "p", "b.png", fixture_done, &f);
	store_port_close(f.port);
	ck_assert_uint_eq(f.done, 0);
	f.port = store_port_open(f.store, f.loop);
	fixture_end(&f);
}
END_TEST

/* Tests of images. */
Suite *
image_suite(void)
{
	const TTest *const tests[] = {
	    images_come_back_whole,
	    pieces_of_files_are_read,
	    nobody_finds_another_projects_image,
	    deleted_images_leave_nothing,
	    what_was_made_for_a_persona_goes_unless_it_is_used,
	    a_port_closed_meanwhile_gets_nothing,
	    NULL,
	};
	const TTest *const disk[] = {
	    what_a_crash_left_goes_at_the_next_start,
	    a_file_without_its_bytes_is_trouble,
	    a_row_that_cannot_be_written_leaves_no_file,
	    names_stay_in_their_folder,
	    NULL,
	};
	Suite *suite = store_suite("store image", tests);

	store_suite_add_disk(suite, "store image files", disk);
	return suite;
}
