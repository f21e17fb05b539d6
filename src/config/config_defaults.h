#ifndef CONFIG_DEFAULTS_H
#define CONFIG_DEFAULTS_H

#include "config/yaml_node.h"

#include <stddef.h>

/* The resources that the program declares itself: defaults.yaml, made part of it by
 * `src/embed` when it is built. */
extern const unsigned char defaults_yaml[];
extern const size_t defaults_yaml_len;

/* The same as a document, in which nothing is wrong. It is read once and lives as
 * long as the program. From any thread. */
const struct yaml_node *config_defaults(void);

#endif
