#include "config.h"

#include "store/copy_side.h"
#include "store/store_engine.h"

/* In place of the engine, in a program that was built without libpq. */
struct store_engine *
postgres_engine_open(const struct store_options *options, struct fail *f)
{
	fail_set(f, "store.kind is postgresql, and this persona-gateway was built without it: "
	    "install libpq-dev (Debian) and build it again (./configure must not have "
	    "--without-postgresql)");
	return NULL;
}

/* The same for a copy. */
struct copy_side *
copy_postgres_open(const char *url, bool writes, struct fail *f)
{
	fail_set(f, "this persona-gateway was built without PostgreSQL: install libpq-dev (Debian) and "
	    "build it again (./configure must not have --without-postgresql)");
	return NULL;
}
