#ifndef API_PASS_MASK_H
#define API_PASS_MASK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Takes the key out of what Bluejay answers to a request that is passed through: an
 * answer that repeats it, as some do in errors, would show it to the client. Each byte of
 * the key becomes an asterisk, so that lengths stay. It is found as it is, in plain
 * answers; a compressed one hides it from the gateway.
 */
struct pass_mask {
	char *key; /* NULL: nothing is taken out */
	size_t len;
	size_t held; /* bytes at the end of what has come that may begin the key */
};

/* Begins; the key (NULL: none) is copied, and one that is too short to be told from other
 * words is left in. */
void pass_mask_begin(struct pass_mask *, const char *key);
void pass_mask_free(struct pass_mask *); /* wipes; also makes it one without a key */

/* Takes the key out of a text in place; false when it was not there. */
bool pass_mask_text(const struct pass_mask *, char *text, size_t len);
/* Whether a text has it. */
bool pass_mask_has(const struct pass_mask *, const char *text);

/* Gives the next piece on; a beginning of the key at its end waits for the next one. */
typedef void (*pass_mask_fn)(void *arg, const char *bytes, size_t len);
void pass_mask_feed(struct pass_mask *, const char *bytes, size_t len, pass_mask_fn, void *arg);
/* No piece follows: gives on what waits. */
void pass_mask_end(struct pass_mask *, pass_mask_fn, void *arg);

#endif
