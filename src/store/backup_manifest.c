#include "config.h"

#include "store/backup_manifest.h"
#include "base/mem.h"
#include "store/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKUP_MANIFEST_FIRST "# persona-gateway backup 1"
#define BACKUP_MANIFEST_MADE "# made "
#define BACKUP_MANIFEST_FILES "# files "
#define BACKUP_MANIFEST_HEX 64

/* Adds a file. */
void
backup_manifest_add(struct backup_manifest *m, const char *name, const char digest[DIGEST_HEX_SIZE])
{
	/* the room doubles whenever it is full, which is at powers of two */
	if ((m->count & (m->count - 1)) == 0)
		m->entries = mem_resize(m->entries,
		    (m->count == 0 ? 1 : 2 * m->count) * sizeof *m->entries);
	m->entries[m->count].name = mem_string(name);
	memcpy(m->entries[m->count].digest, digest, DIGEST_HEX_SIZE);
	m->count++;
}

/* Prints it. */
static bool
backup_manifest_print(const struct backup_manifest *m, FILE *out, const char *program, int64_t schema)
{
	fprintf(out, BACKUP_MANIFEST_FIRST "\n" BACKUP_MANIFEST_MADE "%s\n# by %s\n# schema %lld\n"
	    BACKUP_MANIFEST_FILES "%zu\n", m->made, program, (long long)schema, m->count);
	for (size_t i = 0; i < m->count; i++)
		fprintf(out, "%s  %s\n", m->entries[i].digest, m->entries[i].name);
	return fflush(out) == 0 && fsync(fileno(out)) == 0;
}

/* Writes it. */
int
backup_manifest_write(const struct backup_manifest *m, const char *folder, const char *program,
    int64_t schema, struct fail *f)
{
	char *path = mem_format("%s/" BACKUP_MANIFEST, folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	int rc = out != NULL && backup_manifest_print(m, out, program, schema) ? 0 : -1;

	if (rc < 0)
		fail_set(f, "%s cannot be written: %s", path, strerror(errno));
	if (out != NULL && fclose(out) != 0 && rc == 0)
		rc = fail_set(f, "%s cannot be written: %s", path, strerror(errno));
	free(path);
	return rc;
}

/* Whether a backup can have a file of that name. Nothing leads out of its folder. */
static bool
backup_manifest_name_ok(const char *name, const char *journal)
{
	static const char images[] = BACKUP_IMAGES "/";

	if (strncmp(name, images, sizeof images - 1) == 0)
		return image_file_name_ok(name + sizeof images - 1);
	return strcmp(name, BACKUP_DATABASE) == 0 || (journal != NULL && strcmp(name, journal) == 0);
}

/* Reads the line of a file. */
static bool
backup_manifest_take(struct backup_manifest *m, char *line, const char *journal)
{
	char *name = line + BACKUP_MANIFEST_HEX + 2;

	if (strspn(line, "0123456789abcdef") != BACKUP_MANIFEST_HEX ||
	    strncmp(line + BACKUP_MANIFEST_HEX, "  ", 2) != 0 || !backup_manifest_name_ok(name, journal))
		return false;
	line[BACKUP_MANIFEST_HEX] = '\0';
	backup_manifest_add(m, name, line);
	return true;
}

/* In the order of names. */
static int
backup_manifest_compare(const void *a, const void *b)
{
	return strcmp(((const struct backup_entry *)a)->name, ((const struct backup_entry *)b)->name);
}

/* Finds a file of a manifest that was read. */
const char *
backup_manifest_find(const struct backup_manifest *m, const char *name)
{
	const struct backup_entry wanted = {.name = (char *)(uintptr_t)name};
	const struct backup_entry *e = m->count == 0 ? NULL
	    : bsearch(&wanted, m->entries, m->count, sizeof wanted, backup_manifest_compare);

	return e != NULL ? e->digest : NULL;
}

/* Reads its lines; false when one cannot be, or some are missing. */
static bool
backup_manifest_parse(struct backup_manifest *m, FILE *in, const char *journal)
{
	char *line = NULL;
	size_t size = 0, files = 0;
	ssize_t len;
	bool good = true, first = true;

	while (good && (len = getline(&line, &size, in)) > 0) {
		good = line[len - 1] == '\n' && strlen(line) == (size_t)len;
		line[len - 1] = '\0';
		if (first)
			good = good && strcmp(line, BACKUP_MANIFEST_FIRST) == 0;
		else if (strncmp(line, BACKUP_MANIFEST_MADE, strlen(BACKUP_MANIFEST_MADE)) == 0)
			snprintf(m->made, sizeof m->made, "%s", line + strlen(BACKUP_MANIFEST_MADE));
		else if (strncmp(line, BACKUP_MANIFEST_FILES, strlen(BACKUP_MANIFEST_FILES)) == 0)
			files = strtoul(line + strlen(BACKUP_MANIFEST_FILES), NULL, 10);
		else if (line[0] != '#')
			good = good && backup_manifest_take(m, line, journal);
		first = false;
	}
	free(line);
	if (m->count > 0)
		qsort(m->entries, m->count, sizeof *m->entries, backup_manifest_compare);
	return good && !ferror(in) && files == m->count && backup_manifest_find(m, BACKUP_DATABASE) != NULL;
}

/* Reads it. */
int
backup_manifest_read(struct backup_manifest *m, const char *folder, const char *journal,
    struct fail *f)
{
	char *path = mem_format("%s/" BACKUP_MANIFEST, folder);
	FILE *in = fopen(path, "re");
	int rc = 0;

	memset(m, 0, sizeof *m);
	if (in == NULL && errno == ENOENT)
		rc = fail_set(f, "%s is not a backup: it has no " BACKUP_MANIFEST, folder);
	else if (in == NULL)
		rc = fail_set(f, "%s cannot be read: %s", path, strerror(errno));
	else if (!backup_manifest_parse(m, in, journal))
		rc = fail_set(f, "%s is damaged, or was written by another program", path);
	if (in != NULL)
		fclose(in);
	free(path);
	return rc;
}

/* Frees. */
void
backup_manifest_clear(struct backup_manifest *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->entries[i].name);
	free(m->entries);
	memset(m, 0, sizeof *m);
}
