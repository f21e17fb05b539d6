#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "base/loop.h"
#include "store/store.h"
#include "store/store_image.h"
#include "store/store_twin.h"
#include "unit.h"

/*
 * A store under test with one loop and one port, and calls that wait for their
 * reply. What knows the engine is in fixture_sqlite.c or fixture_postgres.c, of which
 * a test program has one; what is particular to one engine is tested beside it.
 */
enum fixture_kind { FIXTURE_DISK, FIXTURE_MEMORY, FIXTURE_SHARED };

/* The kinds of this program: first, and the one behind the last. */
struct fixture_kinds {
	int first, end;
};
extern const struct fixture_kinds fixture_kinds;

/* The kind that outlives a process, for tests that are not for all. */
#define FIXTURE_LASTING (fixture_kinds.first)

struct fixture {
	char dir[64]; /* where the store is: a folder, or the name of a database; empty: in memory */
	struct loop *loop;
	struct store *store;
	struct store_port *port;
	unsigned done;            /* callbacks so far */
	struct store_reply reply; /* the last one, copied */
};

/* Opens the store of a place, NULL: in memory; failing fails the test. */
struct store *fixture_store_open(const char *dir);

/* Fails the test unless the closed store of a place is sound: the database as
 * such, and every hold of a name and of a key has its holder. */
void fixture_assert_sound(const char *dir);

/* Makes a place for a store of a kind, or leaves it empty; removes it. */
void fixture_place(int kind, char *dir, size_t size);
void fixture_clean(const char *dir);
/* What names the place for `store copy`. */
void fixture_spec(const char *dir, char *spec, size_t size);

void fixture_begin(struct fixture *, int kind);
void fixture_end(struct fixture *); /* also removes the place */
void fixture_reopen(struct fixture *); /* closes and opens the store; not in memory */

/* Makes an empty folder below the folder for temporary files. */
void fixture_make_dir(char *dir, size_t size);
/* Removes a folder that fixture_make_dir() made, with its files. */
void fixture_remove_dir(const char *dir);

/* The callback for calls whose reply shall be kept; arg is the fixture. */
void fixture_done(void *arg, struct store_reply *);
/* Frees the kept reply. */
void fixture_clear(struct fixture *);
/* Waits until that many callbacks have run since the fixture began; the status of
 * the last reply. */
enum store_status fixture_wait(struct fixture *, unsigned done);

/* Makes a call (store_get and so on), waits, and gives its status. */
#define FIXTURE_CALL(f, call, ...) \
	(call((f)->port, __VA_ARGS__, fixture_done, (f)), fixture_wait((f), (f)->done + 1))

/* A text for a field that is not const. */
#define TEXT(s) ((char *)(uintptr_t)(s))

#define SCOPE "agent:1"
#define HOUR_MS ((int64_t)3600 * 1000)
#define NOW_MS ((int64_t)1700000000000)

/* An intent of each kind; key may be NULL, and then has no hash. */
struct store_intent fixture_create(const char *id, const char *name, const char *fingerprint,
    const char *key);
struct store_intent fixture_update(const char *id, const char *local_id, const char *name);
struct store_intent fixture_delete(const char *id, const char *local_id);

/* A record: its ids are equal, its content holds the name. */
struct store_record fixture_record(const char *local_id, const char *name);

/* Begins a create at NOW_MS. */
enum store_status fixture_create_begin(struct fixture *, const struct store_intent *);

/* Begins and settles a create: the persona exists, claimed. */
void fixture_persona(struct fixture *, const char *local_id, const char *name);

/* The status of a create of that name, begun and dropped again. */
enum store_status fixture_try_name(struct fixture *, const char *name);

/* Fails the test unless the scope's list holds exactly these local ids, in this
 * order, as one text with commas. */
void fixture_assert_list(struct fixture *, const char *scope, const char *ids);

#endif
