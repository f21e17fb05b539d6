#include "config.h"

#include "torture_database.h"
#include "base/mem.h"
#include "postgres.h"

#include <stdlib.h>

#define DATABASE_NAME "torture"

struct database {
	struct world *world;
	struct postgres *first, *standby;
	char url[400];
};

/* Starts both. */
struct database *
database_start(struct world *w)
{
	struct database *d = mem_zero(1, sizeof *d);

	d->world = w;
	d->first = postgres_new(&(struct postgres_options){.password = "s3cret"});
	postgres_make(d->first, DATABASE_NAME);
	d->standby = postgres_standby(d->first, true);
	snprintf(d->url, sizeof d->url, "%s", postgres_url(d->first, d->standby, DATABASE_NAME));
	return d;
}

/* Ends both. */
void
database_end(struct database *d)
{
	if (d == NULL)
		return;
	postgres_free(d->standby);
	postgres_free(d->first);
	free(d);
}

/* Where they are. */
const char *
database_url(const struct database *d)
{
	return d->url;
}

/* The standby takes over; for a while it is alone, then the dead one follows it. */
static void
database_fail_over(struct database *d, uint64_t *random)
{
	struct postgres *dead = d->first;

	postgres_kill(dead);
	world_pass(d->world, world_pick(random, 500));
	postgres_promote(d->standby);
	world_note(d->world, "database: the standby has taken over");
	d->first = d->standby;
	d->standby = dead;
	postgres_rejoin(dead, d->first, true);
}

/* Something happens. */
void
database_trouble(struct database *d, uint64_t *random)
{
	static const char *const kinds[] = {"restarted", "killed", "hangs", "fails over"};
	unsigned kind = world_pick(random, sizeof kinds / sizeof *kinds);

	world_count(d->world, COUNT_OUTAGES);
	world_note(d->world, "database: %s", kinds[kind]);
	if (kind == 0)
		postgres_stop(d->first);
	else if (kind == 1)
		postgres_kill(d->first);
	else if (kind == 2)
		postgres_pause(d->first);
	else
		database_fail_over(d, random);
	if (kind < 3)
		world_pass(d->world, world_pick(random, 3000));
	if (kind < 2)
		postgres_start(d->first);
	else if (kind == 2)
		postgres_resume(d->first);
	/* What was on its way meanwhile counts as of the outage, too. */
	world_count(d->world, COUNT_OUTAGES);
	world_note(d->world, "database: there again");
}
