#ifndef CLI_CMD_INTENTS_H
#define CLI_CMD_INTENTS_H

/* `persona-gateway intents list|adopt|forget`: asks a running gateway over its
 * admin address. Exit codes: 0 done, 1 refused or failed, 2 wrong usage. */
int cmd_intents(int argc, char **argv);

#endif
