#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Looks for marked secrets in what a program shows or holds. A secret counts as found
 * when SECRET_PIECE bytes of it stand together, since what is cut short is shown too.
 */
#define SECRET_PIECE 12

/* In which form a secret, or a piece of it, stands in bytes: "plain", "percent", "json",
 * "html", "hex", "base64"; NULL: in none. Base64 is looked for whatever stands before the
 * secret, in both alphabets. */
const char *secret_form(const char *bytes, size_t len, const char *secret);

/* How often a secret, or a piece of it, stands as it is in the memory of a process that
 * lets itself be read: in a heap, in a stack, in data. `where` tells the region of the
 * last hit and what stands around it, for a message. Other processes' memory cannot be
 * read by everyone: -1. */
int secret_in_memory(int pid, const char *secret, char *where, size_t size);

#endif
