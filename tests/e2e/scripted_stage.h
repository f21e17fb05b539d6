#ifndef SCRIPTED_STAGE_H
#define SCRIPTED_STAGE_H

#include "item_stage.h"

#include <check.h>
#include <json-c/json_object.h>
#include <stdbool.h>

/*
 * What the gateway makes of an upstream that does exactly what a test wants: cuts
 * connections after the work is done, shows old listings, holds answers back, or
 * turns out to be another account.
 */

#define KEY(k) "Idempotency-Key: " k "\r\n"

/* The settings of most tests: short times, no second tries, no cache. */
#define SHORT \
	"  timeouts: {total: 4s}\n  retries: 1\n  settle: {grace: 300ms}\n  cache: {fresh: 0s}\n"

/* Starts the program, again if need be, on the same data. */
void scripted_run(void);

/* Starts Bluejay and a gateway; `more` are lines of the section bluejay. */
void scripted_start(const char *more);

/* Ends both; the gateway must end well. */
void scripted_stop(void);

/* Writes a file whose only project has an agent, or none. */
void scripted_one_project(const char *agent);

/* How many personas the gateway lists. */
int listed(const char *project);

/* How many writes of the gateway are unsettled. */
int unsettled(void);

/* Waits until the gateway has nothing unsettled. */
void settled(void);

/* What the operator sees of the only intent; NULL when there is none. */
const char *intent(const char *member);

/* Whether the only intent is in this state. */
bool intent_is(const char *wanted);

/* Waits until the only intent is with the operator. */
void left_to_operator(void);

/* The description of the only persona in a list. */
const char *described(void);

#endif
