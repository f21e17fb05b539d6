#ifndef UPSTREAM_HTTP1_WAY_H
#define UPSTREAM_HTTP1_WAY_H

#include "base/fail.h"
#include "base/loop.h"
#include "upstream/curl_loop.h"
#include "upstream/try.h"

/*
 * Tries in HTTP/1.1 that the gateway speaks itself, on connections that libcurl opens.
 * Through a proxy only to sites with TLS: a request to another one is the proxy's to read,
 * and written for it (RFC 9112, 3.2.2). `config` as for http1_pool_new(). NULL with a
 * sentence.
 */
struct way *http1_way_new(struct loop *, const struct curl_loop_config *, struct fail *);

#endif
