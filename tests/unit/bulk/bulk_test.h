#ifndef BULK_TEST_H
#define BULK_TEST_H

#include <check.h>
#include <stddef.h>

Suite *reader_suite(void);
Suite *plan_suite(void);
Suite *journal_suite(void);
Suite *progress_suite(void);
Suite *file_suite(void);
Suite *send_suite(void);

/* A file without a name that holds this text, at its beginning. */
int text_file(const char *text, size_t len);

/* A path in a folder that is removed at the end of the test (static, four at a time). */
const char *scratch_path(const char *name);
void scratch_remove(void);

/* What a file holds (static). */
const char *file_text(const char *path);

#endif
