#ifndef CONFIG_ADDRESS_H
#define CONFIG_ADDRESS_H

#include "base/fail.h"
#include "base/origin.h"

#include <stdbool.h>

/* Addresses, names and URLs as the file holds them: checked by their form only,
 * nothing is looked up. Sentences of a struct fail continue after the key's
 * name and do not repeat the value. */

enum config_reach {
	CONFIG_REACH_BAD,    /* no address; the sentence says why */
	CONFIG_REACH_LOCAL,  /* loopback or a local socket */
	CONFIG_REACH_OUTSIDE /* other machines may reach it */
};

/* An address to listen on without the http:// or https:// that may stand before it. */
const char *config_address_bare(const char *address);

/* "127.0.0.1:3000", "[::1]:3000" or "unix:/path". */
enum config_reach config_address_reach(const char *address, struct fail *);

/* A DNS name or an IP address, IPv6 in brackets, without a port. */
int config_address_host(const char *host, struct fail *);

/* Whether such a name or address is this machine by its form. */
bool config_address_is_loopback(const char *host);

/* An IP address, a range of them such as 10.0.0.0/8, or "unix". */
int config_address_network(const char *network, struct fail *);

/* http:// or https://, a host, a port if wanted, and a path unless a proxy is
 * asked for; no user, query or fragment. */
int config_address_url(const char *url, bool proxy, struct fail *);

/* An origin, whose normal form is written, or "*". */
int config_address_origin(const char *origin, char out[ORIGIN_SIZE], struct fail *);

/* Whether a checked URL leads to an address of this machine that is listened on, a bare one. */
bool config_address_url_is(const char *url, const char *listen);

/* The host of a checked URL, as it stands there; the caller frees. */
char *config_address_url_host(const char *url);

#endif
