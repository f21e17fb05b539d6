#ifndef UPSTREAM_CURL_MEMORY_H
#define UPSTREAM_CURL_MEMORY_H

#include <curl/curl.h>

/* curl_global_init() for a libcurl that wipes what it frees: whole requests, and with them
 * keys, lie in its buffers. The first call in a process decides; each wants its
 * curl_global_cleanup(). */
CURLcode curl_memory_init(void);

#endif
