#ifndef CONFIG_TLS_H
#define CONFIG_TLS_H

#include "config/config_values.h"
#include "config/diag.h"

/* The section `tls`: the files are read and become config->tls.context. */

/* Reads certificate and key, notes what is wrong with them, and writes https:// before each
 * address that is to speak TLS: those of `listen` except local sockets, and an admin address
 * that other machines can reach, unless they say http:// themselves. */
void config_tls_load(struct config *, struct diag_list *);

/* After a reload: keeps the context that runs when nothing of it has changed, and when the
 * section is gone while addresses that stay need it. A certificate that is out of its time
 * is a mistake when the one that runs is not. */
void config_tls_keep(struct config *now, const struct config *running, struct diag_list *);

/* Whether an address is to speak TLS. */
bool config_tls_speaks(const char *address);

#endif
