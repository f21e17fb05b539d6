#ifndef CONFIG_DATABASE_H
#define CONFIG_DATABASE_H

#include <stdbool.h>

/* Whether the URL of a database, as libpq takes it, leads to another machine without asking for
 * its certificate to be checked: whoever is on the way can read and answer. Looks at the form
 * alone; false where the URL leaves it to a service file or the environment. */
bool config_database_is_unchecked(const char *url);

#endif
