#include "config.h"

#include "bulk/bulk_export.h"
#include "bulk/bulk_out.h"
#include "bulk/bulk_site.h"
#include "bulk_test.h"
#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fail f;

/* How many files the folder has. */
static int
files(void)
{
	DIR *d = opendir(scratch_path("."));
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Exports a text into a file. */
static int
export(const char *text, bool lines)
{
	struct bulk_side side = {.fd = text_file(text, strlen(text)), .name = NULL};
	struct bulk_out *out = bulk_out_open(scratch_path("out"), &f);
	uint64_t count;
	int rc;

	ck_assert_msg(out != NULL, "%s", f.text);
	rc = bulk_export(&side, lines, out, &count, &f);
	if (rc == 0)
		rc = bulk_out_commit(out, &f);
	else
		bulk_out_drop(out);
	close(side.fd);
	return rc;
}

START_TEST(an_export_has_a_persona_on_each_line)
{
	const char *text = "[ {\"id\" : \"1\", \"name\":\"a\\u00e9\",\n\"headers\":{ \"x\":1.50 }},{\"name\":\"b\"}]";
	struct stat st;

	ck_assert_int_eq(export(text, true), 0);
	ck_assert_str_eq(file_text(scratch_path("out")),
	    "{\"id\":\"1\",\"name\":\"a\xc3\xa9\",\"headers\":{\"x\":1.50}}\n{\"name\":\"b\"}\n");
	ck_assert_int_eq(stat(scratch_path("out"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(export(text, false), 0);
	ck_assert_str_eq(file_text(scratch_path("out")),
	    "[\n{\"id\":\"1\",\"name\":\"a\xc3\xa9\",\"headers\":{\"x\":1.50}},\n{\"name\":\"b\"}\n]\n");
	ck_assert_int_eq(export("[]", false), 0);
	ck_assert_str_eq(file_text(scratch_path("out")), "[]\n");
	ck_assert_int_eq(export("[]", true), 0);
	ck_assert_str_eq(file_text(scratch_path("out")), "");
	ck_assert_int_eq(files(), 1);
	scratch_remove();
}
END_TEST

START_TEST(an_export_that_fails_leaves_the_old_file)
{
	ck_assert_int_eq(export("[{\"name\":\"a\"}]", true), 0);
	ck_assert_int_eq(export("[{\"name\":\"b\"},{\"name\":\"c\"]}", true), -1);
	ck_assert_int_eq(export("[{\"name\":\"b\"},7]", true), -1);
	ck_assert_str_eq(file_text(scratch_path("out")), "{\"name\":\"a\"}\n");
	ck_assert_int_eq(files(), 1);
	scratch_remove();
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file)
{
	struct bulk_out *out;
	struct rlimit limit;
	char big[1000];
	int rc;

	ck_assert_int_eq(export("[{\"name\":\"a\"}]", true), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	memset(big, 'x', sizeof big);
	out = bulk_out_open(scratch_path("out"), &f);
	ck_assert_int_eq(bulk_out_write(out, big, sizeof big, &f), 0);
	limit.rlim_cur = 100;
	setrlimit(RLIMIT_FSIZE, &limit); /* no assertion until it is gone: they write, too */
	rc = bulk_out_commit(out, &f);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_int_eq(rc, -1);
	ck_assert_ptr_nonnull(strstr(f.text, "File too large"));
	ck_assert_str_eq(file_text(scratch_path("out")), "{\"name\":\"a\"}\n");
	ck_assert_int_eq(files(), 1);
	scratch_remove();
}
END_TEST

/* Where a URL leads; static. */
static const char *
site(const char *url, const char *project)
{
	static char name[1024];
	struct loop *loop = loop_new_fake(0);
	struct bulk_site_config cfg = {.url = url, .project = project, .jobs = 1};
	struct bulk_site *s = bulk_site_new(loop, &cfg, &f);

	snprintf(name, sizeof name, "%s", s != NULL ? bulk_site_name(s) : f.text);
	bulk_site_free(s);
	loop_free(loop);
	return name;
}

START_TEST(a_url_may_name_its_project)
{
	ck_assert_str_eq(site("http://h:1", "a b/ü"), "http://h:1/api/projects/a%20b%2F%C3%BC");
	ck_assert_str_eq(site("http://h:1/", "p"), "http://h:1/api/projects/p");
	ck_assert_str_eq(site("https://h/base/", "p"), "https://h/base/api/projects/p");
	ck_assert_str_eq(site("http://h:1/api/projects/q", "p"), "http://h:1/api/projects/q");
	ck_assert_str_eq(site("http://h:1/x/api/projects/q%20/", NULL), "http://h:1/x/api/projects/q%20");
	ck_assert_str_eq(site("http://h:1/api/projects/q/personas", NULL), "http://h:1/api/projects/q");
	ck_assert_str_eq(site("http://h:1", NULL), "--project says which project of http://h:1 is meant");
	ck_assert_ptr_nonnull(strstr(site("http://h:1/api/projects/", NULL), "does not end behind a project"));
	ck_assert_ptr_nonnull(strstr(site("http://h:1/api/projects/q/images", NULL), "does not end behind"));
	ck_assert_ptr_nonnull(strstr(site("http://h:1/api/projects/q?x", NULL), "does not end behind"));
	/* what may be a password or a token is not repeated */
	ck_assert_ptr_null(strstr(site("http://h:1/api/projects/q?key=geheim", NULL), "geheim"));
	ck_assert_ptr_null(strstr(site("http://me:geheim@h:1/api/projects/q/x", NULL), "geheim"));
	ck_assert_ptr_null(strstr(site("http://me:geheim@h:1", NULL), "geheim"));
	for (int i = 0; i < 3; i++) {
		static const char *const urls[] = {"http://u:secret@h:1", "http://u:secret@h/x/api/projects/q/z",
		    "https://secret@h/api/projects/q"};

		ck_assert_ptr_nonnull(strstr(site(urls[i], NULL), "a URL may not hold a user"));
		ck_assert_ptr_null(strstr(site(urls[i], NULL), "secret"));
	}
	ck_assert_str_eq(site("http://h/a@b", "p"), "http://h/a@b/api/projects/p");
	ck_assert(bulk_site_is_url("HTTP://x"));
	ck_assert(!bulk_site_is_url("http.jsonl"));
}
END_TEST

/* The suite. */
Suite *
file_suite(void)
{
	const TTest *const tests[] = {an_export_has_a_persona_on_each_line,
	    an_export_that_fails_leaves_the_old_file, a_full_disk_leaves_the_old_file,
	    a_url_may_name_its_project, NULL};

	return unit_suite("files and sites", tests);
}
