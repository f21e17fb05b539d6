#ifndef BROWSER_H
#define BROWSER_H

#include <stdbool.h>

/*
 * A real browser without a window: Debian's chromium, driven over the pipe of
 * its own protocol (Chrome DevTools Protocol; messages of JSON that end with a
 * NUL on descriptors 3 and 4). One page at a time. Whatever goes wrong in here
 * fails the running test; every wait is bounded.
 */
struct browser;

/* Whether there is one on this machine: for UNIT_MAIN_IF. */
bool browser_found(void);

/* Starts one with a profile of its own, which is new and empty. */
struct browser *browser_start(void);
/* Ends it by its process id. */
void browser_stop(struct browser *);

/* Sets the page's width and height in CSS pixels; a phone has 390 and 844. */
void browser_resize(struct browser *, int width, int height);

/* Goes to a URL and waits until everything of it was loaded. */
void browser_open(struct browser *, const char *url);

/* The value of a JavaScript expression, a promise's once it is settled: a text as
 * it is, anything else as JSON. What it throws fails the test. The caller frees. */
char *browser_eval(struct browser *, const char *expression);

/* Waits until an expression is true in the page. */
void browser_wait(struct browser *, const char *condition);

/* The page as it is now, as HTML; the caller frees. */
char *browser_dom(struct browser *);

/* What scripts threw and did not catch, and what was written as an error to the
 * console, a line each, since the page was opened; "" when nothing was. */
const char *browser_errors(const struct browser *);

/* Writes what the page looks like to a PNG file. */
void browser_screenshot(struct browser *, const char *path);

#endif
