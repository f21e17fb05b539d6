#ifndef CONFIG_CLIENT_H
#define CONFIG_CLIENT_H

#include "config/config_values.h"
#include "config/diag.h"

/* Checks what the clients of a walked file must have, and hashes the tokens that came
 * from files: afterwards no token is in the config. */
void config_client_check(struct config *, struct diag_list *);

#endif
