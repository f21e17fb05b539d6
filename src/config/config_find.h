#ifndef CONFIG_FIND_H
#define CONFIG_FIND_H

#include "config/config_values.h"

/*
 * Projects of a file by their id or agent, however many there are: a search among
 * pointers that are sorted once, when the file has been read.
 */

/* Sorts; when all projects are there, and no more once they do not move any more. */
void config_find_prepare(struct config *);

/* The entry of this very id ("*" is one too); NULL when there is none. */
const struct config_project *config_find_project(const struct config *, const char *id);

/* The first of the file with an agent, or the one that follows another in the file; NULL: no
 * more. */
const struct config_project *config_find_agent(const struct config *, int64_t agent_id);
const struct config_project *config_find_agent_next(const struct config *,
    const struct config_project *);

#endif
