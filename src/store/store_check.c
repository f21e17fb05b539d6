#include "config.h"

#include "base/mem.h"
#include "store/backup_file.h"
#include "store/backup_manifest.h"
#include "store/sqlite_backup.h"
#include "store/store_backup.h"

#include <stdlib.h>
#include <string.h>

/* A store, or a copy of one, that is looked at. */
struct store_look {
	const struct store_backup_options *o;
	const struct backup_manifest *manifest; /* NULL: a store, whose files are read */
	sqlite3 *now;                           /* a store as it is now; NULL for a copy */
	struct backup_meter meter;
};

/* Says what is wrong with an image. */
static int
store_look_bad(const struct store_look *l, const struct store_image *i, const char *what,
    struct fail *f)
{
	return fail_set(f, "the store in %s is damaged: image %s of project %s %s", l->o->from, i->id,
	    i->project, what);
}

/* Compares an image's bytes with what is written of them. */
static int
store_look_inline(struct store_look *l, const struct store_image *i, const void *bytes,
    struct fail *f)
{
	char digest[DIGEST_HEX_SIZE];

	digest_hex(bytes, (size_t)i->size, digest);
	return strcmp(digest, i->digest) == 0 ? 0 : store_look_bad(l, i, "is not what was stored", f);
}

/* Compares the file of a store's image. It may be deleted while this looks. */
static int
store_look_file(struct store_look *l, const struct store_image *i, struct fail *f)
{
	char *path = mem_format("%s/" BACKUP_IMAGES "/%s", l->o->from, i->id), digest[DIGEST_HEX_SIZE];
	int rc = backup_file_digest(path, &l->meter, digest, f), there;

	if (rc == 0 && strcmp(digest, i->digest) != 0) {
		rc = store_look_bad(l, i, "is not what was stored", f);
	} else if (rc < 0 && !backup_file_exists(path)) {
		there = sqlite_backup_has_image(l->now, l->o->from, i->id, f);
		rc = there == 0 ? 0 : there == 1 ? store_look_bad(l, i, "has lost its file", f) : -1;
	}
	free(path);
	return rc;
}

/* Looks at one image. */
static int
store_look_image(void *arg, const struct store_image *i, const void *bytes, struct fail *f)
{
	struct store_look *l = arg;
	const char *digest;
	char *name;

	if (bytes != NULL)
		return store_look_inline(l, i, bytes, f);
	if (l->manifest == NULL)
		return store_look_file(l, i, f);
	name = mem_format(BACKUP_IMAGES "/%s", i->id);
	digest = backup_manifest_find(l->manifest, name);
	free(name);
	if (digest == NULL || strcmp(digest, i->digest) != 0)
		return store_look_bad(l, i, digest == NULL ? "is not in it" : "is not what was stored", f);
	return 0;
}

/* Looks at the database and at all images. */
static int
store_look_database(struct store_look *l, struct store_facts *facts, struct fail *f)
{
	int64_t schema;
	sqlite3 *db = sqlite_backup_open(l->o->from, &schema, f);
	int rc = db == NULL ? -1 : 0;

	l->meter.what = "check";
	if (rc == 0)
		rc = sqlite_backup_check(db, l->o->from, &l->meter, f);
	if (rc == 0)
		rc = sqlite_backup_facts(db, l->o->from, facts, f);
	if (rc == 0)
		rc = sqlite_backup_images(db, l->o->from, store_look_image, l, f);
	sqlite3_close(db);
	return rc;
}

/* Compares every file of a copy with the manifest. */
static int
store_look_files(struct store_look *l, struct fail *f)
{
	char digest[DIGEST_HEX_SIZE], *path;
	int rc = 0;

	l->meter.what = "files";
	for (size_t i = 0; i < l->manifest->count && rc == 0; i++) {
		const struct backup_entry *e = &l->manifest->entries[i];

		path = mem_format("%s/%s", l->o->from, e->name);
		rc = backup_file_digest(path, &l->meter, digest, f);
		if (rc == 0 && strcmp(digest, e->digest) != 0)
			rc = fail_set(f, "the backup in %s is damaged: %s is not what was copied",
			    l->o->from, e->name);
		free(path);
	}
	return rc;
}

/* The bytes of all files of a copy. */
static uint64_t
store_look_bytes(const struct store_look *l)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < l->manifest->count; i++) {
		char *path = mem_format("%s/%s", l->o->from, l->manifest->entries[i].name);

		bytes += backup_file_size(path);
		free(path);
	}
	return bytes;
}

/* Checks a copy. */
int
store_backup_check(const struct store_backup_options *o, struct store_facts *facts, struct fail *f)
{
	struct backup_manifest manifest;
	struct store_look l = {.o = o, .manifest = &manifest, .meter = {.step = o->step, .arg = o->arg}};
	int rc;

	memset(facts, 0, sizeof *facts);
	rc = backup_manifest_read(&manifest, o->from, o->journal, f);
	if (rc == 0) {
		l.meter.total = facts->bytes = store_look_bytes(&l);
		memcpy(facts->made, manifest.made, sizeof facts->made);
		rc = store_look_files(&l, f);
	}
	if (rc == 0)
		rc = store_look_database(&l, facts, f);
	backup_manifest_clear(&manifest);
	if (rc < 0)
		store_facts_clear(facts);
	return rc;
}

/* Checks a store. */
int
store_check(const struct store_backup_options *o, struct store_facts *facts, struct fail *f)
{
	struct store_look l = {.o = o, .meter = {.step = o->step, .arg = o->arg}};
	int64_t schema;
	int rc = -1;

	memset(facts, 0, sizeof *facts);
	l.now = sqlite_backup_open(o->from, &schema, f);
	if (l.now != NULL) {
		l.meter.total = sqlite_backup_images_size(l.now);
		facts->bytes = l.meter.total + sqlite_backup_size(l.now);
		rc = store_look_database(&l, facts, f);
	}
	sqlite3_close(l.now);
	if (rc < 0)
		store_facts_clear(facts);
	return rc;
}
