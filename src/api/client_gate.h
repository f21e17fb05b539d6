#ifndef API_CLIENT_GATE_H
#define API_CLIENT_GATE_H

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "core/gateway.h"
#include "http/http_server.h"

/*
 * Who asks, and may they: the one gate that every request passes before it is routed.
 * With clients in the file, every request of the local API needs the token of one, and
 * every request of the admin address that of one with `admin`, if there is such a
 * client. Handlers have nothing to do with it.
 */
struct client_gate;

enum client_door { CLIENT_DOOR_LOCAL, CLIENT_DOOR_ADMIN };
#define CLIENT_DOORS 2

enum client_entry {
	CLIENT_UNKNOWN, /* nobody knows the token: it is answered, or will be */
	CLIENT_REFUSED, /* whoever asks may not do it: it is answered */
	CLIENT_ADMITTED,
	CLIENT_STRANGER /* nobody known, who asks for what everyone may see: health */
};

struct client_ledger;

/* Those of several loops share a ledger (client_ledger.h), which outlives them. */
struct client_gate *client_gate_new(struct loop *, struct gateway *, struct log *,
    struct client_ledger *);
void client_gate_free(struct client_gate *); /* after the servers that use it */

/* Takes the clients of the gateway's snapshot, and lets go of the one before. */
void client_gate_adjust(struct client_gate *);

/* Looks at a request whose traffic_note is open. *who is the client, which belongs to
 * the snapshot; NULL where no token is needed. */
enum client_entry client_gate_enter(struct client_gate *, struct http_exchange *,
    enum client_door, const struct config_client **who);

/* Whether a client (NULL: anyone) may use a project. */
bool client_gate_project(const struct config_client *, const char *id);

/* Adds what another one has counted. */
void client_gate_sum(struct client_gate *, const struct client_gate *more);

/* Adds what was counted, as Prometheus text. */
void client_gate_metrics(const struct client_gate *, struct buf *);

#endif
