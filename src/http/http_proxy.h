#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include "base/network.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The PROXY protocol, versions 1 and 2 (haproxy's doc/proxy-protocol.txt, 2 March 2017):
 * a header before everything else on a connection, TLS included, in which a proxy says
 * whose connection it passes on. It is taken from the socket byte by byte as it comes, and
 * not one byte of what follows it.
 */

#define HTTP_PROXY_V1_MAX 107 /* bytes of a line, its end included */
#define HTTP_PROXY_V2_FIXED 16
#define HTTP_PROXY_V2_ADDRESSES 216 /* two paths of local sockets; what follows is not looked at */
#define HTTP_PROXY_BYTES (HTTP_PROXY_V2_FIXED + HTTP_PROXY_V2_ADDRESSES)

enum http_proxy_result {
	HTTP_PROXY_MORE, /* bytes are missing */
	HTTP_PROXY_DONE,
	HTTP_PROXY_BAD   /* no header, or one that breaks the rules: the connection is to be closed */
};

enum http_proxy_client {
	HTTP_PROXY_ITSELF,  /* LOCAL: the proxy speaks for itself, as its health checks do */
	HTTP_PROXY_UNKNOWN, /* a client of which it says nothing that counts here: UNKNOWN, UNSPEC,
	                       or a local socket of its own machine */
	HTTP_PROXY_ADDRESS  /* a client with an address */
};

struct http_proxy_header {
	enum http_proxy_client client;
	char address[NETWORK_TEXT_SIZE]; /* in its usual form, of HTTP_PROXY_ADDRESS */
	size_t length;                   /* of the whole header, what is skipped included */
};

/* Looks at the first bytes of a connection, all that are here; beyond HTTP_PROXY_BYTES none
 * is needed. DONE comes as soon as all that counts is here; the header may be longer. */
enum http_proxy_result http_proxy_parse(const unsigned char *, size_t len,
    struct http_proxy_header *);

/* Whether bytes, of which there may be more, begin as a header does. */
bool http_proxy_is_header(const char *, size_t len);

/* A header on its way. A zeroed one is ready. */
struct http_proxy {
	unsigned char bytes[HTTP_PROXY_BYTES];
	size_t have, skip; /* bytes in `bytes`; bytes still to be dropped */
	bool parsed;
	struct http_proxy_header header;
};

/* Takes what is there of a header from a non-blocking socket; MORE: wait until it can be
 * read again. BAD also when the peer has ended the connection. */
enum http_proxy_result http_proxy_take(struct http_proxy *, int fd);

#endif
