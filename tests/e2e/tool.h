#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A local tool's server that the test itself plays, byte by byte: the test accepts
 * the gateway's connections, reads what comes, and says what it wants. Every wait is
 * bounded; whatever goes wrong fails the running test.
 */
int tool_open(void); /* listens on a free port of loopback; its port */
void tool_close(void);
int tool_accept(void);         /* the next connection */
bool tool_is_called(void);     /* whether one waits now */
char *tool_head(int fd);       /* a request's head, as it came; static until the fourth next call */
char *tool_bytes(int fd, size_t len); /* so many bytes, as text; static as well */
void tool_say(int fd, const char *text);
bool tool_hung_up(int fd);     /* the other side has ended the connection, with or without a reset */
void tool_cut(int fd, bool reset);

/* The value of a field in a head, or NULL; static. */
const char *head_field(const char *head, const char *name);
/* How often a text stands in another. */
unsigned times(const char *text, const char *part);

/* Reads and drops so many bytes (0: until the end) and returns how many came. */
size_t swallow(int fd, size_t len);
/* Sends so many bytes, or until the other side takes no more for a while; returns how
 * many went. */
size_t pour(int fd, size_t len);

/* The most memory, in KiB, that a process has had at a time. */
long peak_of(int pid);

#endif
