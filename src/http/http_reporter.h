#ifndef HTTP_REPORTER_H
#define HTTP_REPORTER_H

#include "http/http_conn.h"

/* Makes the report of a request for whoever asked for it (http_report.h). */

/* Of an exchange that is over, after its service was told. */
void http_reporter_tell(struct http_conn *, struct http_exchange *, enum http_end);

/* Of a request whose head was refused before it was whole, with an answer of `pushed` bytes. Its
 * own are all that have come, since nobody can say where it would have ended. */
void http_reporter_tell_refused(struct http_conn *, const char *id, int status, uint64_t pushed);

#endif
