#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "base/network.h"
#include "http/http_message.h"

/*
 * What trusted proxies say about a request in Forwarded (RFC 7239), or in X-Forwarded-For,
 * -Proto and -Host. Their lists are read from the right: the last entry is the nearest
 * proxy's word for who connected to it; if that is a trusted proxy too, the entry before it
 * counts as well, and so on. The first address that is not trusted is the client's; what
 * stands left of it are the client's own words, which are not believed. An entry without an
 * address ("unknown", "_name", no "for") ends the walk: the client is then known as the last
 * proxy before it. Scheme and host are those of the entry that names the client.
 *
 * A proxy that writes one kind of field may pass the other on as the client wrote it. So
 * where both kinds stand in a request, they must name the same client and not contradict
 * each other, and a scheme or host counts when both say it.
 */

#define HTTP_FORWARDED_HOPS 32         /* entries that are looked at; more proxies are refused */
#define HTTP_FORWARDED_NAME_MAX 64     /* bytes of a name in place of an address */
#define HTTP_FORWARDED_HOST_SIZE 264   /* of a host with its port */
#define HTTP_FORWARDED_CHAIN_SIZE 2048

/* What is believed. */
struct http_forwarded {
	char peer[NETWORK_TEXT_SIZE];          /* the client's address, in its usual form */
	char chain[HTTP_FORWARDED_CHAIN_SIZE]; /* all from the client to the proxy before the
	                                          nearest, as they are named, with ", " between; ""
	                                          when nobody says */
	const char *scheme;                    /* "http", "https"; NULL when nobody says */
	char host[HTTP_FORWARDED_HOST_SIZE];   /* that the client asked for; "" when nobody says */
};

/* Reads the fields of a request that came from `near`, which is trusted. 1: something is
 * said; 0: nothing; -1 with a sentence: what counts is not well-formed, or the fields
 * contradict each other. */
int http_forwarded_read(const struct http_request *, const char *near,
    const struct network *trusted, size_t count, struct http_forwarded *, const char **why);

#endif
