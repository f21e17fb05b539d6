#ifndef API_ADMIN_RELOAD_H
#define API_ADMIN_RELOAD_H

#include "api/api_impl.h"

/* POST /reload of the admin address, whose Content-Type was looked at: answered when the
 * reading that it starts, or the one after that which runs, is over. */
void admin_reload(struct api *, struct http_exchange *);

#endif
