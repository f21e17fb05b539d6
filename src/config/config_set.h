#ifndef CONFIG_SET_H
#define CONFIG_SET_H

#include "config/config_keys.h"
#include "config/diag.h"
#include "config/yaml_node.h"

#include "base/fail.h"

/* Puts one value into a struct config (or config_project): the key says where
 * and how. Values that were there before are freed. */

/* The default; nothing for keys without one. `file` is what paths are relative to. */
void config_set_default(const struct config_key *, void *base, const char *file);

/* A node of the file. `name` is the key as the user would say it. Mistakes go to
 * the list and make the node broken; the old value then stays. */
void config_set_node(const struct config_key *, void *base, struct yaml_node *, const char *name,
    struct diag_list *);

/* One text that no file holds, such as an option. Paths stay as they are. -1
 * with a sentence that continues after the key's name. */
int config_set_text(const struct config_key *, void *base, const char *text, struct fail *);

/* Notes a mistake at a node, and that the node is broken. */
void config_set_refuse(struct yaml_node *, struct diag_list *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
