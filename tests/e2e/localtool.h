#ifndef LOCALTOOL_H
#define LOCALTOOL_H

#include <stdbool.h>

/*
 * The server of a local tool with its Personas API, in memory, that does what a test
 * says. Without a rule it behaves as the real one: it gives ids itself, keeps names
 * unique in a project, ignores what it does not know, and answers 500 for a project that
 * it does not have. It runs in threads of the test process on a free port of loopback.
 */
enum localtool_action {
	LOCALTOOL_ANSWER,  /* the status given, nothing is done */
	LOCALTOOL_CUT,     /* closes the connection without doing anything */
	LOCALTOOL_DO_CUT,  /* does what was asked, then closes the connection */
	LOCALTOOL_HOLD,    /* waits for localtool_release(), then does and answers */
	LOCALTOOL_DO_HOLD  /* does, waits for localtool_release(), then answers */
};

/* It has the projects a, b and plain. */
void localtool_start(void);
void localtool_stop(void);
int localtool_port(void);

/* Connections are refused, and those there are end; or it listens again, with what it held. */
void localtool_down(void);
void localtool_up(void);

/* For the next `times` requests (-1: all) whose method is this and whose path begins so. */
void localtool_rule(const char *method, const char *path, int times, enum localtool_action,
    int status);
/* Ends every rule; held requests go on. */
void localtool_forget(void);
/* Lets held requests go on. */
void localtool_release(void);

/* Requests that have arrived, of a method and a beginning of the path. */
unsigned localtool_count(const char *method, const char *path);
/* Waits until so many have arrived. */
void localtool_wait(const char *method, const char *path, unsigned count);

/* ---- what it holds ---- */

/* Makes a persona from a JSON object, as a user of the tool would; returns its id (static, 256 at a time). */
const char *localtool_make(const char *project, const char *json);
/* Changes a persona so. */
void localtool_edit(const char *project, const char *id, const char *json);
/* Removes one; all of a project (id NULL). */
void localtool_remove(const char *project, const char *id);
/* How many have this name; NULL: all. */
unsigned localtool_personas(const char *project, const char *name);
/* The id of the one of this name (static, 256 at a time); "" when there is none. */
const char *localtool_id(const char *project, const char *name);
/* Whether there is one of this id. */
bool localtool_has(const char *project, const char *id);
/* The JSON text of a field (static, eight at a time); "absent" without it, "gone" without the persona. */
const char *localtool_value(const char *project, const char *id, const char *field);

#endif
