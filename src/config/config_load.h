#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config_values.h"
#include "config/diag.h"
#include "config/yaml_node.h"

#include <stdbool.h>

struct config_source {
	const char *file; /* NULL: defaults only */
	const char *text; /* of the file, in place of reading it; NULL: it is read */
	size_t text_len;
	bool sandbox;     /* it takes the place of bluejay.url and all keys: none is required */
	yaml_env_fn env;  /* NULL: getenv */
	void *env_arg;

	/* Options of the command line: they win over the file and obey the same
	 * rules; mistakes name the option. NULL: not given. */
	const char *listen, *admin_listen, *data_dir;

	/* Addresses of sockets that are open already: they win over the options and the
	 * file, and obey the same rules. The list ends with NULL. NULL: none are open. */
	const char *const *sockets;
	const char *admin_socket;

	/* Called once with the document (NULL: no file), before config_load()
	 * returns, also when other parts of the file are wrong: so that mistakes of
	 * the mapping come in the same run. Not called when the section "mapping"
	 * could not be read; other sections may hold what is not sound. May be NULL. */
	void (*mapping)(void *arg, const struct yaml_node *document, struct diag_list *);
	void *mapping_arg;
};

/* Loads and checks everything but the mapping. NULL when there was any error
 * in the list that was not there before; all of them are in the list, warnings
 * too, unsorted. The caller frees with config_free(), which wipes keys. With the
 * sandbox the key is "sandbox", and url is what the file says. */
struct config *config_load(const struct config_source *, struct diag_list *);
void config_free(struct config *);

/* Wipes what is secret, and the file's text; the rest stays, for what is explained later. */
void config_forget_keys(struct config *);

#endif
