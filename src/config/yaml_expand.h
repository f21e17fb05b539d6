#ifndef CONFIG_YAML_EXPAND_H
#define CONFIG_YAML_EXPAND_H

#include "base/buf.h"
#include "config/yaml_node.h"

/*
 * Puts the environment's values into one scalar: ${NAME}, ${NAME:-default},
 * $$ for a dollar; ${project.…} and a dollar before anything else stay. What
 * came out is not looked at again.
 */
struct yaml_expand {
	yaml_env_fn env;
	void *env_arg;
	/* Called for every mistake; `dollar` is the number of the reference's
	 * dollar among all dollars of the text, from 0. */
	void (*mistake)(void *arg, size_t dollar, const char *sentence);
	void *mistake_arg;
};

/* Whether yaml_expand() would change or refuse anything. */
bool yaml_expand_needed(const char *text);

/* False when there was any mistake. *expanded tells whether a reference was
 * replaced. `out` may also have become full. */
bool yaml_expand(const struct yaml_expand *, const char *text, struct buf *out, bool *expanded);

#endif
