#ifndef MIRROR_STAGE_H
#define MIRROR_STAGE_H

#include "item_stage.h"

#include <check.h>
#include <json-c/json_object.h>
#include <stdbool.h>

/*
 * Twins of personas in the local tool: Bluejay, the tool and the gateway between them, for the
 * tests of what is promised while each of them fails at every step.
 */

#define TOOL "/api/projects/a/personas"

/* Twins that failed are tried again after growing pauses. */
#define UNTIL(condition) EVENTUALLY_WITHIN(60000, condition)

/* Starts the program, again if need be, on the same data. */
void mirror_run(void);

/* Writes the gateway's file. */
void mirror_configure(bool mirror);

/* Starts Bluejay, the local tool and a gateway. */
void mirror_start(void);

/* Ends all; the gateway must end well. */
void mirror_stop(void);

/* Kills the gateway and starts it again. */
void mirror_kill_and_run(void);

/* The status of a request. */
int status(const char *method, const char *project, const char *id, const char *body);

/* Whether a persona and its twin show the same. */
bool is_twin(const char *project, struct json_object *persona, const char *twin);

/* Whether the personas of a project and those of the local tool are the same set, each
 * with its own id there. */
bool mirrored(const char *project);

/* Whether the admin address says so of twins. */
bool ready_says(const char *words);

/* Whether the log of the running gateway has these words. */
bool logged(const char *words);

#endif
