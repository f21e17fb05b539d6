#include "config.h"

#include "base/mem.h"
#include "store/copy_side.h"
#include "store/store_copy.h"

#include <stdlib.h>
#include <string.h>

#define COPY_TELL_ROWS 64 /* rows between two words on how far it is */

/* One copy. */
struct store_copy {
	const struct store_copy_options *o;
	struct copy_side *from, *to;
	struct store_copied *copied;
	uint64_t done, total; /* rows and images, read and read back */
	/* of the table at hand */
	const struct copy_table *table;
	bool writes;
	struct copy_sum sum;
	struct copy_value *images; /* rows of images, with their own texts */
	size_t image_count;
};

/* Says how far it is; -1 when it is to stop. */
static int
store_copy_tell(const struct store_copy *c, const char *what, struct fail *f)
{
	if (c->o->step == NULL || c->o->step(c->o->arg, what, c->done, c->total))
		return 0;
	return fail_set(f, "stopped: nothing was changed");
}

/* ---- rows ---- */

/* Keeps an image's row for when its bytes' turn comes. */
static void
store_copy_keep(struct store_copy *c, const struct copy_value *values, unsigned width)
{
	struct copy_value *row;

	c->images = mem_resize(c->images, (c->image_count + 1) * width * sizeof *c->images);
	row = c->images + c->image_count++ * width;
	for (unsigned i = 0; i < width; i++) {
		row[i].len = values[i].len;
		row[i].text = values[i].text == NULL ? NULL : mem_copy(values[i].text, values[i].len);
	}
}

/* Forgets the images' rows. */
static void
store_copy_forget(struct store_copy *c)
{
	for (size_t i = 0; i < c->image_count * copy_table_width(copy_table_images()); i++)
		free((char *)(uintptr_t)c->images[i].text);
	free(c->images);
	c->images = NULL;
	c->image_count = 0;
}

/* A row was read. */
static int
store_copy_row(void *arg, const struct copy_value *values, struct fail *f)
{
	struct store_copy *c = arg;
	unsigned width = copy_table_width(c->table);

	copy_sum_add(&c->sum, values, width);
	if (c->table == copy_table_images())
		store_copy_keep(c, values, width);
	if (c->writes && c->to->write(c->to, c->table, values, f) < 0)
		return -1;
	if (++c->done % COPY_TELL_ROWS == 0)
		return store_copy_tell(c, c->writes ? "copying" : "comparing", f);
	return 0;
}

/* Reads a table of one side, and writes it to the other or not. */
static int
store_copy_table(struct store_copy *c, const struct copy_table *t, bool writes, struct fail *f)
{
	struct copy_side *from = writes ? c->from : c->to;
	int rc = 0;

	c->table = t;
	c->writes = writes;
	memset(&c->sum, 0, sizeof c->sum);
	store_copy_forget(c);
	if (writes)
		rc = c->to->begin(c->to, t, f);
	if (rc == 0)
		rc = from->read(from, t, store_copy_row, c, f);
	if (rc == 0 && writes)
		rc = c->to->end(c->to, t, f);
	return rc;
}

/* ---- bytes ---- */

/* Reads an image's bytes, which must be those that were stored; the caller frees. */
static int
store_copy_bytes(struct copy_side *from, const struct copy_value *row, char **bytes, size_t *len,
    struct fail *f)
{
	const struct copy_table *t = copy_table_images();
	const struct copy_value *want = &row[copy_table_column(t, "digest")];
	char digest[DIGEST_HEX_SIZE];

	if (from->read_image(from, row, bytes, len, f) < 0)
		return -1;
	digest_hex(*bytes, *len, digest);
	if (want->len == strlen(digest) && memcmp(want->text, digest, want->len) == 0)
		return 0;
	free(*bytes);
	*bytes = NULL;
	return fail_set(f, "image %s in %s is not what was stored", row[copy_table_column(t, "id")].text,
	    from->where);
}

/* Copies the bytes of all images whose rows were kept, or compares them. */
static int
store_copy_images(struct store_copy *c, bool writes, struct fail *f)
{
	unsigned width = copy_table_width(copy_table_images());
	int rc = 0;

	for (size_t i = 0; i < c->image_count && rc == 0; i++) {
		const struct copy_value *row = c->images + i * width;
		char *bytes = NULL;
		size_t len = 0;

		rc = store_copy_bytes(writes ? c->from : c->to, row, &bytes, &len, f);
		if (rc == 0 && writes) {
			rc = c->to->write_image(c->to, row, bytes, len, f);
			c->copied->image_bytes += len;
		}
		free(bytes);
		c->done++;
		if (rc == 0)
			rc = store_copy_tell(c, writes ? "copying" : "comparing", f);
	}
	return rc;
}

/* ---- all of it ---- */

/* Counts what is to be done. */
static int
store_copy_count(struct store_copy *c, struct fail *f)
{
	for (const struct copy_table *t = copy_tables; t->what != NULL; t++) {
		uint64_t rows = 0;

		if (c->from->count(c->from, t, &rows, f) < 0)
			return -1;
		c->total += 2 * rows * (t == copy_table_images() ? 2 : 1); /* and read back */
	}
	return store_copy_tell(c, "copying", f);
}

/* Copies a table. */
static int
store_copy_forth(struct store_copy *c, const struct copy_table *t, unsigned n, struct fail *f)
{
	if (store_copy_table(c, t, true, f) < 0)
		return -1;
	c->copied->tables[n].what = t->what;
	c->copied->tables[n].count = c->sum.rows;
	copy_sum_hex(&c->sum, c->copied->tables[n].digest);
	return t == copy_table_images() ? store_copy_images(c, true, f) : 0;
}

/* Reads a table back and compares. */
static int
store_copy_back(struct store_copy *c, const struct copy_table *t, unsigned n, struct fail *f)
{
	char digest[DIGEST_HEX_SIZE];

	if (store_copy_table(c, t, false, f) < 0)
		return -1;
	copy_sum_hex(&c->sum, digest);
	if (c->sum.rows != c->copied->tables[n].count || strcmp(digest, c->copied->tables[n].digest) != 0)
		return fail_set(f, "%s came out otherwise in %s: %llu of %llu, digest %s in place of %s; "
		    "nothing was changed", t->what, c->to->where, (unsigned long long)c->sum.rows,
		    (unsigned long long)c->copied->tables[n].count, digest, c->copied->tables[n].digest);
	return t == copy_table_images() ? store_copy_images(c, false, f) : 0;
}

/* Copies what stands beside the store, if it is there. */
static int
store_copy_journal(struct store_copy *c, struct fail *f)
{
	struct backup_meter meter = {.step = c->o->step, .arg = c->o->arg, .what = "journal"};
	char *path;
	int rc = 0;

	if (c->o->journal == NULL || c->from->folder == NULL)
		return 0;
	path = mem_format("%s/%s", c->from->folder, c->o->journal);
	meter.total = backup_file_size(path);
	if (backup_file_exists(path) && c->to->take == NULL)
		c->copied->journal_left = true;
	else if (backup_file_exists(path))
		rc = c->to->take(c->to, path, c->o->journal, &meter, f);
	free(path);
	return rc;
}

/* Does it with both sides open. */
static int
store_copy_run(struct store_copy *c, struct fail *f)
{
	int rc = store_copy_journal(c, f);

	if (rc == 0)
		rc = store_copy_count(c, f);
	for (unsigned n = 0; copy_tables[n].what != NULL && rc == 0; n++)
		rc = store_copy_forth(c, &copy_tables[n], n, f);
	for (unsigned n = 0; copy_tables[n].what != NULL && rc == 0; n++)
		rc = store_copy_back(c, &copy_tables[n], n, f);
	if (rc == 0)
		rc = store_copy_tell(c, "comparing", f);
	return rc == 0 ? c->to->finish(c->to, f) : rc;
}

/* Opens a store by what names it. */
static struct copy_side *
store_copy_open(const char *spec, bool writes, struct fail *f)
{
	if (strncmp(spec, "sqlite:", 7) == 0 && spec[7] != '\0')
		return copy_sqlite_open(spec + 7, writes, f);
	if (strncmp(spec, "postgresql://", 13) == 0 || strncmp(spec, "postgres://", 11) == 0)
		return copy_postgres_open(spec, writes, f);
	fail_set(f, "a store is named sqlite:FOLDER or postgresql://USER@HOST/DATABASE");
	return NULL;
}

/* Moves a store. */
int
store_copy(const struct store_copy_options *o, struct store_copied *copied, struct fail *f)
{
	struct store_copy c = {.o = o, .copied = copied};
	int rc = -1;

	memset(copied, 0, sizeof *copied);
	c.from = store_copy_open(o->from, false, f);
	if (c.from != NULL)
		c.to = store_copy_open(o->to, true, f);
	if (c.to != NULL)
		rc = store_copy_run(&c, f);
	store_copy_forget(&c);
	if (c.to != NULL)
		c.to->close(c.to);
	if (c.from != NULL)
		c.from->close(c.from);
	return rc;
}
