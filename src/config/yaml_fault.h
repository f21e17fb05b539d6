#ifndef CONFIG_YAML_FAULT_H
#define CONFIG_YAML_FAULT_H

#include "config/diag.h"
#include "config/yaml_place.h"

#include <yaml.h>

/* Notes why yaml_parser_parse() failed, in words that say what to write. */
void yaml_fault_note(const yaml_parser_t *, struct yaml_place *, const char *file,
    struct diag_list *);

#endif
