#ifndef CLI_CMD_TOKEN_H
#define CLI_CMD_TOKEN_H

/* `persona-gateway token`: makes a token for a client and prints it, this once, on the
 * first line of standard output, and on the second its entry for the list "clients" of
 * the file. Returns the exit code. */
int cmd_token(int argc, char **argv);

#endif
