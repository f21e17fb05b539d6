#ifndef BASE_TLS_TICKET_H
#define BASE_TLS_TICKET_H

#include <openssl/ssl.h>
#include <stdint.h>

/*
 * The keys that encrypt session tickets (RFC 5077; RFC 8446, 4.6.1). Whoever has one can
 * read what was resumed with it in TLS 1.2, so each makes tickets for an hour only, is
 * accepted for one more, and is then wiped. They are in memory alone: after a restart, or
 * with another certificate, clients begin with a whole handshake. So do those whose own
 * certificate has ended meanwhile.
 */
#define TLS_TICKET_ROTATE_S 3600

/* Gives a context keys of its own, which live as long as it. `now` gives seconds that
 * never go back; NULL: the machine's. -1 when there is no memory. */
int tls_ticket_use(SSL_CTX *, int64_t (*now)(void));

#endif
