#ifndef UPSTREAM_SETTINGS_H
#define UPSTREAM_SETTINGS_H

#include "upstream/site.h"
#include "upstream/try.h"
#include "upstream/upstream.h"

/* What a client keeps of its configuration: checked, copied, its defaults filled in. */
struct upstream_settings {
	struct site *site;
	char *url; /* without a slash at its end */
	char *proxy, *ca_file;
	bool public_only, http2;
	int64_t connect_ms, first_byte_ms, total_ms;
	unsigned retries, rate_per_minute, max_in_flight, max_queue;
	size_t max_answer;
};

/* -1 with a sentence for settings that cannot be. */
int upstream_settings_check(const struct upstream_config *, struct fail *);

/* Copies what was checked; what *to held before is not freed. */
void upstream_settings_copy(struct upstream_settings *to, const struct upstream_config *);
/* Takes the settings in place of others; a site that stays is the same one. */
void upstream_settings_change(struct upstream_settings *, const struct upstream_config *);
void upstream_settings_clear(struct upstream_settings *);

/* Whether connections are made in the same way, and may stay. */
bool upstream_settings_same_way(const struct upstream_settings *, const struct upstream_config *);

/* Opens a way, in HTTP/2 or 1.1; NULL with a sentence. */
struct way *upstream_settings_open(struct loop *, const struct upstream_config *, bool http2,
    struct fail *);

#endif
