#include "config.h"

#include "store/copy_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Nobody's intents: the first gateway that looks takes them. */
#define COPY_NOBODY "00000000-0000-0000-0000-000000000000"

/* In an order in which each may refer to those before it. */
const struct copy_table copy_tables[] = {
    {.what = "binding", .sqlite = "meta", .postgres = "meta",
        .columns = {{"name", COPY_TEXT}, {"value", COPY_TEXT}}, .where = "name = 'binding'"},
    {.what = "personas", .sqlite = "persona", .postgres = "persona", .counted = true,
        .columns = {{"seq", COPY_INT}, {"scope", COPY_TEXT}, {"local_id", COPY_TEXT},
            {"upstream_id", COPY_TEXT}, {"name", COPY_TEXT}, {"created_ms", COPY_INT},
            {"updated_ms", COPY_INT}, {"content_ms", COPY_INT}, {"adopted", COPY_BOOL},
            {"unclaimed", COPY_BOOL}, {"version", COPY_INT}, {"hidden_ms", COPY_INT},
            {"fingerprint", COPY_TEXT}, {"kept", COPY_TEXT}, {"absent", COPY_TEXT},
            {"content", COPY_TEXT}}},
    {.what = "unsettled writes", .sqlite = "intent", .postgres = "intent", .counted = true,
        .columns = {{"seq", COPY_INT}, {"id", COPY_TEXT}, {"operation", COPY_INT},
            {"state", COPY_INT}, {"scope", COPY_TEXT}, {"project", COPY_TEXT},
            {"local_id", COPY_TEXT}, {"upstream_id", COPY_TEXT}, {"name", COPY_TEXT},
            {"fingerprint", COPY_TEXT}, {"sent", COPY_TEXT}, {"kept", COPY_TEXT},
            {"absent", COPY_TEXT}, {"created_ms", COPY_INT}, {"touched_ms", COPY_INT},
            {"key", COPY_TEXT}, {"key_hash", COPY_TEXT}},
        .more = ", member, fence", .more_values = "\t" COPY_NOBODY "\t1"},
    {.what = "held names", .sqlite = "name", .postgres = "hold",
        .columns = {{"scope", COPY_TEXT}, {"name", COPY_TEXT}, {"persona", COPY_INT},
            {"intent", COPY_INT}}},
    {.what = "idempotency keys", .sqlite = "key", .postgres = "key",
        .columns = {{"key", COPY_TEXT}, {"hash", COPY_TEXT}, {"intent", COPY_INT},
            {"expires_ms", COPY_INT}, {"answer", COPY_TEXT}}},
    {.what = "tombstones", .sqlite = "tombstone", .postgres = "tombstone",
        .columns = {{"scope", COPY_TEXT}, {"upstream_id", COPY_TEXT}, {"deleted_ms", COPY_INT},
            {"version", COPY_INT}}},
    {.what = "listings", .sqlite = "listing", .postgres = "listing",
        .columns = {{"scope", COPY_TEXT}, {"listed_ms", COPY_INT}}},
    {.what = "twins", .sqlite = "twin", .postgres = "twin", .counted = true,
        .columns = {{"seq", COPY_INT}, {"project", COPY_TEXT}, {"twin_id", COPY_TEXT},
            {"scope", COPY_TEXT}, {"local_id", COPY_TEXT}, {"name", COPY_TEXT},
            {"digest", COPY_TEXT}, {"since_ms", COPY_INT}, {"found", COPY_BOOL},
            {"updated_ms", COPY_INT}}},
    {.what = "images", .sqlite = "image", .postgres = "image", .counted = true,
        .columns = {{"seq", COPY_INT}, {"project", COPY_TEXT}, {"id", COPY_TEXT},
            {"role", COPY_TEXT}, {"type", COPY_TEXT}, {"filename", COPY_TEXT},
            {"maker", COPY_TEXT}, {"digest", COPY_TEXT}, {"size", COPY_INT},
            {"created_ms", COPY_INT}}},
    {.what = NULL},
};

/* The last one. */
const struct copy_table *
copy_table_images(void)
{
	return &copy_tables[sizeof copy_tables / sizeof *copy_tables - 2];
}

/* How many columns a table has. */
unsigned
copy_table_width(const struct copy_table *t)
{
	unsigned n = 0;

	while (t->columns[n].name != NULL)
		n++;
	return n;
}

/* Finds a column. */
unsigned
copy_table_column(const struct copy_table *t, const char *name)
{
	unsigned n = 0;

	while (strcmp(t->columns[n].name, name) != 0)
		n++;
	return n;
}

/* Adds a row. Each value is written with its length, none with a sign of its own. */
void
copy_sum_add(struct copy_sum *s, const struct copy_value *values, unsigned width)
{
	struct digest *d = digest_begin();
	unsigned char md[DIGEST_SIZE];
	char head[32];
	unsigned carry = 0;

	for (unsigned i = 0; i < width; i++) {
		const struct copy_value *v = &values[i];

		snprintf(head, sizeof head, v->text != NULL ? "%zu:" : "-", v->len);
		digest_add(d, head, strlen(head));
		if (v->text != NULL)
			digest_add(d, v->text, v->len);
	}
	digest_end_raw(d, md);
	s->rows++;
	for (int i = DIGEST_SIZE - 1; i >= 0; i--) {
		carry += (unsigned)s->sum[i] + md[i];
		s->sum[i] = (unsigned char)carry;
		carry >>= 8;
	}
}

/* Writes it as text. */
void
copy_sum_hex(const struct copy_sum *s, char out[DIGEST_HEX_SIZE])
{
	digest_print(s->sum, DIGEST_SIZE, out);
}
