#ifndef STORE_COPY_TABLE_H
#define STORE_COPY_TABLE_H

#include "base/digest.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What a copy of a store is made of: tables that both engines have, row by row, every value
 * as text.
 */
enum copy_type { COPY_TEXT, COPY_INT, COPY_BOOL };

#define COPY_COLUMNS_MAX 20

struct copy_column {
	const char *name;
	enum copy_type type;
};

struct copy_table {
	const char *what;             /* for people */
	const char *sqlite, *postgres; /* names */
	struct copy_column columns[COPY_COLUMNS_MAX + 1]; /* ends with a name of NULL */
	const char *where;            /* which rows; NULL: all */
	const char *more, *more_values; /* columns that PostgreSQL has besides, and their values; or NULL */
	bool counted;                 /* its rows are numbered by the engine, in "seq" */
};

/* Ends with one without a name. Images come without their bytes. */
extern const struct copy_table copy_tables[];
/* The one of images. */
const struct copy_table *copy_table_images(void);

unsigned copy_table_width(const struct copy_table *);
/* The place of a column, which must be there. */
unsigned copy_table_column(const struct copy_table *, const char *name);

/* A value; text NULL: none. */
struct copy_value {
	const char *text;
	size_t len;
};

/* The digest of rows whatever their order: what SHA-256 gives for each is added up. */
struct copy_sum {
	uint64_t rows;
	unsigned char sum[32];
};
void copy_sum_add(struct copy_sum *, const struct copy_value *, unsigned width);
void copy_sum_hex(const struct copy_sum *, char out[DIGEST_HEX_SIZE]);

#endif
