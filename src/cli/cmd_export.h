#ifndef CLI_CMD_EXPORT_H
#define CLI_CMD_EXPORT_H

/* `persona-gateway export`: writes the personas of a project. Exit codes: 0 done, 1 failed,
 * 2 wrong usage. */
int cmd_export(int argc, char **argv);

#endif
