#ifndef MIRROR_STAGE_H
#define MIRROR_STAGE_H

#include "harness.h"

#include <check.h>
#include <json-c/json_object.h>
#include <poll.h>
#include <stdbool.h>

/*
 * Twins of personas in the local tool: Bluejay, the tool and the gateway between them, for the
 * tests of what is promised while each of them fails at every step.
 */

#define CREATE "/v1/create-customer-persona"
#define UPDATE "/v1/update-customer-persona/"
#define GET "/v1/customer-persona/"
#define LISTING "/v1/customer-personas-by-agent/"
#define TOOL "/api/projects/a/personas"
#define NO_CACHE "Cache-Control: no-cache\r\n"

/* Fails unless a condition becomes true within a bound. */
#define UNTIL(condition)                                                          \
	do {                                                                      \
		bool until_true;                                                  \
                                                                                  \
		for (int until_i = 0; !(until_true = (condition)) && until_i < 2000; until_i++) \
			poll(NULL, 0, 10);                                        \
		ck_assert_msg(until_true, "never: %s", #condition);               \
	} while (0)

extern struct program mirror_gateway;

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

/* A request on the personas of a project. */
struct reply *call(const char *method, const char *project, const char *id, const char *body);

/* Sends a request and leaves its answer for later. */
int begin(const char *method, const char *project, const char *id, const char *body);

/* The answer of a request that was begun. */
struct reply *end(int fd);

/* Creates a persona that must come to be; returns its id (static). */
const char *create(const char *project, const char *body);

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
