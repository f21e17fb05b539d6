#ifndef HTTP_MOVE_H
#define HTTP_MOVE_H

#include "http/http_conn.h"

/*
 * A connection goes to another loop, between two requests, with its socket and TLS: nothing of
 * it is under way then, and bytes that come meanwhile wait in the kernel (http_team.h says
 * why and when).
 */

/* Gives a connection that was just run to another loop, when it is one that can go and one
 * is to go: true, and it is no longer this one's. */
bool http_move_away(struct http_conn *);

#endif
