#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Addresses of clients as text, and sets of them. "unix" is whoever comes by a local
 * socket. An IPv4 address that is written as an IPv6 one (::ffff:192.0.2.1) is the
 * IPv4 address, here and everywhere.
 */
#define NETWORK_TEXT_SIZE INET6_ADDRSTRLEN

/* One address or a range of them. */
struct network {
	unsigned char family; /* 4, 6, or 0 for local sockets */
	unsigned char bits;   /* of the address, that count */
	unsigned char address[16];
};

/* Reads "192.0.2.1", "10.0.0.0/8", "2001:db8::/32" or "unix". False for anything else,
 * also for a range whose address has bits beyond its length, such as 10.0.0.1/8: *base
 * (NULL: not wanted) is then the range that was probably meant, else "". */
bool network_read(const char *text, struct network *, char base[NETWORK_TEXT_SIZE + 4]);

/* Writes the usual form (RFC 5952) of an address of `len` bytes of text; false when it is none. */
bool network_normal(const char *text, size_t len, char out[NETWORK_TEXT_SIZE]);

/* Whether one of the ranges holds the peer: an address in its usual form, or "unix". */
bool network_holds(const struct network *, size_t count, const char *peer);

#endif
