#ifndef CLI_CMD_STORE_H
#define CLI_CMD_STORE_H

/* `store backup`, `store restore` and `store verify`: copies of what a gateway keeps
 * (store/store_backup.h). argv[0] is the command's name. Returns the exit code. */
int cmd_store(int argc, char **argv);

#endif
