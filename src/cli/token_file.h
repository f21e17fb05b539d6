#ifndef CLI_TOKEN_FILE_H
#define CLI_TOKEN_FILE_H

/* Reads a token from its file; the caller frees with mem_wipe_free(). NULL, told on standard
 * error, when it cannot. That other users may read the file is told, too. */
char *token_file_read(const char *path);

#endif
