#ifndef CONFIG_KEEP_H
#define CONFIG_KEEP_H

#include "config/config_keys.h"
#include "config/config_values.h"

/*
 * A file is loaded again while the program runs. Keys that take effect at a start only
 * (config_keys.h: restart) keep the values with which it runs, so that the struct says
 * what is in force.
 */

/* Called for each key that has another value in the new file; `at` is where the file
 * says so, or NULL. */
typedef void (*config_keep_fn)(void *arg, const struct config_key *, const struct yaml_node *at);

/* Gives such keys of `now` the values of `running`. */
void config_keep(struct config *now, const struct config *running, config_keep_fn, void *arg);

/* Notes, where a key is another one, which it was before: calls fall back to that one while
 * the new one is refused. Of several that followed each other it is the last one that is
 * known to have worked, as `worked` tells; without any, the one just before. */
typedef bool (*config_worked_fn)(void *arg, const char *key);
void config_keep_keys(struct config *now, const struct config *running, config_worked_fn worked,
    void *arg);

#endif
