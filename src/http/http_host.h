#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* True for uri-host [":" port] (RFC 9110, 7.2), narrower than the grammar: a
 * name of letters, digits, '-', '.' and '_', an IPv4 address or a bracketed
 * IPv6 address, and a port of one to five digits up to 65535. */
bool http_host_valid(const char *host, size_t len);

/* True for a loopback name with any port (localhost, *.localhost,
 * 127.0.0.0/8, [::1]) and for what the NULL-terminated list holds: a name for
 * any port, or a name with its port. Case does not matter. `host` is valid. */
bool http_host_allowed(const char *host, const char *const *allowed);

#endif
