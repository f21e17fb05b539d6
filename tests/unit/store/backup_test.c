#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"
#include "base/digest.h"
#include "base/mem.h"
#include "store/sqlite_schema.h"
#include "store/store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE (STORE_IMAGE_INLINE + 5000) /* of an image that is in a file */
#define SMALL_SIZE ((size_t)300)
#define JOURNAL "some.journal"

/* A store with a bit of everything, and where its copy and its restored copy go. */
struct stage {
	struct fixture f;
	char scratch[64], *copy, *target;
	struct store_facts facts;
	struct fail fail;
	store_step_fn step;
};

/* Stores an image whose bytes follow from its id. */
static void
put_image(struct fixture *f, const char *id, size_t len)
{
	struct store_image i = {.project = TEXT("shop"), .id = TEXT(id), .role = TEXT("r"),
	    .type = TEXT("image/png"), .created_ms = NOW_MS};
	char *bytes = mem_alloc(len);

	memset(bytes, id[0], len);
	ck_assert_int_eq(FIXTURE_CALL(f, store_image_put, &i, bytes, len), STORE_OK);
}

/* A file below the scratch folder or a store; static, four at a time. */
static const char *
path_of(const char *dir, const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *p = paths[next++ % 4];

	snprintf(p, sizeof paths[0], "%s/%s", dir, name);
	return p;
}

/* Writes a file. */
static void
write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

/* Reads a small file; the caller frees. */
static char *
read_text(const char *path)
{
	static char text[65536];
	FILE *in = fopen(path, "r");
	size_t n;

	ck_assert_msg(in != NULL, "%s: %s", path, strerror(errno));
	n = fread(text, 1, sizeof text - 1, in);
	fclose(in);
	return mem_copy(text, n);
}

/* Opens a store with personas, one intent, images of both kinds, and a journal. */
static void
stage_begin(struct stage *s)
{
	struct store_intent i = fixture_create("open", "Open", "print", "key");

	memset(s, 0, sizeof *s);
	fixture_begin(&s->f, FIXTURE_DISK);
	fixture_make_dir(s->scratch, sizeof s->scratch);
	s->copy = mem_format("%s/copy", s->scratch);
	s->target = mem_format("%s/target", s->scratch);
	fixture_persona(&s->f, "p1", "Ada");
	fixture_persona(&s->f, "p2", "Bob");
	ck_assert_int_eq(fixture_create_begin(&s->f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&s->f, store_adopt, SCOPE, NULL, 0, NOW_MS + 3), STORE_OK);
	put_image(&s->f, "small.png", SMALL_SIZE);
	put_image(&s->f, "a.png", FILE_SIZE);
	put_image(&s->f, "b.png", FILE_SIZE);
	write_text(path_of(s->f.dir, JOURNAL), "one\ntwo\nthr");
}

/* Closes everything. */
static void
stage_end(struct stage *s)
{
	store_facts_clear(&s->facts);
	fixture_remove_dir(s->scratch);
	free(s->copy);
	free(s->target);
	fixture_end(&s->f);
}

/* What is asked for, from one folder to the other. */
static struct store_backup_options
options_of(struct stage *s, const char *from, const char *to)
{
	store_facts_clear(&s->facts);
	s->fail.text[0] = '\0';
	return (struct store_backup_options){.from = from, .to = to, .journal = JOURNAL,
	    .program = "test", .now_ms = NOW_MS, .step = s->step, .arg = s};
}

/* Copies the store; 0 or -1. */
static int
backup(struct stage *s)
{
	struct store_backup_options o = options_of(s, s->f.dir, s->copy);

	return store_backup_make(&o, &s->facts, &s->fail);
}

/* Copies the store, and must be able to. */
static void
backup_done(struct stage *s)
{
	if (backup(s) < 0)
		ck_abort_msg("%s", s->fail.text);
}

/* Checks the copy; 0 or -1. */
static int
verify(struct stage *s)
{
	struct store_backup_options o = options_of(s, s->copy, NULL);

	return store_backup_check(&o, &s->facts, &s->fail);
}

/* Restores the copy; 0 or -1. */
static int
restore(struct stage *s, bool replace)
{
	struct store_backup_options o = options_of(s, s->copy, s->target);

	o.replace = replace;
	return store_restore(&o, &s->facts, &s->fail);
}

/* Fails unless the last failure was told with these words. */
static void
expect_words(const struct stage *s, const char *words)
{
	ck_assert_msg(strstr(s->fail.text, words) != NULL, "\"%s\" is not in: %s", words, s->fail.text);
}

/* Fails unless nothing is at the copy's place and beside it. */
static void
expect_nothing_left(const struct stage *s)
{
	ck_assert_int_lt(access(s->copy, F_OK), 0);
	ck_assert_int_lt(access(path_of(s->scratch, "copy.partial"), F_OK), 0);
}

/* Fails unless an image of the target is whole. */
static void
expect_image(struct fixture *f, const char *id, size_t len)
{
	ck_assert_int_eq(FIXTURE_CALL(f, store_image_get, "shop", id, 0, len), STORE_OK);
	ck_assert_uint_eq(f->reply.len, len);
	ck_assert_int_eq(f->reply.bytes[0], id[0]);
	ck_assert_int_eq(f->reply.bytes[len - 1], id[0]);
}

/* Opens the restored store as a fixture of its own. */
static void
open_target(struct stage *s, struct fixture *f)
{
	memset(f, 0, sizeof *f);
	f->loop = loop_new_fake(NOW_MS);
	f->store = fixture_store_open(s->target);
	f->port = store_port_open(f->store, f->loop);
}

/* Closes it. */
static void
close_target(struct stage *s, struct fixture *f)
{
	fixture_clear(f);
	store_port_close(f->port);
	store_close(f->store);
	loop_free(f->loop);
	fixture_assert_sound(s->target);
}

START_TEST(a_copy_made_while_the_store_is_open_has_everything)
{
	struct store_intent again = fixture_create("again", "Open", "print", "key");
	struct stage s;
	struct fixture f;
	struct stat st;
	char *journal;

	stage_begin(&s);
	umask(0);
	backup_done(&s);
	ck_assert_uint_eq(s.facts.personas, 2);
	ck_assert_uint_eq(s.facts.unsettled, 1);
	ck_assert_uint_eq(s.facts.images, 3);
	ck_assert_int_eq(s.facts.schema, sqlite_schema_newest());
	ck_assert_str_eq(s.facts.binding, "https://upstream.example");
	ck_assert_int_eq(stat(s.copy, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(stat(path_of(s.copy, "store.db"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(path_of(s.copy, "images/a.png"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	if (verify(&s) < 0 || restore(&s, false) < 0)
		ck_abort_msg("%s", s.fail.text);
	ck_assert_ptr_null(s.facts.replaced);
	journal = read_text(path_of(s.target, JOURNAL));
	ck_assert_str_eq(journal, "one\ntwo\n"); /* the last line was only half there */
	free(journal);
	open_target(&s, &f);
	fixture_assert_list(&f, SCOPE, "p1,p2");
	ck_assert_int_eq(f.reply.number, 0); /* as if it had never been listed */
	ck_assert_int_eq(fixture_create_begin(&f, &again), STORE_KEY_RUNNING);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	expect_image(&f, "small.png", SMALL_SIZE);
	expect_image(&f, "a.png", FILE_SIZE);
	expect_image(&f, "b.png", FILE_SIZE);
	close_target(&s, &f);
	fixture_assert_list(&s.f, SCOPE, "p1,p2");
	ck_assert_int_eq(s.f.reply.number, NOW_MS + 3); /* the store that was copied is as it was */
	stage_end(&s);
}
END_TEST

/* Writes, and deletes an image, as soon as the first image is being copied. */
static bool
write_meanwhile(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct stage *s = arg;

	ck_assert_uint_le(done, total + FILE_SIZE);
	if (strcmp(what, "images") != 0)
		return true;
	if (FIXTURE_CALL(&s->f, store_get, SCOPE, "p3") == STORE_OK)
		return true; /* done already */
	ck_assert_int_eq(FIXTURE_CALL(&s->f, store_image_delete, "shop", "b.png"), STORE_OK);
	fixture_persona(&s->f, "p3", "Late");
	return true;
}

START_TEST(what_happens_meanwhile_leaves_the_copy_whole)
{
	struct stage s;
	struct fixture f;

	stage_begin(&s);
	s.step = write_meanwhile;
	backup_done(&s);
	s.step = NULL;
	ck_assert_int_eq(FIXTURE_CALL(&s.f, store_get, SCOPE, "p3"), STORE_OK);
	if (verify(&s) < 0 || restore(&s, false) < 0)
		ck_abort_msg("%s", s.fail.text);
	ck_assert_uint_eq(s.facts.images, 2);
	open_target(&s, &f);
	fixture_assert_list(&f, SCOPE, "p1,p2");
	expect_image(&f, "a.png", FILE_SIZE);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_image_get, "shop", "b.png", 0, 0), STORE_NONE);
	close_target(&s, &f);
	stage_end(&s);
}
END_TEST

START_TEST(what_was_deleted_before_is_in_no_copy)
{
	static const char secret[] = "Nobody may read this any more";
	struct store_record r = fixture_record("p9", secret);
	char command[256];
	struct stage s;

	stage_begin(&s);
	ck_assert_int_eq(FIXTURE_CALL(&s.f, store_adopt, SCOPE, &r, 1, NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&s.f, store_hide, SCOPE, "p9", NOW_MS), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&s.f, store_purge, NOW_MS, NOW_MS + 1), STORE_OK);
	backup_done(&s);
	snprintf(command, sizeof command, "grep -rqF '%s' '%s'", secret, s.f.dir);
	ck_assert_int_eq(system(command), 0); /* it still lies in the store's free pages */
	snprintf(command, sizeof command, "grep -rqF '%s' '%s'", secret, s.copy);
	ck_assert_int_ne(system(command), 0);
	stage_end(&s);
}
END_TEST

START_TEST(a_store_that_lost_an_image_is_told_so)
{
	struct store_backup_options o;
	struct stage s;

	stage_begin(&s);
	if (_i == 0) {
		ck_assert_int_eq(unlink(path_of(s.f.dir, "images/b.png")), 0);
	} else {
		ck_assert_int_eq(truncate(path_of(s.f.dir, "images/b.png"), 100), 0);
	}
	ck_assert_int_lt(backup(&s), 0);
	expect_words(&s, "image b.png of project shop");
	expect_nothing_left(&s);
	o = options_of(&s, s.f.dir, NULL);
	ck_assert_int_lt(store_check(&o, &s.facts, &s.fail), 0);
	expect_words(&s, "b.png");
	ck_assert_int_eq(FIXTURE_CALL(&s.f, store_image_delete, "shop", "b.png"), STORE_OK);
	o = options_of(&s, s.f.dir, NULL);
	ck_assert_int_eq(store_check(&o, &s.facts, &s.fail), 0);
	ck_assert_uint_eq(s.facts.images, 2);
	backup_done(&s);
	stage_end(&s);
}
END_TEST

START_TEST(nothing_is_written_over)
{
	struct stage s;
	char *partial;
	int fd;

	stage_begin(&s);
	backup_done(&s);
	ck_assert_int_lt(backup(&s), 0);
	expect_words(&s, "is there already");
	ck_assert_int_eq(verify(&s), 0);
	fixture_remove_dir(s.copy);

	/* what a killed backup has left goes, what others keep there does not */
	partial = mem_format("%s.partial", s.copy);
	ck_assert_int_eq(mkdir(partial, 0755), 0);
	write_text(path_of(partial, "store.db"), "half");
	fd = open(partial, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	ck_assert_int_lt(backup(&s), 0);
	expect_words(&s, "another command");
	close(fd);
	write_text(path_of(partial, "letter.txt"), "mine");
	ck_assert_int_lt(backup(&s), 0);
	expect_words(&s, partial);
	ck_assert_int_eq(unlink(path_of(partial, "letter.txt")), 0);
	backup_done(&s);
	ck_assert_int_eq(verify(&s), 0);
	free(partial);
	stage_end(&s);
}
END_TEST

START_TEST(a_full_disk_leaves_nothing)
{
	const struct rlimit little = {_i == 0 ? 8192 : FILE_SIZE - 1000, RLIM_INFINITY};
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	struct stage s;

	stage_begin(&s);
	if (_i == 1) /* the database fits, the images do not */
		ck_assert_int_eq(FIXTURE_CALL(&s.f, store_image_delete, "shop", "small.png"), STORE_OK);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
	ck_assert_int_lt(backup(&s), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	expect_words(&s, s.copy);
	expect_nothing_left(&s);
	backup_done(&s);
	ck_assert_int_eq(verify(&s), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
	ck_assert_int_lt(restore(&s, false), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_lt(access(path_of(s.target, "store.db"), F_OK), 0);
	ck_assert_int_lt(access(path_of(s.target, "restoring.partial"), F_OK), 0);
	ck_assert_int_eq(restore(&s, false), 0);
	stage_end(&s);
}
END_TEST

/* Ends the work at once. */
static bool
stop_now(void *arg, const char *what, uint64_t done, uint64_t total)
{
	return false;
}

START_TEST(a_stop_leaves_nothing)
{
	struct stage s;

	stage_begin(&s);
	s.step = stop_now;
	ck_assert_int_lt(backup(&s), 0);
	expect_words(&s, "stopped");
	expect_nothing_left(&s);
	s.step = NULL;
	backup_done(&s);
	s.step = stop_now;
	ck_assert_int_lt(verify(&s), 0);
	expect_words(&s, "stopped");
	stage_end(&s);
}
END_TEST

/* Changes one byte in the middle of a file. */
static void
flip(const char *path)
{
	FILE *file = fopen(path, "r+");
	int c;

	ck_assert_ptr_nonnull(file);
	fseek(file, 0, SEEK_END);
	fseek(file, ftell(file) / 2, SEEK_SET);
	c = fgetc(file);
	fseek(file, -1, SEEK_CUR);
	fputc(c ^ 1, file);
	fclose(file);
}

/* Takes the line with a text out of the manifest, and corrects the number of files. */
static void
forget(const char *copy, const char *text)
{
	char *manifest = read_text(path_of(copy, "manifest.sha256")), *at = strstr(manifest, text);
	char *files = strstr(manifest, "# files "), *start = at;

	ck_assert_ptr_nonnull(at);
	files[8]--;
	while (start[-1] != '\n')
		start--;
	memmove(start, strchr(at, '\n') + 1, strlen(strchr(at, '\n')));
	write_text(path_of(copy, "manifest.sha256"), manifest);
	free(manifest);
}

/* Replaces a text in the manifest. */
static void
edit(const char *copy, const char *from, const char *to)
{
	char *manifest = read_text(path_of(copy, "manifest.sha256")), *at = strstr(manifest, from);
	char *all;

	ck_assert_ptr_nonnull(at);
	all = mem_format("%.*s%s%s", (int)(at - manifest), manifest, to, at + strlen(from));
	write_text(path_of(copy, "manifest.sha256"), all);
	free(manifest);
	free(all);
}

/* Runs SQL in the copy's database, and writes its new digest into the manifest. */
static void
rewrite(const char *copy, const char *sql)
{
	const char *path = path_of(copy, "store.db");
	char *bytes = mem_alloc(1 << 20), old[DIGEST_HEX_SIZE], new[DIGEST_HEX_SIZE];
	sqlite3 *db;
	FILE *in;

	for (int round = 0; round < 2; round++) {
		in = fopen(path, "r");
		digest_hex(bytes, fread(bytes, 1, 1 << 20, in), round == 0 ? old : new);
		fclose(in);
		if (round == 1)
			break;
		ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
		ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
	}
	edit(copy, old, new);
	free(bytes);
}

/* What is done to a copy, and the words that tell of it. */
static const char *
damage(const char *copy, int how)
{
	switch (how) {
	case 0:
		flip(path_of(copy, "store.db"));
		return "store.db is not what was copied";
	case 1:
		flip(path_of(copy, "images/a.png"));
		return "images/a.png is not what was copied";
	case 2:
		unlink(path_of(copy, "images/b.png"));
		return "images/b.png";
	case 3:
		unlink(path_of(copy, "manifest.sha256"));
		return "is not a backup";
	case 4:
		ck_assert_int_eq(truncate(path_of(copy, "manifest.sha256"), 200), 0);
		return "manifest.sha256 is damaged";
	case 5:
		forget(copy, "images/b.png");
		return "image b.png of project shop is not in it";
	case 6:
		edit(copy, "images/b.png", "images/../../b.png");
		return "manifest.sha256 is damaged";
	case 7:
		edit(copy, "  " JOURNAL, "  /etc/passwd");
		return "manifest.sha256 is damaged";
	case 8:
		edit(copy, "backup 1", "backup 2");
		return "manifest.sha256 is damaged";
	case 9:
		rewrite(copy, "PRAGMA user_version = 999");
		return "newer persona-gateway";
	case 10:
		rewrite(copy, "UPDATE image SET digest = 'x' WHERE id = 'small.png'");
		return "image small.png of project shop is not what was stored";
	case 11:
		rewrite(copy, "PRAGMA application_id = 1");
		return "not a store";
	case 12:
		/* an index that misses a row, as a faulty disk makes it */
		rewrite(copy, "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name ="
		    " 'intent_id'; PRAGMA writable_schema = RESET");
		return "damaged";
	default:
		ck_assert_int_eq(unlink(path_of(copy, "images/a.png")), 0);
		ck_assert_int_eq(symlink("/dev/zero", path_of(copy, "images/a.png")), 0);
		return "images/a.png";
	}
}

START_TEST(a_damaged_copy_is_refused)
{
	const char *words;
	struct stage s;

	stage_begin(&s);
	backup_done(&s);
	words = damage(s.copy, _i);
	ck_assert_int_lt(verify(&s), 0);
	expect_words(&s, words);
	ck_assert_int_lt(restore(&s, false), 0);
	expect_words(&s, words);
	ck_assert_int_lt(access(s.target, F_OK), 0);
	stage_end(&s);
}
END_TEST

START_TEST(a_store_is_not_restored_over_another)
{
	struct stage s;
	struct fixture f;

	stage_begin(&s);
	backup_done(&s);
	free(s.target);
	s.target = mem_string(s.f.dir);
	ck_assert_int_lt(restore(&s, true), 0);
	expect_words(&s, "in use by process");
	fixture_persona(&s.f, "p3", "Late");
	store_port_close(s.f.port);
	store_close(s.f.store);
	ck_assert_int_lt(restore(&s, false), 0);
	expect_words(&s, "--replace");
	if (restore(&s, true) < 0)
		ck_abort_msg("%s", s.fail.text);
	ck_assert_int_eq(access(path_of(s.facts.replaced, "images/a.png"), F_OK), 0);
	open_target(&s, &f);
	fixture_assert_list(&f, SCOPE, "p1,p2");
	close_target(&s, &f);
	/* and what was moved aside is the store that was there */
	free(s.target);
	s.target = mem_string(s.facts.replaced);
	open_target(&s, &f);
	fixture_assert_list(&f, SCOPE, "p1,p2,p3");
	close_target(&s, &f);
	s.f.store = fixture_store_open(s.f.dir);
	s.f.port = store_port_open(s.f.store, s.f.loop);
	stage_end(&s);
}
END_TEST

START_TEST(a_backup_is_not_restored_onto_itself)
{
	struct stage s;

	stage_begin(&s);
	backup_done(&s);
	free(s.target);
	s.target = mem_format("%s/.", s.copy);
	ck_assert_int_lt(restore(&s, true), 0);
	expect_words(&s, "is the backup itself");
	ck_assert_int_eq(verify(&s), 0);
	stage_end(&s);
}
END_TEST

START_TEST(a_restore_that_was_cut_off_keeps_gateways_away)
{
	struct store_options options = {0};
	struct stage s;
	struct fixture f;

	stage_begin(&s);
	backup_done(&s);
	ck_assert_int_eq(restore(&s, false), 0);
	/* as a crash leaves it after the database was moved aside */
	write_text(path_of(s.target, "restore-unfinished"), "");
	ck_assert_int_eq(unlink(path_of(s.target, "store.db")), 0);
	ck_assert_int_eq(mkdir(path_of(s.target, "restoring"), 0700), 0);
	write_text(path_of(s.target, "restoring/store.db"), "half");
	options.dir = s.target;
	ck_assert_ptr_null(store_open(&options, &s.fail));
	expect_words(&s, "store restore");
	if (restore(&s, false) < 0)
		ck_abort_msg("%s", s.fail.text);
	ck_assert_ptr_nonnull(s.facts.replaced);
	open_target(&s, &f);
	fixture_assert_list(&f, SCOPE, "p1,p2");
	expect_image(&f, "a.png", FILE_SIZE);
	close_target(&s, &f);
	stage_end(&s);
}
END_TEST

START_TEST(a_closed_store_is_copied_as_well)
{
	struct store_backup_options o;
	struct stage s;

	stage_begin(&s);
	store_port_close(s.f.port);
	store_close(s.f.store);
	backup_done(&s);
	ck_assert_int_eq(verify(&s), 0);
	o = options_of(&s, s.f.dir, NULL);
	ck_assert_int_eq(store_check(&o, &s.facts, &s.fail), 0);
	ck_assert_uint_eq(s.facts.personas, 2);
	s.f.store = fixture_store_open(s.f.dir);
	s.f.port = store_port_open(s.f.store, s.f.loop);
	free(s.copy);
	s.copy = mem_string(s.scratch);
	ck_assert_int_lt(verify(&s), 0);
	expect_words(&s, "is not a backup");
	o = options_of(&s, s.scratch, NULL);
	ck_assert_int_lt(store_check(&o, &s.facts, &s.fail), 0);
	expect_words(&s, "there is no store in");
	stage_end(&s);
}
END_TEST

/* Tests of copies, for stores on disk. */
Suite *
backup_suite(void)
{
	Suite *suite = suite_create("store backup");
	TCase *tcase = tcase_create("store backup");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_copy_made_while_the_store_is_open_has_everything);
	tcase_add_test(tcase, what_happens_meanwhile_leaves_the_copy_whole);
	tcase_add_test(tcase, what_was_deleted_before_is_in_no_copy);
	tcase_add_loop_test(tcase, a_store_that_lost_an_image_is_told_so, 0, 2);
	tcase_add_test(tcase, nothing_is_written_over);
	tcase_add_loop_test(tcase, a_full_disk_leaves_nothing, 0, 2);
	tcase_add_test(tcase, a_stop_leaves_nothing);
	tcase_add_loop_test(tcase, a_damaged_copy_is_refused, 0, 14);
	tcase_add_test(tcase, a_store_is_not_restored_over_another);
	tcase_add_test(tcase, a_backup_is_not_restored_onto_itself);
	tcase_add_test(tcase, a_restore_that_was_cut_off_keeps_gateways_away);
	tcase_add_test(tcase, a_closed_store_is_copied_as_well);
	suite_add_tcase(suite, tcase);
	return suite;
}
