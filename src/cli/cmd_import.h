#ifndef CLI_CMD_IMPORT_H
#define CLI_CMD_IMPORT_H

/* `persona-gateway import`: puts personas of a file or of a server into a project of a
 * running gateway. Exit codes: 0 all done, 1 some failed or it ended early, 2 wrong usage. */
int cmd_import(int argc, char **argv);

#endif
