#ifndef CLI_CMD_CONFIG_H
#define CLI_CMD_CONFIG_H

/* `persona-gateway config --defaults`: prints the resources that the program declares
 * itself. Exit codes: 0 done, 1 could not be written, 2 wrong usage. */
int cmd_config(int argc, char **argv);

#endif
