#ifndef CONFIG_TEST_H
#define CONFIG_TEST_H

#include "config/diag.h"
#include "config/yaml_node.h"
#include "unit.h"

/* A yaml_env_fn over a NULL-terminated list of names and values (arg). */
const char *test_env(void *arg, const char *name);

/* A fresh folder for one test, with a slash at its end; test_file() writes a
 * file into it and gives its path. Both belong to the helper. */
const char *test_folder(void);
const char *test_file(const char *name, const char *text);

/* A whole file of the source tree; the caller frees. */
char *test_source_file(const char *path);
/* The same of a path in the build folder. */
char *test_whole_file(const char *path);

/* All entries, sorted, one a line; the caller frees. */
char *test_lines(struct diag_list *);

/* Compares the entries with the lines given and empties the list. */
void test_expect(struct diag_list *, const char *lines);

Suite *diag_suite(void);
Suite *yaml_node_suite(void);
Suite *value_suite(void);
Suite *load_suite(void);
Suite *find_suite(void);
Suite *keep_suite(void);
Suite *rules_suite(void);
Suite *client_suite(void);
Suite *sample_suite(void);
Suite *tls_suite(void);

#endif
