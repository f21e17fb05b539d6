#ifndef CONFIG_YAML_TAKE_H
#define CONFIG_YAML_TAKE_H

#include "config/diag.h"
#include "config/yaml_node.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Takes parts out of a map that someone declares, each with its form; what is
 * wrong is added with its place. What came from the environment is never repeated
 * in a message.
 */

/* The place of a node, as diag_add() takes it. */
#define YAML_AT(node) (node)->file, (node)->line, (node)->column

/* Adds a mistake for each key that is none of the words; false when there was one. */
bool yaml_take_keys(const struct yaml_node *map, const char *const *words, size_t count,
    struct diag_list *);

/* Adds `unknown what "text"; did you mean "word"?`, or all words. */
void yaml_take_unknown(const struct yaml_node *at, const char *what, const char *const *words,
    size_t count, struct diag_list *);

/* The word that a scalar is; `count` with a mistake when it is none. */
size_t yaml_take_word(const struct yaml_node *, const char *what, const char *const *words,
    size_t count, struct diag_list *);

/* The text of a key's scalar, which belongs to the node; NULL without one, or with a
 * mistake when it is empty or none. */
const char *yaml_take_text(const struct yaml_node *map, const char *key, struct diag_list *);

/* A key's true or false; false without one, or with a mistake. */
bool yaml_take_flag(const struct yaml_node *map, const char *key, struct diag_list *);

/* The map of a key; NULL without one, or with a mistake that says what it should be. */
const struct yaml_node *yaml_take_map(const struct yaml_node *map, const char *key,
    const char *form, struct diag_list *);

#endif
