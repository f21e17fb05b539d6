#ifndef WEBTOOL_H
#define WEBTOOL_H

/*
 * The server of a local tool with a web client, on a free port of loopback and in
 * threads of the test's process, which end with it: the files of tests/e2e/webclient,
 * the tool's own answers about two projects (demo and plain), a run whose events come
 * when the test says so, and a WebSocket that says back what is said.
 */
int webtool_start(void); /* its port; once to a test */

/* Sends one more event to everybody who watches the run; `name` NULL: a plain message. */
void webtool_event(const char *name, const char *data);

/* What was asked for so far, "METHOD target" a line each; static. */
const char *webtool_seen(void);

#endif
