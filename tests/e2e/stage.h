#ifndef STAGE_H
#define STAGE_H

#include "harness.h"

/*
 * A simulated Bluejay and a gateway on it, each a program of its own, so that
 * either can fail alone. The gateway has two projects: demo with an agent, plain
 * without one. One stage to a test.
 */
#define STAGE_AGENT 7
#define STAGE_DEMO "/api/projects/demo/personas"
#define STAGE_PLAIN "/api/projects/plain/personas"

extern struct program stage_sandbox, stage_gateway;

/* Starts both. `settings` are lines of the bluejay section beside url and key, in
 * its indentation, or NULL for short times; `more` is the end of the file or NULL. */
void stage_open(const char *settings, const char *more);
void stage_close(void); /* both must end well */
/* Only the gateway: the file and the data stay. */
void stage_start_gateway(void);
void stage_kill_gateway(void);
const char *stage_config(void); /* path of its file */
const char *stage_data(void);   /* path of its folder */

/* Chooses what goes wrong, by the body of the sandbox's control path. */
void stage_faults(const char *json);
/* The next `count` requests of a method (NULL: any) meet a fault. */
void stage_fault(const char *profile, const char *method, int count);
void stage_no_faults(void);

/* Asks the sandbox itself, with the key. */
struct reply *stage_bluejay(const char *method, const char *path, const char *body);
/* Makes a persona there; returns its id, which the caller frees. */
char *stage_make(int agent, const char *name, const char *description);
/* How many personas of a name are there; the id of the last one in *id (may be NULL, static). */
int stage_has(const char *name, const char **id);
/* A member of a persona there; "(absent)" without it. Static. */
const char *stage_member(const char *id, const char *member);
/* How many requests it got for a route, as its control path writes it. */
int stage_received(const char *method, const char *path);
int stage_processed(const char *method, const char *path);

/* Asks the gateway. */
struct reply *call(const char *method, const char *path, const char *body);
struct reply *call_with(const char *method, const char *path, const char *fields, const char *body);
/* Sends without waiting; ask_end() reads the answer. */
int call_start(const char *method, const char *path, const char *fields, const char *body);
/* Creates and returns the id, which the caller frees. */
char *create(const char *path, const char *body);
/* A path below a collection; static, four at a time. */
const char *below(const char *path, const char *id);

/* How many writes are not settled, by the gateway's own list; -1 when it does not answer. */
int stage_unsettled(void);

#endif
