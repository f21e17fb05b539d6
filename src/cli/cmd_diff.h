#ifndef CLI_CMD_DIFF_H
#define CLI_CMD_DIFF_H

/* `persona-gateway diff`: compares the personas of two files or servers. Exit codes: 0 they
 * are equal, 1 they differ, 2 wrong usage or no comparison was possible. */
int cmd_diff(int argc, char **argv);

#endif
