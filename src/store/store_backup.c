#include "config.h"

#include "store/store_backup.h"
#include "base/mem.h"
#include "store/backup_file.h"
#include "store/backup_manifest.h"
#include "store/sqlite_backup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A copy as it is made. */
struct store_backup {
	const struct store_backup_options *o;
	struct backup_meter meter;
	struct backup_folder folder;
	struct backup_manifest manifest;
	sqlite3 *live; /* the store that is copied */
	char **gone;   /* images whose files were deleted after the database was copied */
	size_t gone_count;
};

/* Frees what is known of a store. */
void
store_facts_clear(struct store_facts *facts)
{
	free(facts->binding);
	free(facts->replaced);
	memset(facts, 0, sizeof *facts);
}

/* Finds out how much there is, and whether there is room for it. The database is
 * written once and read once more. */
static int
store_backup_plan(struct store_backup *b, struct fail *f)
{
	char *journal = mem_format("%s/%s", b->o->from, b->o->journal);
	uint64_t database = sqlite_backup_size(b->live), files = backup_file_size(journal);

	free(journal);
	files += sqlite_backup_images_size(b->live);
	b->meter.total = 2 * database + files;
	return backup_file_room(b->folder.parent, database + files, f);
}

/* An image's file is not there: was the image deleted after the database was copied?
 * Rows go before files, so then its row is gone as well. */
static int
store_backup_missed(struct store_backup *b, const struct store_image *i, struct fail *f)
{
	int there = sqlite_backup_has_image(b->live, b->o->from, i->id, f);

	if (there < 0)
		return -1;
	if (there == 1)
		return fail_set(f, "the store in %s is damaged: the file of image %s of project %s is "
		    "missing; delete that image, or put its file back", b->o->from, i->id, i->project);
	b->gone = mem_resize(b->gone, (b->gone_count + 1) * sizeof *b->gone);
	b->gone[b->gone_count++] = mem_string(i->id);
	return 0;
}

/* Copies the file of an image, if it has one. */
static int
store_backup_image(void *arg, const struct store_image *i, const void *bytes, struct fail *f)
{
	struct store_backup *b = arg;
	char *name, *from, *to, digest[DIGEST_HEX_SIZE];
	int rc;

	if (bytes != NULL)
		return 0;
	name = mem_format(BACKUP_IMAGES "/%s", i->id);
	from = mem_format("%s/%s", b->o->from, name);
	to = mem_format("%s/%s", b->folder.partial, name);
	if (!backup_file_exists(from)) {
		rc = store_backup_missed(b, i, f);
	} else if ((rc = backup_file_copy(from, to, false, &b->meter, digest, f)) < 0) {
		if (!backup_file_exists(from)) /* deleted between the two looks */
			rc = store_backup_missed(b, i, f);
	} else if (strcmp(digest, i->digest) != 0) {
		rc = fail_set(f, "the store in %s is damaged: the file of image %s of project %s is "
		    "not what was stored; delete that image, or put its file back", b->o->from, i->id,
		    i->project);
	} else {
		backup_manifest_add(&b->manifest, name, digest);
	}
	free(name);
	free(from);
	free(to);
	return rc;
}

/* Copies the files of all images that the copied database has. */
static int
store_backup_images(struct store_backup *b, struct fail *f)
{
	char *folder = mem_format("%s/" BACKUP_IMAGES, b->folder.partial);
	sqlite3 *copy = NULL;
	int64_t schema;
	int rc = mkdir(folder, 0700);

	b->meter.what = "images";
	if (rc < 0)
		fail_set(f, "%s cannot be made: %s", folder, strerror(errno));
	else if ((copy = sqlite_backup_open(b->folder.partial, &schema, f)) == NULL)
		rc = -1;
	else
		rc = sqlite_backup_images(copy, b->folder.partial, store_backup_image, b, f);
	sqlite3_close(copy);
	if (rc == 0)
		rc = backup_folder_sync(folder, f);
	if (rc == 0 && b->gone_count > 0)
		rc = sqlite_backup_adjust(b->folder.partial, b->gone, b->gone_count, false, f);
	free(folder);
	return rc;
}

/* Copies the journal, if there is one. It comes after the database, as Bluejay itself
 * goes on after a backup: what the store knows is in it. */
static int
store_backup_journal(struct store_backup *b, struct fail *f)
{
	char *from = mem_format("%s/%s", b->o->from, b->o->journal), digest[DIGEST_HEX_SIZE];
	char *to = mem_format("%s/%s", b->folder.partial, b->o->journal);
	int rc = 0;

	if (backup_file_exists(from)) {
		b->meter.what = "journal";
		rc = backup_file_copy(from, to, true, &b->meter, digest, f);
		if (rc == 0)
			backup_manifest_add(&b->manifest, b->o->journal, digest);
	}
	free(from);
	free(to);
	return rc;
}

/* Looks at the copied database, and takes its digest. */
static int
store_backup_seal(struct store_backup *b, struct store_facts *facts, struct fail *f)
{
	char *path = mem_format("%s/" BACKUP_DATABASE, b->folder.partial), digest[DIGEST_HEX_SIZE];
	sqlite3 *copy;
	int64_t schema;
	int rc = -1;

	b->meter.what = "check";
	copy = sqlite_backup_open(b->folder.partial, &schema, f);
	if (copy != NULL && sqlite_backup_check(copy, b->o->from, &b->meter, f) == 0 &&
	    sqlite_backup_facts(copy, b->o->from, facts, f) == 0)
		rc = 0;
	sqlite3_close(copy);
	if (rc == 0)
		rc = backup_file_digest(path, &b->meter, digest, f);
	if (rc == 0) {
		backup_manifest_add(&b->manifest, BACKUP_DATABASE, digest);
		facts->bytes = b->meter.done - backup_file_size(path);
		rc = backup_manifest_write(&b->manifest, b->folder.partial, b->o->program,
		    facts->schema, f);
	}
	free(path);
	return rc;
}

/* Fills the folder. */
static int
store_backup_fill(struct store_backup *b, struct store_facts *facts, struct fail *f)
{
	char *path = mem_format("%s/" BACKUP_DATABASE, b->folder.partial);
	int rc;

	timestamp_format(b->o->now_ms, b->manifest.made);
	memcpy(facts->made, b->manifest.made, sizeof facts->made);
	b->meter.what = "database";
	rc = sqlite_backup_copy(b->live, b->o->from, path, &b->meter, f);
	free(path);
	if (rc == 0)
		rc = store_backup_images(b, f);
	if (rc == 0)
		rc = store_backup_journal(b, f);
	if (rc == 0)
		rc = store_backup_seal(b, facts, f);
	return rc;
}

/* Makes a copy. */
int
store_backup_make(const struct store_backup_options *o, struct store_facts *facts, struct fail *f)
{
	struct store_backup b = {.o = o, .meter = {.step = o->step, .arg = o->arg}};
	int64_t schema;
	int rc = -1;

	memset(facts, 0, sizeof *facts);
	b.live = sqlite_backup_open(o->from, &schema, f);
	if (b.live != NULL && backup_folder_begin(&b.folder, o->to, o->journal, f) == 0) {
		if (store_backup_plan(&b, f) == 0 && store_backup_fill(&b, facts, f) == 0)
			rc = backup_folder_finish(&b.folder, f);
		else
			backup_folder_abandon(&b.folder);
	}
	sqlite3_close(b.live);
	backup_manifest_clear(&b.manifest);
	for (size_t i = 0; i < b.gone_count; i++)
		free(b.gone[i]);
	free(b.gone);
	if (rc < 0)
		store_facts_clear(facts);
	return rc;
}
