#ifndef CONFIG_TEST_H
#define CONFIG_TEST_H

#include "config/diag.h"
#include "config/yaml_node.h"
#include "unit.h"

/* A yaml_env_fn over a NULL-terminated list of names and values (arg). */
const char *test_env(void *arg, const char *name);

/* All entries, sorted, one a line; the caller frees. */
char *test_lines(struct diag_list *);

/* Compares the entries with the lines given and empties the list. */
void test_expect(struct diag_list *, const char *lines);

Suite *diag_suite(void);
Suite *yaml_node_suite(void);

#endif
