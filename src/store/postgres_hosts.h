#ifndef POSTGRES_HOSTS_H
#define POSTGRES_HOSTS_H

#include "base/fail.h"
#include "store/postgres_url.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The addresses of a URL's hosts. Looking a name up may take seconds, so a thread does it,
 * and who connects uses what is known. Everything may be called from any thread.
 */
struct postgres_hosts;

struct postgres_host {
	char name[256], address[64], port[16]; /* "" for libpq's default */
};

/* Looks the names up, waiting, and starts the thread. NULL with a sentence when none is
 * known, or the thread cannot be started. */
struct postgres_hosts *postgres_hosts_new(const struct postgres_url *, struct fail *);
void postgres_hosts_free(struct postgres_hosts *);

/* How many addresses are known, at least 1. */
size_t postgres_hosts_count(struct postgres_hosts *);

/* The nth of them, counted round from the one that was good last. */
void postgres_hosts_get(struct postgres_hosts *, size_t n, struct postgres_host *);

/* This one took the connection. */
void postgres_hosts_good(struct postgres_hosts *, const struct postgres_host *);

/* None did: has the names looked up again, soon. */
void postgres_hosts_refresh(struct postgres_hosts *);

#endif
