#ifndef UPSTREAM_ADDRESS_H
#define UPSTREAM_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether an address is a public one of the internet: not this machine, a private
 * network, a link, a group, or reserved (the IANA special-purpose registries). */
bool address_is_public(const struct sockaddr *);

#endif
