#ifndef API_PAGE_H
#define API_PAGE_H

#include "http/http_route.h"
#include "http/http_server.h"

#include <stdbool.h>

/*
 * The page to look at on the admin address: files inside the program, which load
 * nothing from elsewhere and show what admin.c serves as JSON.
 */
extern const struct http_route page_routes[];
extern const size_t page_route_count;

/* Serves a file of the page; false when the request is for something else. */
bool page_serve(struct http_exchange *);

#endif
