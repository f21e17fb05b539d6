#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "config/config_values.h"
#include "config/diag.h"

#include <stdbool.h>

/* What keys must be together. `config` is walked and has its document. */
struct config_rules {
	struct config *config;
	struct diag_list *diags;
	const char *file; /* for mistakes without a place */
	bool sandbox;
	const char *listen_from, *admin_from; /* what else than the file has the say; NULL: nothing */
};

/* Notes what contradicts itself, and fits defaults to what was given: a connect
 * or first-byte time that was left out is never longer than the total. */
void config_rules_check(struct config_rules *);

/* The same for addresses that a running program keeps although the file has others: one
 * that other machines can reach needs its clients still. */
void config_rules_kept(struct config *, struct diag_list *);

#endif
