#ifndef CLI_CMD_SANDBOX_H
#define CLI_CMD_SANDBOX_H

/* `persona-gateway sandbox`: serves the simulated Bluejay until SIGTERM or
 * SIGINT. argv[0] is "sandbox". Returns the exit code: 0, 1 failed, 2 wrong
 * usage. Call it before any other thread exists: it blocks the two signals. */
int cmd_sandbox(int argc, char **argv);

#endif
