#ifndef CORE_KEYRING_H
#define CORE_KEYRING_H

#include "config/config_values.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Which of the keys in force have been accepted, by Bluejay or by who draws: when keys
 * follow each other, one that worked is kept until a newer one has. A zeroed struct is
 * an empty one. The keys themselves are those of the configuration.
 */
struct keyring {
	struct keyring_key *keys;
	size_t count;
};

/* Takes the keys of a configuration, which must live until the next one is taken. What is
 * known of those that it shares with the one before stays known. */
void keyring_take(struct keyring *, const struct config *);
void keyring_free(struct keyring *);

/* Notes that a key was accepted; NULL and others than those in force are nothing. */
void keyring_accept(struct keyring *, const char *key);
bool keyring_has_worked(const struct keyring *, const char *key);

#endif
