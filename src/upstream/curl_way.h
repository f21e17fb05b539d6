#ifndef UPSTREAM_CURL_WAY_H
#define UPSTREAM_CURL_WAY_H

#include "base/fail.h"
#include "base/loop.h"
#include "upstream/curl_loop.h"
#include "upstream/try.h"

/*
 * Tries that libcurl makes as a whole: in HTTP/2, and in HTTP/1.1 through a proxy that reads
 * the request. libcurl's own resend on a dead kept-alive connection is off for every method.
 * `prepare` of the config is not used. NULL with a sentence.
 */
struct way *curl_way_new(struct loop *, const struct curl_loop_config *, struct fail *);

#endif
