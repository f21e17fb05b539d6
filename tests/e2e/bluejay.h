#ifndef BLUEJAY_H
#define BLUEJAY_H

#include <stdbool.h>

/*
 * A Bluejay that does what a test says. Without a rule it behaves well: it keeps
 * personas, each under the agent of its create, and answers like the real one. A
 * rule changes what happens to the next requests of a method and path. It runs
 * in threads of the test process and listens on a free port of loopback.
 */
enum bluejay_action {
	BLUEJAY_ANSWER,      /* the status and body given, nothing is done */
	BLUEJAY_DO_ANSWER,   /* does what was asked, but gives the status and body given */
	BLUEJAY_DO_ID,       /* does what was asked, but answers with nothing but the id */
	BLUEJAY_CUT,         /* closes the connection without doing anything */
	BLUEJAY_DO_CUT,      /* does what was asked, then closes the connection */
	BLUEJAY_HOLD,        /* waits for bluejay_release(), then does and answers */
	BLUEJAY_HOLD_CUT,    /* waits for bluejay_release(), then closes the connection */
	BLUEJAY_HOLD_ANSWER, /* waits for bluejay_release(), then gives the status and body given */
	BLUEJAY_DO_HOLD,     /* does, waits for bluejay_release(), then answers as it was then */
	BLUEJAY_SKIP         /* behaves well */
};

void bluejay_start(void);
void bluejay_stop(void);
int bluejay_port(void);

/* For the next `times` requests (-1: all) whose method is this and whose path
 * begins so. Rules of the same kind come one after the other. The body is a format
 * for nothing but itself and must live on; NULL: none. */
void bluejay_rule(const char *method, const char *path, int times, enum bluejay_action, int status,
    const char *body);
/* Ends every rule; held requests go on. */
void bluejay_forget(void);
/* Lets held requests go on, and those to come. */
void bluejay_release(void);

/* Requests that have arrived, of a method and a beginning of the path. */
unsigned bluejay_count(const char *method, const char *path);
/* Waits until so many have arrived. */
void bluejay_wait(const char *method, const char *path, unsigned count);

/* The value of a field of the last of them (static, eight at a time), several of one
 * name with "|" between; NULL when it had none, or there was no such request. */
const char *bluejay_field(const char *method, const char *path, const char *name);

/* ---- what Bluejay holds ---- */

/* Makes a persona behind the gateway's back; returns its id (static, eight at a time). */
const char *bluejay_make(int agent, const char *name, const char *description, const char *goal);
/* Changes a field of a persona; false when there is none. */
bool bluejay_edit(const char *id, const char *field, const char *value);
/* Gives a persona a member of any name and JSON value, or (NULL) takes it away. */
void bluejay_member(const char *id, const char *name, const char *json);
/* Removes one. */
void bluejay_remove(const char *id);
/* Hides one from listings, or shows it. */
void bluejay_list(const char *id, bool listed);
/* Shows the listing of agent 1 as it is now, whatever happens, or lets it go on. */
void bluejay_freeze(bool frozen);
/* How many have this name; NULL: all. */
unsigned bluejay_personas(const char *name);
/* The id of the only one of this name. */
const char *bluejay_id(const char *name);
/* The value of a field (static, eight at a time); NULL when there is no such persona. */
const char *bluejay_value(const char *id, const char *field);
/* Refuses every key but this one with 401, or (NULL) takes any. */
void bluejay_key(const char *key);
/* Behaves as another account that knows nothing: 404 for ids, empty listings. */
void bluejay_other_account(bool other);

#endif
