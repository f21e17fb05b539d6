#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "config/config_load.h"
#include "mapping/mapping.h"

#include <stdio.h>

/* Loads the configuration and compiles its mapping: what every command that
 * has a file does, so that all of them see the same mistakes. NULL when there
 * was an error, *mapping is then NULL too. The caller frees both; the source's
 * `mapping` members are set here. */
struct config *cli_load(const struct config_source *, struct mapping **mapping,
    struct diag_list *);

/* Writes every entry as a line, sorted by place. */
void cli_load_report(struct diag_list *, FILE *);

#endif
