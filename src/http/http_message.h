#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the front end may take; every member has a key in the YAML file. */
struct http_limits {
	size_t head;          /* bytes of request line and headers: 431, in the request line 414 */
	unsigned headers;     /* number of header lines: 431 */
	size_t body;          /* default limit for a collected body: 413 */
	unsigned connections; /* at this many, new ones wait in the kernel's queue; 0: no limit */
	size_t buffers;       /* bytes of bodies and answers that all connections hold together:
	                         503 for a body or an answer of more than 16 KiB beyond it; 0: no
	                         limit */
	/* Times; 0: no limit. */
	int64_t head_ms;  /* absolute: from the first byte of a request to its blank line; 408.
	                     Also from connect to the end of TLS's handshake; closed silently */
	int64_t body_ms;  /* absolute: from the blank line to the last body byte; 408. A streamed
	                     body has it for every 64 KiB, and none while it is paused */
	int64_t idle_ms;  /* from connect or answer to the next first byte; closed silently */
	int64_t write_ms; /* absolute: an answer must be taken by the client in this time; of an
	                     answer in pieces, what was waiting when the kernel took no more */
};

/* What the configuration has when nothing is said. */
#define HTTP_LIMITS_DEFAULT \
	((struct http_limits){16384, 100, 1 << 20, 10000, 256 << 20, 10000, 30000, 75000, 30000})

struct http_field {
	const char *name; /* requests: lower case */
	const char *value;
};

/* A parsed head. Everything belongs to the exchange and lives as long as it. */
struct http_request {
	const char *method; /* "GET": methods are case-sensitive (RFC 9110, 9.1) */
	const char *target; /* as it arrived */
	const char *path;   /* up to '?', still percent-encoded; without scheme and authority */
	const char *query;  /* after '?', or NULL */
	const char *host;   /* value of Host, else the target's authority; "" without (HTTP/1.0) */
	int minor;          /* HTTP/1.minor: 0 or 1 */
	bool has_body;      /* Content-Length above zero, or chunked */
	const char *upgrade; /* the protocol that the client would change to: value of Upgrade; NULL
	                        without Connection: upgrade, with a body, of HTTP/1.0, and when it is
	                        repeated (RFC 9110, 7.8) */
	int64_t length;     /* of the body; -1 when chunked; 0 when none */
	const struct http_field *fields;
	size_t field_count;
	const char *id;   /* X-Request-Id: the client's when well-formed, else a new UUID */
	uint64_t serial;  /* which request of its connection this is, from 1 */
	const char *traceparent; /* as it came; NULL: none; "" when it came more than once */
	const char *peer; /* textual address of the client, "unix" for a local socket; as a trusted
	                     proxy says it, where one does (http_forwarded.h) */
	const char *near; /* of whoever made the connection: the client, or the nearest proxy; after a
	                     PROXY header (http_proxy.h) the address that it names */
	const char *chain;  /* from the client to the proxy before the nearest, as trusted proxies name
	                       them, with ", " between; NULL: none has named any */
	const char *scheme; /* "http", or "https": as the client asked */
	const char *asked_host; /* the host that the client asked for; other than Host where a trusted
	                           proxy says so */
};

/* The value of a field (name in lower case), NULL when missing. Repeated
 * fields are refused by the parser where repeating is ambiguous (Host,
 * Content-Length, Content-Type, Transfer-Encoding, Idempotency-Key,
 * Authorization); of others the first is given. */
const char *http_request_field(const struct http_request *, const char *name);

#endif
